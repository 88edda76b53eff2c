"""Holds exchanges against the SDK's table, and names what deviates."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from oracle.recording import Exchange
from oracle.sdk import Sdk
from oracle.table import PRIMITIVES, Operation, Parameter, Type
from oracle.values import READABLE, VALID, anything, shown

ERRORS = Type("ErrorBody")
NOTHING = ("", "null")
"""Bodies that are none; the SDK sends ``null`` where it has nothing to send."""
GRANT = "grant_type=client_credentials"
"""What the SDK sends as the login's form (``ApiClient.get_client_credentials_token``)."""


@dataclass(frozen=True)
class Deviation:
    """One kind of deviation; where it was seen is counted apart."""

    by: str
    """client, sandbox or reader."""
    operation: str
    place: str
    """E.g. ``query pageSize``, ``body entities[].type``, ``answer 404``."""
    expected: str
    found: str


@dataclass
class Tally:
    """What was checked of one operation, in one direction."""

    exchanges: int = 0
    fields: set[str] = field(default_factory=set)
    """Places of parameters and fields that were seen."""
    known: set[str] = field(default_factory=set)
    """The same, and those of the same models and operations that were not."""


class Judge:
    """Judges exchange after exchange; equal ones are judged once."""

    def __init__(self, sdk: Sdk) -> None:
        self.sdk = sdk
        self.deviations: dict[Deviation, Counter[str]] = defaultdict(Counter)
        """In which tests each was seen, and how often."""
        self.tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
        """By direction and operation."""
        self._judged: dict[tuple[object, ...], tuple[str, tuple[Deviation, ...]]] = {}

    @property
    def exchanges(self) -> int:
        """How many were checked."""
        return sum(tally.exchanges for tally in self.tallies.values())

    def judge(self, exchange: Exchange) -> None:
        """Checks one exchange."""
        answer = (exchange.content_type, exchange.status, exchange.fault)
        request = (exchange.query, exchange.authorization, bool(exchange.length))
        asked = request if exchange.by == "client" else ()
        key = (exchange.by, exchange.method, exchange.path, exchange.body, asked, answer)
        if key not in self._judged:
            self._judged[key] = self._deviations(exchange)
        operation, deviations = self._judged[key]
        self.tallies[exchange.by, operation].exchanges += 1
        for one in deviations:
            self.deviations[one][exchange.test] += 1

    def _deviations(self, exchange: Exchange) -> tuple[str, tuple[Deviation, ...]]:
        operation = self.sdk.operation(exchange.method, exchange.path)
        if operation is None and exchange.by == "sandbox" and exchange.status < 400:
            operation = self.sdk.spanning(exchange.method, exchange.path)
        name = str(operation) if operation else _outside(exchange)
        check = _Check(self.sdk, exchange.by, name, self.tallies[exchange.by, name])
        if exchange.fault and not _claims_to_be_an_error(exchange):
            pass  # Cut, spoilt or invented on demand, so that it is not what the platform would give.
        elif operation is None:
            check.outside(exchange, name)
        elif exchange.by == "client":
            check.request(operation, exchange)
        else:
            check.answer(operation, exchange)
        return name, tuple(check.found)


LOGIN, TRANSFER, ADMINISTRATION = "login", "file transfer", "administration of the sandbox"


def _claims_to_be_an_error(exchange: Exchange) -> bool:
    """Whether an answer is an envelope, right or wrong; errors on demand are judged like others."""
    try:
        body = json.loads(exchange.body or "")
    except ValueError:
        return False
    return exchange.status >= 400 and isinstance(body, dict) and "contextId" in body


def _outside(exchange: Exchange) -> str:
    """What a request is that the SDK has no operation for."""
    path = exchange.path
    if path == "/oauth/token":
        return LOGIN
    if path.startswith("/sandbox/"):
        return ADMINISTRATION
    if path.startswith("/api/"):
        return f"{exchange.method} {path}"
    return TRANSFER


@dataclass
class _Check:
    """One exchange."""

    sdk: Sdk
    by: str
    operation: str
    tally: Tally
    found: list[Deviation] = field(default_factory=list)

    def deviates(self, place: str, expected: str, found: str) -> None:
        self.found.append(Deviation(self.by, self.operation, place, expected, found))

    # What is outside the SDK's operations

    def outside(self, exchange: Exchange, name: str) -> None:
        if name == LOGIN:
            self._login(exchange)
        elif name == TRANSFER:
            self._transfer(exchange)
        elif name == ADMINISTRATION:
            if self.by == "client":
                self.deviates("path", "an operation of the platform", exchange.path)
        elif self.by == "client" or exchange.status < 400:
            self.deviates("path", "an operation of the SDK", f"{exchange.method} {exchange.path}")
        else:
            self._error(exchange)

    def _login(self, exchange: Exchange) -> None:
        """By ``ApiClient.get_client_credentials_token``; the answers by the fact sheet, §1."""
        if self.by == "client":
            self._equal("method", "POST", exchange.method)
            self._equal("header Authorization", "Basic", exchange.authorization)
            self._equal("header Content-Type", "application/x-www-form-urlencoded", exchange.content_type)
            self._equal("form", GRANT, exchange.body or "")
            self._equal("query", "", exchange.query)
            return
        if exchange.status == 429 or exchange.status >= 500:
            # No source says which shape these have here.
            return
        wanted = {"access_token": "str", "token_type": "str", "expires_in": "int"}
        if exchange.status >= 400:
            wanted = {"error": "str", "description": "str", "error_description": "str"}
        body = self._json(exchange, "answer")
        if isinstance(body, dict):
            self._equal("answer keys", str(sorted(wanted)), str(sorted(body)))
            for name, kind in wanted.items():
                self._primitive(body.get(name), kind, f"answer {name}")

    def _transfer(self, exchange: Exchange) -> None:
        """To and from an address that carries its own signature: our token has no business there."""
        if self.by == "client":
            if exchange.method not in ("GET", "PUT"):
                self.deviates("path", "an operation of the SDK", f"{exchange.method} {exchange.path}")
            self._equal("header Authorization", "", exchange.authorization)
            if (exchange.method == "PUT") != bool(exchange.length):
                self.deviates("body", "the flow in a PUT and nothing in a GET", f"{exchange.length} bytes")

    # Requests

    def request(self, operation: Operation, exchange: Exchange) -> None:
        self._equal("header Authorization", "Bearer", exchange.authorization)
        self._path(operation, exchange.path)
        self._query(operation, exchange.query)
        text = exchange.body or ""
        if operation.body is None:
            if text not in NOTHING:
                self.deviates("body", "none", text[:60])
        elif text in NOTHING:
            if operation.body.required:
                self.deviates("body", str(operation.body.type), "none")
        else:
            self._equal("header Content-Type", "application/json", exchange.content_type)
            self._value(self._json(exchange, "body"), operation.body.type, "body")

    def _path(self, operation: Operation, path: str) -> None:
        parameters = {one.name: one for one in operation.path}
        for own, given in zip(operation.template.split("/"), path.split("/"), strict=True):
            if own.startswith("{"):
                self._text(unquote(given), parameters[own[1:-1]], f"path {own[1:-1]}")

    def _query(self, operation: Operation, query: str) -> None:
        given: dict[str, list[str]] = defaultdict(list)
        for name, text in parse_qsl(query, keep_blank_values=True):
            given[name].append(text)
        self.tally.known.update(f"query {name}" for name in operation.query)
        for name, texts in given.items():
            parameter = operation.query.get(name)
            if parameter is None:
                self.deviates(f"query {name}", f"one of {', '.join(operation.query) or 'none'}", name)
                continue
            if len(texts) > 1 and parameter.type.name != "list":
                self.deviates(f"query {name}", "one value", f"{len(texts)} values")
            for text in texts:
                self._text(text, parameter, f"query {name}")
        for name, parameter in operation.query.items():
            if parameter.required and name not in given:
                self.deviates(f"query {name}", "required", "missing")

    def _text(self, text: str, parameter: Parameter, place: str) -> None:
        """A value in an address; lists are joined by commas or repeated (facts §2)."""
        self.tally.fields.add(place)
        kind = parameter.type
        for part in text.split(",") if kind.name == "list" else [text]:
            name = kind.items.name if kind.items else kind.name
            if not part or not READABLE.get(name, anything)(part):
                self.deviates(place, str(kind), repr(text[:60]))

    # Answers

    def answer(self, operation: Operation, exchange: Exchange) -> None:
        if exchange.status >= 400:
            self._error(exchange)
        elif exchange.status >= 300:
            self.deviates("status", "2xx, 4xx or 5xx", str(exchange.status))
        elif exchange.method == "HEAD":
            return  # Its body never goes over the wire, whatever the application gives the server.
        elif operation.response is None:
            if exchange.length:
                self.deviates("answer", "no body", (exchange.body or "")[:60])
        elif exchange.length or operation.response.name != "object":
            self._value(self._json(exchange, "answer"), operation.response, "answer")

    def _error(self, exchange: Exchange) -> None:
        body = self._json(exchange, "error")
        self._value(body, ERRORS, "error")
        if isinstance(body, dict):
            for name in ("message", "code", "status", "contextId"):
                if body.get(name) is None:
                    self.deviates(f"error {name}", "present", "missing")
            if body.get("status") != exchange.status:
                self.deviates("error status", str(exchange.status), str(body.get("status")))

    # Values

    def _json(self, exchange: Exchange, place: str) -> Any:
        if self.by == "sandbox" and exchange.content_type.partition(";")[0] != "application/json":
            self.deviates(place, "application/json", exchange.content_type or "no content type")
        try:
            return json.loads(exchange.body or "")
        except ValueError:
            self.deviates(place, "JSON", repr((exchange.body or "")[:60]))
            return None

    def _value(self, value: Any, kind: Type, place: str) -> None:
        if value is None or kind.name == "object":
            return
        if kind.items is not None:
            self._many(value, kind, kind.items, place)
        elif kind.name in PRIMITIVES:
            self._primitive(value, kind.name, place)
        else:
            self._object(value, kind.name, place)

    def _many(self, value: Any, kind: Type, items: Type, place: str) -> None:
        whole, inner = (list, f"{place}[]") if kind.name == "list" else (dict, f"{place}{{}}")
        if not isinstance(value, whole):
            self.deviates(place, str(kind), shown(value))
            return
        for item in value.values() if isinstance(value, dict) else value:
            self._value(item, items, inner)

    def _object(self, value: Any, name: str, place: str) -> None:
        if not isinstance(value, dict):
            self.deviates(place, name, shown(value))
            return
        model = self.sdk.model(name)
        separator = "." if " " in place else " "
        self.tally.known.update(f"{place}{separator}{key}" for key in model.fields)
        for key, item in value.items():
            inner = f"{place}{separator}{key}"
            field_ = model.fields.get(key)
            if field_ is None:
                self.deviates(inner, f"a field of {name}", shown(item))
                continue
            self.tally.fields.add(inner)
            self._value(item, field_.type, inner)
            if item is None:
                continue
            if field_.values is not None and item not in field_.values:
                self.deviates(inner, f"one of {', '.join(field_.values)}", shown(item))
            for limit in field_.limits:
                if isinstance(item, str | int | float) and limit.refuses(item):
                    self.deviates(inner, f"not {limit.text}", shown(item))

    def _primitive(self, value: Any, kind: str, place: str) -> None:
        if not VALID[kind](value):
            self.deviates(place, kind, shown(value))

    def _equal(self, place: str, expected: str, found: str) -> None:
        if found.partition(";")[0] != expected:
            self.deviates(place, expected or "nothing", found[:60] or "nothing")
