"""Targets that read what lies on this machine: plans, ledgers, caches, seeds; and the command line itself."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from fuzz.choices import Choices
from fuzz.harness import Crash, command, target
from fuzz.materials import CANARY, MemorySource, environments, flows
from fuzz.mutations import TEXTS, dumped, spoilt_bytes, spoilt_text, spoilt_tree
from fuzz.replay import apply, plan, recorded
from fuzz.spec_targets import FILES, SECRETS
from support import SEED

from reconciler.engine.document import load_plan
from reconciler.ledger import Ending, FileLedger, Row, now_utc
from reconciler.ledger.base import new_lock
from reconciler.problems import ReconcilerError
from reconciler.sandbox.app import build_app
from reconciler.sandbox.running import open_org
from reconciler.sandbox.settings import Settings
from reconciler.specs import ArtifactCache, load_catalog, load_environment

FORMATS = ("text", "json", "markdown")
WORDS = (
    *("validate", "plan", "show", "apply", "drift", "graph", "unlock", "schema", "sandbox", "serve"),
    *("--env", "--env=fuzz", "fuzz", "other", "--format", "json", "text", "markdown", "dot", "--out", "plan.json"),
    *("--target", "*", "ivr/*", "[", "[!", "--exclude", "--prune", "--auto-approve", "--yes", "--detailed-exitcode"),
    *("--port", "70000", "--data", "--seed", "--strict", "--help", "--version", "-", "--", "", "flow", "inboundCall"),
    *("environments", "/dev/null", "/dev/full", "\udcff", "..", "a" * 300, "a" * 5000, "link", "--format=\udcff"),
)
RULES: list[Any] = [
    {"match": {"method": "GET", "path": "/api/v2/flows"}, "effect": {"status": 429, "headers": {"Retry-After": "1"}}},
    {"match": {"path": "^/api/.*x$"}, "times": 2, "after": 1, "effect": {"delay": 0, "drop_connection": "after"}},
    {"match": {"job_flow": "Sales"}, "effect": {"job": {"status": "Failure", "messages": ["No."]}}},
]


@target
def plan_file(choices: Choices) -> None:
    """A saved plan, given to ``show`` in each format and to ``apply``."""
    saved = _plan_json()
    if choices.chance(3):
        data = spoilt_bytes(choices, spoilt_text(choices, saved, TEXTS).encode("utf-8", "replace"))
    else:
        data = dumped(spoilt_tree(choices, json.loads(saved))).encode()
    path = _folder() / "plan.json"
    path.write_bytes(data)
    for format in FORMATS:
        if command("show", str(path), "--format", format) not in (0, 1):
            raise Crash("show ends with 0 or 1")
    apply(recorded()[1].fresh(), load_plan(path))


@target
def ledger_file(choices: Choices) -> None:
    """The ledger's file and its lock, then a whole run's writing."""
    path = _folder() / "ledger.json"
    lock = path.with_name("ledger.json.lock")
    for file in _folder().glob("ledger.json*"):
        file.unlink()
    state, held = json.loads(_ledger_json()), new_lock("somebody", "run", now_utc()).model_dump(mode="json")
    _write_spoilt(choices, path, state)
    if choices.chance(2):
        _write_spoilt(choices, lock, {**held, "expires_at": choices.pick((held["expires_at"], "2020-01-01T00:00:00Z"))})

    async def use() -> None:
        ledger = FileLedger(path)
        try:
            snapshot = await ledger.read()
            if snapshot.lock is not None and choices.chance(2):
                await ledger.break_lock(snapshot.lock)
        finally:
            mine = await ledger.acquire("me", "run-2")
        mine = await ledger.renew(mine, ("abcd1234",))
        await ledger.write(mine, Row(address="ivr/X", object_id="1", spec_digest="d"))
        await ledger.forget(mine, "ivr/Y")
        await ledger.release(mine, Ending(applied_plan="p", unsettled=frozenset({"abcd1234"})))

    asyncio.run(use())


@target
def cache_entries(choices: Choices) -> None:
    """Entries of the cache of rendered specs that something else wrote."""
    source = MemorySource({**FILES, "flows/a.yaml": choices.pick(flows()[:3]).encode()})
    environment = load_environment(source, "fuzz", environ={})
    known = _CannedArtifacts(lambda _entry: None)
    load_catalog(source, environment, secret_env=SECRETS, cache=known)
    spoilt = _CannedArtifacts(lambda entry: spoilt_tree(choices, entry), known.stored)
    catalog = load_catalog(source, environment, secret_env=SECRETS, cache=spoilt)
    for desired in catalog.resources.values():
        desired.content.upload  # noqa: B018 - made when it is asked for


@target
def sandbox_seed(choices: Choices) -> None:
    """Seed files of the sandbox."""
    text = spoilt_text(choices, choices.pick((SEED, environments()["local.seed"])), TEXTS)
    path = _folder() / "seed.yaml"
    path.write_bytes(spoilt_bytes(choices, text.encode("utf-8", "replace")))
    data = _folder() / "seeded.sqlite"
    for file in _folder().glob("seeded.sqlite*"):
        file.unlink()
    try:
        open_org(data, path, Settings()).close()
    except ReconcilerError as error:
        if str(path) not in error.message:
            raise Crash(f"The message does not name the file: {error.message}") from None
        raise


@target
def sandbox_requests(choices: Choices) -> None:
    """Fault rules, settings and request bodies that somebody sends to a sandbox."""
    method, path, body = choices.pick(
        (
            ("POST", "/sandbox/faults", choices.pick((RULES, RULES[0], RULES[1], RULES[2]))),
            ("PUT", "/sandbox/settings", {"missing_references": "create"}),
            ("POST", "/api/v2/architect/ivrs", {"name": "A", "dnis": ["+4570100001"]}),
            ("POST", "/api/v2/flows", {"name": "F", "type": "INBOUNDCALL"}),
            ("POST", "/api/v2/flows/export/jobs", {"flows": [{"flow": {"id": "x", "version": "1.0"}}]}),
            ("POST", "/api/v2/flows/datatables", {"name": "T", "schema": {"type": "object", "properties": {}}}),
            ("GET", "/api/v2/flows?pageSize=" + choices.pick(("0", "-1", "x", "9" * 50, "²")), None),
        )
    )
    content = b"" if body is None else dumped(spoilt_tree(choices, body)).encode()

    async def send() -> None:
        async with httpx.AsyncClient(transport=_sandbox(), base_url="http://127.0.0.1") as client:
            headers = {"Authorization": f"Bearer {await _token(client)}", "Content-Type": "application/json"}
            answer = await client.request(method, path, content=content, headers=headers)
            if answer.status_code >= 500:
                raise Crash(f"{method} {path} answers {answer.status_code}: {answer.text[:500]}")
            await client.get("/api/v2/flows", headers=headers)
            await client.delete("/sandbox/faults")

    asyncio.run(send())


@target
def arguments(choices: Choices) -> None:
    """Command lines."""
    words = [choices.pick(WORDS) for _ in range(choices.number(7) + 1)]
    if choices.chance(3):
        words[choices.number(len(words))] = choices.rest(12).replace(b"\0", b"").decode("utf-8", "surrogateescape")
    with _repository():
        code = command(*words)
    if code not in (0, 1, 2, 3, 4):
        raise Crash(f"{words} ends with {code}")


def _write_spoilt(choices: Choices, path: Path, tree: Any) -> None:
    if choices.chance(4):
        path.write_bytes(
            spoilt_bytes(choices, spoilt_text(choices, json.dumps(tree), TEXTS).encode("utf-8", "replace"))
        )
        return
    path.write_text(dumped(spoilt_tree(choices, tree)), encoding="utf-8")


class _CannedArtifacts(ArtifactCache):
    """Stored entries, spoilt on their way out."""

    def __init__(self, change: Callable[[Any], Any], stored: dict[str, Any] | None = None) -> None:
        super().__init__(Path("/nonexistent/specs"))
        self.stored: dict[str, Any] = stored or {}
        self._cache = self  # type: ignore[assignment]
        self._change = change
        self._inner = False

    def get(self, key: str) -> Any:
        if self._inner:
            return self._change(self.stored[key]) if key in self.stored else None
        self._inner = True
        try:
            return super().get(key)
        finally:
            self._inner = False

    def set_many(self, values: dict[str, Any]) -> None:
        self.stored |= json.loads(json.dumps(values))

    def close(self) -> None:
        """Nothing is open."""


@cache
def _plan_json() -> str:
    return plan(recorded()[1].fresh()).model_dump_json()


@cache
def _ledger_json() -> str:
    row = Row(address="ivr/X", object_id="1", version="2", spec_digest="d", modules={"m": "1.0"}, secrets={"t": "f1f1"})
    left = [{"run": "r", "holder": "h", "addresses": ["abcd1234"]}]
    rows = {"ivr/X": row.model_dump(mode="json", exclude_none=True)}
    return json.dumps({"rows": rows, "applied_plans": ["a", "b"], "interrupted": left, "origin": "host/repository"})


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="reconciler-fuzz-"))
    # In memory where there is such a place: each input writes a few files.
    return Path(tempfile.mkdtemp(dir="/dev/shm")) if Path("/dev/shm").is_dir() else folder


@cache
def _sandbox() -> httpx.ASGITransport:
    store = open_org(_folder() / "served.sqlite", None, Settings())
    return httpx.ASGITransport(build_app(store, Settings()), raise_app_exceptions=False)


_tokens: dict[str, str] = {}


async def _token(client: httpx.AsyncClient) -> str:
    if not _tokens:
        from reconciler.sandbox.store import Store

        login = Store(_folder() / "served.sqlite").credentials()
        answer = await client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(login.client_id, login.client_secret)
        )
        _tokens["token"] = answer.json()["access_token"]
    return _tokens["token"]


@contextmanager
def _repository() -> Iterator[None]:
    """A small repository as the working directory, without an org behind it."""
    root = _folder() / "repository"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("environments", "flows", "shared"):
        (root / folder).mkdir(parents=True)
    for name in ("_base", "dev", "fuzz"):
        (root / f"environments/{name}.yaml").write_text(environments()[name], encoding="utf-8")
    (root / "flows/a.yaml").write_text(flows()[0], encoding="utf-8")
    (root / "plan.json").write_text(_plan_json(), encoding="utf-8")
    (root / "link").symlink_to("link")
    before = Path.cwd()
    os.chdir(root)
    try:
        with (
            mock.patch.dict(os.environ, {"TOKEN": CANARY, "RECONCILER_CACHE_DIR": "/nonexistent"}),
            mock.patch("reconciler.cli.session._connection", side_effect=ReconcilerError("There is no org here.")),
            mock.patch("reconciler.sandbox.server.serve"),
        ):
            yield
    finally:
        os.chdir(before)
