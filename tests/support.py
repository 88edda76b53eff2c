"""Helpers of tests of the whole road: another client of a sandbox org, a repository in a folder, small flows."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.sandbox import embedded

ORG_ID = "3b7d1c52-0f5e-4d0a-9a86-0d5f6f6a4f01"
SEED = f"""\
organization: {{id: {ORG_ID}, name: Test Org}}
queues: [Sales, Support]
didPools:
  - {{start: "+4570100000", end: "+4570109999"}}
"""


@dataclass(frozen=True)
class Org:
    """A sandbox org and another client of it, one that knows nothing of ours."""

    url: str
    client_id: str
    client_secret: str
    http: httpx.Client

    def get(self, path: str, **query: Any) -> Any:
        """GET below /api/v2; fails the test on an error status."""
        answer = self.http.get(f"/api/v2{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """Any request below /api/v2."""
        return self.http.request(method, f"/api/v2{path}", json=body, params=query)

    def publish(self, yaml: str) -> str:
        """Publishes a flow as another client would, with a deploy job; returns the flow's id."""
        job = self.send("POST", "/flows/jobs", {}).json()
        uploaded = httpx.put(job["presignedUrl"], headers=job["headers"], content=yaml.encode(), verify=False)
        uploaded.raise_for_status()
        state = self.get(f"/flows/jobs/{job['id']}", expand="messages")
        assert state["status"] == "Success", state
        return str(state["flow"]["id"])

    def flows(self) -> dict[str, Any]:
        """All flows by name."""
        return {flow["name"]: flow for flow in self.get("/flows", pageSize=500)["entities"]}

    def version(self, name: str) -> str:
        """Published version of a flow."""
        return str(self.flows()[name]["publishedVersion"]["id"])

    def ivrs(self) -> dict[str, Any]:
        """All IVRs by name."""
        return {ivr["name"]: ivr for ivr in self.get("/architect/ivrs", pageSize=100)["entities"]}

    def module_versions(self, name: str) -> dict[str, str]:
        """Versions of the common modules that the published version of a call flow was built with, by name."""
        consumer = self.flows()[name]
        consumed = self.get(
            "/architect/dependencytracking/consumedresources",
            id=consumer["id"],
            version=consumer["publishedVersion"]["id"],
            objectType="INBOUNDCALLFLOW",
            pageSize=100,
        )["entities"]
        return {item["name"]: item["version"] for item in consumed if item["type"] == "COMMONMODULEFLOW"}

    def change_ivr(self, name: str, **fields: Any) -> None:
        """Changes fields of an IVR as a person in the user interface would."""
        ivr = self.get(f"/architect/ivrs/{self.ivrs()[name]['id']}")
        self.send("PUT", f"/architect/ivrs/{ivr['id']}", {**ivr, **fields}).raise_for_status()

    def delete_flow(self, name: str) -> None:
        """Deletes a flow."""
        self.send("DELETE", f"/flows/{self.flows()[name]['id']}").raise_for_status()

    def make_division(self, name: str) -> str:
        """Makes a division; returns its id."""
        made = self.send("POST", "/authorization/divisions", {"name": name})
        made.raise_for_status()
        return str(made.json()["id"])

    def settings(self, **values: Any) -> None:
        """Sets how the org behaves (``reconciler.sandbox.settings``)."""
        self.http.put("/sandbox/settings", json=values).raise_for_status()

    def fault(self, **rule: Any) -> None:
        """Makes the org misbehave."""
        self.http.post("/sandbox/faults", json=rule).raise_for_status()

    def mend(self) -> None:
        """Ends all misbehaviour."""
        self.http.delete("/sandbox/faults").raise_for_status()


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


class Repository:
    """A repository of specs in a folder, with an environment ``test`` for the org."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> Path:
        """Writes a file, dedented."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(text), encoding="utf-8")
        return target

    def edit(self, path: str, old: str, new: str) -> None:
        """Replaces a text that must be there."""
        target = self.root / path
        text = target.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        target.write_text(text.replace(old, new), encoding="utf-8")

    def remove(self, path: str) -> None:
        """Deletes a file."""
        (self.root / path).unlink()

    def git(self, *arguments: str) -> str:
        """Runs git in the repository."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()


def environment(repository: Repository, text: str) -> None:
    """Appends to the environment ``test``."""
    with (repository.root / "environments/test.yaml").open("a", encoding="utf-8") as file:
        file.write(textwrap.dedent(text).rstrip("\n") + "\n")


def start(repository: Repository, *arguments: str) -> subprocess.Popen[str]:
    """Starts a command as a process of its own; its standard error can be read while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments, "--env", "test"],
        cwd=repository.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_lines(process: subprocess.Popen[str], count: int, *beginnings: str) -> None:
    """Reads what a started command says until so many lines began with one of the texts."""
    assert process.stderr is not None
    seen = 0
    for line in process.stderr:
        seen += line.startswith(beginnings)
        if seen >= count:
            return


def flow(name: str, *, kind: str = "inboundCall", says: str = "Hello.", modules: tuple[str, ...] = ()) -> str:
    """A small sound call flow that speaks, calls modules, and hangs up."""
    calls = "".join(
        f"""\
          - callCommonModule:
              name: Call {module}
              commonModule:
                {module}:
                  ver_latestPublished:
                    none: true
"""
        for module in modules
    )
    return f"""\
{kind}:
  name: {name}
  defaultLanguage: en-us
  startUpRef: "/{kind}/tasks/task[Main_10]"
  supportedLanguages:
    en-us:
      defaultLanguageSkill:
        noValue: true
  initialGreeting:
    tts: {says}
  tasks:
    - task:
        name: Main
        refId: Main_10
        actions:
{calls}\
          - disconnect:
              name: Disconnect
"""


def module(name: str, says: str = "One moment.") -> str:
    """A small common module that speaks."""
    return f"""\
commonModule:
  name: {name}
  supportedLanguages:
    en-us:
      none: true
  settingsCommonModule:
    compatibleFlowTypes:
      - flowType: inboundcall
  startUpTaskActions:
    - playAudio:
        name: Play Audio
        audio:
          tts: {says}
    - endTask:
        name: End Task
"""


class connected:
    """Another client's session with a running sandbox."""

    def __init__(self, running: embedded.Running) -> None:
        self._running = running
        self._http = httpx.Client(base_url=running.api_url, timeout=30, verify=False)  # No certificates to load.

    def __enter__(self) -> Org:
        running = self._running
        token = self._http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(running.client_id, running.client_secret),
        ).json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        return Org(running.api_url, running.client_id, running.client_secret, self._http)

    def __exit__(self, *_exception: object) -> None:
        self._http.close()
