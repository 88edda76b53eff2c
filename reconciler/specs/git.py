"""The few Git commands that the reconciler needs: read-only, without a checkout, safe inside hooks.

Git is run as a program, so that the repository is read by exactly the rules that its owner's Git applies.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from reconciler.problems import ReconcilerError

TIMEOUT_SECONDS = 120
COMMITTED_DIRECTORIES = ("flows", "shared", "environments")
_SYMLINK = "120000"
_SUBMODULE = "160000"


class GitError(ReconcilerError):
    """Git could not tell what was asked: no repository, an unknown revision, or no Git at all."""

    exit_code: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Commit:
    """Which state of the repository the specs were read from."""

    commit: str | None
    """Full id of the commit checked out; None outside of Git and before the first commit."""
    dirty: bool
    """The spec directories hold changes that are not committed; False outside of Git."""
    origin: str | None = None
    """Which repository it is: the address of ``origin`` without credentials; None where there is none."""
    release: str | None = None
    """The revision that the environment pins, as it is written there; None where it pins none."""
    changed: tuple[str, ...] = ()
    """The files that make it dirty, relative to the root of the specs."""

    def clean(self) -> Commit:
        """The same, for a run in which the files of the working tree have no part."""
        return replace(self, dirty=False, release=None, changed=())


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """One file of a commit."""

    oid: str
    size: int
    symlink: bool


def commit_state(root: Path, release: str | None = None) -> Commit:
    """The commit checked out at ``root``, and whether flows/, shared/ or environments/ differ from it.

    With a ``release`` the specs come from there, so it is that commit, and only environments/ can differ.
    Untracked files count as changes, ignored ones do not. Outside of Git, or without Git, both say nothing.

    Raises:
        GitError: the release is unknown here.
    """
    if release is not None:
        commit, changed = resolve(root, release), uncommitted(root, COMMITTED_DIRECTORIES[-1:])
        return Commit(commit, bool(changed), _origin(root), release, _readable(changed))
    try:
        inside = run_git(root, ["rev-parse", "--is-inside-work-tree"])
    except GitError:
        return Commit(None, False)
    if inside.strip() != b"true":
        return Commit(None, False)
    try:
        head = run_git(root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).decode().strip()
    except GitError:
        head = ""
    changed = uncommitted(root, COMMITTED_DIRECTORIES)
    return Commit(head or None, bool(changed), _origin(root), None, _readable(changed))


def _readable(paths: Iterable[str]) -> tuple[str, ...]:
    """Paths as a plan can hold them, whatever bytes a name is made of."""
    return tuple(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for path in paths)


def resolve(root: Path, revision: str) -> str:
    """The full id of the commit that a revision names.

    Raises:
        GitError: it names none here, or ``root`` lies in no repository.
    """
    _check_revision(revision)
    try:
        # Without --quiet, so that Git says whether the revision or the repository is missing.
        found = run_git(root, ["rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}"])
    except GitError as error:
        raise _unknown(revision, error) from None
    return found.decode().strip()


def uncommitted(root: Path, paths: Sequence[str]) -> list[str]:
    """Which files below the paths differ from the commit checked out, relative to ``root``; new ones too.

    Raises:
        GitError: ``root`` lies in no repository.
    """
    listing = run_git(root, ["status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--", *paths])
    if not listing:
        return []
    top = run_git(root, ["rev-parse", "--show-prefix"]).decode("utf-8", "surrogateescape").strip()
    changed = [record[3:].decode("utf-8", "surrogateescape") for record in listing.split(b"\0") if record]
    return [path.removeprefix(top) for path in changed]


def _origin(root: Path) -> str | None:
    """``host/path`` of the remote ``origin``, the same for https, ssh and with or without ``.git``."""
    try:
        address = run_git(root, ["config", "--get", "remote.origin.url"]).decode(errors="replace").strip()
    except GitError:
        return None
    plain = address.split("://", 1)[-1].rsplit("@", 1)[-1].removesuffix("/").removesuffix(".git")
    return plain.replace(":", "/", 1).lower() or None


def list_tree(root: Path, revision: str, directories: Sequence[str]) -> dict[str, BlobEntry]:
    """All files below the directories as the revision has them, by path relative to ``root``.

    Raises:
        GitError: the revision is unknown here.
    """
    _check_revision(revision)
    try:
        listing = run_git(root, ["ls-tree", "-r", "-l", "-z", f"{revision}^{{commit}}", "--", *directories])
    except GitError as error:
        raise _unknown(revision, error) from None
    entries = {}
    for record in listing.split(b"\0"):
        meta, tab, path = record.partition(b"\t")
        if not tab:
            continue
        mode, _type, oid, size = meta.decode().split()
        if mode != _SUBMODULE:
            # A name that is no UTF-8 keeps its bytes, so that it can at least be listed.
            entries[path.decode("utf-8", "surrogateescape")] = BlobEntry(oid, int(size), mode == _SYMLINK)
    return entries


def _check_revision(revision: str) -> None:
    if not revision.isprintable() or not revision or revision.startswith("-"):
        raise GitError(f"{revision!r} is not a Git revision.", remedy="Name a commit, a branch or a tag.")


def _unknown(revision: str, error: GitError) -> GitError:
    return GitError(
        f"Git does not know the revision {revision!r} here: {error.message}",
        remedy="Fetch the whole history (git fetch --unshallow; pipelines need full depth).",
    )


def read_blobs(root: Path, oids: Iterable[str]) -> dict[str, bytes]:
    """The content of many blobs, by their ids, in one run of Git.

    Raises:
        GitError: one of them is missing (a partial clone without its remote).
    """
    wanted = sorted(set(oids))
    if not wanted:
        return {}
    output = run_git(root, ["cat-file", "--batch"], "\n".join(wanted).encode() + b"\n")
    blobs = {}
    at = 0
    for oid in wanted:
        end = output.index(b"\n", at)
        header = output[at:end].split()
        if len(header) != 3:
            raise GitError(
                f"Git has no content for the object {oid}.",
                remedy="Fetch the repository completely (git fetch).",
            )
        size = int(header[2])
        blobs[oid] = output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return blobs


def run_git(root: Path, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
    """What a Git command prints, run at ``root``.

    Raises:
        GitError: it failed, with what Git said.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments as a list
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's own git is meant
            input=stdin,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
            env=_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"Git could not be run: {error}.", remedy="Install Git, or run outside of it.") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise GitError(said or f"git {arguments[0]} failed.", remedy="Run the same command by hand to see more.")
    return done.stdout


def _environment() -> dict[str, str]:
    # A Git hook exports GIT_DIR and the like, which would win over the directory that we name.
    local = {
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_OBJECT_DIRECTORY",
        "GIT_COMMON_DIR",
    }
    kept = {name: value for name, value in os.environ.items() if name not in local}
    # No lock on the index for a mere status, and messages in one language.
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
