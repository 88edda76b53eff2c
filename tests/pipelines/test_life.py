"""The whole life of a change, with the workflows and the action that teams copy.

A pull request with a plan, a second push, the merge, the approved plan, a change by hand, two nights,
the repair, a third night.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from support import Org, Ran, Repository, flow, module

from pipelines.forge import GITHUB_BOT, FakeForge
from pipelines.github_runner import Result, Runner

PLAN = "<!-- reconciler plan: test -->"
DRIFT = "<!-- reconciler drift: test -->"


class Life:
    """The steps of it, as people and GitHub take them."""

    def __init__(self, team: Repository, github: Runner) -> None:
        self.team = team
        self.github = github
        self.listed: dict[str, Result] = {}

    def says(self, text: str) -> None:
        """Somebody changes the sentence of the module on the branch and pushes."""
        self.team.write("shared/greeter.yaml", module("Greeter", text))
        self.team.git("commit", "--quiet", "--all", "--message", text)
        self.team.git("push", "--quiet", "--set-upstream", "origin", "HEAD")

    def pull_request(self, branch: str, environment: str) -> Result:
        """GitHub runs plan.yml on the merge that the pull request would make."""
        checkout = Repository(self.github.checkout)
        checkout.git("fetch", "--quiet", "origin")
        checkout.git("checkout", "--quiet", "--detach", "origin/main")
        checkout.git("merge", "--quiet", "--no-ff", "--no-edit", f"origin/{branch}")
        head = {"sha": checkout.git("rev-parse", f"origin/{branch}"), "repo": {"full_name": "acme/flows"}}
        self.github.started("pull_request", {"pull_request": {"number": 5, "head": head}}, base_ref="main")
        concerned = self.github.job("plan.yml", "concerned")
        assert concerned.outputs["environments"] == f'["{environment}"]', concerned.log
        return self.github.job("plan.yml", "plan", needs={"concerned": concerned}, environment=environment)

    def merge(self, branch: str) -> None:
        """Somebody merges the pull request."""
        self.team.git("checkout", "--quiet", "main")
        self.team.git("merge", "--quiet", "--no-ff", "--no-edit", branch)
        self.team.git("push", "--quiet")

    def main(self, environment: str) -> tuple[Result, Result]:
        """GitHub runs apply.yml on main up to where it asks for approval."""
        checkout = Repository(self.github.checkout)
        checkout.git("fetch", "--quiet", "origin")
        checkout.git("checkout", "--quiet", "--detach", "origin/main")
        self.github.started("push")
        needs = {"environments": self.environments("apply.yml")}
        planned = self.github.job("apply.yml", "plan", needs=needs, environment=environment)
        return planned, self.github.job("apply.yml", "pending", needs={"plan": planned})

    def approved(self, pending: Result, environment: str) -> Result:
        """Somebody approves, and GitHub runs the last job of apply.yml."""
        return self.github.job("apply.yml", "apply", needs={"pending": pending}, environment=environment)

    def night(self) -> Result:
        """GitHub runs drift.yml."""
        self.github.started("schedule")
        needs = {"environments": self.environments("drift.yml")}
        return self.github.job("drift.yml", "drift", needs=needs, environment="test")

    def environments(self, workflow: str) -> Result:
        """The first job of a workflow, whose result is always the same here."""
        if workflow not in self.listed:
            self.listed[workflow] = self.github.job(workflow, "environments")
        return self.listed[workflow]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_change_from_its_branch_to_the_phone_and_back_from_a_change_by_hand(
    team: Repository, github: Runner, forge: FakeForge, org: Org, prod: Org, cli: Callable[..., Ran]
) -> None:
    life = Life(team, github)
    github.added = {name: os.environ[name] for name in ("PROD_ID", "PROD_SECRET")}
    quoted = forge.add_comment("grace", f"{PLAN}\n> what is this?")
    for number in range(3):
        forge.add_comment("grace", f"Remark {number}, so that there are several pages.")

    # prod holds to a release; test runs what main has.
    first = team.git("rev-parse", "HEAD")
    settings = f"{{api_url: {prod.url}, login_url: {prod.url}, requests_per_minute: 1000000}}"
    team.write(
        "environments/prod.yaml",
        f"org: {settings}\ncredentials: {{client_id: {{env: PROD_ID}}, client_secret: {{env: PROD_SECRET}}}}\n"
        f"release: {first}\n",
    )
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message", "Pin prod")
    team.git("push", "--quiet")
    for environment in ("test", "prod"):
        assert cli("apply", "--auto-approve", "--env", environment).code == 0
    assert org.version("Main Line") == prod.version("Main Line") == "1.0"

    # A pull request with a better sentence gets a comment with the plan.
    team.git("checkout", "--quiet", "-b", "better-words")
    life.says("Please hold the line.")
    planned = life.pull_request("better-words", "test")
    assert not planned.failed, planned.log
    comment = next(each for each in forge.comments if each["author"] == GITHUB_BOT)
    assert comment["body"].startswith(PLAN)
    assert "commonModule/Greeter" in comment["body"]
    assert "Please hold the line." in comment["body"]
    assert "inboundCall/Main Line" in comment["body"], "who calls the module is published again"
    assert team.git("rev-parse", "HEAD")[:8] in comment["body"]
    assert org.version("Main Line") == "1.0", "a plan changes nothing"

    # The second push updates the same comment, and nobody else's.
    life.says("Please stay on the line.")
    life.pull_request("better-words", "test")
    assert [each["id"] for each in forge.comments if each["author"] == GITHUB_BOT] == [comment["id"]]
    assert "Please stay on the line." in comment["body"]
    assert "Please hold the line." not in comment["body"]
    assert quoted["body"] == f"{PLAN}\n> what is this?"

    # The merge plans once more; after approval exactly this plan is applied.
    life.merge("better-words")
    planned, pending = life.main("test")
    assert pending.outputs["environments"] == '["test"]'
    assert planned.outputs["changes"] == "2"
    assert "Please stay on the line." in planned.summary, "what the approver looks at"
    applied = life.approved(pending, "test")
    assert not applied.failed, applied.log
    assert "everything in the plan was applied" in applied.summary
    assert org.version("Main Line") == "2.0"

    # What is proven in test goes on to prod: one line in its file, with a pull request and an approval of its own.
    team.git("checkout", "--quiet", "-b", "to-prod")
    promoted = cli("promote", "test", "prod")
    assert promoted.code == 0, promoted.err
    team.git("commit", "--quiet", "--all", "--message", "Promote to prod")
    team.git("push", "--quiet", "--set-upstream", "origin", "HEAD")
    assert "Please stay on the line." in life.pull_request("to-prod", "prod").summary
    life.merge("to-prod")
    _, pending = life.main("prod")
    assert pending.outputs["environments"] == '["prod"]'
    assert prod.version("Main Line") == "1.0"
    applied = life.approved(pending, "prod")
    assert not applied.failed, applied.log
    assert prod.version("Main Line") == "2.0"
    assert sorted(comment["body"].split("\n")[0] for comment in forge.comments if comment["author"] == GITHUB_BOT) == [
        PLAN.replace("test", "prod"),
        PLAN,
    ]

    # Somebody changes the flow by hand. The first night opens an issue, the second leaves it at that one.
    org.publish(flow("Main Line", says="We are closed today.", modules=("Greeter",)))
    night = life.night()
    assert night.outputs["drift-found"] == "true", night.log
    assert [issue["title"] for issue in forge.open_issues] == [
        "Drift in test: somebody changed the org since it was applied"
    ]
    issue = forge.open_issues[0]
    assert issue["body"].startswith(DRIFT)
    assert "We are closed today." in issue["body"]
    life.night()
    assert forge.open_issues == [issue]

    # Somebody undoes it in Architect. The next night closes the issue.
    org.publish(flow("Main Line", modules=("Greeter",)))
    night = life.night()
    assert night.outputs["drift-found"] == "false", night.log
    assert forge.open_issues == []
    assert "No drift any more" in issue["remarks"][0]
    assert len(forge.issues) == 1
