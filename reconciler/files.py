"""Files and what stands in them, read within bounds and replaced whole.

A reader sees the old content or the new one, never a part; and no file, pipe or device can fill the memory.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

MAX_BYTES = 256 * 1024 * 1024
"""What a plan or a ledger of a very large estate stays far below."""
LOCK_PAUSE = 0.01
"""Seconds between two tries for a lock; who holds one writes for milliseconds."""


def read_file(path: Path, *, most: int = MAX_BYTES) -> bytes:
    """The content of an ordinary file.

    Raises:
        OSError: it cannot be read, is larger than ``most`` bytes, or is no ordinary file.
    """
    # Asked before opening, because opening a named pipe would wait for ever.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "it is not an ordinary file", str(path))
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(0, f"it is larger than {most // 2**20} MB", str(path))
    return content


def parse_json(content: bytes | str) -> Any:
    """JSON whose texts can be shown, stored and sent again: half of a surrogate pair becomes U+FFFD.

    Raises:
        ValueError: no JSON, or nested so deeply that nothing could be done with it.
    """
    try:
        value = json.loads(content)
        if ("\\u" if isinstance(content, str) else b"\\u") in content:  # type: ignore[operator]
            text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
            value = json.loads(text.decode("utf-16", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def replace_file(path: Path, text: str, *, private: bool = False) -> None:
    """Writes the text; a failure leaves the former file as it was and nothing beside it.

    Args:
        path: The file; its folder is made.
        text: All that it holds afterwards.
        private: Only its owner may read it, and it is on disk when this returns.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            if private:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        # Whatever keeps the half-written file from being removed matters less than why it was half-written.
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def lock_file(file: int | IO[Any], seconds: float) -> bool:
    """Waits so long for other processes to let go of an open file; False where one did not.

    The operating system lets go of the lock when the file is closed or its holder dies.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(LOCK_PAUSE)
        else:
            return True
