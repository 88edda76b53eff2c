"""Makes the documents of events out of plans and runs: pure functions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from reconciler.engine.document import Plan
from reconciler.engine.outcome import Outcome, Result, RunReport
from reconciler.engine.witness import Beginning
from reconciler.notify.document import (
    Counts,
    LeftOut,
    Notification,
    ToldChange,
    ToldDrift,
    ToldFailure,
    ToldIvr,
)
from reconciler.specs import EventName
from reconciler.version import VERSION

CHANGES_TOLD = 100
FAILURES_TOLD = 20
IVRS_TOLD = 50
NUMBERS_TOLD = 50
DRIFT_TOLD = 50
LONGEST = 1000
"""Characters of a text."""
Mask = Callable[[str], str]
Item = TypeVar("Item")


def about_plan(event: EventName, plan: Plan, *, at: datetime, who: str, link: str | None) -> Notification:
    """A plan was made, or drift was found by one."""
    changes = [
        ToldChange(address=change.address, action=change.action, version_before=change.precondition.version)
        for change in plan.changes
    ]
    return _told(event, plan, changes, (), at=at, who=who, link=link)


def about_start(beginning: Beginning, *, at: datetime, link: str | None) -> Notification:
    """The changes of a run begin."""
    made = about_plan("started", beginning.plan, at=at, who=beginning.holder, link=link)
    return made.model_copy(update={"run": beginning.run, "override": beginning.override})


def about_end(
    event: EventName,
    beginning: Beginning,
    report: RunReport,
    *,
    at: datetime,
    link: str | None,
    undone_run: str | None = None,
) -> Notification:
    """A run is over: applied, failed or rolled back."""
    changes = [
        ToldChange(
            address=result.address,
            action=result.action,
            outcome=result.outcome,
            version_before=result.version_before,
            version_after=result.version_after,
        )
        for result in report.results
    ]
    made = _told(event, beginning.plan, changes, _failures(report), at=at, who=beginning.holder, link=link)
    return made.model_copy(
        update={
            "run": report.run,
            "outcome": _counts(report.results),
            "reason": _reason(report),
            "smoke_tests": len(report.smoke.results) if report.smoke else None,
            "override": report.override,
            "undone_run": undone_run,
            "seconds": round(report.seconds, 1),
            "publish_seconds": round(report.publish_seconds, 1),
        }
    )


def about_break(
    plan: Plan | None, environment: str, reason: str, *, run: str, at: datetime, who: str, link: str | None
) -> Notification:
    """A run that had the lock could not begin, or was broken off."""
    if plan is not None:
        made = about_plan("failed", plan, at=at, who=who, link=link)
        return made.model_copy(update={"run": run, "reason": reason})
    bare = _bare("failed", environment, at=at, who=who, link=link)
    return bare.model_copy(update={"run": run, "reason": reason})


def about_nothing(environment: str, *, at: datetime, who: str, link: str | None) -> Notification:
    """A test of a hook."""
    return _bare("test", environment, at=at, who=who, link=link)


def event_of(report: RunReport) -> EventName | None:
    """How a run ended; None for one that had nothing to do, and did that."""
    if report.exit_code:
        return "failed"
    return "applied" if report.results else None


def finished(made: Notification, mask: Mask) -> Notification:
    """The same with what an org or a person wrote cut to a length, and secrets taken out of it before."""

    def clean(text: str | None) -> str | None:
        return text if text is None else _cut(mask(text))

    failures = [failure.model_copy(update={"message": clean(failure.message)}) for failure in made.failures]
    return made.model_copy(
        update={"reason": clean(made.reason), "override": clean(made.override), "failures": tuple(failures)}
    )


def _bare(event: Any, environment: str, *, at: datetime, who: str, link: str | None) -> Notification:
    return Notification(
        event=event,
        id=f"msg_{secrets.token_hex(12)}",
        at=at,
        environment=environment,
        tool_version=VERSION,
        who=_cut(who),
        link=link,
    )


def _told(
    event: EventName,
    plan: Plan,
    changes: Sequence[ToldChange],
    failures: Sequence[ToldFailure],
    *,
    at: datetime,
    who: str,
    link: str | None,
) -> Notification:
    ivrs = [
        ToldIvr(address=ivr.address, numbers=ivr.numbers[:NUMBERS_TOLD]) for _, ivr in sorted(plan.reached_ivrs.items())
    ]
    drift = [ToldDrift(**each.model_dump(include=set(ToldDrift.model_fields))) for each in plan.drift]
    lists: Mapping[str, tuple[Sequence[Any], int]] = {
        "changes": (changes, CHANGES_TOLD),
        "failures": (failures, FAILURES_TOLD),
        "ivrs": (ivrs, IVRS_TOLD),
        "drift": (drift, DRIFT_TOLD),
    }
    return _bare(event, plan.environment, at=at, who=who, link=link).model_copy(
        update={
            "org": plan.org,
            "plan": plan.id,
            "source": plan.source,
            "planned": plan.summary,
            **{name: tuple(items[:most]) for name, (items, most) in lists.items()},
            "left_out": LeftOut(**{name: max(0, len(items) - most) for name, (items, most) in lists.items()}),
        }
    )


def _failures(report: RunReport) -> list[ToldFailure]:
    failed = [
        ToldFailure(name=result.address, message=result.message)
        for result in report.results
        if result.outcome is Outcome.FAILED
    ]
    tests = report.smoke.not_passed if report.smoke else ()
    return failed + [ToldFailure(name=test.name, message=f"smoke test: {test.outcome.value}") for test in tests]


def _reason(report: RunReport) -> str | None:
    if report.lock_lost:
        return report.lock_lost
    if report.stopped:
        return "The run was stopped."
    return report.reaction


def _counts(results: Sequence[Result]) -> Counts:
    ended = [result.outcome.name.lower() for result in results]
    return Counts(**{name: ended.count(name) for name in Counts.model_fields})


def _cut(text: str) -> str:
    """Not longer than a receiver copes with, and without what has no encoding: arguments may hold anything."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
