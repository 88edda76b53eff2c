"""`validate` as people and pipelines run it: offline, in each format, with the right exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sarif_kit.validate import validation_errors
from support import Repository

from reconciler.cli.main import run

SOUND = """\
inboundCall:
  name: Sales
  startUpRef: "/inboundCall/tasks/task[Main_1]"
  tasks:
    - task:
        name: Main
        refId: Main_1
        actions:
          - playAudio: {name: Hello}
          - disconnect: {name: Bye}
"""
WARNING = SOUND.replace("          - disconnect: {name: Bye}\n", "")
ERROR = SOUND.replace('startUpRef: "/inboundCall/tasks/task[Main_1]"', 'startUpRef: "/inboundCall/tasks/task[Mein_1]"')


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository(tmp_path / "work" / "specs")
    made.write("environments/test.yaml", "org: {region: eu-west-1}\n")
    made.write("flows/sales.yaml", WARNING)
    monkeypatch.chdir(made.root)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return made


def test_a_warning_is_told_and_does_not_fail(repository, cli):
    done = cli("validate")
    assert done.code == 0
    assert done.out == ""
    assert "warning no-end: Task Main, action Hello" in done.err
    assert "at flows/sales.yaml:9:13" in done.err
    assert "1 resources are valid for test; 1 warning." in done.err


def test_silenced_findings_are_counted_and_not_told(repository, cli):
    repository.write(
        "environments/test.yaml",
        """\
        org: {region: eu-west-1}
        findings:
          silence:
            - {id: no-end, address: "inboundCall/*", reason: The carrier hangs up.}
        """,
    )
    done = cli("validate")
    assert "no-end" not in done.err
    assert "; 1 silenced." in done.err
    document = cli("validate", "--format", "json").json
    assert document["findings"] == []
    assert document["silenced"][0]["reason"] == "The carrier hangs up."
    log = cli("validate", "--format", "sarif").json
    assert validation_errors(log) == []
    assert log["runs"][0]["results"][0]["suppressions"][0]["justification"] == "The carrier hangs up."


@pytest.mark.parametrize("format", ["text", "json", "sarif", "github"])
def test_an_error_fails_in_every_format_and_the_document_is_there_all_the_same(repository, cli, format):
    repository.write("flows/sales.yaml", ERROR)
    done = cli("validate", "--format", format)
    assert done.code == 1
    assert "dangling-reference" in done.err
    match format:
        case "text":
            assert done.out == ""
        case "json":
            assert [each["id"] for each in done.json["findings"]] == ["dangling-reference"]
            assert done.json["summary"]["error"] == 1
            assert done.json["error"]
        case "sarif":
            assert validation_errors(done.json) == []
            (result,) = done.json["runs"][0]["results"]
            assert (result["ruleId"], result["level"]) == ("dangling-reference", "error")
        case "github":
            assert done.out.startswith("::error file=flows/sales.yaml,line=3,col=3,title=dangling-reference")


def test_files_are_named_from_where_github_scans(repository, cli, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(repository.root.parent))
    assert "file=specs/flows/sales.yaml," in cli("validate", "--format", "github").out
    log = cli("validate", "--format", "sarif").json
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "specs/flows/sales.yaml"


def test_outside_a_repository_every_format_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["validate", "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert validation_errors(log) == []
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert run(["validate", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error title=reconciler::")
