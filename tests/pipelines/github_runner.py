"""Runs ``action.yml`` and the jobs of our workflows as GitHub's runner does: every ``run:`` block with the real bash.

Actions of others (checkout, caches, artifacts) are stood in for by what they do to the disk; whatever they are given
that the runner here does not know of, fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from fork_server import ForkServer
from oracle import recording
from support import Repository

from pipelines.expressions import condition, rendered

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / "reconciler/scaffold/pipelines/github/workflows"
PLACEHOLDER = "OWNER/REPO@" + "0" * 40
KEPT = ("PATH", "HOME", "PYTHONPATH", "TMPDIR", "LANG", recording.FOLDER)


@dataclass
class Result:
    """How a job, or a use of the action, ended."""

    failed: bool = False
    skipped: bool = False
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""


@dataclass
class Runner:
    """A repository on GitHub, with what outlives a single run: artifacts and caches."""

    checkout: Path
    """The folder that ``actions/checkout`` fills."""
    forge: Any
    home: Path
    tool: ForkServer
    """Runs ``reconciler-pipeline``; a job starts it a dozen times."""
    secrets: dict[str, str] = field(default_factory=dict)
    """By name, the same in every GitHub environment."""
    added: dict[str, str] = field(default_factory=dict)
    """Lines that the team added below ``env:``, because an environment names variables of its own."""
    runs: int = 0
    event: dict[str, Any] = field(default_factory=dict)
    event_name: str = "push"
    base_ref: str = ""

    def started(self, event_name: str, event: Mapping[str, Any] | None = None, base_ref: str = "") -> None:
        """A new run of a workflow begins."""
        self.runs += 1
        self.event_name, self.event, self.base_ref = event_name, dict(event or {}), base_ref

    def job(self, workflow: str, name: str, *, needs: Mapping[str, Result] | None = None, **matrix: str) -> Result:
        """Runs one job of one of our workflow files."""
        document = yaml.safe_load((WORKFLOWS / workflow).read_text(encoding="utf-8"))
        job = document["jobs"][name]
        needed = {key: {"outputs": value.outputs, "result": _word(value)} for key, value in (needs or {}).items()}
        assert set(needed) == set([job.get("needs")] if isinstance(job.get("needs"), str) else job.get("needs", []))
        contexts = {"needs": needed, "matrix": matrix, "github": self._github(), "secrets": self.secrets}
        well = all(each["result"] == "success" for each in needed.values())
        functions = {"success": lambda: well, "cancelled": lambda: False}
        if not condition(job.get("if"), contexts, functions):
            return Result(skipped=True)
        if "strategy" in job:
            listed = rendered(job["strategy"]["matrix"]["environment"], contexts, functions)
            assert matrix["environment"] in listed
        token = self.forge.token(**{key.replace("-", "_"): value for key, value in job["permissions"].items()})
        result = Result()
        steps: dict[str, Any] = {}
        for step in job["steps"]:
            if step["uses"].startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
                continue
            assert step["uses"] == PLACEHOLDER
            given = {key: rendered(value, contexts, functions) for key, value in step["with"].items()}
            environ = {key: rendered(value, contexts, functions) for key, value in step.get("env", {}).items()}
            environ |= self.added if environ else {}
            result = self.use(given, environ, token)
            steps[step.get("id", "")] = {"outputs": result.outputs}
        wanted = job.get("outputs", {})
        result.outputs = {key: rendered(value, {"steps": steps}, {}) for key, value in wanted.items()} or result.outputs
        return result

    def use(self, given: Mapping[str, str], environ: Mapping[str, str], token: str) -> Result:
        """Runs the action once, in a job of its own."""
        action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
        assert set(given) <= set(action["inputs"]), f"unknown inputs: {set(given) - set(action['inputs'])}"
        contexts: dict[str, Any] = {"github": {**self._github(), "token": token}, "steps": {}}
        contexts["runner"] = {"os": "Linux", "arch": "X64"}
        contexts["inputs"] = {
            key: str(given.get(key, rendered(spec.get("default", ""), contexts, {})))
            for key, spec in action["inputs"].items()
        }
        result = Result()
        functions = {"success": lambda: not result.failed, "always": lambda: True, "cancelled": lambda: False}
        machine = self.home / f"machine-{len(list(self.home.glob('machine-*')))}"
        self._install(machine)
        for step in action["runs"]["steps"]:
            if not condition(step.get("if"), contexts, functions):
                continue
            values = {key: rendered(each, contexts, functions) for key, each in step.get("with", {}).items()}
            if "uses" in step:
                outputs = self._other(step["uses"], values)
            else:
                env = {key: str(rendered(each, contexts, functions)) for key, each in step.get("env", {}).items()}
                folder = self.checkout / rendered(step.get("working-directory", "."), contexts, functions)
                assert "${{" not in step["run"], "an expression in a script can be used to inject commands"
                outputs = self._script(step["run"], {**environ, **env}, folder, machine, result)
            contexts["steps"][step.get("id", "")] = {"outputs": outputs}
        result.outputs = {key: rendered(spec["value"], contexts, functions) for key, spec in action["outputs"].items()}
        return result

    def _github(self) -> dict[str, Any]:
        return {"run_id": str(1000 + self.runs), "run_attempt": "1", "event": self.event}

    def _install(self, machine: Path) -> None:
        """A machine on which a step before has installed the reconciler already; installing takes a minute."""
        programs = machine / "temp/reconciler/venv/bin"
        programs.mkdir(parents=True)
        self.tool.pipeline(programs / "reconciler-pipeline")

    def _script(
        self, script: str, env: Mapping[str, str], folder: Path, machine: Path, result: Result
    ) -> dict[str, str]:
        files = {name: machine / name for name in ("output", "summary")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        (machine / "event.json").write_text(json.dumps(self.event), encoding="utf-8")
        given = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_GRAPHQL_URL": f"{self.forge.url}/graphql",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "acme/flows",
            "GITHUB_ACTOR": "ada",
            "GITHUB_RUN_ID": str(1000 + self.runs),
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_EVENT_PATH": str(machine / "event.json"),
            "GITHUB_BASE_REF": self.base_ref,
            "GITHUB_REF": "refs/pull/5/merge" if self.base_ref else "refs/heads/main",
            "GITHUB_SHA": Repository(self.checkout).git("rev-parse", "HEAD"),
            "GITHUB_WORKSPACE": str(self.checkout),
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "RUNNER_TEMP": str(machine / "temp"),
        }
        kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script],
            cwd=folder,
            env={**kept, **given, **env},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        result.log += done.stdout
        result.summary += files["summary"].read_text(encoding="utf-8")
        result.failed = result.failed or done.returncode != 0
        return dict(line.split("=", 1) for line in files["output"].read_text(encoding="utf-8").splitlines())

    def _other(self, uses: str, given: dict[str, Any]) -> dict[str, str]:
        name = uses.split("@")[0]
        stand_in = {
            "actions/setup-python": lambda: {"python-version": "3.13.0", "python-path": sys.executable},
            "actions/cache": dict,
            "actions/cache/restore": lambda: self._restore(given["path"], given["key"], given["restore-keys"]),
            "actions/cache/save": lambda: self._copy(Path(given["path"]), self.home / "caches" / given["key"]),
            "actions/upload-artifact": lambda: self._upload(given),
            "actions/download-artifact": lambda: self._download(given),
        }
        return stand_in[name]() or {}

    def _restore(self, path: str, key: str, prefix: str) -> None:
        stored = sorted((self.home / "caches").glob(f"{prefix}*"), key=lambda each: each.stat().st_mtime)
        assert not (self.home / "caches" / key).exists(), "a key is used once"
        if stored:
            self._copy(stored[-1], Path(path))

    def _upload(self, given: dict[str, Any]) -> None:
        source = Path(given["path"])
        target = self.home / "artifacts" / str(1000 + self.runs) / given["name"]
        if not (self.checkout / source).exists():
            assert given["if-no-files-found"] == "ignore"
            return
        source = self.checkout / source
        assert source.is_file() or given.get("include-hidden-files") or ".reconciler" not in source.parts
        self._copy(source, target / source.name if source.is_file() else target)

    def _download(self, given: dict[str, Any]) -> None:
        stored = self.home / "artifacts" / str(given.get("run-id", 1000 + self.runs))
        if "name" in given:
            assert (stored / given["name"]).is_dir(), "Artifact not found"
            self._copy(stored / given["name"], Path(given["path"]))
        for folder in stored.glob(given.get("pattern", "-")):
            self._copy(folder, Path(given["path"]) / folder.name)

    def _copy(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copy(source, target)
        elif source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)


def _word(result: Result) -> str:
    return "skipped" if result.skipped else "failure" if result.failed else "success"
