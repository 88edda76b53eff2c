"""Where a run takes place: whose machine, or which job of which pipeline."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from getpass import getuser

from pydantic import BaseModel, ConfigDict


class Pipeline(BaseModel):
    """A job of a pipeline, as its own environment variables tell."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: str
    run: str | None = None
    """Address of the job for people, or its number."""
    ref: str | None = None
    """Branch or tag."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Who and where."""

    user: str | None
    machine: str
    pipeline: Pipeline | None

    @property
    def link(self) -> str | None:
        """The page of the pipeline's job, where its address is known."""
        run = self.pipeline.run if self.pipeline else None
        return run if run and run.startswith(("https://", "http://")) else None


def surroundings_of(environ: Mapping[str, str]) -> Surroundings:
    """As the operating system and the variables of GitHub and GitLab tell."""
    pipeline, actor = _pipeline(environ)
    return Surroundings(actor or _user(), socket.gethostname(), pipeline)


def _user() -> str | None:
    try:
        return getuser()
    except (KeyError, OSError):
        return None


def _pipeline(environ: Mapping[str, str]) -> tuple[Pipeline | None, str | None]:
    if run := environ.get("GITHUB_RUN_ID"):
        server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
        address = f"{server}/{repository}/actions/runs/{run}" if server and repository else run
        return Pipeline(system="github", run=address, ref=environ.get("GITHUB_REF")), environ.get("GITHUB_ACTOR")
    if environ.get("GITLAB_CI"):
        run = environ.get("CI_JOB_URL") or environ.get("CI_JOB_ID")
        ref = environ.get("CI_COMMIT_REF_NAME")
        return Pipeline(system="gitlab", run=run, ref=ref), environ.get("GITLAB_USER_LOGIN")
    return (Pipeline(system="ci"), None) if environ.get("CI") else (None, None)
