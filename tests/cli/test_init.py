"""``init``: a new team's repository works at once, is clean in an editor, and is written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from editing import complaints, documents

from reconciler.cli.installed import vcs_requirement
from reconciler.cli.scaffold import Choices, files_of

COMMAND = Path(sys.executable).parent / "reconciler"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def make(folder, *arguments, **variables):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GENESYSCLOUD_", "MAKE"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**clean, "RECONCILER": str(COMMAND), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def acme(tmp_path, cli):
    folder = tmp_path / "my repositories" / "acme"
    done = cli("init", str(folder), "--name", 'Acme "Power"', "--region", "eu-west-1")
    assert done.code == 0, done.err
    assert f"cd '{folder}'" in done.err
    return folder


@pytest.mark.slow
def test_make_plans_applies_and_finds_nothing_more_to_do(acme):
    planned = make(acme, "plan")
    assert planned.returncode == 0, planned.stderr
    assert "6 to create" in planned.stderr
    assert "reaches 1 IVR with 1 phone number" in planned.stderr
    assert make(acme, "apply").returncode == 0
    again = make(acme, "plan", "ARGS=--detailed-exitcode")
    assert again.returncode == 0, again.stderr


def test_the_sandbox_can_be_begun_afresh(acme, cli, monkeypatch):
    monkeypatch.chdir(acme)
    for _ in range(2):
        assert cli("validate", "--env", "local").code == 0
        assert cli("plan", "--env", "local", "--detailed-exitcode").code == 2
        assert cli("apply", "--env", "local", "--auto-approve").code == 0
        assert cli("plan", "--env", "local", "--detailed-exitcode").code == 0
        assert cli("drift", "--env", "local").code == 0
        shutil.rmtree(acme / ".reconciler")


def test_no_environment_has_a_finding(acme, cli, monkeypatch):
    monkeypatch.chdir(acme)
    for name in ("local", "dev", "test", "prod"):
        checked = cli("validate", "--env", name, "--format", "json")
        assert checked.code == 0, checked.err
        assert checked.json["findings"] == []
    told = cli("schema", "--out", "again")
    assert told.code == 0
    for path in (acme / "schemas").iterdir():
        assert path.read_text() == (acme / "again" / path.name).read_text()


def test_a_change_of_the_module_reaches_the_flow(acme, cli, monkeypatch):
    monkeypatch.chdir(acme)
    assert cli("apply", "--env", "local", "--auto-approve").code == 0
    module = acme / "shared/modules/ask-for-customer-number.yaml"
    module.write_text(module.read_text(encoding="utf-8").replace("Please enter", "Now enter"), encoding="utf-8")
    changes = cli("plan", "--env", "local", "--format", "json").json["changes"]
    assert [(change["address"], change["action"]) for change in changes] == [
        ("commonModule/Ask for Customer Number", "update"),
        ("inboundCall/Main Line", "republish"),
    ]


def test_an_editor_reads_every_file_with_the_schemas_that_it_is_pointed_at(acme):
    pointed = json.loads((acme / ".vscode/settings.json").read_text())["yaml.schemas"]
    checked = set()
    for schema, patterns in pointed.items():
        known = json.loads((acme / schema).read_text(encoding="utf-8"))
        apart = {path for pattern in patterns if pattern[0] == "!" for path in acme.glob(pattern[1:])}
        for path in {path for pattern in patterns if pattern[0] != "!" for path in acme.glob(pattern)} - apart:
            assert complaints(known, path.read_text(encoding="utf-8")) == [], path
            checked.add(path)
    assert set(acme.rglob("*.yaml")) - checked == {acme / "environments/local.seed.yaml"}
    seed = next(documents((acme / "environments/local.seed.yaml").read_text(encoding="utf-8")))
    assert seed["organization"]["name"] == 'Acme "Power" (sandbox)'


def test_nothing_of_this_machine_and_no_placeholder_is_written(acme):
    for path in acme.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "@@" not in text, path
            assert str(Path.home()) not in text or str(Path.home()) == "/", path
            assert sys.prefix not in text, path
    assert "FILL IN" in (acme / "environments/dev.yaml").read_text(encoding="utf-8")
    assert "region: eu-west-1\n" in (acme / "environments/prod.yaml").read_text(encoding="utf-8")


def test_git_init_before_or_after_takes_all_but_state(tmp_path, cli, monkeypatch):
    folder = tmp_path / "before"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True)
    monkeypatch.chdir(folder)
    done = cli("init", ".")
    assert done.code == 0, done.err
    assert "  cd " not in done.err
    assert cli("plan", "--env", "local", "--out", ".reconciler/local.plan.json").code == 0
    listed = subprocess.run(["git", "status", "--short"], cwd=folder, capture_output=True, text=True).stdout.split()
    assert {"Makefile", "README.md", ".gitignore", "environments/", "flows/", "shared/", "schemas/"} <= set(listed)
    assert ".reconciler/" not in listed


@pytest.mark.parametrize("found", [["README.md"], [".git", "flows"], list("abcdefgh")])
def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path, cli, found):
    for name in found:
        (tmp_path / "taken" / name).mkdir(parents=True)
    refused = cli("init", str(tmp_path / "taken"))
    assert refused.code == 1
    assert found[-1] in refused.err or "and 3 more" in refused.err
    assert sorted(path.name for path in (tmp_path / "taken").iterdir()) == sorted(found)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_file_is_no_folder_and_a_folder_that_cannot_be_made_says_so(tmp_path, cli):
    (tmp_path / "file").write_text("")
    assert "is not a folder" in cli("init", str(tmp_path / "file")).err
    refused = cli("init", str(tmp_path / "file" / "below"))
    assert refused.code == 1
    assert "Nothing was left there" in refused.err or "is not a folder" in refused.err


def test_a_failure_halfway_leaves_the_folder_as_it_was(tmp_path, cli, monkeypatch):
    folder = tmp_path / "mine"
    (folder / ".git").mkdir(parents=True)
    rename, renamed = Path.rename, []

    def full_disk(self, target):
        if len(renamed) == 3:
            raise OSError(28, "No space left on device")
        renamed.append(target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full_disk)
    refused = cli("init", str(folder))
    assert refused.code == 1
    assert "No space left on device" in refused.err
    assert [path.name for path in folder.iterdir()] == [".git"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--region", "eu-wset-1", "Did you mean `eu-west-1`"),
        ("--name", " ", "1 to 80 characters"),
        ("--name", "A\x1b[1m", "can be seen"),
        ("--pipelines", "jenkins", "'github', 'gitlab', 'none'"),
    ],
)
def test_odd_values_are_refused_before_anything_is_written(tmp_path, cli, option, value, said):
    refused = cli("init", str(tmp_path / "new"), option, value)
    assert refused.code == 1
    assert said in refused.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_pipelines_are_written_as_they_came(tmp_path, cli, forge):
    data = Path(__file__).parents[2] / "reconciler/scaffold/pipelines" / forge
    folder = tmp_path / "new"
    done = cli("init", str(folder), "--pipelines", forge)
    assert done.code == 0, done.err
    below = folder / ".github" if forge == "github" else folder
    files = [path for path in data.rglob("*") if path.is_file()]
    for path in files:
        assert (below / path.relative_to(data)).read_bytes() == path.read_bytes()
    assert ("brings no pipelines" in done.err) == (not files)


@pytest.mark.parametrize(
    ("requirement", "used"),
    [
        (f"reconciler @ git+https://github.com/acme/reconciler.git@{COMMIT}", f"acme/reconciler@{COMMIT}"),
        (f"reconciler @ git+ssh://git@github.com/acme/flow.tools@{COMMIT}", f"acme/flow.tools@{COMMIT}"),
        (f"reconciler @ git+https://forge.example/acme/reconciler@{COMMIT}", None),
        (None, None),
    ],
)
def test_workflows_name_the_commit_that_the_tool_came_from(requirement, used):
    written = files_of(Choices("Acme", None, "github", requirement))
    workflows = {path: text for path, text in written.items() if path.startswith(".github/")}
    assert len(workflows) == 3
    for text in workflows.values():
        action = [line.split("uses: ")[1] for line in text.splitlines() if "uses: " in line and "actions/" not in line]
        assert set(action) == {used or f"OWNER/REPO@{'0' * 40} # replace, see above"}


def test_the_makefile_says_how_to_name_the_tool_where_there_is_none(acme):
    without = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG")}
    done = subprocess.run(
        ["make", "plan"], cwd=acme, env={**without, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "make plan RECONCILER=/path/to/reconciler" in done.stderr


def test_a_pinned_tool_is_installed_by_the_makefile(tmp_path, cli, monkeypatch):
    line = f"reconciler @ git+https://git.example.com/telephony/reconciler.git@{COMMIT}"
    monkeypatch.setattr("reconciler.cli.init.vcs_requirement", lambda: line)
    assert cli("init", str(tmp_path / "pinned")).code == 0
    assert (tmp_path / "pinned/requirements.txt").read_text() == f"{line}\n"
    assert "requirements.txt" in (tmp_path / "pinned/README.md").read_text()
    clean = {name: value for name, value in os.environ.items() if name != "RECONCILER"}
    steps = subprocess.run(
        ["make", "-n", "plan"], cwd=tmp_path / "pinned", env=clean, capture_output=True, text=True
    ).stdout
    assert "pip install" in steps
    assert ".venv/bin/reconciler plan --env local" in steps


@pytest.mark.parametrize(
    ("recorded", "line"),
    [
        (
            {"url": "https://host/a.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"reconciler @ git+https://host/a.git@{COMMIT}",
        ),
        (
            {"url": "https://me:token@host/a.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"reconciler @ git+https://host/a.git@{COMMIT}",
        ),
        (
            {"url": "ssh://git:pass@host/a", "vcs_info": {"vcs": "git", "commit_id": COMMIT}, "subdirectory": "tool"},
            f"reconciler @ git+ssh://git@host/a@{COMMIT}#subdirectory=tool",
        ),
        ({"url": "file:///home/me/reconciler", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}, None),
        ({"url": "file:///home/me/reconciler", "dir_info": {"editable": True}}, None),
        ({"url": "https://host/reconciler.whl", "archive_info": {}}, None),
        ({"url": "https://host/a", "vcs_info": {"vcs": "git"}}, None),
        ({"url": "https://host/a b\n-e .", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}, None),
        ([], None),
        (None, None),
    ],
)
def test_where_the_tool_came_from_is_told_only_if_others_can_get_it_there(tmp_path, recorded, line):
    installed = tmp_path / "reconciler-0.1.0.dist-info"
    installed.mkdir()
    if recorded is not None:
        (installed / "direct_url.json").write_text(json.dumps(recorded))
    assert vcs_requirement(PathDistribution(installed)) == line
