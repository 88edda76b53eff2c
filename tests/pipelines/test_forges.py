"""What GitHub and GitLab are asked, over real HTTP: one comment, one issue, pages, refusals, patience."""

from __future__ import annotations

import pytest

from pipelines.forge import GITHUB_BOT, GITLAB_BOT, FakeForge
from reconciler.pipelines.forges import Forge, close_issues, own_comments, write_comment, write_issue
from reconciler.pipelines.github import GitHub
from reconciler.pipelines.gitlab import GitLab
from reconciler.pipelines.rest import ForgeError

MARKER = "<!-- reconciler plan: prod -->"


def github(forge: FakeForge, **permissions: str) -> GitHub:
    token = forge.token(**(permissions or {"pull_requests": "write", "issues": "write"}))
    return GitHub(api=forge.url, graphql=f"{forge.url}/graphql", repository="acme/flows", change=5, token=token)


@pytest.fixture(params=["GitHub", "GitLab"])
def writer(request: pytest.FixtureRequest, forge: FakeForge) -> tuple[Forge, str]:
    """Either forge, and the name that its token writes under."""
    if request.param == "GitHub":
        return github(forge), GITHUB_BOT
    return GitLab(api=forge.url, project="7", change=5, token=forge.token(api="write")), GITLAB_BOT


def test_one_comment_is_found_again_among_pages_of_others(writer: tuple[Forge, str], forge: FakeForge) -> None:
    client, me = writer
    for number in range(4):
        forge.add_comment("grace", f"Remark {number}")
    forge.add_comment("grace", f"{MARKER}\nquoted by somebody")
    forge.add_comment(me, "<!-- reconciler plan: prod-west -->\nanother environment")
    first = write_comment(client, MARKER, f"{MARKER}\none")
    forge.add_comment("grace", "Looks good.")

    second = write_comment(client, MARKER, f"{MARKER}\ntwo")

    assert first.id == second.id
    assert [each["body"] for each in forge.comments if each["body"].startswith(MARKER)] == [
        f"{MARKER}\nquoted by somebody",
        f"{MARKER}\ntwo",
    ]
    assert [post.body for post in own_comments(client, "<!-- reconciler plan: ")] == [
        "<!-- reconciler plan: prod-west -->\nanother environment",
        f"{MARKER}\ntwo",
    ]


def test_one_issue_lives_from_the_first_find_to_the_repair(writer: tuple[Forge, str], forge: FakeForge) -> None:
    client, me = writer
    for number in range(3):
        forge.add_issue("grace", "Question", f"Question {number}")
    forge.add_issue("grace", "Quote", f"{MARKER}\nquoted by somebody")
    first = write_issue(client, MARKER, "Drift", f"{MARKER}\none")
    second = write_issue(client, MARKER, "Drift", f"{MARKER}\ntwo")
    assert first.url == second.url != ""
    assert [issue["body"] for issue in forge.issues if issue["author"] == me] == [f"{MARKER}\ntwo"]

    closed = close_issues(client, MARKER, "All is well again.")

    assert [post.url for post in closed] == [first.url]
    assert [issue["title"] for issue in forge.open_issues] == ["Question"] * 3 + ["Quote"]
    assert forge.issues[-1]["remarks"] == ["All is well again."]
    assert close_issues(client, MARKER, "All is well again.") == []


def test_a_pull_request_is_no_issue(forge: FakeForge) -> None:
    forge.add_issue(GITHUB_BOT, "A pull request", MARKER, pull_request=True)
    write_issue(github(forge), MARKER, "Drift", MARKER)
    assert [issue["title"] for issue in forge.issues] == ["A pull request", "Drift"]


def test_a_token_that_may_not_write_says_so(forge: FakeForge) -> None:
    with pytest.raises(ForgeError) as refused:
        write_comment(github(forge, pull_requests="read"), MARKER, MARKER)
    assert "Resource not accessible by integration" in refused.value.message
    assert "docs/pipelines.md" in str(refused.value.remedy)
    assert "token-" not in refused.value.message


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the client would have waited."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


@pytest.mark.parametrize("failure", [(502, {}), (429, {"Retry-After": "7"}), (403, {"Retry-After": "7"})])
def test_a_passing_failure_is_waited_for(
    forge: FakeForge, slept: list[float], failure: tuple[int, dict[str, str]]
) -> None:
    client = github(forge)
    post = client.comment(MARKER)
    forge.failures = [failure]
    client.edit_comment(post, f"{MARKER}\ntwo")
    assert forge.comments[0]["body"] == f"{MARKER}\ntwo"
    assert len(slept) == 1
    assert slept[0] == float(failure[1].get("Retry-After", slept[0]))


def test_what_may_have_been_done_is_not_done_again(forge: FakeForge, slept: list[float]) -> None:
    client = github(forge)
    forge.failures = [(502, {})]
    with pytest.raises(ForgeError, match="502"):
        client.comment(MARKER)
    assert forge.comments == []
    forge.failures = [(429, {"Retry-After": "1"})]
    client.comment(MARKER)
    assert len(forge.comments) == 1


def test_a_long_wait_is_an_error_at_once(forge: FakeForge, slept: list[float]) -> None:
    forge.failures = [(403, {"Retry-After": "1800"})]
    with pytest.raises(ForgeError, match="403"):
        list(github(forge).comments())
    assert slept == []


def test_a_forge_that_is_down_is_named(forge: FakeForge, slept: list[float]) -> None:
    gone = GitHub(api="http://127.0.0.1:9", graphql="", repository="acme/flows", change=5, token="secret-token")
    with pytest.raises(ForgeError) as failed:
        list(gone.comments())
    assert failed.value.message.startswith("GitHub did not do GET /repos/acme/flows/issues/5/comments")
    assert "secret-token" not in failed.value.message
    assert len(slept) == 3
