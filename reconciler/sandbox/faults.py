"""Faults on demand: what goes wrong, for which requests, how often.

A rule is ``{match, after?, times?, effect}``. ``match``: ``method``, ``path`` (glob, or a regular
expression when it starts with ``^``), ``body_contains``; or ``job_flow`` (a flow name) for the deploy
job of that flow. ``after`` lets that many matching requests pass first; ``times`` is how often it
strikes (absent: always). ``effect``, one or more of:

- ``status`` (with ``code``, ``message``, ``headers``): an error instead of carrying the request out;
  below 400 the request is carried out and answered with that status;
- ``delay``: seconds to wait first;
- ``job``: ``{status, messages}`` as outcome of the deploy job, nothing is published;
- ``drop_connection``: true (or ``before``) cuts the connection instead of carrying the request out,
  ``after`` carries it out and cuts the connection instead of answering.
"""

from __future__ import annotations

import fnmatch
import json
import re
import sqlite3
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reconciler.archy.yaml import YamlError, load
from reconciler.sandbox.call import Call, Endpoint, Reply
from reconciler.sandbox.errors import ApiError, bad_request


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(_Strict):
    """Which requests a rule is about; every given condition must hold."""

    method: str | None = None
    path: str | None = None
    body_contains: str | None = None
    job_flow: str | None = None


class JobOutcome(_Strict):
    """How a deploy job ends."""

    status: Literal["Success", "Failure"] = "Failure"
    messages: list[str] = Field(default_factory=list)


class Effect(_Strict):
    """What happens."""

    status: int | None = Field(default=None, ge=200, le=599)
    code: str = "internal.server.error"
    message: str = "The request failed on demand (fault rule of the sandbox)."
    headers: dict[str, str] = Field(default_factory=dict)
    delay: float | None = Field(default=None, ge=0)
    job: JobOutcome | None = None
    drop_connection: bool | Literal["before", "after"] = False


class Rule(_Strict):
    """One fault rule."""

    match: Match = Match()
    after: int = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=1)
    effect: Effect

    @model_validator(mode="after")
    def _job_outcome_for_a_job(self) -> Self:
        if (self.match.job_flow is None) != (self.effect.job is None):
            raise ValueError("'match.job_flow' and 'effect.job' go together: give both or neither")
        return self


def take_fault(db: sqlite3.Connection, method: str, path: str, body: bytes) -> Effect | None:
    """The effect for a request, used up by one; None when no rule matches. Needs a write transaction."""
    for row in db.execute("SELECT * FROM faults ORDER BY id").fetchall():
        rule = Rule.model_validate_json(row["rule"])
        if rule.match.job_flow is None and _matches(rule.match, method, path, body) and _use(db, row):
            return rule.effect
    return None


def any_rule(db: sqlite3.Connection) -> bool:
    """Whether there is any rule at all."""
    return db.execute("SELECT 1 FROM faults LIMIT 1").fetchone() is not None


def _matches(match: Match, method: str, path: str, body: bytes) -> bool:
    if match.method is not None and match.method.upper() != method:
        return False
    if match.path is not None:
        if match.path.startswith("^"):
            if re.search(match.path, path) is None:
                return False
        elif not fnmatch.fnmatchcase(path, match.path):
            return False
    return match.body_contains is None or match.body_contains.encode() in body


def _use(db: sqlite3.Connection, row: sqlite3.Row) -> bool:
    """Counts a match; True when the rule strikes."""
    if row["skip"] > 0:
        db.execute("UPDATE faults SET skip = skip - 1 WHERE id = ?", (row["id"],))
        return False
    if row["remaining"] is not None:
        if row["remaining"] <= 1:
            db.execute("DELETE FROM faults WHERE id = ?", (row["id"],))
        else:
            db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return True


def take_job_fault(db: sqlite3.Connection, text: str) -> JobOutcome | None:
    """The outcome that a rule wants for the deploy job of this YAML; None when no rule matches."""
    rows = db.execute("SELECT * FROM faults ORDER BY id").fetchall()
    rules = [(row, Rule.model_validate_json(row["rule"])) for row in rows]
    wanted = [(row, rule) for row, rule in rules if rule.match.job_flow is not None and rule.effect.job is not None]
    name = _flow_name(text) if wanted else None
    for row, rule in wanted:
        if rule.match.job_flow == name and _use(db, row):
            return rule.effect.job
    return None


def _flow_name(text: str) -> str | None:
    try:
        data = load(text)
    except YamlError:
        return None
    bodies = data.values() if isinstance(data, dict) else ()
    return next((body.get("name") for body in bodies if isinstance(body, dict)), None)


def list_rules(call: Call) -> list[dict[str, Any]]:
    """``GET /sandbox/faults``."""
    rows = call.db.execute("SELECT * FROM faults ORDER BY id").fetchall()
    return [
        {**json.loads(row["rule"]), "id": row["id"], "after": row["skip"], "times": row["remaining"]} for row in rows
    ]


def add_rules(call: Call) -> Reply:
    """``POST /sandbox/faults``: one rule or a list of them, added to those in force."""
    body = call.json()
    given = body if isinstance(body, list) else [body]
    try:
        rules = [Rule.model_validate(rule) for rule in given]
    except ValidationError as error:
        raise bad_request(f"This is not a fault rule: {error}") from error
    for rule in rules:
        if rule.match.path is not None and rule.match.path.startswith("^"):
            _check_pattern(rule.match.path)
        call.db.execute(
            "INSERT INTO faults (rule, skip, remaining) VALUES (?, ?, ?)",
            (rule.model_dump_json(exclude_unset=True), rule.after, rule.times),
        )
    return Reply(list_rules(call), status=201)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ApiError(400, "bad.request", f"'{pattern}' is not a regular expression: {error}.") from error


def clear_rules(call: Call) -> Reply:
    """``DELETE /sandbox/faults``."""
    call.db.execute("DELETE FROM faults")
    return Reply(status=204)


ENDPOINTS = (
    Endpoint("GET", "/sandbox/faults", list_rules, authenticated=False, counted=False),
    Endpoint("POST", "/sandbox/faults", add_rules, authenticated=False, counted=False),
    Endpoint("DELETE", "/sandbox/faults", clear_rules, authenticated=False, counted=False),
)
