"""The little REST that GitHub and GitLab have in common: JSON, pages by ``Link``, patience."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from reconciler.problems import ReconcilerError

TRIES = 4
LONGEST_WAIT = 60.0
"""Seconds; who asks for more patience than this gets an error instead of a job that hangs."""
_PASSING = (429, 500, 502, 503, 504)
_REPEATABLE = ("GET", "PUT", "PATCH")


class ForgeError(ReconcilerError):
    """GitHub or GitLab refused, or could not be reached."""


class Rest:
    """A client of one forge.

    What may be repeated is repeated after a passing failure; a POST only when the forge said that it did nothing.
    """

    def __init__(self, name: str, base: str, headers: Mapping[str, str]) -> None:
        self._name = name
        self._http = httpx.Client(
            base_url=base, headers={"User-Agent": "reconciler-pipeline", **headers}, timeout=30, follow_redirects=False
        )

    def pages(self, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """All entries of a list."""
        answer = self._send("GET", path, params={"per_page": 100, **query})
        while True:
            yield from answer.json()
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            answer = self._send("GET", following)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request; its JSON.

        Raises:
            ForgeError: the forge refuses, or cannot be reached.
        """
        answer = self._send(method, path, json=body)
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        said = ""
        for left in reversed(range(TRIES)):
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                said = f"{type(error).__name__}: {error}"
                again = method in _REPEATABLE or isinstance(error, httpx.ConnectError)
                wait: float | None = 2.0 ** (TRIES - left)
            else:
                if answer.is_success:
                    return answer
                said = f"HTTP {answer.status_code}: {_message(answer)}"
                wait = _wait(answer, 2.0 ** (TRIES - left))
                again = wait is not None and (answer.status_code in (403, 429) or method in _REPEATABLE)
                if answer.status_code in (401, 403, 404) and not again:
                    raise ForgeError(
                        f"{self._name} refuses {method} {self._path(path)} ({said}).",
                        remedy="Check what the token of this job may do: docs/pipelines.md lists the permissions.",
                    )
            if not again or not left:
                break
            time.sleep(wait or 0)
        raise ForgeError(f"{self._name} did not do {method} {self._path(path)} ({said}).", remedy="Run the job again.")

    def _path(self, path: str) -> str:
        return httpx.URL(path).path


def _wait(answer: httpx.Response, usual: float) -> float | None:
    """Seconds until it is worth another try; None where it is not."""
    asked = answer.headers.get("Retry-After", "")
    if asked.isdecimal():
        return float(asked) if float(asked) <= LONGEST_WAIT else None
    if answer.status_code == 403 and answer.headers.get("X-RateLimit-Remaining") == "0":
        left = float(answer.headers.get("X-RateLimit-Reset", "inf")) - time.time()
        return max(left, 1.0) if left <= LONGEST_WAIT else None
    return usual if answer.status_code in _PASSING else None


def _message(answer: httpx.Response) -> str:
    try:
        said = answer.json()
    except ValueError:
        return answer.reason_phrase
    if isinstance(said, dict):
        said = said.get("message") or said.get("error") or answer.reason_phrase
    return str(said)[:300]
