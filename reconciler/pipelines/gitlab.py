"""GitLab, by its REST interface, version 4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from reconciler.pipelines.forges import Post
from reconciler.pipelines.rest import Rest


class GitLab:
    """One project, and one merge request of it where there is one."""

    longest = 1_000_000

    def __init__(self, *, api: str, project: str, change: int | None, token: str) -> None:
        self._rest = Rest("GitLab", api, {"PRIVATE-TOKEN": token})
        self._api = api
        self._root = f"{api}/projects/{quote(project, safe='')}"
        self._change = change

    def me(self) -> str:
        """The user behind the token; a project access token has a bot user of its own."""
        return str(self._rest.send("GET", f"{self._api}/user")["username"])

    def comments(self) -> Iterator[Post]:
        """All notes on the merge request, but those that GitLab writes itself."""
        listed = self._rest.pages(self._notes, sort="asc")
        return (_post(note) for note in listed if not note.get("system"))

    def comment(self, body: str) -> Post:
        """Adds a note to the merge request."""
        return _post(self._rest.send("POST", self._notes, {"body": body}))

    def edit_comment(self, post: Post, body: str) -> Post:
        """Replaces the text of a note."""
        return _post(self._rest.send("PUT", f"{self._notes}/{post.id}", {"body": body}))

    def issues(self) -> Iterator[Post]:
        """All open issues."""
        return map(_post, self._rest.pages(f"{self._root}/issues", state="opened"))

    def open_issue(self, title: str, body: str) -> Post:
        """Opens an issue."""
        return _post(self._rest.send("POST", f"{self._root}/issues", {"title": title, "description": body}))

    def edit_issue(self, post: Post, body: str) -> Post:
        """Replaces the text of an issue."""
        return _post(self._rest.send("PUT", f"{self._root}/issues/{post.id}", {"description": body}))

    def close_issue(self, post: Post, remark: str) -> None:
        """Says why, and closes the issue."""
        self._rest.send("POST", f"{self._root}/issues/{post.id}/notes", {"body": remark})
        self._rest.send("PUT", f"{self._root}/issues/{post.id}", {"state_event": "close"})

    @property
    def _notes(self) -> str:
        return f"{self._root}/merge_requests/{self._change}/notes"


def _post(raw: dict[str, Any]) -> Post:
    """A note by its id, an issue by its number in the project: what their addresses hold."""
    body = raw.get("body") or raw.get("description") or ""
    return Post(raw.get("iid") or raw["id"], raw["author"]["username"], body, raw.get("web_url", ""))
