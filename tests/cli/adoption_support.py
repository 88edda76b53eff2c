"""Traffic and times for tests of `adoption`: everything happens in March 2024, so that figures are exact."""

from __future__ import annotations

import json
from typing import Any

from support import Org, Repository, environment

APPLIED = "2024-03-05T09:00:00Z"
BEFORE = {"from": "2024-03-03T09:00:00Z", "to": APPLIED}
SINCE = {"from": APPLIED, "to": "2024-03-07T09:00:00Z"}


def file_ledger(repository: Repository) -> None:
    """Keeps the ledger in a file, so that its times can be set."""
    environment(repository, "ledger: {type: file, path: ledger.json}\n")


def applied_at(repository: Repository, moment: str, *, seconds: float = 0.0) -> str:
    """Sets the time of the last run; returns its id."""
    path = repository.root / "ledger.json"
    ledger = json.loads(path.read_text(encoding="utf-8"))
    run = ledger["runs"][-1]
    run |= {"at": moment, "seconds": seconds}
    rows = ledger["rows"]
    for row in rows.values() if isinstance(rows, dict) else rows:
        if row["run"] == run["run"]:
            row["applied_at"] = moment
    path.write_text(json.dumps(ledger), encoding="utf-8")
    return str(run["run"])


def traffic(org: Org, flow: str, version: str, times: dict[str, str], **wanted: Any) -> int:
    """Makes up conversations; returns how many."""
    body = {"flow": flow, "version": version, "seed": 1, "per_hour": 20, **times, **wanted}
    return int(org.http.post("/sandbox/traffic", json=body).raise_for_status().json()["conversations"])
