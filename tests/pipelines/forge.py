"""A forge on loopback: as much REST of GitHub and GitLab as pipelines need, and as strict about tokens."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

GITHUB_BOT = "github-actions[bot]"
GITLAB_BOT = "project_7_bot"
PAGE = 3
"""Entries of a page, whatever is asked for, so that a few comments make several pages."""

FIRST_ISSUE = 11
"""GitHub counts issues and pull requests together, and the pull request is number 5."""


class FakeForge:
    """One repository with pull requests and issues."""

    def __init__(self) -> None:
        self.url = ""
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.sarif: list[dict[str, Any]] = []
        self.permissions: dict[str, Mapping[str, str]] = {}
        """What each token may do, in the words of a workflow."""
        self.failures: list[tuple[int, dict[str, str]]] = []
        """Statuses and headers that the next requests get."""
        self.requests: list[str] = []
        self._ids = iter(range(101, 10_000))

    def token(self, **permissions: str) -> str:
        """A token that may do so much; ``pull_requests="write"``."""
        name = f"token-{len(self.permissions)}"
        self.permissions[name] = {key.replace("_", "-"): value for key, value in permissions.items()}
        return name

    def add_comment(self, author: str, body: str) -> dict[str, Any]:
        """Somebody comments."""
        self.comments.append({"id": next(self._ids), "author": author, "body": body, "change": 5})
        return self.comments[-1]

    def add_issue(self, author: str, title: str, body: str, **more: Any) -> dict[str, Any]:
        """Somebody opens an issue."""
        number = FIRST_ISSUE + len(self.issues)
        made = {"id": next(self._ids), "number": number, "author": author, "title": title, "body": body}
        self.issues.append(made | {"open": True, "remarks": []} | more)
        return self.issues[-1]

    @property
    def open_issues(self) -> list[dict[str, Any]]:
        """Those nobody closed."""
        return [issue for issue in self.issues if issue["open"]]


Route = tuple[str, str, str | None, str]
_REPO = "/repos/acme/flows"
_PROJECT = "/projects/7"
_ROUTES: list[Route] = [
    # method, path, permission (any of several), what to do
    ("POST", "/graphql", None, "viewer"),
    ("GET", f"{_REPO}/issues/5/comments", "pull-requests issues", "list_comments"),
    ("POST", f"{_REPO}/issues/5/comments", "pull-requests:write issues:write", "add_comment"),
    ("PATCH", rf"{_REPO}/issues/comments/(\d+)", "pull-requests:write issues:write", "edit_comment"),
    ("GET", f"{_REPO}/issues", "issues", "list_issues"),
    ("POST", f"{_REPO}/issues", "issues:write", "add_issue"),
    ("PATCH", rf"{_REPO}/issues/(\d+)", "issues:write", "edit_issue"),
    ("POST", rf"{_REPO}/issues/(\d+)/comments", "issues:write", "remark"),
    ("POST", f"{_REPO}/code-scanning/sarifs", "security-events:write", "upload"),
    ("GET", "/user", "api", "viewer"),
    ("GET", f"{_PROJECT}/merge_requests/5/notes", "api", "list_comments"),
    ("POST", f"{_PROJECT}/merge_requests/5/notes", "api", "add_comment"),
    ("PUT", rf"{_PROJECT}/merge_requests/5/notes/(\d+)", "api", "edit_comment"),
    ("GET", f"{_PROJECT}/issues", "api", "list_issues"),
    ("POST", f"{_PROJECT}/issues", "api", "add_issue"),
    ("PUT", rf"{_PROJECT}/issues/(\d+)", "api", "edit_issue"),
    ("POST", rf"{_PROJECT}/issues/(\d+)/notes", "api", "remark"),
]


class _Handler(BaseHTTPRequestHandler):
    forge: ClassVar[FakeForge]

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_GET

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or "{}")
        path = urlsplit(self.path).path
        self.forge.requests.append(f"{self.command} {path}")
        if self.forge.failures:
            status, headers = self.forge.failures.pop(0)
            return self._answer(status, {"message": "Not now."}, headers)
        token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        may = self.forge.permissions.get(token)
        if may is None:
            return self._answer(401, {"message": "Bad credentials"})
        for method, pattern, needed, deed in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                if needed and not any(_allowed(may, each) for each in needed.split()):
                    return self._answer(403, {"message": "Resource not accessible by integration"})
                return getattr(self, f"_{deed}")(body, *map(int, found.groups()))
        return self._answer(404, {"message": "Not Found"})

    @property
    def _gitlab(self) -> bool:
        return "PRIVATE-TOKEN" in self.headers

    @property
    def _me(self) -> str:
        return GITLAB_BOT if self._gitlab else GITHUB_BOT

    def _viewer(self, body: dict[str, Any]) -> None:
        if self._gitlab:
            return self._answer(200, {"username": self._me})
        assert "viewer" in body["query"]
        return self._answer(200, {"data": {"viewer": {"login": self._me}}})

    def _list_comments(self, _body: dict[str, Any]) -> None:
        self._page([self._comment(each) for each in self.forge.comments])

    def _add_comment(self, body: dict[str, Any]) -> None:
        self._answer(201, self._comment(self.forge.add_comment(self._me, self._checked(body["body"]))))

    def _edit_comment(self, body: dict[str, Any], id_: int) -> None:
        comment = next(each for each in self.forge.comments if each["id"] == id_)
        comment["body"] = self._checked(body["body"])
        self._answer(200, self._comment(comment))

    def _list_issues(self, _body: dict[str, Any]) -> None:
        asked = parse_qs(urlsplit(self.path).query)["state"][0]
        assert asked == ("opened" if self._gitlab else "open")
        self._page([self._issue(each) for each in self.forge.open_issues])

    def _add_issue(self, body: dict[str, Any]) -> None:
        text = self._checked(body["description" if self._gitlab else "body"])
        self._answer(201, self._issue(self.forge.add_issue(self._me, body["title"], text)))

    def _edit_issue(self, body: dict[str, Any], number: int) -> None:
        issue = self.forge.issues[number - FIRST_ISSUE]
        text = body.get("description" if self._gitlab else "body")
        issue["body"] = issue["body"] if text is None else self._checked(text)
        if body.get("state") == "closed" or body.get("state_event") == "close":
            issue["open"] = False
        self._answer(200, self._issue(issue))

    def _remark(self, body: dict[str, Any], number: int) -> None:
        self.forge.issues[number - FIRST_ISSUE]["remarks"].append(self._checked(body["body"]))
        self._answer(201, {"id": 1, "body": body["body"], "author": {"username": self._me}})

    def _upload(self, body: dict[str, Any]) -> None:
        self.forge.sarif.append(body)
        self._answer(202, {"id": "1", "url": self.forge.url})

    def _comment(self, raw: dict[str, Any]) -> dict[str, Any]:
        if self._gitlab:
            return {
                "id": raw["id"],
                "noteable_iid": 5,
                "author": {"username": raw["author"]},
                "body": raw["body"],
                "system": False,
            }
        address = f"https://github.example/acme/flows/pull/5#issuecomment-{raw['id']}"
        return {"id": raw["id"], "user": {"login": raw["author"]}, "body": raw["body"], "html_url": address}

    def _issue(self, raw: dict[str, Any]) -> dict[str, Any]:
        if self._gitlab:
            address = f"https://gitlab.example/acme/flows/-/issues/{raw['number']}"
            author = {"username": raw["author"]}
            return {
                "id": raw["id"],
                "iid": raw["number"],
                "author": author,
                "description": raw["body"],
                "web_url": address,
            }
        address = f"https://github.example/acme/flows/issues/{raw['number']}"
        issue = {"id": raw["id"], "number": raw["number"], "user": {"login": raw["author"]}, "body": raw["body"]}
        return issue | {"html_url": address} | ({"pull_request": {}} if raw.get("pull_request") else {})

    def _checked(self, text: str) -> str:
        assert self._gitlab or len(text) <= 65_536, "GitHub would refuse a body of more than 65536 characters"
        return text

    def _page(self, entries: list[dict[str, Any]]) -> None:
        query = parse_qs(urlsplit(self.path).query)
        page = int(query.get("page", ["1"])[0])
        headers = {}
        if len(entries) > page * PAGE:
            address = f"{self.forge.url}{urlsplit(self.path).path}"
            kept = "&".join(f"{key}={value[0]}" for key, value in query.items() if key != "page")
            headers["Link"] = f'<{address}?{kept}&page={page + 1}>; rel="next", <{address}?page=9>; rel="last"'
        self._answer(200, entries[(page - 1) * PAGE : page * PAGE], headers)

    def _answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *_arguments: Any) -> None:
        """Says nothing."""


def _allowed(may: Mapping[str, str], needed: str) -> bool:
    name, _, level = needed.partition(":")
    return name in may and (level != "write" or may[name] == "write")


@contextmanager
def served() -> Iterator[FakeForge]:
    """A forge that runs as long as the block."""
    forge = FakeForge()
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
