"""What can be set about how a sandbox org behaves.

Values given at the start are the defaults of that process; values put through ``/sandbox/settings``
are kept in the data file and win, so that all processes on one file agree.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

TrackingStatus = Literal[
    "BUILDINCOMPLETE",
    "BUILDINITIALIZING",
    "BUILDINPROGRESS",
    "BUILDQUEUED",
    "NOTBUILT",
    "OPERATIONAL",
    "OPERATIONALNEEDSREBUILD",
]
"""SDK ``DependencyStatus.status``."""
MissingReferences = Literal["reject", "create"]


class Settings(BaseModel):
    """How the org behaves; all times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strict: bool = True
    """Refuse query parameters that the SDK does not know for an endpoint (400)."""
    missing_references: MissingReferences = "reject"
    """``create`` makes whatever object a published flow names, and DID pools for an IVR's numbers."""
    job_seconds: float = Field(default=0.0, ge=0)
    """Time from upload until a deploy or validate job is seen as done."""
    export_seconds: float = Field(default=0.0, ge=0)
    """Time from registration until an export job is seen as done."""
    operation_seconds: float = Field(default=0.0, ge=0)
    """Time until a check-in or publish operation is seen as complete."""
    query_seconds: float = Field(default=0.0, ge=0)
    """Time until a flow history or an audit query is seen as done."""
    execution_seconds: float = Field(default=0.0, ge=0)
    """Time until an execution of a workflow is seen as done, besides what the flow itself waits."""
    list_lag_seconds: float = Field(default=0.0, ge=0)
    """How long lists still show the state before a change; reading by id is exact."""
    rate_limit: int | None = Field(default=None, ge=1)
    """Requests a minute and token; None is no limit."""
    address_seconds: float | None = Field(default=None, ge=0)
    """Lifetime of an address for an upload or a download; None is no end."""
    clock_speed: float = Field(default=1.0, gt=0)
    """How fast time passes in the org, counted from the start of the process; for long runs in short time."""
    token_seconds: int = Field(default=86400, ge=1)
    """Lifetime of an access token."""
    tracking_complete: bool = True
    """False answers dependency tracking with 206, as while the platform rebuilds its data."""
    tracking_status: TrackingStatus | None = None
    """What dependency tracking says of its build; None goes by ``tracking_complete``."""
    tracking_lag_seconds: float = Field(default=0.0, ge=0)
    """How long dependency tracking still shows of a newly published version what the one before it used."""
    deleted_objects: Literal["not_found", "state"] = "not_found"
    """How a deleted IVR, schedule or group answers by id: 404, or 200 with ``state: deleted``."""
    earlier_versions: Literal["copied", "in_place"] = "copied"
    """What publishing an earlier published version does: a new version with its content, or that version itself."""
    max_new_numbers: int = Field(default=50, ge=1)
    """Most numbers that one POST or PUT may add to an IVR."""


def effective(db: sqlite3.Connection, defaults: Settings) -> Settings:
    """The settings in force: the process's own, overlaid with those kept in the data file."""
    rows = db.execute("SELECT key, value FROM settings").fetchall()
    if not rows:
        return defaults
    kept = {row["key"]: json.loads(row["value"]) for row in rows}
    return Settings.model_validate({**defaults.model_dump(), **kept})


def keep(db: sqlite3.Connection, defaults: Settings, changes: dict[str, Any]) -> Settings:
    """Keeps changed settings in the data file; raises pydantic's ``ValidationError`` for bad ones."""
    changed = Settings.model_validate({**effective(db, defaults).model_dump(), **changes})
    for key in changes:
        db.execute(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, json.dumps(getattr(changed, key))),
        )
    return changed
