"""The GitLab template, job by job, as GitLab runs them: a merge request, the merge, the button, the night."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Org, Repository, flow, module

from pipelines.forge import GITLAB_BOT, FakeForge
from pipelines.gitlab_runner import GitLabRunner

MARKER = "<!-- reconciler plan: test -->"


@pytest.fixture
def gitlab(team: Repository, forge: FakeForge, org: Org, tmp_path: Path) -> GitLabRunner:
    """GitLab with the team's project, the credentials of the org and a project access token."""
    secrets = {
        "GENESYSCLOUD_OAUTHCLIENT_ID": org.client_id,
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": org.client_secret,
        "RECONCILER_TOKEN": forge.token(api="write"),
    }
    return GitLabRunner(team.root, forge, tmp_path / "gitlab", secrets)


@pytest.mark.slow
def test_a_merge_request_from_its_note_to_the_org_and_a_night(
    gitlab: GitLabRunner, team: Repository, forge: FakeForge, org: Org
) -> None:
    base = team.git("rev-parse", "HEAD")
    request = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "5",
        "CI_MERGE_REQUEST_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "RECONCILER_ONLY_CHANGED": "true",
    }
    comment = forge.add_comment(GITLAB_BOT, f"{MARKER}\nThe plan of an earlier push.")
    team.write("environments/local.yaml", "org: {sandbox: {}}\n")
    team.git("commit", "--quiet", "--all", "--message", "Another environment")
    code, log = gitlab.job("plan test", **request)
    assert (code, "This merge request does not change test." in log) == (0, True)
    assert comment["body"].startswith(f"{MARKER}\nThis merge request no longer changes `test`.")

    team.write("shared/greeter.yaml", module("Greeter", "Please hold the line."))
    team.git("commit", "--quiet", "--all", "--message", "Better words")
    code, log = gitlab.job("plan test", **request)
    assert code == 0, log
    assert [each["id"] for each in forge.comments] == [comment["id"]]
    assert comment["body"].startswith(f"{MARKER}\n")
    assert "commonModule/Greeter" in comment["body"]
    assert "[this run](https://gitlab.example/acme/flows/-/jobs/99)" in comment["body"]

    # The button applies what the job before has saved.
    code, log = gitlab.job("apply test", CI_PIPELINE_SOURCE="push")
    assert code == 0, log
    assert org.version("Main Line") == "1.0"

    org.publish(flow("Main Line", says="We are closed today.", modules=("Greeter",)))
    code, log = gitlab.job("drift test", CI_PIPELINE_SOURCE="schedule")
    assert code == 0, log
    assert "We are closed today." in forge.open_issues[0]["body"]
    assert "Warning: test: somebody changed the org" in log
