"""Answers that are none: cut, spoilt, endless (fault rules)."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any, Literal, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

DRIP_SECONDS = 0.1
"""Between two bytes of a dripping answer."""
HUGE = 80 * 1024 * 1024
"""Bytes; more than any answer that a client has reason to expect."""
_CHUNK = 1024 * 1024

Break = Literal["short", "reset", "drip", "huge"]


def _transport(scope: Scope) -> asyncio.Transport:
    transport = scope["state"].get("transport") if "state" in scope else None
    if transport is None:
        raise RuntimeError("this server gives no access to its connections")
    return cast(asyncio.Transport, transport)


async def _gone(receive: Receive) -> None:
    """Returns when the client has left; until then nothing more is sent."""
    while (await receive())["type"] != "http.disconnect":
        pass


class DroppedConnection(Response):
    """Cuts the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes uvicorn's transport under the response; nothing is sent."""
        _transport(scope).abort()
        await asyncio.sleep(0)


class Hanging(Response):
    """Never answers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Waits until the client gives up."""
        await _gone(receive)


class BrokenAnswer(Response):
    """Begins an answer as it should be and does not end it so.

    ``short`` closes the connection after half of what ``Content-Length`` announces, ``reset`` resets it
    there, ``drip`` sends a byte at a time, ``huge`` sends megabytes instead of the body.
    """

    def __init__(self, how: Break, answer: Response) -> None:
        # "No content" could not be broken off.
        status = 200 if answer.status_code == 204 else answer.status_code
        super().__init__(answer.body, status, dict(answer.headers), media_type=answer.media_type)
        self._how = how

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends what there is to send and breaks off, or goes on until the client leaves."""
        # There must be something to break off.
        body = bytes(self.body) or b" " * 16
        endless = self._how == "huge"
        length = [] if endless else [(b"content-length", str(len(body)).encode())]
        headers = [item for item in self.raw_headers if item[0] != b"content-length"] + length
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        if endless:
            await _send_much(send)
        elif self._how == "drip":
            await self._drip(body, receive, send)
        else:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await self._break(scope, receive)

    async def _break(self, scope: Scope, receive: Receive) -> None:
        transport = _transport(scope)
        if self._how == "short":
            transport.close()
        else:
            connection = transport.get_extra_info("socket")
            # Lingering for no time at all is what sends a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        await _gone(receive)

    async def _drip(self, body: bytes, receive: Receive, send: Send) -> None:
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            for position, byte in enumerate(body):
                last = position == len(body) - 1
                await send({"type": "http.response.body", "body": bytes([byte]), "more_body": not last})
                if (await asyncio.wait([leaving], timeout=DRIP_SECONDS))[0]:
                    return
        finally:
            leaving.cancel()


async def _send_much(send: Send) -> None:
    """``{"padding": "xxx…"}``, in chunks; what is sent after the client has left goes nowhere."""
    begin, end = b'{"padding": "', b'"}'
    await send({"type": "http.response.body", "body": begin, "more_body": True})
    for _ in range(HUGE // _CHUNK):
        await send({"type": "http.response.body", "body": b"x" * _CHUNK, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": end, "more_body": False})


def spoilt(how: str, answer: Response) -> Response:
    """The answer, spoilt in one of the ways of ``Effect.spoil``."""
    content = bytes(answer.body)
    if how == "half":
        return _instead(answer, content[: len(content) // 2])
    if how == "types":
        return _instead(answer, _other_types(content))
    return BrokenAnswer(cast(Break, how), answer)


def _instead(answer: Response, content: bytes) -> Response:
    headers: Mapping[str, str] = {key: value for key, value in answer.headers.items() if key != "content-length"}
    return Response(content, answer.status_code, dict(headers), media_type=answer.media_type)


def _other_types(content: bytes) -> bytes:
    try:
        value = json.loads(content)
    except ValueError:
        return content
    changed = {key: _other_type(item) for key, item in value.items()} if isinstance(value, dict) else _other_type(value)
    return json.dumps(changed).encode()


def _other_type(value: Any) -> Any:
    match value:
        case None:
            return None
        case bool():
            return "perhaps"
        case int() | float():
            return {"number": value}
        case str():
            return [value]
        case list():
            return "a list"
        case _:
            return 7
