"""Writes a folder whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.problems import ReconcilerError

_NAMED = 5
"""How many of the things in the way are named."""
_ALLOWED = frozenset((".git",))


def write_repository(directory: Path, files: Mapping[str, str]) -> None:
    """Writes all files into a folder that is new, empty, or holds nothing but ``.git``.

    Raises:
        ReconcilerError: something is in the way, or the folder cannot be written; then it is as it was.
    """
    _refuse_if_taken(directory)
    try:
        if directory.exists():
            _fill(directory, files)
        else:
            _make(directory, files)
    except OSError as error:
        raise ReconcilerError(
            f"{directory} cannot be written: {error.strerror or error}. Nothing was left there.",
            remedy="Name a folder that you may write to.",
        ) from None


def _refuse_if_taken(directory: Path) -> None:
    try:
        if not directory.exists() and not directory.is_symlink():
            return
        found = sorted(entry.name for entry in directory.iterdir() if entry.name not in _ALLOWED)
    except NotADirectoryError:
        raise ReconcilerError(f"{directory} is not a folder.", remedy="Name a new or an empty folder.") from None
    except OSError as error:
        raise ReconcilerError(f"{directory} cannot be read: {error.strerror}.") from None
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ReconcilerError(
            f"{directory} is not empty: it holds {', '.join(found[:_NAMED])}{more}. Nothing was written.",
            remedy="Name a new or an empty folder; only .git may be in it.",
        )


def _make(directory: Path, files: Mapping[str, str]) -> None:
    """Writes beside it and renames, so that the folder is there whole or not at all."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as scratch:
        whole = Path(scratch) / "repository"
        _write(whole, files)
        whole.rename(directory)


def _fill(directory: Path, files: Mapping[str, str]) -> None:
    """Writes inside it and moves up, because a shell that stands in the folder would lose one that is replaced."""
    with tempfile.TemporaryDirectory(prefix=".init-", dir=directory) as scratch:
        _write(Path(scratch), files)
        moved: list[Path] = []
        try:
            for entry in sorted(Path(scratch).iterdir()):
                target = directory / entry.name
                entry.rename(target)
                moved.append(target)
        except BaseException:
            # Ctrl-C as well leaves nothing behind.
            for target in moved:
                shutil.rmtree(target) if target.is_dir() else target.unlink()
            raise


def _write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
