"""One line of the audit trail, and the canonical form that its hash is taken over.

The form is documented in docs/audit.md so that anybody can recompute it without this tool; it must not change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from reconciler.engine.audit.surroundings import Pipeline
from reconciler.files import parse_json

STARTED, CHANGED, ENDED, TORN = "run-started", "change", "run-ended", "torn"
"""What a record may be about. ``torn``: the bytes before it are what a killed process left of a line."""
FIRST = "0" * 64
"""Stands for the hash before the first record."""
SHORT = 32
"""Hexadecimal digits of a hash that the ledger keeps: 128 bits, far more than anybody can search through."""


class Retreated(BaseModel):
    """A run's own changes, taken back."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    why: str
    plan: str | None = None
    taken_back: int = 0
    left: tuple[str, ...] = ()
    """What stays, a sentence each."""


class AuditRecord(BaseModel):
    """One record; which keys it has depends on ``event``. Numbers are whole, so that every language writes them alike.

    Keys that a later version adds are kept in what is hashed, and ignored here.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=False)

    seq: Annotated[int, Field(ge=1)]
    at: Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC))]
    """By the org's clock, which all machines share."""
    event: str
    environment: str
    run: str
    previous: str
    hash: str

    # run-started
    org: Mapping[str, str] | None = None
    """``id`` and ``name``."""
    holder: str | None = None
    """Who ran it, as the ledger has it."""
    user: str | None = None
    """Of the machine, or who set the pipeline off."""
    machine: str | None = None
    pipeline: Pipeline | None = None
    client: str | None = None
    """The OAuth client's id; None where an access token was given, which does not tell."""
    tool: str | None = None
    commit: str | None = None
    origin: str | None = None
    """The repository."""
    release: str | None = None
    dirty: bool = False
    plan: str | None = None
    plan_digest: str | None = None
    """Over the rendered specs that the plan was made from, secrets as placeholders."""
    planned: Mapping[str, str] = {}
    """Address → action of every change of the plan."""
    override: str | None = None
    """Why change windows were set aside."""
    policies: tuple[str, ...] = ()
    """Which policies somebody set aside by naming an object, as the plan words it."""
    rollback: str | None = None
    """What it goes back to, where it is a rollback: ``of run …`` or ``to commit …``."""
    before: str | None = None
    """The head of the run before, as the ledger remembered it: links the files of several machines."""

    # change
    address: str | None = None
    action: str | None = None
    outcome: str | None = None
    object_id: str | None = None
    version_before: str | None = None
    version_after: str | None = None
    reasons: tuple[str, ...] = ()
    refused: bool = False
    message: str | None = None
    ms: Annotated[int, Field(ge=0, lt=10**10)] = 0
    """How long the change, or the run, took."""

    # run-ended
    exit_code: int | None = None
    counts: Mapping[str, int] = {}
    """How many changes had which outcome."""
    publish_ms: int = 0
    """From the first change to the end of the last one that was applied."""
    requests: int = 0
    healed: tuple[str, ...] = ()
    smoke: Mapping[str, str] = {}
    """Smoke test → status."""
    verification: Mapping[str, int] = {}
    """How many checks of the verification after it ended how."""
    retreat: Retreated | None = None
    """How the run took its own changes back, where something failed."""
    lock_lost: str | None = None
    stopped: bool = False

    # torn
    fragment: str | None = None
    sha256: str | None = None
    """Of the fragment's bytes."""


def canonical(record: Mapping[str, Any]) -> str:
    """JSON with sorted keys, without blanks, everything but ASCII escaped."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def hash_of(record: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over the canonical form of the record without its own hash; the previous one is in it."""
    told = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(canonical(told).encode("ascii")).hexdigest()


def sealed(body: Mapping[str, Any], seq: int, previous: str) -> dict[str, Any]:
    """The body as a link of the chain."""
    record = {**body, "seq": seq, "previous": previous}
    return {**record, "hash": hash_of(record)}


def read_line(line: bytes) -> tuple[dict[str, Any], AuditRecord] | None:
    """A line as JSON and as a record; None where it is no record at all. Its hash is not looked at."""
    try:
        value = parse_json(line)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    try:
        return value, AuditRecord.model_validate(value)
    except ValidationError:
        return None
