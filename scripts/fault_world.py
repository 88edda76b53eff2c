"""What the fault matrix works with: an org that is served from a copy, a repository, and the tool in this process."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import fault_estate
import httpx

from reconciler.cli.main import run
from reconciler.platform import Connection, Platform
from reconciler.sandbox import embedded

SPEED = 1000
"""How fast the client's time passes: its deadlines are minutes."""
PATIENCE = 20.0
STATE_PATHS = ("architect/ivrs", "architect/schedules", "architect/schedulegroups")
NUMBERED = re.compile(r"\btrackingId: \d+|_\d+\b")
"""Numbers that each publish gives anew."""
VOLATILE = re.compile(r"^(id|selfUri|version|state|(date|created|modified).*|.*Uri)$")


@dataclass(frozen=True)
class Scene:
    """An org and what a repository wants of it, prepared once and copied for each combination."""

    name: str
    org: Path
    specs: Mapping[str, str]


@dataclass(frozen=True)
class Ran:
    """One command."""

    code: int
    said: str
    """Everything that it wrote."""


@contextmanager
def hurried(patience: float) -> Iterator[None]:
    """The client's clock runs fast, and it gives up on answers that do not come."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)

    quick = partial(Platform, sleep=sleep, clock=lambda: time.monotonic() * SPEED)
    limits = partial(Connection, silence=patience, exchange=2 * patience)
    with (
        mock.patch("reconciler.cli.session.Platform", quick),
        mock.patch("reconciler.cli.session.Connection", limits),
    ):
        yield


@dataclass
class World:
    """One process's working folder: a repository, and orgs that come and go."""

    folder: Path
    url: str = ""
    _http: httpx.Client = field(default_factory=httpx.Client)

    @contextmanager
    def org(self, scene: Scene) -> Iterator[None]:
        """Serves a copy of the scene's org; the repository is the scene's."""
        root, data = self.folder / "repository", self.folder / "org.sqlite"
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(self.folder / "cache", ignore_errors=True)
        shutil.copyfile(scene.org, data)
        with (
            embedded.start(data) as running,
            httpx.Client(base_url=running.api_url, timeout=20, verify=False) as self._http,
        ):
            self.url = running.api_url
            os.environ["GENESYSCLOUD_OAUTHCLIENT_ID"] = running.client_id
            os.environ["GENESYSCLOUD_OAUTHCLIENT_SECRET"] = running.client_secret
            os.environ["RECONCILER_CACHE_DIR"] = str(self.folder / "cache")
            fault_estate.write(root, scene.specs, running.api_url)
            os.chdir(root)
            yield

    def cli(self, *arguments: str, patience: float = PATIENCE) -> Ran:
        """Runs a command in this process, its clock sped up.

        ``patience`` is how many real seconds it waits for an answer that does not come.
        """
        written = io.StringIO()
        with hurried(patience), redirect_stdout(written), redirect_stderr(written):
            code = run([*arguments, "--env", "test"])
        return Ran(code, written.getvalue())

    def fault(self, rule: Mapping[str, Any]) -> None:
        """Adds a fault rule."""
        self._http.post("/sandbox/faults", json=rule).raise_for_status()

    def struck(self) -> bool:
        """Whether the rule that was added has struck."""
        rules = self._admin("GET", "/sandbox/faults").json()
        return not rules or any(rule["seen"] for rule in rules)

    def mend(self) -> None:
        """Ends all misbehaviour: rules, settings, and what people have checked out."""
        self._admin("DELETE", "/sandbox/faults")
        self._http.put("/sandbox/settings", json={"list_lag_seconds": 0, "tracking_complete": True}).raise_for_status()
        token = self._http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=self._credentials())
        self._http.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        for listed in self._entities("flows"):
            if listed.get("lockedUser"):
                self._http.delete(f"/sandbox/flows/{listed['id']}/lock").raise_for_status()

    def routes(self) -> dict[str, int]:
        """Requests so far, by route."""
        return dict(self._http.get("/sandbox/requests").json()["routes"])

    def publish(self, yaml: str) -> None:
        """Publishes a flow as another client would."""
        job = self._http.post("/api/v2/flows/jobs", json={}).json()
        self._http.put(job["presignedUrl"], headers=job["headers"], content=yaml.encode()).raise_for_status()

    def state(self) -> dict[str, Any]:
        """What the org holds, without ids, versions and dates: what two runs must agree on."""
        flows = self._entities("flows")
        wanted = [{"flow": {"id": flow["id"], "version": "published"}, "fileName": flow["id"]} for flow in flows]
        texts: dict[str, str] = {}
        for entry in wanted:
            job = self._http.post("/api/v2/flows/export/jobs", json={"flows": [entry]}).json()
            seen = self._http.get(f"/api/v2/flows/export/jobs/{job['id']}").json()
            texts[entry["fileName"]] = NUMBERED.sub("", self._http.get(seen["downloadUrl"]).text)
        found: dict[str, Any] = {
            "flows": sorted(
                (flow["type"], flow["name"], flow["division"]["name"], self._modules(flow), texts[flow["id"]])
                for flow in flows
            )
        }
        for path in STATE_PATHS:
            found[path] = sorted((_lasting(item) for item in self._entities(path)), key=lambda item: item["name"])
        return found

    def versions(self) -> dict[str, float]:
        """The published version of each flow."""
        return {flow["name"]: float(flow["publishedVersion"]["id"]) for flow in self._entities("flows")}

    def _admin(self, method: str, path: str) -> httpx.Response:
        """Asks as soon as connections are taken again."""
        until = time.monotonic() + 5
        while True:
            try:
                return self._http.request(method, path).raise_for_status()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _modules(self, flow: Mapping[str, Any]) -> list[str]:
        """Names of the modules that it holds, each marked where it is not the published version."""
        if flow["type"] != "INBOUNDCALL":
            return []
        query = {"id": flow["id"], "version": flow["publishedVersion"]["id"], "objectType": "INBOUNDCALLFLOW"}
        consumed = self._http.get("/api/v2/architect/dependencytracking/consumedresources", params=query).json()
        return [f"{item['name']}{' (old)' if item.get('updated') else ''}" for item in consumed["entities"]]

    def _entities(self, path: str) -> list[dict[str, Any]]:
        answer = self._http.get(f"/api/v2/{path}", params={"pageSize": 100})
        answer.raise_for_status()
        return list(answer.json()["entities"])

    def _credentials(self) -> tuple[str, str]:
        return os.environ["GENESYSCLOUD_OAUTHCLIENT_ID"], os.environ["GENESYSCLOUD_OAUTHCLIENT_SECRET"]


def _lasting(value: Any) -> Any:
    """Without what differs from run to run; references by name."""
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if not VOLATILE.match(key)}
    return [_lasting(item) for item in value] if isinstance(value, list) else value
