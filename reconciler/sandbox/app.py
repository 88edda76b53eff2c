"""The HTTP side of a sandbox org: routes, authentication, transactions, envelopes.

Requests are carried out one after another on the event loop: SQLite has one writer anyway, and every
request is short. Whatever must wait (a fault's delay) waits outside the transaction.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections import Counter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from reconciler.sandbox import admin, areas, auth, faults
from reconciler.sandbox.call import Call, Caller, Endpoint, Reply
from reconciler.sandbox.errors import ApiError, bad_request, not_found
from reconciler.sandbox.settings import Settings, effective
from reconciler.sandbox.store import Store

CORRELATION_HEADER = "ININ-Correlation-Id"

log = logging.getLogger("reconciler.sandbox")


class Org:
    """One process's service of a data file."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.requests: Counter[str] = Counter()
        """Requests by method and route since the start or the last reset; of this process alone."""

    async def serve(self, endpoint: Endpoint, request: Request) -> Response:
        """Carries out one request and turns its outcome, whatever it is, into a response."""
        correlation = str(uuid.uuid4())
        if endpoint.counted:
            self.requests[f"{endpoint.method} {endpoint.path}"] += 1
        content = await request.body()
        try:
            effect = self._fault(endpoint, request, content)
            if effect is not None and effect.delay is not None:
                await asyncio.sleep(effect.delay)
            if effect is not None and effect.drop_connection in (True, "before"):
                return DroppedConnection()
            if effect is not None and effect.status is not None and effect.status >= 400:
                raise ApiError(effect.status, effect.code, effect.message, headers=effect.headers)
            reply = self._carry_out(endpoint, request, content)
        except ApiError as error:
            return envelope(error, correlation)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return envelope(ApiError(500, "internal.server.error", "The sandbox failed; see its log."), correlation)
        if effect is not None and effect.drop_connection == "after":
            return DroppedConnection()
        return _response(reply, correlation, status=effect.status if effect else None)

    def _fault(self, endpoint: Endpoint, request: Request, content: bytes) -> faults.Effect | None:
        """What is to go wrong with this request; a rule is used up even if the request itself is refused."""
        if not endpoint.counted:
            return None
        with self.store.transaction(write=False) as db:
            if not faults.any_rule(db):
                return None
        with self.store.transaction(write=True) as db:
            return faults.take_fault(db, request.method, request.url.path, content)

    def _carry_out(self, endpoint: Endpoint, request: Request, content: bytes) -> Reply:
        identity = self._identity(request) if endpoint.authenticated else None
        with self.store.transaction(write=endpoint.write) as db:
            settings = effective(db, self.settings)
            query = {key: request.query_params.getlist(key) for key in request.query_params}
            unknown = sorted(set(query) - set(endpoint.query))
            if unknown and settings.strict:
                raise bad_request(f"'{unknown[0]}' is not a known query parameter.", "invalid.query.param.value")
            call = Call(
                method=request.method,
                path=request.url.path,
                params={key: str(value) for key, value in request.path_params.items()},
                query=query,
                headers=request.headers,
                content=content,
                base_url=f"{request.url.scheme}://{request.url.netloc}",
                db=db,
                settings=settings,
                # Taken under the lock, so that times follow the order of writes.
                now=time.time(),
                identity=identity,
            )
            result = endpoint.handler(call)
        return result if isinstance(result, Reply) else Reply(result)

    def _identity(self, request: Request) -> Caller:
        """Who asks, counted against the rate limit; raises 401 and 429."""
        now = time.time()
        with self.store.transaction(write=False) as db:
            identity = auth.identify(db, request.headers.get("authorization", ""), now)
            settings = effective(db, self.settings)
        if settings.rate_limit is not None:
            with self.store.transaction(write=True) as db:
                auth.count_against_limit(db, identity, settings, now)
        return identity


class DroppedConnection(Response):
    """Cuts the connection instead of answering."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Closes uvicorn's transport under the response; nothing is sent."""
        transport = scope["state"]["transport"] if "transport" in scope.get("state", {}) else None
        if transport is None:
            raise RuntimeError("this server gives no access to its connections")
        transport.abort()
        await asyncio.sleep(0)


def _response(reply: Reply, correlation: str, *, status: int | None = None) -> Response:
    code = status or reply.status
    headers = {CORRELATION_HEADER: correlation, **reply.headers}
    if reply.content is not None:
        return Response(reply.content, code, headers, media_type=reply.media_type)
    if reply.body is None:
        return Response(b"", code, headers)
    text = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), code, headers, media_type="application/json")


def envelope(error: ApiError, correlation: str) -> Response:
    """An error as the platform shows it."""
    return _response(Reply(error.body(correlation), error.status, error.headers), correlation)


def build_app(store: Store, settings: Settings) -> Starlette:
    """The ASGI application that serves a data file."""
    org = Org(store, settings)

    def route(endpoint: Endpoint) -> Route:
        async def serve(request: Request) -> Response:
            return await org.serve(endpoint, request)

        return Route(endpoint.path, serve, methods=[endpoint.method])

    endpoints = (*areas.ENDPOINTS, *admin.endpoints(org.requests, settings))
    # A literal segment wins over a parameter, whatever the order of the areas.
    ordered = sorted(endpoints, key=lambda item: [part.startswith("{") for part in item.path.split("/")])
    app = Starlette(
        routes=[route(endpoint) for endpoint in ordered],
        exception_handlers={HTTPException: _no_such_route, ClientDisconnect: _cut_off},
    )
    app.router.redirect_slashes = False
    return app


async def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.url.path
    if status == 405:
        refusal = ApiError(405, "method.not.allowed", f"{request.method} is not allowed for {path}.")
    else:
        refusal = not_found(f"The sandbox has nothing at {path}.")
    return envelope(refusal, str(uuid.uuid4()))


async def _cut_off(_request: Request, _error: Exception) -> Response:
    """The client went away before its request was complete: nothing is carried out, and nobody hears the answer."""
    return envelope(bad_request("The request broke off."), str(uuid.uuid4()))
