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
from collections.abc import Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from reconciler.sandbox import admin, areas, auth, faults
from reconciler.sandbox.call import Call, Caller, Endpoint, Reply
from reconciler.sandbox.errors import ApiError, bad_request, not_found
from reconciler.sandbox.fault_answers import DroppedConnection, Hanging, spoilt
from reconciler.sandbox.fault_presets import permission_for
from reconciler.sandbox.fault_rules import Effect, Rule
from reconciler.sandbox.rates import Rates
from reconciler.sandbox.settings import Settings, effective, keep
from reconciler.sandbox.store import Store

CORRELATION_HEADER = "ININ-Correlation-Id"
FAULT_HEADER = "x-sandbox-fault"
"""Names the fault behind an answer, for people and programs that read traces; no real org sends it."""

Outage = Callable[[float], None]
"""Cuts all connections and refuses new ones for that many seconds."""

log = logging.getLogger("reconciler.sandbox")


class Org:
    """One process's service of a data file."""

    def __init__(self, store: Store, settings: Settings, outage: Outage | None = None) -> None:
        self.store = store
        self.settings = settings
        self.outage = outage
        self.requests: Counter[str] = Counter()
        """Requests by method and route since the start or the last reset; of this process alone."""
        self.rates = Rates()
        self._began = time.time()

    def now(self) -> float:
        """The time in the org; it may pass faster than ours (``Settings.clock_speed``)."""
        return self._began + (time.time() - self._began) * self.settings.clock_speed

    async def serve(self, endpoint: Endpoint, request: Request) -> Response:
        """Carries out one request and turns its outcome, whatever it is, into a response."""
        correlation = str(uuid.uuid4())
        if endpoint.counted:
            self.requests[endpoint.route] += 1
        content = await request.body()
        fault = self._fault(endpoint, request, content)
        response = await self._answer(endpoint, request, content, correlation, fault)
        if fault is not None:
            response.headers[FAULT_HEADER] = fault.name
        return response

    async def _answer(
        self, endpoint: Endpoint, request: Request, content: bytes, correlation: str, fault: Rule | None
    ) -> Response:
        effect = fault.effect if fault is not None else Effect()
        try:
            if effect.delay is not None:
                await asyncio.sleep(effect.delay)
            self._change_the_org(effect, request)
            if (instead := self._instead(effect, request, correlation)) is not None:
                return instead
            response = _response(self._carry_out(endpoint, request, content), correlation, status=effect.status)
        except ApiError as error:
            return envelope(error, correlation)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return envelope(ApiError(500, "internal.server.error", "The sandbox failed; see its log."), correlation)
        if effect.drop_connection == "after":
            return DroppedConnection()
        return spoilt(effect.spoil, response) if effect.spoil is not None else response

    def _fault(self, endpoint: Endpoint, request: Request, content: bytes) -> Rule | None:
        """What is to go wrong with this request; a rule is used up even if the request itself is refused."""
        if not endpoint.counted:
            return None
        with self.store.transaction(write=False) as db:
            if not faults.any_rule(db):
                return None
        with self.store.transaction(write=True) as db:
            return faults.take_fault(db, endpoint.route, request.url.path, content)

    def _change_the_org(self, effect: Effect, request: Request) -> None:
        """What others do to the org just before the request arrives."""
        if effect.token is None and effect.lock is None and not effect.settings:
            return
        now = self.now()
        with self.store.transaction(write=True) as db:
            if effect.token is not None:
                faults.end_token(db, request.headers.get("authorization", ""), effect.token, now)
            if effect.lock is not None:
                faults.check_out(db, effect.lock, now)
            if effect.settings:
                keep(db, self.settings, effect.settings)

    def _instead(self, effect: Effect, request: Request, correlation: str) -> Response | None:
        """What answers instead of the org; None when the request is carried out. Raises the refusal."""
        if effect.refuse_seconds is not None and self.outage is not None:
            self.outage(effect.refuse_seconds)
            return DroppedConnection()
        if effect.drop_connection in (True, "before"):
            return DroppedConnection()
        if effect.hang:
            return Hanging()
        if effect.body is not None:
            return Response(effect.body, effect.status or 200, effect.headers, media_type=effect.media_type)
        if effect.status is not None and effect.status >= 400:
            message = effect.message.replace("{permission}", permission_for(request.method, request.url.path))
            if request.url.path == auth.LOGIN and effect.status < 500 and effect.status != 429:
                refusal = auth.login_error(effect.status, effect.code, message)
                return _response(replace(refusal, headers=effect.headers), correlation)
            return envelope(ApiError(effect.status, effect.code, message, headers=effect.headers), correlation)
        return None

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
                now=self.now(),
                identity=identity,
            )
            result = endpoint.handler(call)
        return result if isinstance(result, Reply) else Reply(result)

    def _identity(self, request: Request) -> Caller:
        """Who asks, counted against the rate limit; raises 401 and 429."""
        now = self.now()
        with self.store.transaction(write=False) as db:
            identity = auth.identify(db, request.headers.get("authorization", ""), now)
            settings = effective(db, self.settings)
        self.rates.note(identity.token, now)
        if settings.rate_limit is not None:
            with self.store.transaction(write=True) as db:
                auth.count_against_limit(db, identity, settings, now)
        return identity


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


def build_app(store: Store, settings: Settings, outage: Outage | None = None) -> Starlette:
    """The ASGI application that serves a data file; without ``outage`` its faults never refuse connections."""
    org = Org(store, settings, outage)

    def route(endpoint: Endpoint) -> Route:
        async def serve(request: Request) -> Response:
            return await org.serve(endpoint, request)

        return Route(endpoint.path, serve, methods=[endpoint.method])

    endpoints = (*areas.ENDPOINTS, *admin.endpoints(org.requests, org.rates, settings))
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
