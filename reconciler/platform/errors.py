"""What can go wrong between us and an org, as one tree that keeps what the org said.

::

    ReconcilerError
    └── PlatformError                 method, path, status, code, context_id, details, retry_after
        ├── UnsafeAddress             plain http to a host that is not this machine
        ├── HostUnreachable           no connection, or it broke; names the host
        ├── UntrustedHost             the host's certificate is not trusted, or it speaks no TLS
        ├── ProxyRefused              the proxy asks for a password, or does not let us through
        ├── RequestTimedOut           no answer in time (also HTTP 408)
        ├── RequestAbandoned          somebody stopped the run before there was an answer
        ├── AuthenticationFailed      HTTP 401, or the login was refused
        ├── PermissionDenied          HTTP 403; ``permission`` is the missing one
        ├── BadRequest                HTTP 400 and other 4xx: the org refused what was sent
        │   └── TransferRefused       an upload or a download: mostly its address has expired
        ├── NotFound                  HTTP 404
        │   └── Gone                  HTTP 410: it was there and has been deleted
        ├── NoSuchVersion             an earlier version of a flow that the org does not have any more
        ├── Conflict                  HTTP 409: in use, exists already, …
        │   ├── VersionConflict       somebody else changed the object meanwhile
        │   └── FlowLocked            somebody holds the edit lock; ``holder`` names them
        ├── RateLimited               HTTP 429, and waiting longer than the deadline would be needed
        ├── ServerError               HTTP 5xx
        ├── MalformedResponse         the answer is not what the API promises
        ├── JobFailed                 a deploy or export job ended in failure; ``messages``
        ├── JobTimedOut               the org did not finish within the deadline
        └── TrackingIncomplete        dependency tracking answered in part (HTTP 206)

``str(error)`` says what happened, ``error.remedy`` what to do. No message holds a token, a secret or the
query of a presigned address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypedDict, Unpack

from reconciler.problems import ReconcilerError

if TYPE_CHECKING:
    from reconciler.platform.locks import FlowLock
    from reconciler.platform.models import JobMessage


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One entry of an error body's ``details`` (SDK ``Detail``) or nested ``errors``."""

    code: str | None = None
    field: str | None = None
    entity: str | None = None
    text: str | None = None


class Context(TypedDict, total=False):
    """Where and how a request failed: the keyword arguments that every ``PlatformError`` takes."""

    remedy: str | None
    method: str | None
    path: str | None
    status: int | None
    code: str | None
    context_id: str | None
    details: Sequence[ErrorDetail]
    retry_after: float | None
    sent: bool


class PlatformError(ReconcilerError):
    """Something between us and the org failed; the attributes are None where the org did not say."""

    default_remedy: ClassVar[str | None] = None

    def __init__(self, message: str, **context: Unpack[Context]) -> None:
        super().__init__(message, remedy=context.get("remedy") or self.default_remedy)
        self.method = context.get("method")
        self.path = context.get("path")
        self.status = context.get("status")
        self.code = context.get("code")
        """The org's own code, e.g. ``architect.flow.not.found``."""
        self.context_id = context.get("context_id")
        """Correlation id, what Genesys support asks for."""
        self.details = tuple(context.get("details") or ())
        self.retry_after = context.get("retry_after")
        """Seconds that the org asked to wait."""
        self.sent = context.get("sent", True)
        """False when the request surely never reached the org."""
        self.attempts = 1
        """How often the request was tried."""
        self.final = False
        """True once all retries are used up."""


class UnsafeAddress(PlatformError):
    """A token or a flow would travel unencrypted to another machine."""

    default_remedy = "Use https; plain http is accepted for this machine (localhost, 127.0.0.1, ::1) only."


class HostUnreachable(PlatformError):
    """No connection to the host, or it broke before the answer was complete."""

    default_remedy = "Check the network, the proxy settings and the region or addresses of the environment."

    def __init__(self, message: str, *, host: str, **context: Unpack[Context]) -> None:
        super().__init__(message, **context)
        self.host = host


class UntrustedHost(PlatformError):
    """Who answers cannot prove to be the host."""


class ProxyRefused(PlatformError):
    """The proxy on the way does not let us through; trying again changes nothing."""


class RequestTimedOut(PlatformError):
    """The host did not answer in time."""

    default_remedy = "Run the command again; if it keeps happening, check the status of Genesys Cloud."


class RequestAbandoned(PlatformError):
    """Somebody stopped the run, and the answer was not worth to be waited for (see ``hurry``)."""


class AuthenticationFailed(PlatformError):
    """The org does not accept the credentials or the token."""

    default_remedy = (
        "Check the OAuth client's id and secret (or the access token) and that the region is the org's own."
    )


class PermissionDenied(PlatformError):
    """The OAuth client's roles do not allow the request."""

    def __init__(
        self,
        message: str,
        *,
        permission: str | None = None,
        any_of: bool = False,
        division: str | None = None,
        **context: Unpack[Context],
    ) -> None:
        need = (
            f"{'one of ' if any_of and ',' in (permission or '') else ''}{permission}"
            if permission
            else ("the permission that the message asks for")
        )
        where = f"in the division {division}" if division else "in the divisions concerned"
        remedy = f"Give the OAuth client a role with {need}, {where}; a change of roles takes up to 5 minutes to work."
        context.setdefault("remedy", remedy)
        super().__init__(message, **context)
        self.permission = permission
        """The missing one, or several with commas between; None when the org does not tell."""
        self.division = division
        """Where it is missing, None when the org does not tell."""


class BadRequest(PlatformError):
    """The org refused what was sent."""


class TransferRefused(BadRequest):
    """A presigned address does not take the upload, or does not give the download."""

    default_remedy = "Run the command again: the org's addresses for uploads and downloads expire."


class NotFound(PlatformError):
    """The org has no such object."""

    default_remedy = "Plan again: the object was deleted meanwhile, or the OAuth client's divisions hide it."


class Gone(NotFound):
    """The object was there and has been deleted (Architect answers so for deleted flows)."""


class NoSuchVersion(PlatformError):
    """The org has this version of a flow no longer, or cannot publish it."""


class Conflict(PlatformError):
    """The state of the org does not allow it: the object is in use, or the name is taken."""


class VersionConflict(Conflict):
    """Somebody changed the object after we read it."""

    default_remedy = "Plan again to see what was changed, then apply the new plan."


class FlowLocked(Conflict):
    """Somebody is editing the flow in Architect."""

    default_remedy = (
        "Ask the holder of the lock to save and check in, or to discard the draft, then apply again. "
        "Nothing was unlocked: that could publish or lose the draft."
    )

    def __init__(
        self,
        message: str,
        *,
        holder: str | None = None,
        lock: FlowLock | None = None,
        messages: Sequence[JobMessage] = (),
        **context: Unpack[Context],
    ) -> None:
        super().__init__(message, **context)
        self.holder = lock.holder if lock else holder
        """Name of the person or OAuth client, None when the org does not tell."""
        self.since = lock.since if lock else None
        """When they checked it out, None when the org does not tell."""
        self.messages = tuple(messages)


class RateLimited(PlatformError):
    """Too many requests, and the org asks to wait longer than the deadline allows."""

    def __init__(self, message: str, **context: Unpack[Context]) -> None:
        asked = context.get("retry_after")
        when = f"The org asks for a pause of {asked:.0f} seconds; run" if asked else "Wait some minutes and run"
        remedy = f"{when} the command again after that. Other programs with the same OAuth client share its limits."
        context.setdefault("remedy", remedy if asked else remedy.replace(" after that", ""))
        super().__init__(message, **context)


class ServerError(PlatformError):
    """The org failed by itself, also after all retries."""

    default_remedy = "Run the command again later; with the context ID, Genesys support can look it up."


class MalformedResponse(PlatformError):
    """The answer is not what the API promises: no JSON, other types, too large."""

    default_remedy = (
        "Check that the addresses of the environment are those of a Genesys Cloud org and that no proxy "
        "answers instead."
    )


class JobFailed(PlatformError):
    """A deploy or export job ended in failure; ``messages`` may be empty: Architect does that."""

    def __init__(self, message: str, *, messages: Sequence[JobMessage] = (), **context: Unpack[Context]) -> None:
        super().__init__(message, **context)
        self.messages = tuple(messages)


class JobTimedOut(PlatformError):
    """The org did not finish in time; it may still do so."""

    default_remedy = "Look at the object in the org, then plan again: what was finished meanwhile is seen."


class TrackingIncomplete(PlatformError):
    """Dependency tracking says itself that its answer is not complete."""

    default_remedy = (
        "Wait until Architect has rebuilt its dependency tracking (Architect, Dependency Search, shows the "
        "state), then plan again."
    )
