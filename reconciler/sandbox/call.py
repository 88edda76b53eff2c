"""One request to the sandbox, and how endpoints are declared.

Each area module lists its ``Endpoint``s; ``server`` turns them into routes. A handler gets a ``Call``
inside an open transaction and returns what becomes the response body, or a ``Reply``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.files import parse_json
from reconciler.sandbox.errors import ApiError, bad_request, invalid_value
from reconciler.sandbox.objects import Edit
from reconciler.sandbox.settings import Settings

API = "/api/v2"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token stands for: an OAuth client, acting as a person where it was made so."""

    token: str
    client_id: str
    client_name: str
    user_id: str | None = None

    @property
    def author(self) -> str:
        """The id that ``createdBy`` and ``modifiedBy`` show."""
        return self.user_id or self.client_id


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that is more than a JSON body with status 200."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str = "application/json"


@dataclass(slots=True)
class Call:
    """One request, as a handler sees it."""

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    content: bytes
    base_url: str
    db: sqlite3.Connection
    settings: Settings
    now: float
    identity: Caller | None = None

    @property
    def caller(self) -> Caller:
        """Who asks; endpoints without authentication have nobody."""
        if self.identity is None:
            raise ApiError(401, "authentication.required", "This call needs an access token.")
        return self.identity

    @property
    def edit(self) -> Edit:
        """This request as the author of a change."""
        return Edit(self.now, self.caller.author, self.settings.list_lag_seconds, self.caller.client_id)

    def one(self, name: str) -> str | None:
        """A query parameter given once; None when absent or empty."""
        values = [value for value in self.query.get(name, []) if value]
        return values[0] if values else None

    def many(self, name: str) -> list[str]:
        """A list parameter, as ``a,b`` (the SDK) or repeated (the Terraform provider)."""
        return [part for value in self.query.get(name, []) for part in value.split(",") if part]

    def required(self, name: str) -> str:
        """A query parameter that must be there; raises 400 otherwise."""
        value = self.one(name)
        if value is None:
            raise bad_request(f"The query parameter '{name}' is required.", "invalid.query.param.value")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter (``true`` or ``false``, any case)."""
        value = self.one(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise bad_request(f"'{value}' is not a valid value for '{name}'.", "invalid.query.param.value")
        return value.lower() == "true"

    def number(self, name: str, default: int, *, maximum: int) -> int:
        """A positive integer parameter, bounded; raises 400 outside the bounds."""
        value = self.one(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= maximum:
            raise bad_request(
                f"'{value}' is not a valid value for '{name}': it must be between 1 and {maximum}.",
                "invalid.query.param.value",
            )
        return int(value)

    def json(self) -> Any:
        """The body as JSON; None for an empty one or ``null`` (what the SDK sends with bodyless POSTs)."""
        if not self.content.strip():
            return None
        try:
            return parse_json(self.content)
        except ValueError as error:
            raise bad_request(f"The request body is not valid JSON: {error}.") from error

    def object(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        body = self.json()
        if not isinstance(body, dict):
            raise bad_request("The request body must be a JSON object.")
        return body


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API: method, path template with ``{parameters}``, and its handler."""

    method: str
    path: str
    handler: Callable[[Call], Any]
    query: tuple[str, ...] = ()
    """Query parameters that the SDK knows for it."""
    writes: bool | None = None
    """None: everything but GET and HEAD writes."""
    authenticated: bool = True
    counted: bool = True

    @property
    def route(self) -> str:
        """Method and path template, as requests are counted."""
        return f"{self.method} {self.path}"

    @property
    def write(self) -> bool:
        """Whether it needs the write lock."""
        return self.method not in ("GET", "HEAD") if self.writes is None else self.writes


def text_field(body: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    """A string field of a body, "" when absent; raises 400 for another type or a missing required one."""
    value = body.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise invalid_value(f"The field '{name}' must be a string.")
    if required and not value.strip():
        raise invalid_value(f"The field '{name}' is required and cannot be empty.")
    return value
