"""Reads what an org answers: JSON into models, error bodies into the exception tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from reconciler.files import parse_json
from reconciler.platform.errors import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    Context,
    ErrorDetail,
    FlowLocked,
    Gone,
    MalformedResponse,
    NotFound,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RequestTimedOut,
    ServerError,
    VersionConflict,
)

Model = TypeVar("Model", bound=BaseModel)

_VERSION_MISMATCH = re.compile(r"does not match the current version|version[ .]?(conflict|mismatch)", re.IGNORECASE)
_PERMISSION = re.compile(
    r"(?:missing the following permission\(s\)|at least one of the following permissions assigned):\s*(.+)$",
    re.IGNORECASE,
)
_RETRY_TEXT = re.compile(r"retry the request in \[(\d+)\] seconds", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")
_MINUTE = 60
_DIGITS = 10
_BY_STATUS: dict[int, type[PlatformError]] = {
    401: AuthenticationFailed,
    404: NotFound,
    408: RequestTimedOut,
    409: Conflict,
    410: Gone,
    429: RateLimited,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, its body complete."""

    method: str
    path: str
    """Path of the request, without its query."""
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where it is empty.

        Raises:
            MalformedResponse: no JSON.
        """
        if not self.body.strip():
            return None
        try:
            return parse_json(self.body)
        except ValueError:
            raise self.malformed("is not JSON") from None

    def read(self, model: type[Model]) -> Model:
        """The body as a model.

        Raises:
            MalformedResponse: no JSON, or a field is missing or of another type.
        """
        try:
            return model.model_validate(self.json())
        except ValidationError as error:
            raise self.malformed(_first_mismatch(error)) from None

    def read_list(self, model: type[Model], items: Any) -> list[Model]:
        """A part of the body as a list of models; raises as ``read`` does."""
        try:
            return _list_of(model).validate_python(items)
        except ValidationError as error:
            raise self.malformed(_first_mismatch(error)) from None

    def malformed(self, what: str) -> MalformedResponse:
        """The error for an answer that is not what the API promises; ``what`` completes "The answer …"."""
        return MalformedResponse(
            f"The answer to {self.method} {self.path} {what}.",
            method=self.method,
            path=self.path,
            status=self.status,
            context_id=self.headers.get("inin-correlation-id"),
        )


def error_of(reply: Reply) -> PlatformError:
    """The exception for an answer with an error status (facts §2, SDK ``ErrorBody``)."""
    if reply.status < 400:
        return reply.malformed(f"leads elsewhere, HTTP {reply.status}")
    envelope = _envelope(reply)
    said = str(envelope.get("message") or envelope.get("error_description") or envelope.get("description") or "")
    code = _text(envelope.get("code")) or _text(envelope.get("error"))
    context = Context(
        method=reply.method,
        path=reply.path,
        status=reply.status,
        code=code,
        context_id=_text(envelope.get("contextId")) or reply.headers.get("inin-correlation-id"),
        details=_details(envelope),
        retry_after=retry_after(reply.headers, said),
    )
    message = _sentence(reply, said, code, context)
    if reply.status == 403:
        return PermissionDenied(
            message,
            permission=_missing_permission(said, envelope),
            any_of="at least one of" in said.lower(),
            division=_parameter(envelope, "division"),
            **context,
        )
    if (reply.status in (400, 409) and _VERSION_MISMATCH.search(said)) or (
        reply.status == 409 and code and _VERSION_MISMATCH.search(code)
    ):
        return VersionConflict(message, **context)
    if code and "locked.by" in code:
        return FlowLocked(message, holder=_parameter(envelope, "user"), **context)
    if reply.status >= 500:
        return ServerError(message, **context)
    return _BY_STATUS.get(reply.status, BadRequest)(message, **context)


def retry_after(headers: Mapping[str, str], said: str = "") -> float | None:
    """Seconds that the org asks to wait, None when it does not ask.

    ``Retry-After`` (seconds or a date) counts first, then ``inin-ratelimit-reset`` plus one second as in
    Architect's own client, then the number in the message (facts §2).
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    moment = _date(value)
    if moment is not None:
        # By the clock of the org where it tells it; ours may be wrong.
        now = _date(headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (moment - now).total_seconds())
    reset = _count(headers, "inin-ratelimit-reset")
    if reset is not None:
        return float(reset) + 1
    found = _RETRY_TEXT.search(said)
    return float(found[1]) if found else None


def exhausted(headers: Mapping[str, str]) -> float | None:
    """Seconds to pause because this request was the last that the org allows for now, else None.

    ``inin-ratelimit-count`` has reached ``inin-ratelimit-allowed`` (facts §2, a guess); without all three
    headers, or with a reset further away than the minute that limits are for, nothing is concluded.
    """
    names = ("inin-ratelimit-count", "inin-ratelimit-allowed", "inin-ratelimit-reset")
    count, allowed, reset = (_count(headers, name) for name in names)
    if count is None or not allowed or reset is None or count < allowed or reset > _MINUTE:
        return None
    return float(reset) + 1


def _count(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < _DIGITS else None


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@cache
def _list_of(model: type[Model]) -> TypeAdapter[list[Model]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]


def _envelope(reply: Reply) -> dict[str, Any]:
    try:
        body = parse_json(reply.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _details(envelope: Mapping[str, Any]) -> tuple[ErrorDetail, ...]:
    """``details`` and nested ``errors``; an old client types details as plain strings (facts §2)."""
    found: list[ErrorDetail] = []
    for entry in _list(envelope.get("details")):
        if isinstance(entry, dict):
            found.append(
                ErrorDetail(
                    code=_text(entry.get("errorCode")),
                    field=_text(entry.get("fieldName")),
                    entity=_text(entry.get("entityName")) or _text(entry.get("entityId")),
                )
            )
        else:
            found.append(ErrorDetail(text=_text(entry)))
    found.extend(
        ErrorDetail(code=_text(entry.get("code")), text=_text(entry.get("message")))
        for entry in _list(envelope.get("errors"))
        if isinstance(entry, dict)
    )
    return tuple(found)


def _sentence(reply: Reply, said: str, code: str | None, context: Context) -> str:
    said = said or "without saying why"
    notes = [
        text
        for detail in context.get("details", ())
        if (text := detail.text or " ".join(filter(None, (detail.field, detail.code, detail.entity))))
        and text not in said
    ]
    more = f" ({'; '.join(notes)})" if notes else ""
    facts = ", ".join(
        part
        for part in (
            f"HTTP {reply.status}",
            code,
            f"context ID {context['context_id']}" if context.get("context_id") else None,
        )
        if part
    )
    did = "failed at" if reply.status >= 500 else "refused"
    return f"The org {did} {reply.method} {reply.path}: {said.rstrip('.')}{more} [{facts}]."


def _missing_permission(said: str, envelope: Mapping[str, Any]) -> str | None:
    found = _PERMISSION.search(said)
    if found:
        return found[1].strip("[]. ")
    return _parameter(envelope, "permission")


def _parameter(envelope: Mapping[str, Any], part: str) -> str | None:
    """A message parameter by a part of its name; the names themselves are documented nowhere."""
    parameters = envelope.get("messageParams")
    if not isinstance(parameters, dict):
        return None
    return next((_text(value) for name, value in parameters.items() if part in name.lower()), None)


def _first_mismatch(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the body"
    return f"is not what the API promises: {where}: {first['msg']}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
