"""Faults on demand: keeps the rules of an org, and finds the one that strikes.

The rules' language stands in ``fault_rules``, faults by name in ``fault_presets``.
"""

from __future__ import annotations

import fnmatch
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconciler.archy.yaml import YamlError, load, locate
from reconciler.problems import ReconcilerError
from reconciler.sandbox import flow_store, objects
from reconciler.sandbox.call import Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request
from reconciler.sandbox.fault_rules import Effect, ExecutionOutcome, JobOutcome, Lock, Rule

_RULES = TypeAdapter(list[Rule])


class FaultFileError(ReconcilerError):
    """A file of fault rules that cannot be used; the message names file, line and column of every reason."""


def read_rules(path: Path) -> list[Rule]:
    """The rules of a YAML file, a list; raises ``FaultFileError``."""
    try:
        text = path.read_text(encoding="utf-8")
        data = load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise FaultFileError(f"{path}: the file of fault rules cannot be read ({error}).") from error
    except YamlError as error:
        raise FaultFileError(f"{path}:{error.line}:{error.column}: {error}") from error
    try:
        return _RULES.validate_python(data or [])
    except ValidationError as error:
        problems = []
        for item in error.errors():
            place = tuple(item["loc"])
            line, column = locate(text, place)
            where = ".".join(str(step) for step in place) or "the file"
            problems.append(f"{path}:{line}:{column}: {where}: {item['msg']}.")
        raise FaultFileError("\n".join(problems)) from error


def replace_rules(db: sqlite3.Connection, rules: Iterable[Rule]) -> None:
    """Puts these rules in force instead of all others."""
    db.execute("DELETE FROM faults")
    for rule in rules:
        _add(db, rule)


def _add(db: sqlite3.Connection, rule: Rule) -> None:
    db.execute(
        "INSERT INTO faults (rule, seen, remaining) VALUES (?, 0, ?)",
        (rule.model_dump_json(exclude_unset=True), rule.times),
    )


def any_rule(db: sqlite3.Connection) -> bool:
    """Whether there is any rule at all."""
    return db.execute("SELECT 1 FROM faults LIMIT 1").fetchone() is not None


def take_fault(db: sqlite3.Connection, route: str, path: str, body: bytes) -> Rule | None:
    """The rule that strikes a request, used up by one; None when none does. Needs a write transaction."""
    for row, rule in _rules(db):
        if rule.match.fits(route, path, body) and _use(db, row, rule):
            return rule
    return None


def take_job_fault(db: sqlite3.Connection, text: str) -> JobOutcome | None:
    """The outcome that a rule wants for the deploy job of this YAML; None when no rule matches."""
    wanted = [(row, rule) for row, rule in _rules(db) if rule.match.job_flow is not None]
    name = _flow_name(text) if wanted else None
    for row, rule in wanted:
        if name is not None and fnmatch.fnmatchcase(name, rule.match.job_flow or "") and _use(db, row, rule):
            return rule.effect.job
    return None


def take_export_fault(db: sqlite3.Connection, flow_ids: Sequence[str]) -> JobOutcome | None:
    """The outcome that a rule wants for an export job of these flows; ``{flow}`` in a message is the first."""
    for row, rule in _rules(db):
        pattern = rule.match.export_flow
        if pattern is None or rule.effect.job is None:
            continue
        found = [flow for flow in (flow_store.kept(db, id) for id in flow_ids) if flow is not None]
        struck = [flow for flow in found if fnmatch.fnmatchcase(flow.name, pattern)]
        if struck and _use(db, row, rule):
            outcome = rule.effect.job
            texts = [text.replace("{flow}", struck[0].id) for text in outcome.messages or []]
            return outcome.model_copy(update={"messages": texts if outcome.messages is not None else None})
    return None


def take_execution_fault(db: sqlite3.Connection, flow_name: str) -> ExecutionOutcome | None:
    """The outcome that a rule wants for an execution of this workflow; None when no rule matches."""
    for row, rule in _rules(db):
        pattern = rule.match.execution_flow
        if pattern is not None and fnmatch.fnmatchcase(flow_name, pattern) and _use(db, row, rule):
            return rule.effect.execution
    return None


def _rules(db: sqlite3.Connection) -> list[tuple[sqlite3.Row, Rule]]:
    rows = db.execute("SELECT * FROM faults ORDER BY id").fetchall()
    return [(row, Rule.model_validate_json(row["rule"])) for row in rows]


def _use(db: sqlite3.Connection, row: sqlite3.Row, rule: Rule) -> bool:
    """Counts a match; True when the rule strikes."""
    db.execute("UPDATE faults SET seen = seen + 1 WHERE id = ?", (row["id"],))
    if not rule.strikes(row["seen"]):
        return False
    if row["remaining"] is not None:
        if row["remaining"] <= 1:
            db.execute("DELETE FROM faults WHERE id = ?", (row["id"],))
        else:
            db.execute("UPDATE faults SET remaining = remaining - 1 WHERE id = ?", (row["id"],))
    return True


def _flow_name(text: str) -> str | None:
    try:
        data = load(text)
    except YamlError:
        return None
    bodies = data.values() if isinstance(data, dict) else ()
    return next((str(body.get("name")) for body in bodies if isinstance(body, dict)), None)


def end_token(db: sqlite3.Connection, authorization: str, how: str, now: float) -> None:
    """Expires or revokes the token of an ``Authorization`` header."""
    token = authorization.partition(" ")[2].strip()
    if how == "expired":
        db.execute("UPDATE tokens SET expires = ? WHERE token = ?", (now, token))
    else:
        db.execute("DELETE FROM tokens WHERE token = ?", (token,))


def check_out(db: sqlite3.Connection, lock: Lock, now: float) -> None:
    """Lets a person check out all flows that fit, unless they are checked out already."""
    found = objects.find_by_name(db, "user", lock.user)
    user = found[0] if found else objects.insert(db, objects.Edit(now), "user", lock.user)
    for flow in flow_store.listed(db, now):
        if not flow.locked and not flow.deleted and fnmatch.fnmatchcase(flow.name, lock.flow):
            _check_out(db, flow, objects.Edit(now, user.id), draft=lock.draft)


def _check_out(db: sqlite3.Connection, flow: flow_store.Flow, edit: objects.Edit, *, draft: bool) -> None:
    locked = replace(flow, locked_user=edit.author, locked_client=None)
    latest = flow.saved_version or flow.published_version
    if draft and latest is not None:
        last = flow_store.version_of(db, flow.id, latest)
        assert last is not None
        saved = replace(
            last,
            number=flow_store.next_number(db, flow.id),
            type="SAVE",
            created=edit.now,
            client_id=None,
            user_id=edit.author,
            checked_in=None,
            published=None,
            published_end=None,
        )
        flow_store.add_version(db, saved, flow_store.content_of(db, flow.id, latest))
        locked = replace(locked, saved_version=saved.number)
    flow_store.keep(db, edit, flow, locked)


def list_rules(call: Call) -> list[dict[str, Any]]:
    """``GET /sandbox/faults``: the rules, how many requests each has seen, and how often it still strikes."""
    rows = call.db.execute("SELECT * FROM faults ORDER BY id").fetchall()
    return [
        {**json.loads(row["rule"]), "id": row["id"], "seen": row["seen"], "times": row["remaining"]} for row in rows
    ]


def add_rules(call: Call) -> Reply:
    """``POST /sandbox/faults``: one rule or a list of them, added to those in force."""
    body = call.json()
    try:
        rules = _RULES.validate_python(body if isinstance(body, list) else [body])
    except ValidationError as error:
        raise bad_request(f"This is not a fault rule: {error}") from error
    for rule in rules:
        _add(call.db, rule)
    return Reply(list_rules(call), status=201)


def clear_rules(call: Call) -> Reply:
    """``DELETE /sandbox/faults``."""
    call.db.execute("DELETE FROM faults")
    return Reply(status=204)


ENDPOINTS = (
    Endpoint("GET", "/sandbox/faults", list_rules, authenticated=False, counted=False),
    Endpoint("POST", "/sandbox/faults", add_rules, authenticated=False, counted=False),
    Endpoint("DELETE", "/sandbox/faults", clear_rules, authenticated=False, counted=False),
)

__all__ = ["Effect", "FaultFileError", "Rule", "any_rule", "read_rules", "replace_rules", "take_fault"]
