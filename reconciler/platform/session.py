"""Sends requests to one org: rate, tokens, retries. Everything above speaks in models."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from reconciler.platform.clock import OrgClock
from reconciler.platform.connection import Connection, is_loopback, require_safe
from reconciler.platform.errors import (
    AuthenticationFailed,
    Context,
    PlatformError,
    RateLimited,
    RequestTimedOut,
    ServerError,
    TransferRefused,
)
from reconciler.platform.hurry import hurry
from reconciler.platform.limiter import RateLimiter
from reconciler.platform.request_log import RequestLog, Turn, account_of
from reconciler.platform.responses import Reply, error_of, exhausted
from reconciler.platform.retries import Retries
from reconciler.platform.tokens import Token, TokenSource
from reconciler.platform.transport import Transport

_READING = frozenset({"GET", "HEAD"})
_IDEMPOTENT = _READING | {"PUT", "DELETE"}
_LOGIN_DEADLINE = 60.0
"""Seconds; a throttled token endpoint is retried that long (facts §1)."""
_LOGIN_PAUSE = 60.0
"""Seconds that a further token is done without when the token endpoint is throttled."""
Query = Mapping[str, str | int | bool | Sequence[str] | None]


@dataclass
class Counters:
    """What was sent so far, every attempt counted."""

    requests: int = 0
    """To the API."""
    transfers: int = 0
    """Uploads to and downloads from presigned addresses."""
    logins: int = 0
    throttled: int = 0
    """Requests that the org answered with 429, within the requests."""


class Session:
    """One org's HTTP. Raises ``PlatformError`` and nothing else for whatever goes wrong outside."""

    def __init__(
        self,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
        notice: Callable[[str], None] | None,
    ) -> None:
        require_safe(connection.api_url, "address of the org")
        require_safe(connection.login_url, "address of the login")
        self.connection = connection
        self.sleep = sleep
        self.clock = clock
        self.counters = Counters()
        self.org_clock = OrgClock()
        self.before_write: Callable[[], None] = _nothing_in_the_way
        """Called just before a request that may change something; what it raises is raised instead of sending."""
        # A token from outside is one token, however many are allowed.
        tokens = 1 if connection.access_token else connection.tokens
        account = account_of(connection.login_url, connection.access_token or connection.client_id)
        self._limiter = RateLimiter(
            connection.requests_per_minute,
            clock=clock,
            sleep=sleep,
            tokens=tokens,
            log=RequestLog(connection.rate_log, account, clock=clock, notice=notice),
            notice=notice,
        )
        self._tokens = tuple(
            TokenSource(connection, login=self._login if number == 0 else self._further_login, clock=clock)
            for number in range(tokens)
        )
        self._retries = Retries(clock=clock, sleep=sleep)
        self._transport = Transport(
            proxy=connection.proxy, instead=transport, silence=connection.silence, exchange=connection.exchange
        )

    def crowded(self) -> float:
        """Which part of what may be sent in a minute was sent in the last one, 0 to 1."""
        return self._limiter.crowded()

    async def close(self) -> None:
        """Closes all connections."""
        await self._transport.close()
        self._limiter.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        harmless: bool = False,
        deadline: float | None = None,
    ) -> Reply:
        """One API request, retried within the deadline as far as that is safe.

        Args:
            method: GET, POST, PUT or DELETE.
            path: Below the API's root, segments already encoded (see ``path_of``).
            query: None values are left out, sequences joined by commas as the SDK does.
            body: Sent as JSON unless None.
            harmless: A POST that may be repeated even when it is not known whether it arrived.
            deadline: Seconds; shorter than ``Connection.deadline`` for what is merely nice to have.

        Raises:
            PlatformError: see ``errors``.
        """
        repeatable = harmless or method in _IDEMPOTENT

        async def attempt() -> Reply:
            return await self._authorized(method, path, _flat(query), body)

        within = self.connection.deadline if deadline is None else min(deadline, self.connection.deadline)
        if (hurried := hurry()) is None:
            return await self._retries.run(attempt, repeatable=repeatable, deadline=within)
        within = min(within, hurried.seconds)
        return await hurried.heed(self._retries.run(attempt, repeatable=repeatable, deadline=within))

    async def upload(self, url: str, headers: Mapping[str, str], content: bytes) -> None:
        """PUTs to a presigned address, exactly as given and without our token; each attempt sends it all."""
        await self._transfer("PUT", url, "upload address", headers, content)

    async def download(self, url: str) -> bytes:
        """GETs a presigned address without our token."""
        return (await self._transfer("GET", url, "download address", {}, None)).body

    async def _transfer(
        self, method: str, url: str, purpose: str, headers: Mapping[str, str], content: bytes | None
    ) -> Reply:
        address = require_safe(url, purpose, here=is_loopback(self.connection.api_url))

        async def attempt() -> Reply:
            self.counters.transfers += 1
            return await self._send(method, address, headers=headers, content=content, refusal=_transfer_refusal)

        return await self._retries.run(attempt, repeatable=True, deadline=self.connection.deadline)

    async def _authorized(self, method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        turn, token = await self._admitted()
        try:
            return await self._api(turn, method, path, query, body, token)
        except AuthenticationFailed as refusal:
            if refusal.status != 401:
                raise
            self._tokens[turn.token].refuse(token)
        turn, token = await self._admitted(turn.token)
        return await self._api(turn, method, path, query, body, token)

    async def _admitted(self, number: int | None = None) -> tuple[Turn, str]:
        """One's turn, and the token that it is for; a further token that cannot be had is done without."""
        while True:
            turn = await self._limiter.acquire(number)
            try:
                return turn, await self._tokens[turn.token].get()
            except BaseException as error:
                await self._limiter.answered(turn)
                passing = isinstance(error, PlatformError) and not isinstance(error, AuthenticationFailed)
                if turn.token == 0 or not passing:
                    raise
            await self._limiter.pause(_LOGIN_PAUSE, turn.token)
            number = None

    async def _api(self, turn: Turn, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Reply:
        try:
            self.counters.requests += 1
            address = httpx.URL(self.connection.api_url + path, params=query or None)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            reply = await self._send(method, address, headers=headers, json=body)
        except (RateLimited, ServerError) as error:
            self.counters.throttled += isinstance(error, RateLimited)
            if error.retry_after is not None:
                await self._limiter.pause(min(error.retry_after, self.connection.deadline), turn.token)
            raise
        finally:
            await self._limiter.answered(turn)
        self.org_clock.heard(reply.headers)
        pause = exhausted(reply.headers)
        if pause is not None:
            await self._limiter.pause(pause, turn.token)
        return reply

    async def _login(self) -> Token:
        return await self._log_in(min(_LOGIN_DEADLINE, self.connection.deadline))

    async def _further_login(self) -> Token:
        """There are tokens to go on with, so that a throttled token endpoint is left alone."""
        return await self._log_in(0.0)

    async def _log_in(self, deadline: float) -> Token:
        pair = f"{self.connection.client_id}:{self.connection.client_secret}".encode()
        address = httpx.URL(f"{self.connection.login_url}/oauth/token")
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

        def refusal(reply: Reply) -> PlatformError:
            return _login_refusal(reply, address.netloc.decode("ascii"))

        async def attempt() -> Reply:
            self.counters.logins += 1
            return await self._send(
                "POST",
                address,
                headers=headers,
                content=b"grant_type=client_credentials",
                refusal=refusal,
                guarded=False,
            )

        return (await self._retries.run(attempt, repeatable=True, deadline=deadline)).read(Token)

    async def _send(
        self,
        method: str,
        address: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        json: Any = None,
        refusal: Callable[[Reply], PlatformError] = error_of,
        guarded: bool = True,
    ) -> Reply:
        """One request; ``guarded`` says that it may change something, unless it only reads."""
        before = self.before_write if guarded and method not in _READING else None
        if before is not None:
            before()
        reply = await self._transport.send(
            method, address, headers=headers, content=content, json=json, before_sending=before
        )
        self._retries.answered(address.netloc.decode("ascii"))
        if not 200 <= reply.status < 300:
            raise refusal(reply)
        if reply.headers.get("content-type", "").lower().startswith("text/html"):
            # Also where nobody reads the answer, such as after a delete: the request never reached the org.
            raise reply.malformed("is a web page, not what the API promises")
        return reply


def _nothing_in_the_way() -> None:
    """What is called before a write until somebody has a reason against writing."""


def path_of(*segments: str) -> str:
    """The API path of these segments, each encoded, whatever characters it holds: ``/api/v2/…``."""
    return "/api/v2/" + "/".join(_encode(segment) for segment in segments)


def _encode(segment: str) -> str:
    # Segments "." and ".." would be resolved away as relative paths.
    return segment.replace(".", "%2E") if segment in {".", ".."} else quote(segment, safe="")


def _flat(query: Query | None) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in (query or {}).items():
        if value is None:
            continue
        if isinstance(value, bool):
            flat[name] = "true" if value else "false"
        elif isinstance(value, str | int):
            flat[name] = str(value)
        elif value:
            flat[name] = ",".join(value)
    return flat


def _login_refusal(reply: Reply, host: str) -> PlatformError:
    """Login errors have a shape of their own, and throttling comes as HTTP 400 (facts §1)."""
    error = error_of(reply)
    context = Context(method=reply.method, path=reply.path, status=reply.status, code=error.code)
    if reply.status == 400 and b"rate limit exceeded" in reply.body.lower():
        return RateLimited(f"{host} takes no more logins for now: {error}", **context)
    if reply.status in (400, 401, 403):
        return AuthenticationFailed(f"{host} does not let the OAuth client in: {error}", **context)
    return error


def _transfer_refusal(reply: Reply) -> PlatformError:
    """A storage service answers here, not the API: its 404 says nothing about flows, its bodies are no JSON."""
    error = error_of(reply)
    if isinstance(error, RateLimited | ServerError | RequestTimedOut):
        return error
    return TransferRefused(
        f"The file transfer was refused: {reply.method} {reply.path} [HTTP {reply.status}].",
        method=reply.method,
        path=reply.path,
        status=reply.status,
    )
