"""What Git knows of commits: who made them, what lies between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.specs.git import GitError, run_git

_FIELDS = "%H%x1f%cI%x1f%an%x1f%s"


@dataclass(frozen=True, slots=True)
class LoggedCommit:
    """One commit, for people to recognise."""

    id: str
    subject: str
    author: str
    at: datetime

    @property
    def short(self) -> str:
        """Enough of the id for people."""
        return self.id[:12]


def commit_named(root: Path, revision: str) -> LoggedCommit | None:
    """The commit; None where this clone does not hold it."""
    try:
        return next(iter(_log(root, ["-1", "--end-of-options", revision])), None)
    except GitError:
        return None


def commits_between(root: Path, old: str, new: str, paths: Sequence[str]) -> list[LoggedCommit] | None:
    """Commits that ``new`` has and ``old`` has not, as far as they touch the paths, newest first.

    None where this clone does not hold them.
    """
    try:
        return _log(root, ["--end-of-options", f"{old}..{new}", "--", *paths])
    except GitError:
        return None


def is_ancestor(root: Path, old: str, new: str) -> bool:
    """Whether ``new`` holds everything that ``old`` has; False also where this clone knows one of them not."""
    try:
        run_git(root, ["merge-base", "--is-ancestor", "--end-of-options", old, new])
    except GitError:
        return False
    return True


def _log(root: Path, arguments: Sequence[str]) -> list[LoggedCommit]:
    listing = run_git(root, ["log", "-z", f"--format={_FIELDS}", *arguments]).decode("utf-8", "replace")
    commits = []
    for record in filter(None, listing.split("\0")):
        commit, at, author, subject = record.split("\x1f", 3)
        commits.append(LoggedCommit(commit, subject, author, datetime.fromisoformat(at)))
    return commits
