"""A small repository of specs in a folder, and short ways to load it."""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from reconciler.problems import Finding, SpecError
from reconciler.specs import ArtifactCache, Catalog, Environment, WorkingTree, load_catalog, load_environment

Result = TypeVar("Result")

ENVIRONMENT = """\
org: {region: eu-west-1}
variables:
  company: Nordlys Energi
  queues: [Sales, Support]
  numbers: {sales: ["+4570101010"]}
  queue.sales: Sales Queue
  my-queue: My "own" queue
  token: {secret: {env: TOKEN}}
"""


class Tree:
    """Files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = WorkingTree(root)
        self.write("environments/prod.yaml", ENVIRONMENT)

    def write(self, path: str, text: str) -> Path:
        """Writes a file, dedented."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8", newline="")
        return target

    def git(self, *arguments: str) -> str:
        """Runs git in the folder."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def environment(self, name: str = "prod", environ: Mapping[str, str] | None = None) -> Environment:
        """One environment, without anything from the machine's own environment variables."""
        return load_environment(self.source, name, environ=environ or {})

    def load(
        self, *, secrets: Mapping[str, str] | None = None, cache: ArtifactCache | None = None, name: str = "prod"
    ) -> Catalog:
        """All specs for one environment."""
        return load_catalog(self.source, self.environment(name), secret_env=secrets, cache=cache)

    def findings(self, name: str = "prod") -> list[Finding]:
        """What is wrong with the specs; fails the test when nothing is."""
        with pytest.raises(SpecError) as caught:
            self.load(name=name)
        return list(caught.value.findings)


def outcome(call: Callable[[], Result]) -> Result | SpecError:
    """The result, or the error about the specs; anything else is raised."""
    try:
        return call()
    except SpecError as error:
        return error


def place(finding: Finding) -> str:
    """``file:line:column`` as far as known."""
    return str(finding.location)


def flow(name: str, *, kind: str = "inboundCall", says: str = '"Hello."', module: str | None = None) -> str:
    """A small flow that speaks, calls a module where one is named, and hangs up."""
    call = ""
    if module:
        call = (
            "          - callCommonModule:\n"
            "              name: Call\n"
            "              commonModule:\n"
            f"                {module}:\n"
            "                  ver_latestPublished: {none: true}\n"
        )
    return (
        f"{kind}:\n"
        f"  name: {name}\n"
        "  defaultLanguage: en-us\n"
        f"  startUpRef: /{kind}/tasks/task[Main_10]\n"
        "  tasks:\n"
        "    - task:\n"
        "        name: Main\n"
        "        refId: Main_10\n"
        "        actions:\n"
        "          - playAudio:\n"
        "              name: Greet\n"
        f"              audio: {{tts: {says}}}\n"
        f"{call}"
        "          - disconnect: {name: Bye}\n"
    )


def common_module(name: str) -> str:
    """A small common module."""
    return (
        "commonModule:\n"
        f"  name: {name}\n"
        "  settingsCommonModule: {compatibleFlowTypes: [{flowType: inboundcall}]}\n"
        "  startUpTaskActions:\n"
        "    - endTask: {name: End}\n"
    )
