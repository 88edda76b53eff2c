"""Faults by name: what the platform, or what stands between us and it, is known to do.

Each is a ``match`` and an ``effect`` of a fault rule (``fault_rules``) with the evidence for it. A preset whose
match is empty may strike any request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from reconciler.sandbox.auth import LOGIN

RETRY_SECONDS = 3
"""What the rate limits ask to wait."""
API = "/api/v2/*"
TRANSFERS = "^/(uploads|downloads)/"
EDITED = "^/api/v2/architect/(ivrs|schedules|schedulegroups)/[^/]+$"
MISSING_PERMISSION = "Unable to perform the requested action. You are missing the following permission(s): {permission}"
THROTTLED_EXPORT = "could not find the flow with id '{flow}'; exit code: 107"


@dataclass(frozen=True)
class Preset:
    """One fault; ``match`` and ``effect`` in the words of a rule."""

    does: str
    """One line for people."""
    effect: Mapping[str, Any]
    match: Mapping[str, Any] = field(default_factory=dict)


def _gateway(status: int, title: str) -> dict[str, Any]:
    return {"status": status, "body": f"<html><body><h1>{status} {title}</h1></body></html>\n"}


PRESETS: dict[str, Preset] = {
    # The platform refuses (facts §1, §2).
    "rate-limited": Preset(
        "429 with `Retry-After`",
        {
            "status": 429,
            "code": "too.many.requests.retry.after",
            "message": f"Rate limit exceeded the maximum. Retry the request in [{RETRY_SECONDS}] seconds",
            "headers": {"Retry-After": str(RETRY_SECONDS), "inin-ratelimit-reset": str(RETRY_SECONDS)},
        },
    ),
    "login-rate-limited": Preset(
        "the token endpoint's own form of it, 400 `invalid_request`",
        {
            "status": 400,
            "code": "invalid_request",
            "message": "rate limit exceeded; too many requests for this client",
        },
        {"path": LOGIN},
    ),
    "login-refused": Preset(
        "the token endpoint refuses the client, 401 `invalid_client`",
        {"status": 401, "code": "invalid_client", "message": "client not found or invalid client secret"},
        {"path": LOGIN},
    ),
    "forbidden": Preset(
        "403 that names the missing permission",
        {"status": 403, "code": "missing.permissions", "message": MISSING_PERMISSION},
        {"path": API},
    ),
    "token-expired": Preset("the token expires just now: 401", {"token": "expired"}, {"path": API}),
    "token-revoked": Preset("the token is revoked just now: 401", {"token": "revoked"}, {"path": API}),
    "version-conflict": Preset(
        "409 for a PUT: somebody saved the object first",
        {
            "status": 409,
            "code": "general.conflict",
            "message": "The version of the request does not match the current version of the object.",
        },
        {"method": "PUT", "path": EDITED},
    ),
    "version-conflict-400": Preset(
        "the same as 400",
        {
            "status": 400,
            "code": "bad.request",
            "message": "The version of the request does not match the current version of the object.",
        },
        {"method": "PUT", "path": EDITED},
    ),
    # The platform fails (facts §2, generic codes).
    "error-500": Preset("500", {"status": 500, "code": "internal.server.error", "message": "An error occurred."}),
    "error-503": Preset(
        "503 with `Retry-After`",
        {
            "status": 503,
            "code": "service.unavailable",
            "message": "The service is not available.",
            "headers": {"Retry-After": str(RETRY_SECONDS)},
        },
    ),
    "error-504": Preset("504", {"status": 504, "code": "request.timeout", "message": "The request timed out."}),
    "gateway-502": Preset("502 as HTML, from a gateway", _gateway(502, "Bad Gateway")),
    "gateway-503": Preset("503 as HTML", _gateway(503, "Service Temporarily Unavailable")),
    "gateway-504": Preset("504 as HTML", _gateway(504, "Gateway Time-out")),
    # The network fails.
    "refused": Preset("no connections for half a second", {"refuse_seconds": 0.5}),
    "dropped": Preset("the connection breaks before the request is carried out", {"drop_connection": "before"}),
    "answer-lost": Preset("the request is carried out, then the connection breaks", {"drop_connection": "after"}),
    "reset": Preset("the connection is reset in the middle of the answer", {"spoil": "reset"}),
    "short": Preset("the answer ends before its `Content-Length`", {"spoil": "short"}),
    "hanging": Preset("the request is accepted and never answered", {"hang": True}),
    "dripping": Preset("the answer comes a byte at a time", {"spoil": "drip"}),
    # The answer is not what the API promises.
    "portal-page": Preset(
        "200 with HTML, as from a proxy that wants a login",
        {"status": 200, "body": "<html><body>Please sign in to the network.</body></html>\n"},
    ),
    "half-json": Preset("JSON that breaks off", {"spoil": "half"}, {"path": "^/(api/v2|oauth)/"}),
    "wrong-types": Preset("JSON with other types than promised", {"spoil": "types"}, {"path": "^/(api/v2|oauth)/"}),
    "huge": Preset("an answer of more than 64 MB", {"spoil": "huge"}),
    # Jobs (facts §3.3, §5).
    "job-failed": Preset(
        "the deploy job fails and says why",
        {"job": {"messages": ["The flow has validation errors."]}},
        {"job_flow": "*"},
    ),
    "job-failed-silently": Preset("it fails without messages", {"job": {"messages": []}}, {"job_flow": "*"}),
    "job-failed-null": Preset("it fails, messages null", {"job": {"messages": None}}, {"job_flow": "*"}),
    "job-stuck": Preset("it stays in Started", {"job": {"status": "Started"}}, {"job_flow": "*"}),
    "export-failed": Preset(
        "the export job fails and says why",
        {"job": {"messages": ["The export failed."]}},
        {"export_flow": "*"},
    ),
    "export-throttled": Preset(
        "the export job says that it could not find the flow (107); the cause is a rate limit",
        {"job": {"messages": [THROTTLED_EXPORT]}},
        {"export_flow": "*"},
    ),
    "export-stuck": Preset("it stays in Started", {"job": {"status": "Started"}}, {"export_flow": "*"}),
    "address-expired": Preset(
        "an address for upload or download has expired: 403 as XML",
        {
            "status": 403,
            "body": '<?xml version="1.0" encoding="UTF-8"?>\n'
            "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>\n",
            "media_type": "application/xml",
        },
        {"path": TRANSFERS},
    ),
    # People, and delay.
    "locked": Preset("a person checks all flows out", {"lock": {}}),
    "locked-with-draft": Preset("the same, with something saved in each", {"lock": {"draft": True}}),
    "lists-lag": Preset(
        "from now on lists show the state of 5 seconds before", {"settings": {"list_lag_seconds": 5.0}}
    ),
    "tracking-incomplete": Preset(
        "from now on dependency tracking answers in part only, 206", {"settings": {"tracking_complete": False}}
    ),
}

_PERMISSIONS: tuple[tuple[str, str], ...] = (
    ("/api/v2/flows/datatables/*/rows*", "architect:datatableRow:{verb}"),
    ("/api/v2/flows/datatables*", "architect:datatable:{verb}"),
    ("/api/v2/flows/export/jobs*", "architect:jobExport:{job}"),
    ("/api/v2/flows/jobs*", "architect:job:{job}"),
    ("/api/v2/flows/executions", "architect:flow:launch"),
    ("/api/v2/flows/executions/*", "architect:flowExecution:view"),
    ("/api/v2/flows*", "architect:flow:{verb}"),
    ("/api/v2/architect/dependencytracking*", "architect:dependencyTracking:view"),
    ("/api/v2/architect/ivrs*", "routing:callRoute:{verb}"),
    ("/api/v2/architect/schedulegroups*", "routing:scheduleGroup:{verb}"),
    ("/api/v2/architect/schedules*", "routing:schedule:{verb}"),
    ("/api/v2/telephony*", "telephony:plugin:all"),
)
_VERBS = {"GET": "view", "POST": "add", "PUT": "edit", "DELETE": "delete"}


def permission_for(method: str, path: str) -> str:
    """The permission that a request needs, as far as docs/environments.md lists it (facts §3)."""
    for pattern, permission in _PERMISSIONS:
        if fnmatchcase(path, pattern):
            return permission.format(verb=_VERBS.get(method, "view"), job="create" if method == "POST" else "view")
    return "authorization:division:view"
