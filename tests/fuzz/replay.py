"""An org that is a tape: real answers of the sandbox to a plan and an apply, recorded once, played again in memory.

What the tape says may be spoilt before it is played (``Tape.spoil``), and time passes only when the client sleeps.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import redirect_stderr
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from fuzz.harness import Crash
from fuzz.materials import CANARY, MemorySource, flows
from support import SEED, Org, connected, flow, module

from reconciler.cache import Cache
from reconciler.cli.output import Format, people
from reconciler.cli.planfile import show_plan
from reconciler.cli.session import hide_secrets, mask_of
from reconciler.engine.apply import Apply
from reconciler.engine.document import Plan
from reconciler.engine.journal import Journal
from reconciler.engine.planner import make_plan
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import OrgLedger
from reconciler.platform import Connection, Platform
from reconciler.problems import ReconcilerError
from reconciler.report.progress import Progress
from reconciler.sandbox import embedded
from reconciler.specs import Commit, Masker, SecretValues, load_catalog, load_environment

ENVIRONMENT = """\
org: {api_url: "%s", login_url: "%s", requests_per_minute: 1000000}
variables:
  token: {secret: {env: TOKEN}}
concurrency: 1
"""
SECRETS = {"TOKEN": CANARY}
CLIENT_SECRET = "canary-9be1-client-secret"
TRANSFER = "          - transferToAcd: {name: T, targetQueue: {lit: {name: Sales}}}\n"
FIRST = {
    "shared/greeter.yaml": module("Greeter"),
    "flows/sales.yaml": flow("Sales", says="Token {{ token }}", modules=("Greeter",)),
    "flows/other.yaml": flow("Other"),
    "flows/gone.yaml": flow("Gone"),
    "flows/hours.yaml": flows()[2].replace("numbers.sales | yaml", "['+4570101010']").replace("Sales Closed", "Other"),
}
"""What was applied before the tape begins."""
SECOND = {
    **{path: text for path, text in FIRST.items() if path != "flows/gone.yaml"},
    "shared/greeter.yaml": module("Greeter", says="Just a moment."),
    "flows/other.yaml": flow("Other", says="Good day.", modules=("Greeter",)),
    "flows/new.yaml": flow("New").replace("          - disconnect:", f"{TRANSFER}          - disconnect:"),
}
"""What the tape plans and applies."""


@dataclass(frozen=True)
class Answer:
    """One answer of an org, as it goes over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    error: Exception | None = None
    """Raised in place of an answer."""

    @property
    def json(self) -> Any:
        """The body, None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def with_json(self, value: Any) -> Answer:
        """The same with another body."""
        try:
            return replace(self, body=json.dumps(value).encode())
        except RecursionError:
            return replace(self, body=b'{"a":' * 5000)


@dataclass
class Tape:
    """Answers by request, each request's in their order."""

    url: str
    answers: dict[str, list[Answer]]
    order: list[tuple[str, int]]
    """Every answer's key and number, in the order of the requests."""
    played: Counter[str] = field(default_factory=Counter)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    now: float = 1000.0

    def fresh(self) -> Tape:
        """A copy that was not played yet."""
        return Tape(self.url, {key: list(answers) for key, answers in self.answers.items()}, self.order)

    def spoil(self, position: int, change: Callable[[Answer], Answer], *, always: bool = False) -> None:
        """Changes the answer at a position of ``order``, or all answers to that request."""
        key, number = self.order[position]
        for at in range(len(self.answers[key])) if always else (number,):
            self.answers[key][at] = change(self.answers[key][at])

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Plays the next answer to a request; the last one stays."""
        body = await request.aread()
        key = key_of(request)
        self.sent.append((key, body))
        answers = self.answers.get(key)
        if not answers:
            return httpx.Response(404, json={"message": "not on the tape", "code": "not.found", "status": 404})
        played = answers[min(self.played[key], len(answers) - 1)]
        self.played[key] += 1
        if played.error is not None:
            # A new one each time: an exception keeps the frames of every place that it ever came through.
            raise type(played.error)(*played.error.args)
        return httpx.Response(played.status, headers=list(played.headers), stream=_Chunks(played.body))

    async def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += max(seconds, 0.001)
        await _real_sleep(0)


class MemoryCache(Cache):
    """A cache that forgets everything at the end of the input."""

    def __init__(self) -> None:
        super().__init__("fuzz", Path("/nonexistent"))
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """See ``Cache.get``."""
        stored = self.values.get(key)
        return None if stored is None else json.loads(stored)

    def set_many(self, values: Any) -> None:
        """See ``Cache.set_many``."""
        self.values |= {key: json.dumps(value) for key, value in values.items()}


_real_sleep = asyncio.sleep


async def _short(seconds: float, result: Any = None) -> Any:
    """Pauses of a moment pass at once; the renewal of the lock, minutes away, never comes."""
    return await _real_sleep(0 if seconds < 60 else seconds, result)


class _Chunks(httpx.AsyncByteStream):
    """A body that comes in parts, as from a socket."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 65_536):
            yield self._body[start : start + 65_536]


def key_of(request: httpx.Request) -> str:
    """How the tape knows a request."""
    return f"{request.method} {request.url.raw_path.decode()}"


def plan(tape: Tape, scope: Scope | None = None) -> Plan:
    """Makes a plan against the tape and shows it in all formats."""
    made = _run(
        tape, lambda workspace, platform, ledger: _plan(workspace, platform, ledger, scope or Scope(prune=True))
    )
    for format in Format:
        show_plan(made, format)
    return made


def apply(tape: Tape, saved: Plan | None = None) -> None:
    """Applies the specs, or a saved plan, against the tape."""
    _run(tape, partial(_apply, saved=saved))


async def _plan(workspace: Workspace, platform: Platform, ledger: OrgLedger, scope: Scope) -> Plan:
    return (await make_plan(workspace, platform, ledger, scope)).plan


async def _apply(workspace: Workspace, platform: Platform, ledger: OrgLedger, saved: Plan | None = None) -> None:
    journal = Journal(_folder() / "journal.jsonl")
    try:
        with Progress(people(), live=False) as progress:
            applying = Apply(
                workspace=workspace,
                platform=platform,
                ledger=ledger,
                holder="fuzz",
                run="run",
                journal=journal,
                listener=progress,
                confirm=lambda _plan: True,
                mask=lambda text: Masker(workspace.secrets).mask(text).replace(CLIENT_SECRET, "(secret)"),
            )
            await (applying.run_fresh(Scope(prune=True)) if saved is None else applying.run_saved(saved))
    finally:
        journal.close()
        written = journal.path.read_text(encoding="utf-8", errors="replace")
        journal.path.unlink()
        if CANARY in written or CLIENT_SECRET in written:
            raise Crash("The secret stands in the journal")


Work = Callable[[Workspace, Platform, OrgLedger], Awaitable[Any]]


def _run(tape: Tape, work: Work) -> Any:
    workspace = _workspace(tape.url, tuple(SECOND.items()))
    cache = MemoryCache()
    result = _session(tape, replace(workspace, cache=cache), work, httpx.MockTransport(tape.answer), tape.sleep)
    stored = "".join(cache.values.values())
    told = b"".join(body for key, body in tape.sent if not key.startswith("PUT /sandbox") and " /api/" in key)
    if CANARY in stored or CANARY.encode() in told or CLIENT_SECRET in stored:
        raise Crash("The secret stands in the cache or in the ledger's rows")
    return result


def _session(tape: Tape | None, workspace: Workspace, work: Work, transport: Any, sleep: Any) -> Any:
    numbers = count()

    async def session() -> Any:
        connection = Connection(
            api_url=workspace.environment.org.api_url or "",
            login_url=workspace.environment.org.login_url or "",
            client_id="client",
            client_secret=CLIENT_SECRET,
            requests_per_minute=10_000_000,
        )
        clock = (lambda: tape.now) if tape else time.monotonic
        try:
            async with Platform(connection, transport=transport, sleep=sleep, clock=clock) as platform:
                return await work(workspace, platform, OrgLedger(platform, "Ledger", workspace.cache))
        except ReconcilerError as error:
            # As ``connect`` does for every command: an org may repeat what it was sent.
            hide_secrets(error, mask_of(workspace, connection))
            raise

    # Tokens of locks and revisions come back in recorded answers.
    with (
        mock.patch("secrets.token_hex", lambda size=8: f"{next(numbers):0{2 * size}x}"),
        # Made to cost time; an input should not.
        mock.patch("reconciler.specs.secrets.fingerprint", return_value="f1f1"),
        mock.patch("os.fsync"),
        mock.patch("asyncio.sleep", _short if tape else asyncio.sleep),
    ):
        return asyncio.run(session())


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="reconciler-fuzz-"))


@cache
def _workspace(url: str, files: tuple[tuple[str, str], ...]) -> Workspace:
    texts = {**dict(files), "environments/fuzz.yaml": ENVIRONMENT % (url, url)}
    source = MemorySource({path: text.encode() for path, text in texts.items()})
    environment = load_environment(source, "fuzz", environ={})
    return Workspace(
        root=_folder(),
        environment=environment,
        catalog=load_catalog(source, environment, secret_env=SECRETS),
        commit=Commit(None, False),
        secrets=SecretValues.resolve(environment.secrets, SECRETS),
        cache=MemoryCache(),
    )


@cache
def recorded() -> tuple[Tape, Tape]:
    """The tapes of a plan and of an apply: everything changed, drifted or new, and one flow to delete."""
    folder = _folder()
    seed = folder / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    with (
        redirect_stderr(io.StringIO()),
        embedded.start(folder / "org.sqlite", seed=seed) as running,
        connected(running) as org,
    ):
        _record(org, FIRST, _apply)
        org.publish(flow("Sales", says="Changed by hand"))
        org.publish(flow("Stranger", modules=("Greeter",)))
        org.change_ivr("Sales Line", dnis=["+4570101011"])
        planned = _record(org, SECOND, lambda *given: _plan(*given, Scope(prune=True)))
        return planned, _record(org, SECOND, _apply)


def _record(org: Org, files: dict[str, str], work: Work) -> Tape:
    answers: dict[str, list[Answer]] = defaultdict(list)
    order: list[tuple[str, int]] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        headers = [(name, value) for name, value in request.headers.items() if name not in ("host", "user-agent")]
        if request.url.path.startswith("/oauth"):
            headers = [(name, value) for name, value in headers if name != "authorization"]
        async with httpx.AsyncClient(timeout=30) as client:
            login = (org.client_id, org.client_secret) if request.url.path.startswith("/oauth") else None
            real = await client.request(request.method, request.url, headers=headers, content=body, auth=login)
        kept = tuple((n, v) for n, v in real.headers.items() if n in ("content-type", "inin-correlation-id"))
        key = key_of(request)
        order.append((key, len(answers[key])))
        answers[key].append(Answer(real.status_code, kept, real.content))
        return httpx.Response(real.status_code, headers=kept, content=real.content)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.05))

    workspace = replace(_workspace(org.url, tuple(files.items())), cache=MemoryCache())
    _session(None, workspace, work, httpx.MockTransport(answer), sleep)
    return Tape(org.url, dict(answers), order)


@cache
def bomb(layers: int) -> bytes:
    """Gzip of 200 MB of zeros, packed that many times."""
    data = gzip.compress(bytes(200_000_000), 1)
    for _layer in range(layers - 1):
        data = gzip.compress(data)
    return data
