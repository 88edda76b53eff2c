"""What pipelines write to a forge: one comment on a change, one issue about drift, each found again by its marker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Post:
    """A comment or an issue."""

    id: int
    author: str
    body: str
    url: str


class Forge(Protocol):
    """What GitHub and GitLab can both do. A *change* is a pull request or a merge request."""

    longest: int
    """Characters that a comment or an issue may have."""

    def me(self) -> str:
        """The name that the token writes under."""

    def comments(self) -> Iterator[Post]:
        """All comments on the change, the oldest first."""

    def comment(self, body: str) -> Post:
        """Adds a comment to the change."""

    def edit_comment(self, post: Post, body: str) -> Post:
        """Replaces the text of a comment."""

    def issues(self) -> Iterator[Post]:
        """All open issues."""

    def open_issue(self, title: str, body: str) -> Post:
        """Opens an issue."""

    def edit_issue(self, post: Post, body: str) -> Post:
        """Replaces the text of an issue."""

    def close_issue(self, post: Post, remark: str) -> None:
        """Says why, and closes the issue."""


def write_comment(forge: Forge, marker: str, body: str) -> Post:
    """Updates our comment with that marker, or adds it."""
    for post in _own(forge, forge.comments(), marker):
        return forge.edit_comment(post, body)
    return forge.comment(body)


def write_issue(forge: Forge, marker: str, title: str, body: str) -> Post:
    """Updates our open issue with that marker, or opens it."""
    for post in _own(forge, forge.issues(), marker):
        return forge.edit_issue(post, body)
    return forge.open_issue(title, body)


def close_issues(forge: Forge, marker: str, remark: str) -> list[Post]:
    """Closes our open issues with that marker; says which."""
    closed = list(_own(forge, forge.issues(), marker))
    for post in closed:
        forge.close_issue(post, remark)
    return closed


def own_comments(forge: Forge, beginning: str) -> list[Post]:
    """Our comments on the change that begin so."""
    return list(_own(forge, forge.comments(), beginning))


def _own(forge: Forge, posts: Iterator[Post], beginning: str) -> Iterator[Post]:
    """Ours alone: whoever quotes a marker does not want to see the quote replaced."""
    marked = (post for post in posts if post.body.lstrip().startswith(beginning))
    first = next(marked, None)
    if first is None:
        return
    me = _plain(forge.me())
    yield from (post for post in (first, *marked) if _plain(post.author) == me)


def _plain(login: str) -> str:
    # GitHub names one and the same bot with and without this ending.
    return login.casefold().removesuffix("[bot]")
