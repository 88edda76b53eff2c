"""Where spec files are read from: the work tree, or any revision of the Git repository.

A change is shown against what was applied last, which lies in Git under another revision; both are read
through one interface, by paths relative to the repository root with ``/`` separators.
"""

from __future__ import annotations

import os
import posixpath
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from reconciler.problems import Finding, SpecError
from reconciler.specs.git import BlobEntry, Commit, GitError, commit_state, list_tree, read_blobs

__all__ = ["Commit", "GitError", "GitRevision", "Source", "WorkingTree", "commit_state"]

MAX_FILE_BYTES = 5_000_000
"""No flow comes near it (the largest export known has 800 KB, facts on Archy §7); a stray binary does."""
MAX_LINKS = 20
SPEC_DIRECTORIES = ("flows", "shared", "environments")
TESTS = "tests"
"""Smoke tests lie there, beside tests of other kinds; of these only YAML is read out of Git."""


class Source(ABC):
    """The files of one state of the repository."""

    @property
    @abstractmethod
    def label(self) -> str:
        """How messages name this state, e.g. ``work tree`` or ``commit 1a2b3c4``."""

    @abstractmethod
    def list(self, *directories: str) -> list[str]:
        """All files at any depth below the directories, as sorted paths; a missing directory holds none."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether ``read`` would find a file there; False for paths that leave the repository."""

    @abstractmethod
    def read_bytes(self, path: str) -> bytes:
        """The file as it is, at most ``MAX_FILE_BYTES``.

        Raises:
            SpecError: no such file, too large, or outside of the repository.
        """

    def read(self, path: str) -> str:
        """The file as text, line ends as ``\\n``, without a byte order mark.

        Raises:
            SpecError: as ``read_bytes``, or the file is not UTF-8.
        """
        data = self.read_bytes(path)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            # With utf-8-sig, error.start counts from behind the mark, in error.object.
            before = error.object[: error.start]
            raise _unusable(
                "not-utf-8",
                path,
                f"Byte {error.start + 1} of the file is not UTF-8.",
                "Save the file as UTF-8.",
                line=before.count(b"\n") + 1,
            ) from None
        return text.replace("\r\n", "\n").replace("\r", "\n")


class WorkingTree(Source):
    """The files as they lie on disk now."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._folders: dict[tuple[str, ...], Path] = {}

    @property
    def label(self) -> str:
        """See ``Source.label``."""
        return "work tree"

    def list(self, *directories: str) -> list[str]:
        """See ``Source.list``; directories that are symbolic links are not followed."""
        return sorted({path for directory in directories for path in self._walk(directory)})

    def exists(self, path: str) -> bool:
        """See ``Source.exists``."""
        try:
            return self._resolve(path).is_file()
        except (SpecError, OSError, ValueError):
            return False

    def read_bytes(self, path: str) -> bytes:
        """See ``Source.read_bytes``."""
        try:
            resolved = self._resolve(path)
            # Asked before opening, because opening a named pipe would wait for ever.
            if not stat.S_ISREG(resolved.stat().st_mode):
                raise _missing(path, self.label)
            with resolved.open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            raise self._absent(path) from None
        except RuntimeError:
            raise _circle(path) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise _unusable(
                "unreadable-file",
                path,
                f"The file cannot be read: {reason}.",
                "Make it readable, or remove it.",
            ) from None
        if len(data) > MAX_FILE_BYTES:
            raise _too_large(path)
        return data

    def _walk(self, directory: str) -> Iterator[str]:
        start = self.root.joinpath(*checked_path(directory).parts)
        if start.is_symlink() or not start.is_dir():
            return
        for parent, directories, files in os.walk(start):
            directories[:] = [name for name in directories if name != ".git"]
            relative = Path(parent).relative_to(self.root)
            yield from ((relative / name).as_posix() for name in files)

    def _absent(self, path: str) -> SpecError:
        link = self.root.joinpath(*checked_path(path).parts)
        if not link.is_symlink():
            return _missing(path, self.label)
        return _broken_link(path, self._resolve(path).relative_to(self.root).as_posix(), "which does not exist")

    def _resolve(self, path: str) -> Path:
        *folders, name = checked_path(path).parts or ("",)
        resolved = self._folder(tuple(folders)) / name
        if resolved.is_symlink():
            resolved = resolved.resolve()
        if not resolved.is_relative_to(self.root):
            raise outside(path)
        return resolved

    def _folder(self, parts: tuple[str, ...]) -> Path:
        """Where a folder really is; asked once, for many files lie in each."""
        if parts not in self._folders:
            self._folders[parts] = self.root.joinpath(*parts).resolve()
        return self._folders[parts]


class GitRevision(Source):
    """The files as one commit has them, read without a checkout.

    Raises:
        GitError: on creation, when the revision is unknown here or ``root`` lies in no repository.
    """

    def __init__(self, root: Path, revision: str) -> None:
        self.root = root
        self.revision = revision
        listed = list_tree(root, revision, (*SPEC_DIRECTORIES, TESTS))
        self._entries = {path: entry for path, entry in listed.items() if _is_read(path)}
        self._blobs: dict[bool, dict[str, bytes]] = {}

    @property
    def label(self) -> str:
        """See ``Source.label``."""
        return f"commit {self.revision[:12]}"

    def list(self, *directories: str) -> list[str]:
        """See ``Source.list``."""
        prefixes = tuple(f"{checked_path(directory)}/" for directory in directories)
        return sorted(path for path in self._entries if path.startswith(prefixes))

    def exists(self, path: str) -> bool:
        """See ``Source.exists``."""
        try:
            return self._follow(path)[1] is not None
        except SpecError:
            return False

    def read_bytes(self, path: str) -> bytes:
        """See ``Source.read_bytes``; the first call reads all files at once, and so does the first for a test."""
        target, entry = self._follow(path)
        if entry is None:
            raise self._absent(path, target)
        if entry.size > MAX_FILE_BYTES:
            raise _too_large(path)
        return self._content(target, entry)

    def _absent(self, path: str, target: str) -> SpecError:
        if target == str(checked_path(path)):
            return _missing(path, self.label)
        if not target.startswith(tuple(f"{directory}/" for directory in SPEC_DIRECTORIES)):
            return _broken_link(path, target, f"which lies in none of {', '.join(SPEC_DIRECTORIES)}")
        return _broken_link(path, target, "which does not exist")

    def _follow(self, path: str) -> tuple[str, BlobEntry | None]:
        """Where the links from a path lead, and what is there."""
        current = str(checked_path(path))
        for _link in range(MAX_LINKS):
            entry = self._entries.get(current)
            if entry is None or not entry.symlink:
                return current, entry
            target = self._content(current, entry).decode("utf-8", "replace")
            current = posixpath.normpath(posixpath.join(posixpath.dirname(current), target))
            if current.startswith(("/", "../")):
                raise outside(path)
        raise _circle(path)

    def _content(self, path: str, entry: BlobEntry) -> bytes:
        tests = _is_test(path)
        if tests not in self._blobs:
            wanted = [
                each.oid
                for other, each in self._entries.items()
                if each.size <= MAX_FILE_BYTES and _is_test(other) is tests
            ]
            self._blobs[tests] = read_blobs(self.root, wanted)
        return self._blobs[tests][entry.oid]


def _is_test(path: str) -> bool:
    return path.startswith(f"{TESTS}/")


def _is_read(path: str) -> bool:
    return not _is_test(path) or path.endswith((".yaml", ".yml"))


def checked_path(path: str) -> PurePosixPath:
    """The path, once it is known to be relative and to stay below the repository root.

    Raises:
        SpecError: it is absolute, climbs out, or holds characters that no path of a repository needs.
    """
    if not path or "\\" in path or "\0" in path or path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise outside(path)
    return PurePosixPath(path)


def outside(path: str) -> SpecError:
    """The error for a path that leaves the repository."""
    return _unusable(
        "path-outside-repository",
        path,
        "The path leads out of the repository.",
        "Use a path relative to the repository root, without `..`, and no symbolic link that leads outside.",
    )


def _missing(path: str, label: str) -> SpecError:
    return _unusable(
        "missing-file", path, f"There is no such file in the {label}.", "Correct the path, or add the file."
    )


def _broken_link(path: str, target: str, trouble: str) -> SpecError:
    return _unusable(
        "broken-link",
        path,
        f"{path} is a symbolic link to {target}, {trouble}.",
        "Let the link point to a file that is there, or remove it.",
    )


def _circle(path: str) -> SpecError:
    return _unusable(
        "unreadable-file",
        path,
        "The symbolic links from here lead in a circle.",
        "Let the link point to a file, or remove it.",
    )


def _too_large(path: str) -> SpecError:
    limit = MAX_FILE_BYTES // 1_000_000
    return _unusable(
        "file-too-large",
        path,
        f"The file is larger than {limit} MB.",
        "Split it, or move it out of the spec directories.",
    )


def _unusable(id_: str, path: str, message: str, remedy: str, *, line: int | None = None) -> SpecError:
    return SpecError([Finding(id=id_, message=message, file=path, line=line, remedy=remedy)])
