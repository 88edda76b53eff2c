"""The example estate on the embedded sandbox, as a newcomer meets it: every command its own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    for folder in ("flows", "shared", "environments"):
        shutil.copytree(REPOSITORY / folder, tmp_path / "my repository" / folder)
    return tmp_path / "my repository"


@pytest.fixture
def reconciler(fork_server):
    """The tool in a process of its own, which has its modules loaded already."""
    return partial(ran, fork_server.tool)


def ran(program, folder, *arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GENESYSCLOUD_")}
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_plan_apply_plan_and_a_sentence_in_a_module(copy, reconciler):
    plan = reconciler(copy, "plan", "--out", ".reconciler/local.plan.json", "--detailed-exitcode")
    assert plan.returncode == 2, plan.stderr
    applied = reconciler(copy, "apply", ".reconciler/local.plan.json")
    assert applied.returncode == 0, applied.stderr
    assert reconciler(copy, "plan", "--detailed-exitcode").returncode == 0

    module = copy / "shared/modules/authenticate-caller.yaml"
    text = module.read_text(encoding="utf-8")
    spoken = next(line for line in text.splitlines() if "tts:" in line and len(line.split()) > 5)
    module.write_text(text.replace(spoken, spoken.replace("tts: ", "tts: Please note. ", 1)), encoding="utf-8")
    changed = json.loads(reconciler(copy, "plan", "--format", "json").stdout)

    actions = {change["address"]: change["action"] for change in changed["changes"]}
    assert actions.pop("commonModule/Authenticate Caller") == "update"
    assert set(actions.values()) == {"republish"}
    callers = {
        address
        for path in (copy / "flows").rglob("*.yaml")
        if "callCommonModule" in (source := path.read_text(encoding="utf-8")) and "Authenticate Caller:" in source
        for address in [f"inboundCall/{source.split('name: ', 1)[1].splitlines()[0]}"]
    }
    assert set(actions) == callers
    assert reconciler(copy, "apply", "--auto-approve").returncode == 0
    assert reconciler(copy, "plan", "--detailed-exitcode").returncode == 0


@pytest.mark.slow
def test_all_environments_validate_offline(copy, reconciler):
    for name in ("local", "dev", "test", "prod"):
        done = reconciler(copy, "validate", "--env", name)
        assert done.returncode == 0, done.stderr
        assert f"valid for {name}" in done.stderr


@pytest.mark.slow
def test_other_commands_answer_as_they_are_installed(copy):
    reconciler = partial(ran, Path(sys.executable).with_name("reconciler"))
    graph = reconciler(copy, "graph")
    assert "flowchart LR" in graph.stdout
    assert reconciler(copy, "graph", "--format", "dot").stdout.startswith("digraph")
    assert json.loads(reconciler(copy, "schema").stdout)["properties"]["ivr"]["additionalProperties"] is False
    assert "properties" in json.loads(reconciler(copy, "schema", "environment").stdout)
    assert reconciler(copy, "unlock").returncode == 0
    assert reconciler(copy, "--version").stdout.startswith("reconciler ")


@pytest.mark.slow
def test_a_file_ledger_serves_as_well(copy, reconciler):
    local = copy / "environments/local.yaml"
    local.write_text(local.read_text(encoding="utf-8") + "\nledger: {type: file}\n", encoding="utf-8")
    assert reconciler(copy, "apply", "--auto-approve").returncode == 0
    assert (copy / ".reconciler/ledger/local.json").is_file()
    assert reconciler(copy, "plan", "--detailed-exitcode").returncode == 0


@pytest.mark.slow
def test_without_a_terminal_apply_wants_a_word(copy, reconciler):
    asked = reconciler(copy, "apply")
    assert asked.returncode == 1
    assert "--auto-approve" in asked.stderr
    assert reconciler(copy, "unlock").returncode == 0
