"""GitHub, by its REST interface (and one question by GraphQL)."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from typing import Any

from reconciler.pipelines.forges import Post
from reconciler.pipelines.rest import ForgeError, Rest


class GitHub:
    """One repository, and one pull request of it where there is one."""

    longest = 65_536

    def __init__(self, *, api: str, graphql: str, repository: str, change: int | None, token: str) -> None:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._rest = Rest("GitHub", api, headers)
        self._graphql = graphql
        self._root = f"{api}/repos/{repository}"
        self._change = change

    def me(self) -> str:
        """The login behind the token; GraphQL tells it for tokens of Apps as well, which may not ask ``/user``."""
        answer = self._rest.send("POST", self._graphql, {"query": "query { viewer { login } }"})
        try:
            return str(answer["data"]["viewer"]["login"])
        except (KeyError, TypeError):
            raise ForgeError(
                "GitHub does not say whose token this is.", remedy="Check the input github-token of the action."
            ) from None

    def comments(self) -> Iterator[Post]:
        """All comments on the pull request."""
        return map(_post, self._rest.pages(f"{self._root}/issues/{self._change}/comments"))

    def comment(self, body: str) -> Post:
        """Adds a comment to the pull request."""
        return _post(self._rest.send("POST", f"{self._root}/issues/{self._change}/comments", {"body": body}))

    def edit_comment(self, post: Post, body: str) -> Post:
        """Replaces the text of a comment."""
        return _post(self._rest.send("PATCH", f"{self._root}/issues/comments/{post.id}", {"body": body}))

    def issues(self) -> Iterator[Post]:
        """All open issues; the list has pull requests too, which are left out."""
        listed = self._rest.pages(f"{self._root}/issues", state="open")
        return (_post(issue) for issue in listed if "pull_request" not in issue)

    def open_issue(self, title: str, body: str) -> Post:
        """Opens an issue."""
        return _post(self._rest.send("POST", f"{self._root}/issues", {"title": title, "body": body}))

    def edit_issue(self, post: Post, body: str) -> Post:
        """Replaces the text of an issue."""
        return _post(self._rest.send("PATCH", f"{self._root}/issues/{post.id}", {"body": body}))

    def close_issue(self, post: Post, remark: str) -> None:
        """Says why, and closes the issue."""
        self._rest.send("POST", f"{self._root}/issues/{post.id}/comments", {"body": remark})
        self._rest.send("PATCH", f"{self._root}/issues/{post.id}", {"state": "closed", "state_reason": "completed"})

    def upload_sarif(self, text: str, *, commit: str, ref: str) -> None:
        """Hands findings over to code scanning."""
        packed = base64.b64encode(gzip.compress(text.encode())).decode()
        body = {"commit_sha": commit, "ref": ref, "sarif": packed, "tool_name": "reconciler"}
        self._rest.send("POST", f"{self._root}/code-scanning/sarifs", body)


def _post(raw: dict[str, Any]) -> Post:
    """A comment by its id, an issue by its number: what their addresses hold."""
    author = (raw.get("user") or {}).get("login", "")
    return Post(raw.get("number") or raw["id"], author, raw.get("body") or "", raw.get("html_url", ""))
