"""Keeps what was learnt from each spec file between runs, so that unchanged files are neither rendered nor parsed.

An entry is found by the path and text of the file, the variables, and the code that reads it; includes are checked
on every hit. Only files without errors are kept, and nothing that holds the value of a secret.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as library_version
from pathlib import Path as FilePath
from types import TracebackType
from typing import Any

from pydantic import TypeAdapter

import reconciler
from reconciler.archy.contracts import Interface
from reconciler.archy.model import Reference
from reconciler.cache import Cache, cache_folder
from reconciler.problems import Finding

_READING_PACKAGES = ("archy", "kinds", "specs")


@dataclass(frozen=True, slots=True)
class Artifact:
    """The light part of one document: all that a plan needs while the document does not change."""

    index: int
    """Position among the documents of its file."""
    kind: str
    root: str
    name: str
    line: int
    """First line in the source file."""
    digest: str
    division: str | None
    references: tuple[Reference, ...]
    secrets: tuple[str, ...]
    claims: tuple[str, ...]
    """What only one object may have, e.g. phone numbers; sorted."""
    interface: Interface
    """Contract of a common module, and calls of modules."""
    size: int
    """Bytes of its rendered text."""


@dataclass(frozen=True, slots=True)
class FileArtifacts:
    """What one file holds, and which includes that depends on."""

    documents: tuple[Artifact, ...]
    includes: Mapping[str, str]
    """Path → SHA-256 (hex) of its text, "" where there was no such file."""
    findings: tuple[Finding, ...] = ()
    """Warnings and remarks about the file, no errors."""


_ENTRY = TypeAdapter(FileArtifacts)


class ArtifactCache:
    """Artifacts of files by key; a cache like ``Cache``, which may fail without anybody noticing."""

    def __init__(self, directory: FilePath | None = None) -> None:
        """In the user's cache folder unless told otherwise; made when something is first read or written."""
        folder = directory or cache_folder() / "specs"
        self._cache = Cache(folder.name, folder.parent)

    def get(self, key: str) -> FileArtifacts | None:
        """The entry, or None where there is none that can be used."""
        stored = self._cache.get(key)
        try:
            return None if stored is None else _ENTRY.validate_python(stored)
        except (ValueError, RecursionError):
            # Written by something else, or damaged: the file is read again.
            return None

    def put(self, entries: Mapping[str, FileArtifacts]) -> None:
        """Stores entries in one transaction; gives up silently where that fails."""
        self._cache.set_many({key: _ENTRY.dump_python(entry, mode="json") for key, entry in entries.items()})

    def close(self) -> None:
        """Closes the files; the next use opens them again."""
        self._cache.close()

    def __enter__(self) -> ArtifactCache:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


def variables_digest(variables: Mapping[str, Any]) -> str:
    """Digest of an environment's variables as written: secrets by their names, never by their values.

    The order counts, because a template may go through a mapping.
    """
    return hashlib.sha256(json.dumps(variables, allow_nan=True).encode()).hexdigest()


def entry_key(path: str, text: str, variables: str) -> str:
    """Key of a file's entry; ``variables`` as ``variables_digest`` gives it."""
    parts = f"{code_digest()}\n{variables}\n{path}\n{text}"
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def code_digest() -> str:
    """Digest of the code that turns files into artifacts, and of the libraries it does that with."""
    digest = hashlib.sha256()
    for library in ("jinja2", "networkx", "pyyaml", "pydantic"):
        digest.update(f"{library} {library_version(library)}\n".encode())
    root = FilePath(reconciler.__file__).parent
    for package in _READING_PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
