"""Single steps, as a job runs them: what they leave on the forge, on the page of the run and as outputs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fork_server import ForkServer
from support import Org, Ran, Repository, flow

from pipelines.forge import GITHUB_BOT, FakeForge
from reconciler.pipelines.__main__ import run
from reconciler.pipelines.telling import block, cut, signed

MARKER = "<!-- reconciler plan: test -->"


@dataclass
class Job:
    """A job of GitHub in this process."""

    tool: ForkServer
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    log: str = ""

    def __call__(self, command: str, **variables: str) -> int:
        """Runs a step with more variables; forgets outputs and summary of the one before."""
        for name in ("output", "summary"):
            (self.folder / name).write_text("", encoding="utf-8")
        with self.monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr(sys, "executable", str(self.tool.python))
            code = run([command])
        self.log = self.capsys.readouterr().out
        return code

    @property
    def outputs(self) -> dict[str, str]:
        """What the step handed on."""
        lines = (self.folder / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def summary(self) -> str:
        """What the page of the run shows."""
        return (self.folder / "summary").read_text(encoding="utf-8")

    def event(self, repository: str | None = "acme/flows") -> str:
        """The file that tells of a pull request from a branch of that repository."""
        head = {"sha": "0123456789abcdef", "repo": repository and {"full_name": repository}}
        file = self.folder / "event.json"
        file.write_text(json.dumps({"pull_request": {"number": 5, "head": head}}), encoding="utf-8")
        return str(file)


@pytest.fixture
def job(
    tmp_path: Path,
    team: Repository,
    forge: FakeForge,
    fork_server: ForkServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Job:
    """A job for a pull request, in a checkout of the team's repository."""
    folder = tmp_path / "job"
    folder.mkdir()
    made = Job(fork_server, folder, monkeypatch, capsys)
    given = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": forge.url,
        "GITHUB_GRAPHQL_URL": f"{forge.url}/graphql",
        "GITHUB_REPOSITORY": "acme/flows",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": made.event(),
        "GITHUB_BASE_REF": "main",
        "GITHUB_REF": "refs/pull/5/merge",
        "GITHUB_SHA": "fedcba9876543210",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "RECONCILER_ENVIRONMENT": "test",
        "RECONCILER_PLAN_FILE": str(folder / "test.plan.json"),
        "RECONCILER_TOKEN": forge.token(pull_requests="write", security_events="write"),
    }
    for name in ("GITHUB_WORKSPACE", "GITHUB_SERVER_URL", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return made


def changed(team: Repository, *paths: str) -> None:
    """Something is committed on a branch: a line more in each file."""
    team.git("checkout", "--quiet", "-B", "better-words", "main")
    for path in paths:
        file = team.root / path
        file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    team.git("commit", "--quiet", "--all", "--message", "Change")


@pytest.mark.parametrize("fork", ["mallory/flows", None])
@pytest.mark.parametrize("command", ["environments", "plan", "drift"])
def test_a_fork_is_told_why_there_is_no_plan(job: Job, forge: FakeForge, command: str, fork: str | None) -> None:
    assert job(command, GITHUB_EVENT_PATH=job.event(fork)) == 0
    assert job.outputs == {"skipped": "true"} | ({"environments": "[]"} if command == "environments" else {})
    assert "comes from a fork" in job.summary
    assert job.log.startswith("::notice ")
    assert forge.requests == []


def test_pull_request_target_is_refused(job: Job) -> None:
    assert job("plan", GITHUB_EVENT_NAME="pull_request_target") == 1
    assert "::error title=reconciler::" in job.log
    assert "Use pull_request." in job.log


def test_which_environments_a_change_concerns(job: Job, team: Repository) -> None:
    settings = (team.root / "environments/test.yaml").read_text(encoding="utf-8")
    team.write("environments/_base.yaml", "division: Home\n")
    for name in ("dev", "prod"):
        team.write(f"environments/{name}.yaml", "extends: _base\n" + settings)
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message", "More environments")
    team.git("push", "--quiet")

    def concerned(*paths: str) -> list[str]:
        changed(team, *paths)
        assert job("environments", RECONCILER_COMMENT="false") == 0, job.log
        return list(json.loads(job.outputs["environments"]))

    assert concerned("flows/main line.yaml") == ["dev", "prod", "test"], "and not local, which is no real org"
    assert concerned("environments/prod.yaml") == ["prod"]
    assert concerned("environments/_base.yaml") == ["dev", "prod"]
    assert concerned("environments/local.yaml") == []
    team.write("docs/notes.md", "Nothing of ours.")
    team.git("add", "--all")
    assert concerned() == []
    assert job("environments", GITHUB_BASE_REF="") == 0
    assert json.loads(job.outputs["environments"]) == ["dev", "prod", "test"], "all, where there is no pull request"


def test_a_plan_that_the_pull_request_no_longer_makes_is_taken_back(
    job: Job, team: Repository, forge: FakeForge
) -> None:
    comment = forge.add_comment(GITHUB_BOT, f"{MARKER}\n3 to delete. And so this no longer changes `test`.")
    other = forge.add_comment("grace", f"{MARKER}\nquoted")
    changed(team, "environments/local.yaml")

    assert job("environments") == 0
    assert comment["body"].startswith(f"{MARKER}\nThis pull request no longer changes `test`.")
    assert other["body"] == f"{MARKER}\nquoted"

    asked = len(forge.requests)
    assert job("environments") == 0
    assert not any(request.startswith("PATCH") for request in forge.requests[asked:])


@pytest.mark.slow
def test_a_plan_that_cannot_be_made_replaces_the_comment_of_the_one_before(
    job: Job, team: Repository, forge: FakeForge
) -> None:
    comment = forge.add_comment(GITHUB_BOT, f"{MARKER}\nAll is well.")
    team.write("flows/broken.yaml", "inboundCall:\n  name: {{ nobody_said }}\n::warning::not from us\n")

    assert job("plan") == 1

    assert comment["body"].startswith(f"{MARKER}\n## No plan for `test`\n")
    assert "flows/broken.yaml:2" in comment["body"]
    assert "Pull request at 01234567" in comment["body"]
    assert job.outputs["changes-pending"] == "false"
    assert "plan-file" not in job.outputs
    token = job.log.split("::stop-commands::", 1)[1].split("\n", 1)[0]
    assert f"\n::{token}::\n" in job.log, "what the specs say is no command of GitHub"


@pytest.mark.slow
def test_a_plan_is_made_and_kept_although_the_comment_is_refused(job: Job, forge: FakeForge, team: Repository) -> None:
    assert job("plan", RECONCILER_TOKEN=forge.token(pull_requests="read")) == 1
    assert "docs/pipelines.md lists the permissions" in job.log
    assert job.outputs["changes"] == "2"
    assert Path(job.outputs["plan-file"]).exists()
    assert "Plan for `test`" in job.summary


@pytest.mark.slow
def test_a_stale_plan_is_refused_in_plain_words(job: Job, team: Repository, org: Org, cli: Callable[..., Ran]) -> None:
    assert cli("plan", "--out", str(job.folder / "test.plan.json")).code == 0
    team.edit("shared/greeter.yaml", "One moment", "One second")

    assert job("apply", GITHUB_EVENT_NAME="push") == 3

    assert job.outputs["exit-code"] == "3"
    assert "nothing was applied" in job.log
    assert "Run the whole workflow again" in job.log
    assert "The plan was refused" in job.summary
    assert org.flows() == {}


@pytest.mark.slow
def test_who_cancels_the_job_lets_running_changes_end(
    job: Job, team: Repository, org: Org, cli: Callable[..., Ran]
) -> None:
    team.write("flows/another.yaml", flow("Another Line", modules=("Greeter",)))
    assert cli("plan", "--out", str(job.folder / "test.plan.json")).code == 0
    org.settings(job_seconds=0.3)
    command = [sys.executable, "-m", "reconciler.pipelines", "apply"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while "started" not in said:
            said += process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        said += process.stdout.read()
    assert process.returncode == 4, said
    assert "commonModule/Greeter  version 1.0" in said, "what was begun is ended"
    assert "The plan was applied in part." in job.summary
    assert list(org.flows()) == ["Greeter"]


def test_apply_without_a_plan_says_what_to_run_before(job: Job) -> None:
    assert job("apply") == 1
    assert "test.plan.json: No such file or directory. Run the step that plans before." in job.log
    (job.folder / "test.plan.json").write_text("[]", encoding="utf-8")
    assert job("apply") == 1
    assert "is no saved plan. Plan again." in job.log


def test_pending_takes_plans_that_change_something_and_may_be_applied(job: Job) -> None:
    def saved(environment: str, changes: int, severity: str = "warning") -> None:
        folder = job.folder / "plans" / f"plan-{environment}"
        folder.mkdir(parents=True)
        plan = {"environment": environment, "changes": [{}] * changes, "findings": [{"severity": severity}]}
        (folder / f"{environment}.plan.json").write_text(json.dumps(plan), encoding="utf-8")

    assert job("pending", RECONCILER_PLAN_FILE=str(job.folder / "plans")) == 0
    assert job.outputs == {"environments": "[]"}
    saved("test", 2)
    saved("dev", 0)
    saved("prod", 1, "error")
    assert job("pending", RECONCILER_PLAN_FILE=str(job.folder / "plans")) == 0
    assert job.outputs == {"environments": '["test"]'}


@pytest.mark.slow
def test_validate_checks_every_environment_and_tells_what_it_found_once(
    job: Job, team: Repository, forge: FakeForge
) -> None:
    text = flow("Main Line", modules=("Greeter",)).replace("/task[Main_10]", "/task[Gone_10]")
    team.write("flows/main line.yaml", text)
    team.write("environments/local.yaml", "org: {sandbox: {}}\n")

    assert job("validate", RECONCILER_ENVIRONMENT="", RECONCILER_SARIF="true") == 1

    errors = [line for line in job.log.splitlines() if line.startswith("::error file=flows/main line.yaml,line=")]
    assert len(errors) == len(set(errors)) > 0
    assert "| `local` | **has errors** |" in job.summary
    assert "| `test` | **has errors** |" in job.summary
    merge = ("fedcba9876543210", "refs/pull/5/merge")
    assert [(each["commit_sha"], each["ref"]) for each in forge.sarif] == [merge, merge]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"RECONCILER_ENVIRONMENT": ""}, "plan needs to know the environment."),
        ({"RECONCILER_ENVIRONMENT": "../prod"}, "'../prod' is no environment."),
        ({"RECONCILER_ENVIRONMENT": "--prune"}, "'--prune' is no environment."),
        ({"RECONCILER_ARGS": "--target 'ivr"}, "RECONCILER_ARGS cannot be read: No closing quotation."),
        ({"RECONCILER_COMMENT": "yes"}, "RECONCILER_COMMENT is 'yes'. Write true or false."),
    ],
)
def test_wrong_settings_are_told(job: Job, variables: dict[str, str], said: str) -> None:
    assert job("plan", **variables) == 1
    assert f"::error title=reconciler::{said}" in job.log


def test_a_long_document_is_cut_to_what_the_forge_takes() -> None:
    document = (
        "<!-- marker -->\n<details>\n```diff\n" + "! the greeting now says something\n" * 5000 + "```\n</details>"
    )
    short = signed(document, "Commit 1", 65_536)
    assert len(short) <= 65_536
    assert short.count("\n```") % 2 == 0
    assert short.count("<details") == short.count("</details>")
    assert short.startswith("<!-- marker -->\n")
    assert "the plan file and the log have all of it" in short
    exact = "x" * 65_536
    assert signed(exact, "Commit 1", 65_536) == exact
    assert signed("x", "Commit 1", 65_536) == "x\n\n<sub>Commit 1</sub>\n"
    assert cut("x", 10) == "x"


def test_what_a_command_said_cannot_leave_its_block() -> None:
    shown = block("a\n```\n# not a heading\n")
    assert shown.startswith("````text\n")
    assert shown.endswith("\n````")
