"""Generated traffic: conversations that went through a flow, for analytics to count.

No call ever runs through a sandbox. What analytics say about a flow is made up here on request, always the
same for the same seed, and honest about versions: a conversation is of the version that was published at
its time, and there is none for a time at which none was.
"""

from __future__ import annotations

import random
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reconciler.sandbox import admin, flow_store, objects
from reconciler.sandbox.call import Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request, first_problem, not_found
from reconciler.sandbox.flow_store import Flow, Version
from reconciler.sandbox.intervals import read_time

MAX_CONVERSATIONS = 200_000
"""Most that one request may make: each is a row in the data file."""
MEDIA = {
    "INBOUNDCALL": "voice",
    "OUTBOUNDCALL": "voice",
    "SECURECALL": "voice",
    "INQUEUECALL": "voice",
    "VOICE": "voice",
    "VOICEMAIL": "voice",
    "INBOUNDEMAIL": "email",
    "INQUEUEEMAIL": "email",
    "INBOUNDCHAT": "chat",
    "INBOUNDSHORTMESSAGE": "message",
    "INQUEUESHORTMESSAGE": "message",
}
"""Types of flow that conversations go through themselves, and their media type."""
DISCONNECT, ERROR, TRANSFER = "DISCONNECT", "FLOW_ERROR_DISCONNECT", "TRANSFER"
"""Exit reasons (SDK ``FlowEndDetailEventTopicFlowEndEvent.exitReason``): the caller hung up, the flow broke
down, the flow handed over."""


class Traffic(BaseModel):
    """What to make up; times as in queries, shares between 0 and 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    flow: str
    """Id or name."""
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    version: str | None = None
    """Of this version, whether it was published at the time or not."""
    per_hour: float = Field(default=10.0, gt=0)
    disconnect_share: float = Field(default=0.1, ge=0, le=1)
    """Conversations that end because the caller hangs up."""
    error_share: float = Field(default=0.0, ge=0, le=1)
    """Conversations that end because the flow breaks down; the others are handed over."""
    mean_seconds: float = Field(default=60.0, gt=0, le=86_400)
    outcome: str | None = None
    """Name of a flow outcome that each conversation works towards."""
    success_share: float = Field(default=0.8, ge=0, le=1)
    seed: int = 1

    @model_validator(mode="after")
    def _shares_fit(self) -> Traffic:
        if self.disconnect_share + self.error_share > 1:
            raise ValueError("disconnect_share and error_share are more than 1 together")
        return self


@dataclass(frozen=True, slots=True)
class _Times:
    """When which version was published."""

    versions: list[Version]

    def at(self, moment: float) -> Version | None:
        for version in self.versions:
            published, end = version.published, version.published_end
            if published is not None and published <= moment and (end is None or moment < end):
                return version
        return None


def make(call: Call) -> Reply:
    """``POST /sandbox/traffic``: writes conversations and says how many of which version."""
    try:
        wanted = Traffic.model_validate(call.object())
    except ValidationError as error:
        raise bad_request(f"This traffic is not possible: {first_problem(error)}") from error
    flow = admin.flow_named(call.db, wanted.flow)
    if flow.type not in MEDIA:
        raise bad_request(f"No conversation goes through a flow of type {flow.type} by itself.")
    start, end = read_time(wanted.start), read_time(wanted.end)
    if not 0 < (end - start) / 3600 * wanted.per_hour <= MAX_CONVERSATIONS:
        raise bad_request(f"Traffic must be between 1 and {MAX_CONVERSATIONS} conversations in a positive time.")
    rows = list(_conversations(call.db, flow, wanted, start, end))
    call.db.executemany(f"INSERT OR REPLACE INTO conversations VALUES ({','.join('?' * 12)})", rows)  # noqa: S608
    versions = [row[4] for row in rows]
    return Reply(
        {"conversations": len(rows), "versions": {name: versions.count(name) for name in sorted(set(versions))}},
        status=201,
    )


def clear(call: Call) -> Reply:
    """``DELETE /sandbox/traffic``: as if nobody had ever called."""
    call.db.execute("DELETE FROM conversations")
    return Reply(status=204)


def _conversations(
    db: sqlite3.Connection, flow: Flow, wanted: Traffic, start: float, end: float
) -> Iterator[tuple[Any, ...]]:
    times = _times(db, flow, wanted.version)
    outcome = _outcome(db, wanted.outcome)
    # Not for secrets: the same request must make the same conversations.
    dice = random.Random(f"{flow.type} {flow.name} {wanted.model_dump_json(exclude={'flow'})}")  # noqa: S311
    moment = start
    while (moment := moment + dice.expovariate(wanted.per_hour / 3600)) < end:
        milliseconds = max(1, round(dice.expovariate(1 / wanted.mean_seconds) * 1000))
        exit_reason = _exit_reason(dice.random(), wanted)
        succeeded = dice.random() < wanted.success_share
        conversation_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        version = times.at(moment) if wanted.version is None else times.versions[0]
        if version is None:
            continue
        yield (
            conversation_id,
            flow.id,
            version.name,
            flow.type,
            version.id,
            flow.division_id,
            MEDIA[flow.type],
            moment,
            milliseconds,
            exit_reason,
            outcome,
            ("SUCCESS" if succeeded else "FAILURE") if outcome else None,
        )


def _times(db: sqlite3.Connection, flow: Flow, asked: str | None) -> _Times:
    versions = flow_store.versions_of(db, flow.id)
    if asked is None:
        return _Times(versions)
    found = [version for version in versions if version.number == flow_store.version_number(asked)]
    if not found:
        raise not_found(f"The flow '{flow.name}' has no version '{asked}'.")
    return _Times(found)


def _outcome(db: sqlite3.Connection, name: str | None) -> str | None:
    if name is None:
        return None
    found = objects.find_by_name(db, "flowOutcome", name)
    if not found:
        raise not_found(f"There is no flow outcome named '{name}'.")
    return found[0].id


def _exit_reason(dice: float, wanted: Traffic) -> str:
    if dice < wanted.error_share:
        return ERROR
    return DISCONNECT if dice < wanted.error_share + wanted.disconnect_share else TRANSFER


ENDPOINTS = (
    Endpoint("POST", "/sandbox/traffic", make, authenticated=False, counted=False),
    Endpoint("DELETE", "/sandbox/traffic", clear, authenticated=False, counted=False),
)
