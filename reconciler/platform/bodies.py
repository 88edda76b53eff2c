"""Reads the body of an answer within bounds, packed or not.

httpx unpacks each piece that arrives as a whole, and layer by layer, so that a few kilobytes become gigabytes
before anybody can count them. Here at most what is left of the bound is ever unpacked.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import httpx

from reconciler.platform.errors import Context, MalformedResponse

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one answer; the largest export known has 0.8 MB (facts archy-yaml §7), a batch holds 25."""
ENCODINGS = "gzip, deflate"
"""What we take (``Accept-Encoding``): what can be unpacked piece by piece."""
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def read_body(response: httpx.Response, context: Context) -> bytes:
    """The whole body, unpacked.

    Raises:
        MalformedResponse: larger than ``MAX_BODY``, packed in another way than we asked for, or broken.
    """
    body = bytearray()
    # An answer that is complete already was made in this process, as tests do.
    pieces = response.aiter_bytes() if response.is_stream_consumed else _unpacked(response, body, context)
    async for piece in pieces:
        body += piece
        if len(body) > MAX_BODY:
            raise _refused(f"is larger than {MAX_BODY // 2**20} MB", context)
    return bytes(body)


async def _unpacked(response: httpx.Response, body: bytearray, context: Context) -> AsyncIterator[bytes]:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        async for piece in response.aiter_raw():
            yield piece
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise _refused(f"is packed as {encoding[:40]!r}, which was not asked for", context)
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    any_piece = False
    try:
        async for piece in response.aiter_raw():
            any_piece = True
            left = piece
            while left and not unpacker.eof and len(body) <= MAX_BODY:
                yield unpacker.decompress(left, MAX_BODY + 1 - len(body))
                left = unpacker.unconsumed_tail
    except zlib.error as error:
        raise _refused(f"cannot be unpacked: {error}", context) from None
    if any_piece and not unpacker.eof:
        raise _refused("ends too soon", context)


def _refused(what: str, context: Context) -> MalformedResponse:
    return MalformedResponse(f"The answer to {context['method']} {context['path']} {what}.", **context)
