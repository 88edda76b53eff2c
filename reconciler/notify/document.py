"""What is told: one versioned document for every event, the same for every hook.

It holds no bodies and no secrets. Lists are cut to a length that every receiver copes with, and say what is missing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from reconciler.engine.document import Action, OrgRef, SourceRef, Summary
from reconciler.engine.outcome import Outcome
from reconciler.specs import EventName

FORMAT_VERSION: Literal["1"] = "1"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToldChange(_Frozen):
    """One change, as far as it is known when the event happens."""

    address: str
    action: Action
    outcome: Outcome | None = None
    """What became of it; None before the run."""
    version_before: str | None = None
    version_after: str | None = None


class ToldFailure(_Frozen):
    """A change that failed, a check that was not proven, or a smoke test that was not passed."""

    name: str
    """Address of the change or of the checked object, or name of the test."""
    message: str | None


class ToldIvr(_Frozen):
    """An IVR through which callers come to what is changed."""

    address: str
    numbers: tuple[str, ...]


class ToldDrift(_Frozen):
    """An object that somebody changed in the org."""

    address: str
    recorded_version: str | None
    live_version: str | None
    published_by: str | None
    published_at: str | None


class Counts(_Frozen):
    """How many changes ended how."""

    applied: int = 0
    failed: int = 0
    skipped: int = 0
    not_started: int = 0


class ToldRollback(_Frozen):
    """What is gone back to."""

    run: str | None = None
    """The run that is taken back."""
    commit: str | None = None
    """Or the commit that is gone back to."""
    addresses: tuple[str, ...] = ()
    """Only these (globs); all where there are none."""
    left: tuple[str, ...] = ()
    """What is not as it was, a sentence each."""


class LeftOut(_Frozen):
    """How many entries each list was cut by."""

    changes: int = 0
    failures: int = 0
    ivrs: int = 0
    drift: int = 0


class Notification(_Frozen):
    """One event, complete; see the module."""

    format_version: Literal["1"] = FORMAT_VERSION
    event: EventName | Literal["test"]
    id: str
    """Unique for each event; the same whenever and to whomever it is sent."""
    at: datetime
    environment: str
    tool_version: str
    org: OrgRef | None = None
    who: str
    run: str | None = None
    """Id of the run; None where nothing was run."""
    plan: str | None = None
    """Id of the plan."""
    source: SourceRef | None = None
    """Where the specs came from."""
    planned: Summary | None = None
    """Counts of the plan."""
    outcome: Counts | None = None
    """Counts of the run, when it is over."""
    changes: tuple[ToldChange, ...] = ()
    failures: tuple[ToldFailure, ...] = ()
    reason: str | None = None
    """Why the run as a whole did not do what it should, in a sentence."""
    ivrs: tuple[ToldIvr, ...] = ()
    """Reached by the changes, with their phone numbers."""
    drift: tuple[ToldDrift, ...] = ()
    left_out: LeftOut = LeftOut()
    smoke_tests: int | None = None
    """How many smoke tests ran."""
    override: str | None = None
    """Why the environment's windows were set aside."""
    rollback: ToldRollback | None = None
    """What is gone back to, where this is about a rollback."""
    seconds: float | None = None
    publish_seconds: float | None = None
    """From the first change to the last one that was applied."""
    link: str | None = None
    """Page of the pipeline job, where a pipeline runs this."""
