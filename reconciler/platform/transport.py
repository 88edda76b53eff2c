"""One HTTP exchange: the way to a host, what can go wrong on it, and an answer of bounded size."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from reconciler.platform.bodies import ENCODINGS, read_body
from reconciler.platform.connection import is_loopback
from reconciler.platform.errors import Context
from reconciler.platform.failures import explained
from reconciler.platform.proxies import Proxy, usual_proxy
from reconciler.platform.responses import Reply
from reconciler.platform.trust import tls_context

_LIMITS = httpx.Limits(max_connections=20, keepalive_expiry=4.0)
"""Idle connections are dropped before the other side may do so, which would break a POST that is under way."""
_SENDING = "http11.send_request_headers.started"
"""What httpx's extension ``trace`` calls the moment before the first byte is sent."""
# httpcore asks several times a request whether trio runs, by importing sniffio, and an import that fails searches the
# whole path each time: a sixth of what a request costs us. It is always asyncio here; None lets the import fail soon.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
# Both write addresses at INFO or DEBUG; presigned addresses are as good as passwords.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Transport:
    """Sends single requests; raises ``PlatformError`` and nothing else for whatever goes wrong outside.

    Hosts on this machine are reached directly, whatever proxies there are: plain http must not leave the machine.
    Redirects are never followed.
    """

    def __init__(
        self,
        *,
        proxy: Proxy | None = None,
        instead: httpx.AsyncBaseTransport | None = None,
        silence: float = 60.0,
        exchange: float = 300.0,
    ) -> None:
        """Prepares connections; nothing is sent yet.

        Args:
            proxy: For all hosts but this machine; None takes those of the usual environment variables.
            instead: For tests: what answers instead of the network.
            silence: See ``Connection.silence``.
            exchange: See ``Connection.exchange``.
        """
        self._silence = silence
        self._exchange = exchange
        self._proxy = proxy
        self._instead = instead
        self._clients: dict[tuple[bool, Proxy | None], httpx.AsyncClient] = {}

    async def close(self) -> None:
        """Closes all connections."""
        for client in self._clients.values():
            await client.aclose()

    async def send(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        json: Any = None,
        before_sending: Callable[[], None] | None = None,
    ) -> Reply:
        """One request and its answer, whatever its status.

        ``before_sending`` is called the moment before the first byte goes: it may have taken long to get a connection,
        or the process was suspended meanwhile. What it raises is raised instead of sending.

        Raises:
            PlatformError: there is no answer, or one that cannot be used; see ``errors``.
        """
        host = url.netloc.decode("ascii")
        context = Context(method=method, path=url.raw_path.decode("ascii").partition("?")[0])
        proxy = None if is_loopback(url) else self._proxy or usual_proxy(url.host)
        client = self._client(url.scheme == "https", proxy)
        extensions = {"trace": _told_before_sending(before_sending)} if before_sending is not None else None
        try:
            async with (
                asyncio.timeout(self._exchange),
                client.stream(
                    method, url, headers=headers, content=content, json=json, extensions=extensions
                ) as response,
            ):
                body = await read_body(response, context)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, TimeoutError) as error:
            raise explained(error, host, proxy, context) from None
        return Reply(method, str(context["path"]), response.status_code, response.headers, body)

    def _client(self, tls: bool, proxy: Proxy | None) -> httpx.AsyncClient:
        client = self._clients.get((tls, proxy))
        if client is None:
            # A context without certificates trusts nobody; to read them takes longer than a request to a sandbox.
            context = (
                tls_context(os.environ) if tls and self._instead is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            )
            client = httpx.AsyncClient(
                transport=self._instead,
                verify=context,
                proxy=_proxy(proxy, context) if self._instead is None else None,
                timeout=httpx.Timeout(self._silence, connect=10.0, pool=None),
                limits=_LIMITS,
                follow_redirects=False,
                trust_env=False,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": ENCODINGS,
                    "User-Agent": "genesys-reconciler",
                },
            )
            self._clients[tls, proxy] = client
        return client


def _told_before_sending(before_sending: Callable[[], None]) -> Callable[[str, Any], Awaitable[None]]:
    async def trace(event: str, _info: Any) -> None:
        if event == _SENDING:
            before_sending()

    return trace


def _proxy(proxy: Proxy | None, context: ssl.SSLContext) -> httpx.Proxy | None:
    if proxy is None:
        return None
    auth = (proxy.username, proxy.password) if proxy.username or proxy.password else None
    return httpx.Proxy(proxy.url, auth=auth, ssl_context=context if proxy.url.startswith("https:") else None)
