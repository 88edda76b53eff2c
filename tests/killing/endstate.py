"""What an org and a ledger hold at the end, in a form that two runs can be compared by.

Ids are told as names and version numbers left out, as each org and each run gives its own.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORGOTTEN = {"applied_at", "run", "version", "object_id", "modules", "note", "trail"}
LEDGER_TABLE = "Reconciler ledger test"


@dataclass(frozen=True)
class EndState:
    """See the module."""

    told: dict[str, Any]
    """Everything that must be equal."""
    versions: dict[str, int]
    """How many versions each flow has, deleted flows included."""
    problems: tuple[str, ...]
    """What contradicts itself: a consumer with an old module, a row that names another version than the live one."""


def read(data: Path, ledger_file: Path | None) -> EndState:
    """Reads the org's data file and the ledger, which is in it unless a file is given."""
    with closing(sqlite3.connect(data)) as db:
        db.row_factory = sqlite3.Row
        flows = {row["id"]: dict(row) for row in db.execute("SELECT * FROM flows WHERE deleted = 0")}
        objects = {
            row["id"]: dict(row) | {"body": json.loads(row["body"])}
            for row in db.execute("SELECT * FROM objects WHERE state = 'active'")
        }
        versions = {
            f"{row['type']}/{row['name']}/{'deleted' if row['deleted'] else 'live'}": row["count"]
            for row in db.execute(
                "SELECT f.type, f.name, f.deleted, COUNT(v.number) AS count FROM flows f"
                " LEFT JOIN flow_versions v ON v.flow_id = f.id GROUP BY f.id"
            )
        }
        rows = _rows_of_file(ledger_file) if ledger_file else _rows_of_table(db, objects)
        names = {id: thing["name"] for id, thing in {**flows, **objects}.items()}
        problems = [*_stale_modules(db, flows), *_stale_rows(rows, flows, objects)]
        told = {
            "flows": sorted(_flow(db, flow, names) for flow in flows.values()),
            "objects": sorted(
                json.dumps([thing["kind"], thing["name"], _named(thing["body"], names), names[thing["division_id"]]])
                for thing in objects.values()
                if thing["kind"] in ("ivr", "schedule", "scheduleGroup")
            ),
            "rows": {
                row["address"]: {key: value for key, value in row.items() if key not in FORGOTTEN} for row in rows
            },
            "built in": {row["address"]: sorted(names.get(id, id) for id in row["modules"]) for row in rows},
        }
        left = [row["key"] for row in db.execute("SELECT key FROM table_rows") if row["key"].startswith("~")]
        remembered = ("~head", "~run.")
        problems += [f"the ledger table holds {key}" for key in left if not key.startswith(remembered)]
    if ledger_file:
        beside = sorted(path.name for path in ledger_file.parent.iterdir() if path != ledger_file)
        problems += [f"beside the ledger lies {name}" for name in beside if not name.endswith(".mutex")]
    return EndState(told, versions, tuple(problems))


def _flow(db: sqlite3.Connection, flow: dict[str, Any], names: dict[str, str]) -> str:
    published = db.execute(
        "SELECT content FROM flow_versions WHERE flow_id = ? AND number = ?", (flow["id"], flow["published_version"])
    ).fetchone()
    content = published["content"] if published else None
    return json.dumps([flow["type"], flow["name"], names[flow["division_id"]], content, flow["locked_client"]])


def _named(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _stale_modules(db: sqlite3.Connection, flows: dict[str, dict[str, Any]]) -> list[str]:
    found = []
    for flow in flows.values():
        held = db.execute(
            "SELECT target_id, target_version FROM dependencies WHERE consumer_id = ? AND consumer_version = ?"
            " AND target_type = 'COMMONMODULEFLOW'",
            (flow["id"], flow["published_version"]),
        )
        for target, version in held:
            if version != flows[target]["published_version"]:
                found.append(f"{flow['name']} holds version {version} of {flows[target]['name']}")
    return found


def _stale_rows(
    rows: list[dict[str, Any]], flows: dict[str, dict[str, Any]], objects: dict[str, dict[str, Any]]
) -> list[str]:
    found = []
    for row in rows:
        live = flows.get(row["object_id"]) or objects.get(row["object_id"])
        if live is None:
            found.append(f"the row of {row['address']} names an object that is gone")
            continue
        version = f"{live['published_version']}.0" if "published_version" in live else str(live["version"])
        if "published_version" in live and row["version"] != version:
            found.append(f"the row of {row['address']} says {row['version']}, live is {version}")
        for module, built in row["modules"].items():
            if built != f"{flows[module]['published_version']}.0":
                found.append(f"the row of {row['address']} says that it holds {built} of {flows[module]['name']}")
    return found


def _rows_of_table(db: sqlite3.Connection, objects: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    (table,) = [id for id, thing in objects.items() if thing["kind"] == "dataTable" and thing["name"] == LEDGER_TABLE]
    found = db.execute("SELECT key, body FROM table_rows WHERE table_id = ?", (table,)).fetchall()
    rows = [json.loads(row["body"]) for row in found if not row["key"].startswith("~")]
    for row in rows:
        del row["key"]
        row["modules"] = dict(pair.split("=") for pair in row["modules"].split())
    return [row for row in rows if '"gone":true' not in row["note"]]


def _rows_of_file(path: Path) -> list[dict[str, Any]]:
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"].values()
    return [{"modules": {}} | row for row in rows if not row["gone"]]
