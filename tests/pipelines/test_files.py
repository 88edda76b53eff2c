"""The files that teams copy hold to their schemas, have no finding of the linters, and fit what they stand for."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.github_runner import PLACEHOLDER, ROOT, WORKFLOWS
from pipelines.gitlab_runner import TEMPLATE
from reconciler.pipelines.settings import COMMANDS

OWN_WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TEMPLATES = sorted(WORKFLOWS.glob("*.yml"))
WITH_SCRIPTS = [ROOT / "action.yml", *OWN_WORKFLOWS, *TEMPLATES]


def tool(name: str, *arguments: str | Path) -> str:
    """Runs a linter, which must be content; what it said."""
    program = Path(sys.executable).with_name(name)
    done = subprocess.run([program, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def scripts(document: Any) -> list[str]:
    """All ``run:`` blocks and GitLab scripts of a file."""
    if isinstance(document, dict):
        own = [document["run"]] if isinstance(document.get("run"), str) else []
        own += ["\n".join(document["script"])] if "script" in document else []
        return own + [script for value in document.values() for script in scripts(value)]
    return [script for value in document for script in scripts(value)] if isinstance(document, list) else []


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.github-workflows", [*TEMPLATES, *OWN_WORKFLOWS]),
        ("vendor.gitlab-ci", [TEMPLATE]),
    ],
)
def test_files_hold_to_their_schemas(schema: str, files: list[Path]) -> None:
    assert files
    more = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    tool("check-jsonschema", "--builtin-schema", schema, *more, *files)


def test_zizmor_finds_nothing_in_what_is_copied_and_in_what_becomes_of_it(tmp_path: Path) -> None:
    """The placeholder is replaced by a repository, or by ``./`` where the tool lies beside the specs."""
    said = tool("zizmor", "--offline", "--no-progress", *WITH_SCRIPTS)
    assert "No findings to report" in said
    for file in TEMPLATES:
        text = file.read_text(encoding="utf-8")
        assert text.count(PLACEHOLDER) == text.count("# replace, see above") > 0
        (tmp_path / file.name).write_text(text.replace(PLACEHOLDER, "./"), encoding="utf-8")
    copied = sorted(tmp_path.glob("*.yml"))
    tool("zizmor", "--offline", "--no-progress", "--min-severity", "medium", *copied)


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    found = [script for file in [*WITH_SCRIPTS, TEMPLATE] for script in scripts(load(file))]
    assert len(found) > 8
    for number, script in enumerate(found):
        (tmp_path / f"{number}.sh").write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    tool("shellcheck", *sorted((ROOT / "scripts/action").iterdir()), *sorted(tmp_path.iterdir()))


@pytest.mark.parametrize("file", WITH_SCRIPTS, ids=lambda file: file.name)
def test_nothing_is_put_into_scripts_and_every_action_is_pinned(file: Path) -> None:
    assert not [script for script in scripts(load(file)) if "${{" in script]
    text = file.read_text(encoding="utf-8")
    assert "pull_request_target" not in text
    for used in re.findall(r"uses: (\S+ # \S+|\S+)", text):
        assert used.startswith("./") or re.fullmatch(r"\S+@[0-9a-f]{40} # (v\d+\.\d+\.\d+|replace,)", used), used


def test_one_version_of_each_action_everywhere() -> None:
    used = {use for file in WITH_SCRIPTS for use in re.findall(r"uses: (actions/\S+)@(\S+)", file.read_text("utf-8"))}
    owners = {(re.sub(r"^(actions/[^/]+).*", r"\1", name), commit) for name, commit in used}
    assert len(owners) == len(dict(owners)) >= 5


def test_jobs_have_only_the_permissions_they_need() -> None:
    for file in [*TEMPLATES, *OWN_WORKFLOWS]:
        document = load(file)
        assert document["permissions"] == {}
        writing = {
            (name, permission)
            for name, job in document["jobs"].items()
            for permission, level in job["permissions"].items()
            if level == "write"
        }
        expected = {
            "plan.yml": {("concerned", "pull-requests"), ("plan", "pull-requests")},
            "drift.yml": {("drift", "issues")},
        }
        assert writing == expected.get(file.name, set())


def test_a_run_is_never_cancelled_while_it_applies() -> None:
    document = load(WORKFLOWS / "apply.yml")
    assert "concurrency" not in document
    for name in ("plan", "apply"):
        assert document["jobs"][name]["concurrency"] == {
            "group": "reconciler-${{ matrix.environment }}",
            "cancel-in-progress": False,
        }
    assert load(TEMPLATE)[".apply"]["interruptible"] is False
    assert load(TEMPLATE)[".apply"]["resource_group"] == "$RECONCILER_ENVIRONMENT"


def test_docs_list_every_input_and_output_of_the_action() -> None:
    text = (ROOT / "docs/pipelines.md").read_text(encoding="utf-8")
    action = load(ROOT / "action.yml")
    for name, spec in (action["inputs"] | action["outputs"]).items():
        assert re.search(rf"^\| `{name}` \|", text, re.MULTILINE), name
        default = spec.get("default", "")
        if default and "${{" not in default:
            assert re.search(rf"^\| `{name}` \|.*\| `{re.escape(default)}` \|$", text, re.MULTILINE), name
    for command in COMMANDS:
        assert f"`{command}`" in text


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ENVIRONMENT": "prod\nplan-file=/etc/passwd"}, "The input environment is no name of an environment."),
        ({"ENVIRONMENT": "../prod"}, "The input environment is no name of an environment."),
        ({"ARTIFACT": "a/b"}, "The input artifact may hold letters, digits, dots, - and _."),
        ({"PLAN_FILE": "a\nvenv=/tmp"}, "The input plan-file has several lines."),
        ({"RUN_ID": "1; ls"}, "The input run-id is no number of a run."),
        ({"COMMAND": "destroy"}, "The input command is none of validate, environments, plan, pending, apply, drift."),
        ({"ENVIRONMENT": ""}, "plan needs the input environment."),
    ],
)
def test_the_action_refuses_inputs_that_are_none(tmp_path: Path, variables: dict[str, str], said: str) -> None:
    output = tmp_path / "output"
    given = {"COMMAND": "plan", "ENVIRONMENT": "test", "PLAN_FILE": "", "ARTIFACT": "", "RUN_ID": ""}
    done = subprocess.run(
        ["bash", ROOT / "scripts/action/prepare"],
        env={"PATH": "/usr/bin:/bin", "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": "/tmp", **given, **variables}
        | {"GITHUB_ACTION_PATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, f"::error title=reconciler::{said}\n")
    assert not output.exists()


def test_hadolint_finds_nothing() -> None:
    tool("hadolint", ROOT / "Dockerfile")


def test_the_image_holds_what_running_needs_and_nothing_that_only_building_needs() -> None:
    """What is installed from the lock file, less what the Dockerfile takes away, is what the tool requires."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    removed = set(re.search(r"uninstall --yes ([a-z -]+)", dockerfile)[1].split())  # type: ignore[index]
    locked = set(
        re.findall(r"^([\w.-]+)==[^;\\]*(?:\\|$)", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    )
    needed = _requirements("reconciler")
    assert needed & removed == set()
    assert {_plain(name) for name in locked} - needed == removed - {"pip"}


def test_what_docker_copies_is_not_ignored() -> None:
    kept = {line.strip("!/") for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[0] == "!"}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE) for name in line.split()
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_the_hook_of_pre_commit_is_the_command() -> None:
    (hook,) = load(ROOT / ".pre-commit-hooks.yaml")
    assert "Check all specs offline" in tool(*hook["entry"].split(), "--help")
    assert re.search(hook["files"], "flows/household/main.yaml")
    assert re.search(hook["files"], "environments/prod.yaml")
    assert not re.search(hook["files"], "docs/flows/notes.md")


def _requirements(name: str) -> set[str]:
    """Everything that a distribution requires here, without extras, and what that requires."""
    found: set[str] = set()
    wanted = [name]
    while wanted:
        for line in metadata.requires(wanted.pop()) or []:
            requirement, _, marker = line.partition(";")
            plain = _plain(re.split(r"[\s\[<>=!~(]", requirement.strip(), maxsplit=1)[0])
            if plain not in found and "extra" not in marker and _installed(plain):
                found.add(plain)
                wanted.append(plain)
    return found


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
