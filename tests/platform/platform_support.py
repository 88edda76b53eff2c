"""An org made of canned answers, and time that passes only when somebody sleeps."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from reconciler.platform import Connection, Platform

API = "https://api.example.test"
LOGIN = "https://login.example.test"
SECRET = "s3cr3t-of-the-client"

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
Result = TypeVar("Result")


class VirtualTime:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class Org:
    """Answers requests by method and path; the last answer of a route stays."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.seen: list[httpx.Request] = []
        self._routes: dict[str, list[Answer]] = defaultdict(list)
        self.on("POST /oauth/token", ok({"access_token": "token-1", "token_type": "bearer", "expires_in": 86400}))

    def on(self, route: str, *answers: Answer) -> Org:
        """``on("GET /api/v2/flows", answer, next answer, …)``; replaces earlier answers of the route."""
        self._routes[route] = list(answers)
        return self

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.seen.append(request)
        await asyncio.sleep(0)
        route = f"{request.method} {request.url.raw_path.decode().partition('?')[0]}"
        answers = self._routes.get(route)
        if not answers:
            return problem(404, "not.found", f"no answer for {route}")
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def connection(self, **options: Any) -> Connection:
        given = {"api_url": API, "login_url": LOGIN, "client_id": "client", "client_secret": SECRET} | options
        return Connection(**given)

    def run(self, work: Callable[[Platform], Awaitable[Result]], **options: Any) -> Result:
        """Runs the work with a client of this org."""

        async def session() -> Result:
            async with Platform(
                self.connection(**options),
                transport=httpx.MockTransport(self),
                sleep=self.time.sleep,
                clock=self.time.clock,
            ) as platform:
                return await work(platform)

        return asyncio.run(session())

    def requests(self, route: str) -> list[httpx.Request]:
        """What was sent to that route."""
        method, path = route.split(" ")
        return [
            seen for seen in self.seen if seen.method == method and seen.url.raw_path.decode().partition("?")[0] == path
        ]

    def bodies(self, route: str) -> list[Any]:
        """JSON bodies sent to that route."""
        return [json.loads(request.content) for request in self.requests(route)]


def ok(body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON answer."""
    return httpx.Response(status, json=body, headers=headers)


def problem(status: int, code: str | None = None, message: str = "", **more: Any) -> httpx.Response:
    """An error envelope as facts §2 has it."""
    headers = more.pop("headers", {})
    body = {"message": message, "code": code, "status": status, "contextId": "ctx-1", "details": [], "errors": []}
    return httpx.Response(status, json=body | more, headers=headers)


def page(items: list[Any], *, number: int = 1, count: int | None = 1, size: int = 100) -> httpx.Response:
    """One page of a listing; ``count`` None leaves pageCount out."""
    body: dict[str, Any] = {"entities": items, "pageSize": size, "pageNumber": number, "total": len(items)}
    if count is not None:
        body["pageCount"] = count
    return httpx.Response(200, json=body)
