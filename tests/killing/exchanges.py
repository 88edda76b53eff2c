"""Counts the HTTP exchanges of a process and kills or suspends it at one of them.

Every exchange counts: requests to the API, logins, uploads and downloads. They are numbered by arrival, from 1.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx


class Position(StrEnum):
    """Where in an exchange the process is struck."""

    BEFORE = "before"
    """Nothing of the request was sent."""
    CUT = "cut"
    """The request was sent whole; whether the org carries it out is not waited for."""
    SENT = "sent"
    """The org has carried it out and has begun to answer; the answer is not read."""
    READ = "read"
    """The answer was read to its end; nothing was made of it yet."""


@dataclass(frozen=True)
class Death:
    """One moment to die at, without any clean-up."""

    exchange: int
    position: Position
    signal: signal.Signals = signal.SIGKILL
    """Or ``SIGSTOP``, after which the process may be told to go on."""

    def strike(self) -> None:
        """No handler runs, no buffer is flushed."""
        os.kill(os.getpid(), self.signal)


@dataclass
class Exchanges:
    """What went over the wire so far, as ``METHOD path``; the process dies when its moment has come."""

    death: Death | None = None
    seen: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """From now on every exchange of this process, which must be a fork made for the purpose, passes here."""
        network = httpx.AsyncHTTPTransport.handle_async_request

        async def handle(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            self.seen.append(f"{request.method} {request.url.path}")
            death = self.death if self.death and self.death.exchange == len(self.seen) else None
            if death is None:
                return await network(transport, request)
            if death.position is Position.BEFORE:
                death.strike()
            if death.position is Position.CUT:
                request.extensions = {**request.extensions, "trace": _strike_when_sent(death)}
            response = await network(transport, request)
            if death.position is Position.SENT:
                death.strike()
            if death.position is Position.READ:
                response.stream = _LastWords(response.stream, death)
            return response

        httpx.AsyncHTTPTransport.handle_async_request = handle


class _LastWords(httpx.AsyncByteStream):
    """A body after whose last byte the process is struck."""

    def __init__(self, stream: Any, death: Death) -> None:
        self._stream = stream
        self._death = death

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk
        self._death.strike()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _strike_when_sent(death: Death) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    async def trace(event: str, _info: dict[str, Any]) -> None:
        if event == "http11.send_request_body.complete":
            death.strike()

    return trace
