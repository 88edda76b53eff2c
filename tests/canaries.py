"""Looks for secrets in every byte that a run leaves behind, however it is written down."""

from __future__ import annotations

import base64
import html
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

PARTS = 3
"""Places in a group of three bytes at which a text can begin inside of base64."""


def forms(secret: str) -> set[bytes]:
    """A secret as it may stand somewhere: plain, escaped for JSON, YAML, HTML and addresses, and in base64."""
    texts = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret))[3:-3],
        html.escape(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    }
    return {text.encode() for text in texts} | {_inside_base64(secret.encode(), skip) for skip in range(PARTS)}


def _inside_base64(secret: bytes, skip: int) -> bytes:
    """The letters that the secret alone decides when ``skip`` other bytes come before it in its group."""
    encoded = base64.b64encode(b"\0" * skip + secret)
    return encoded[4 if skip else 0 : len(encoded) - 4]


def shown_in(text: str | bytes, *secrets: str) -> list[str]:
    """Those of the secrets that stand in a text, in any form."""
    data = text.encode(errors="replace") if isinstance(text, str) else text
    return [secret for secret in secrets if any(form in data for form in forms(secret))]


def kept_in(folder: Path, *secrets: str, leaving_out: tuple[str, ...] = ()) -> list[str]:
    """Files below a folder that hold one of the secrets, also packed in a row of a database."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in leaving_out
        if any(shown_in(piece, *secrets) for piece in _pieces(path))
    ]


def everywhere(repository_root: Path, *secrets: str, leaving_out: tuple[str, ...] = ()) -> list[str]:
    """As ``kept_in``, for the repository with all state in it and the cache of this run."""
    cache = Path(os.environ["RECONCILER_CACHE_DIR"])
    return [*kept_in(repository_root, *secrets, leaving_out=leaving_out), *kept_in(cache, *secrets)]


def _pieces(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    yield from _unpacked(content)
    if content.startswith(b"SQLite format 3\0"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in db.execute(f'SELECT * FROM "{table}"').fetchall():
                    for cell in row:
                        if isinstance(cell, bytes | str):
                            data = cell if isinstance(cell, bytes) else cell.encode(errors="replace")
                            yield data
                            yield from _unpacked(data)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What lies in packed data; nothing where it is not packed."""
    try:
        yield zlib.decompress(data)
    except zlib.error:
        return
