"""Runs jobs of our GitLab template: their variables and the real bash over their scripts; no server, no rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import yaml
from oracle import recording

from pipelines.github_runner import ROOT

TEMPLATE = ROOT / "reconciler/scaffold/pipelines/gitlab/.gitlab-ci.yml"


@dataclass
class GitLabRunner:
    """A project, with the artifacts of its last jobs."""

    checkout: Path
    forge: Any
    home: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def job(self, name: str, **variables: str) -> tuple[int, str]:
        """Runs a job with what GitLab sets for it; exit code and log."""
        document = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
        job = _extended(document, name)
        for needed in job.get("needs", []):
            shutil.copytree(self.home / needed, self.checkout, dirs_exist_ok=True)
        given = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.forge.url,
            "CI_PROJECT_DIR": str(self.checkout),
            "CI_PROJECT_ID": "7",
            "CI_COMMIT_SHA": "0123456789abcdef",
            "CI_JOB_ID": "99",
            "CI_JOB_URL": "https://gitlab.example/acme/flows/-/jobs/99",
            **variables,
        }
        own = {key: str(value) for key, value in (document["variables"] | job["variables"]).items()}
        own = {key: Template(value).substitute(given | own) for key, value in own.items()}
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "PYTHONPATH", recording.FOLDER) if key in os.environ}
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(job["script"])],
            cwd=self.checkout,
            env={**kept, **given, **self.secrets, **own},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        for path in job.get("artifacts", {}).get("paths", []):
            if (self.checkout / path).is_dir():
                shutil.move(self.checkout / path, self.home / name / path)
        return done.returncode, done.stdout


def _extended(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A job with all that it extends."""
    job = dict(document[name])
    if "extends" not in job:
        return job
    below = _extended(document, job.pop("extends"))
    return {**below, **job, "variables": {**below.get("variables", {}), **job.get("variables", {})}}
