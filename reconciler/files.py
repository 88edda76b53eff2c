"""Files that are replaced whole: a reader sees the old content or the new one, never a part."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, text: str) -> None:
    """Writes the text; a failure leaves the former file as it was and nothing beside it.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError:
        # Whatever keeps the half-written file from being removed matters less than why it was half-written.
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
