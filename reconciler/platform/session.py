"""Sends requests to one org: token, rate, retries, bounded answers. Everything above speaks in models."""

from __future__ import annotations

import base64
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from reconciler.platform.connection import Connection, is_loopback, require_safe
from reconciler.platform.errors import (
    AuthenticationFailed,
    BadRequest,
    Context,
    HostUnreachable,
    MalformedResponse,
    PlatformError,
    RateLimited,
    RequestTimedOut,
    ServerError,
)
from reconciler.platform.limiter import RateLimiter
from reconciler.platform.responses import Reply, error_of
from reconciler.platform.retries import Retries
from reconciler.platform.tokens import Token, TokenSource

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer; the largest export known has 0.8 MB (facts archy-yaml §7), a batch holds 25."""
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_TIMEOUT = httpx.Timeout(60.0, connect=10.0, pool=None)
_LIMITS = httpx.Limits(max_connections=20, keepalive_expiry=4.0)
"""Idle connections are dropped before the other side may do so, which would break a POST that is under way."""
_LOGIN_DEADLINE = 60.0
"""Seconds; a throttled token endpoint is retried that long (facts §1)."""
Query = Mapping[str, str | int | bool | Sequence[str] | None]

# Both write addresses at INFO or DEBUG; presigned addresses are as good as passwords.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass
class Counters:
    """What was sent so far, every attempt counted."""

    requests: int = 0
    """To the API."""
    transfers: int = 0
    """Uploads to and downloads from presigned addresses."""
    logins: int = 0


class Session:
    """One org's HTTP. Raises ``PlatformError`` and nothing else for whatever goes wrong outside."""

    def __init__(
        self,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None,
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        require_safe(connection.api_url, "address of the org")
        require_safe(connection.login_url, "address of the login")
        self.connection = connection
        self.sleep = sleep
        self.clock = clock
        self.counters = Counters()
        self._limiter = RateLimiter(connection.requests_per_minute, clock=clock, sleep=sleep)
        self._tokens = TokenSource(connection, login=self._login, clock=clock)
        self._retries = Retries(clock=clock, sleep=sleep)
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=_TIMEOUT,
            limits=_LIMITS,
            follow_redirects=False,
            # A proxy of the environment is of no use for an org on this machine.
            trust_env=not (is_loopback(connection.api_url) and is_loopback(connection.login_url)),
            headers={"Accept": "application/json", "User-Agent": "genesys-reconciler"},
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        harmless: bool = False,
    ) -> Reply:
        """One API request, retried within the deadline as far as that is safe.

        Args:
            method: GET, POST, PUT or DELETE.
            path: Below the API's root, segments already encoded (see ``path_of``).
            query: None values are left out, sequences joined by commas as the SDK does.
            body: Sent as JSON unless None.
            harmless: A POST that may be repeated even when it is not known whether it arrived.

        Raises:
            PlatformError: see ``errors``.
        """
        repeatable = harmless or method in _IDEMPOTENT

        async def attempt() -> Reply:
            return await self._authorized(method, path, _flat(query), body)

        return await self._retries.run(attempt, repeatable=repeatable, deadline=self.connection.deadline)

    async def upload(self, url: str, headers: Mapping[str, str], content: bytes) -> None:
        """PUTs to a presigned address, exactly as given and without our token; each attempt sends it all."""
        require_safe(url, "upload address")

        async def attempt() -> Reply:
            self.counters.transfers += 1
            return await self._send("PUT", url, headers=dict(headers), content=content, refusal=_transfer_refusal)

        await self._retries.run(attempt, repeatable=True, deadline=self.connection.deadline)

    async def download(self, url: str) -> bytes:
        """GETs a presigned address without our token."""
        require_safe(url, "download address")

        async def attempt() -> Reply:
            self.counters.transfers += 1
            return await self._send("GET", url, headers={}, refusal=_transfer_refusal)

        reply = await self._retries.run(attempt, repeatable=True, deadline=self.connection.deadline)
        return reply.body

    async def _authorized(self, method: str, path: str, query: dict[str, str], body: Any) -> Reply:
        token = await self._tokens.get()
        try:
            return await self._api(method, path, query, body, token)
        except AuthenticationFailed as refusal:
            if refusal.status != 401:
                raise
            token = await self._tokens.replace(token)
        return await self._api(method, path, query, body, token)

    async def _api(self, method: str, path: str, query: dict[str, str], body: Any, token: str) -> Reply:
        await self._limiter.acquire()
        self.counters.requests += 1
        url = httpx.URL(self.connection.api_url + path, params=query) if query else self.connection.api_url + path
        try:
            return await self._send(
                method,
                url,
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                json=body,
            )
        except (RateLimited, ServerError) as error:
            if error.retry_after is not None:
                self._limiter.pause(min(error.retry_after, self.connection.deadline))
            raise

    async def _login(self) -> Token:
        pair = f"{self.connection.client_id}:{self.connection.client_secret}".encode()

        async def attempt() -> Reply:
            self.counters.logins += 1
            return await self._send(
                "POST",
                f"{self.connection.login_url}/oauth/token",
                headers={
                    "Authorization": f"Basic {base64.b64encode(pair).decode()}",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                content=b"grant_type=client_credentials",
                refusal=_login_refusal,
            )

        deadline = min(_LOGIN_DEADLINE, self.connection.deadline)
        return (await self._retries.run(attempt, repeatable=True, deadline=deadline)).read(Token)

    async def _send(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        headers: dict[str, str],
        content: bytes | None = None,
        json: Any = None,
        refusal: Callable[[Reply], PlatformError] = error_of,
    ) -> Reply:
        parts = urlsplit(str(url))
        host = parts.netloc.rpartition("@")[2]
        context = Context(method=method, path=parts.path)
        try:
            async with self._client.stream(method, url, headers=headers, content=content, json=json) as response:
                body = await _bounded(response, context)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            message = f"{host} cannot be reached: {_reason(error)}."
            raise HostUnreachable(message, host=host, sent=False, method=method, path=parts.path) from error
        except httpx.TimeoutException as error:
            message = f"{host} did not answer {method} {parts.path} in time."
            raise RequestTimedOut(message, **context) from error
        except (httpx.DecodingError, httpx.InvalidURL, UnicodeError) as error:
            message = f"{method} {parts.path} at {host} went wrong: {_reason(error)}."
            raise MalformedResponse(message, **context) from error
        except httpx.LocalProtocolError:
            # The reason would quote the header, and with it the token.
            message = f"{method} {parts.path} could not be written: a header holds characters that HTTP does not allow."
            raise AuthenticationFailed(
                message,
                remedy="Check the access token for blanks and line breaks.",
                sent=False,
                method=method,
                path=parts.path,
            ) from None
        except httpx.RequestError as error:
            message = f"The connection to {host} broke during {method} {parts.path}: {_reason(error)}."
            remedy = "Plan again: it is not known whether the org carried the request out."
            raise HostUnreachable(message, host=host, remedy=remedy, method=method, path=parts.path) from error
        self._retries.answered(host)
        reply = Reply(method, parts.path, response.status_code, response.headers, body)
        if response.is_success:
            return reply
        raise refusal(reply)


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


async def _bounded(response: httpx.Response, context: Context) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY:
            message = f"The answer to {context['method']} {context['path']} is larger than {MAX_BODY // 2**20} MB."
            raise MalformedResponse(message, **context)
    return bytes(body)


def _login_refusal(reply: Reply) -> PlatformError:
    """Login errors have a shape of their own, and throttling comes as HTTP 400 (facts §1)."""
    error = error_of(reply)
    if reply.status == 400 and b"rate limit exceeded" in reply.body.lower():
        return RateLimited(str(error), status=400, method=reply.method, path=reply.path)
    if reply.status in (400, 401, 403):
        return AuthenticationFailed(
            str(error), status=reply.status, code=error.code, method=reply.method, path=reply.path
        )
    return error


def _transfer_refusal(reply: Reply) -> PlatformError:
    """A storage service answers here, not the API: its 404 says nothing about flows, its bodies are no JSON."""
    error = error_of(reply)
    if isinstance(error, RateLimited | ServerError | RequestTimedOut):
        return error
    return BadRequest(
        f"The file transfer was refused: {reply.method} {reply.path} [HTTP {reply.status}].",
        method=reply.method,
        path=reply.path,
        status=reply.status,
        remedy="Run the command again: the org's addresses for uploads and downloads expire.",
    )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
