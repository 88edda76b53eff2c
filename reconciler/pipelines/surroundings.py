"""Where a pipeline runs and for what: read from the variables that GitHub Actions and GitLab CI set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.pipelines.forges import Forge
from reconciler.problems import ReconcilerError


@dataclass(frozen=True)
class Surroundings:
    """One run of a pipeline; outside of any, everything is empty."""

    forge: str = ""
    """``GitHub``, ``GitLab``, or nothing."""
    event: str = ""
    """Why it runs: ``pull_request``, ``push``, ``schedule``, … in GitHub's words for both."""
    api: str = ""
    graphql: str = ""
    project: str = ""
    change: int | None = None
    """Number of the pull request or merge request."""
    from_fork: bool = False
    commit: str = ""
    """The commit that people know: the last one of the change, not the merge that is tried."""
    checked_out: str = ""
    ref: str = ""
    run_url: str = ""
    base: str | None = None
    """What a change is compared with, to see what it concerns; None where this is for no change."""

    @property
    def change_word(self) -> str:
        """What this forge calls a change."""
        return "merge request" if self.forge == "GitLab" else "pull request"

    @property
    def footer(self) -> str:
        """Where a text is from. A plan names the commit that was checked out; of a change, that is a merge on trial."""
        commit = f"{self.change_word.capitalize()} at {self.commit[:8]}" if self.change and self.commit else ""
        run = f"[this run]({self.run_url})" if self.run_url else ""
        return " · ".join(filter(None, [commit, run]))

    def open(self, token: str) -> Forge:
        """The forge, to write to.

        Raises:
            ReconcilerError: this is no pipeline, or there is no token.
        """
        if not self.forge:
            raise ReconcilerError("This is no pipeline of GitHub or GitLab, so there is nothing to write to.")
        if not token:
            needed = "github-token" if self.forge == "GitHub" else "RECONCILER_TOKEN"
            raise ReconcilerError(
                f"There is no token to write to {self.forge} with.",
                remedy=f"Set {needed}, or switch comments and issues off with comment: false (RECONCILER_COMMENT).",
            )
        # A step that writes nothing need not load an HTTP client.
        from reconciler.pipelines.github import GitHub
        from reconciler.pipelines.gitlab import GitLab

        if self.forge == "GitLab":
            return GitLab(api=self.api, project=self.project, change=self.change, token=token)
        return GitHub(api=self.api, graphql=self.graphql, repository=self.project, change=self.change, token=token)


def surroundings(environ: Mapping[str, str]) -> Surroundings:
    """Where we are."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab(environ)
    return Surroundings()


def _github(environ: Mapping[str, str]) -> Surroundings:
    repository = environ.get("GITHUB_REPOSITORY", "")
    event = _event(environ.get("GITHUB_EVENT_PATH"))
    pull = event.get("pull_request") or {}
    head = pull.get("head") or {}
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    return Surroundings(
        forge="GitHub",
        event=environ.get("GITHUB_EVENT_NAME", ""),
        api=environ.get("GITHUB_API_URL", "https://api.github.com"),
        graphql=environ.get("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
        project=repository,
        change=pull.get("number"),
        # The repository of a fork may be gone already; then it is null.
        from_fork=bool(pull) and (head.get("repo") or {}).get("full_name") != repository,
        commit=head.get("sha") or environ.get("GITHUB_SHA", ""),
        checked_out=environ.get("GITHUB_SHA", ""),
        ref=environ.get("GITHUB_REF", ""),
        run_url=f"{server}/{repository}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}",
        base=f"origin/{environ['GITHUB_BASE_REF']}" if environ.get("GITHUB_BASE_REF") else None,
    )


def _gitlab(environ: Mapping[str, str]) -> Surroundings:
    change = environ.get("CI_MERGE_REQUEST_IID", "")
    target = environ.get("CI_MERGE_REQUEST_PROJECT_ID", "")
    return Surroundings(
        forge="GitLab",
        event="pull_request" if change else environ.get("CI_PIPELINE_SOURCE", ""),
        api=environ.get("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        project=environ.get("CI_PROJECT_ID", ""),
        change=int(change) if change.isdecimal() else None,
        from_fork=bool(change) and environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", target) != target,
        commit=environ.get("CI_COMMIT_SHA", ""),
        checked_out=environ.get("CI_COMMIT_SHA", ""),
        run_url=environ.get("CI_JOB_URL", ""),
        base=environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or None,
    )


def _event(path: str | None) -> dict[str, Any]:
    """What happened, as GitHub tells it."""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        event = {}
    return event if isinstance(event, dict) else {}
