"""The page of the pipeline job that runs this process, where one does."""

from __future__ import annotations

from collections.abc import Mapping


def job_link(environ: Mapping[str, str]) -> str | None:
    """Its address, from what GitHub Actions and GitLab CI set; None elsewhere."""
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        return _web(f"{server}/{environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{environ['GITHUB_RUN_ID']}")
    return _web(environ.get("CI_JOB_URL", "")) if environ.get("GITLAB_CI") == "true" else None


def _web(address: str) -> str | None:
    return address if address.startswith(("https://", "http://")) else None
