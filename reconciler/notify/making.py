"""Makes the documents of events out of plans and runs: pure functions."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from reconciler.engine.document import Plan
from reconciler.engine.outcome import Outcome, Result, Retreat, RunReport
from reconciler.engine.witness import Beginning
from reconciler.notify.document import (
    Counts,
    LeftOut,
    Notification,
    ToldChange,
    ToldDrift,
    ToldFailure,
    ToldIvr,
    ToldRollback,
)
from reconciler.specs import EventName
from reconciler.version import VERSION

CHANGES_TOLD = 100
FAILURES_TOLD = 20
IVRS_TOLD = 50
NUMBERS_TOLD = 50
DRIFT_TOLD = 50
LEFT_TOLD = 20
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
) -> Notification:
    """A run is over: applied, failed or, where that was what it was for, rolled back."""
    made = _told(
        event,
        beginning.plan,
        _changes(report.results),
        _failures(report),
        at=at,
        who=beginning.holder,
        link=link,
    )
    return made.model_copy(
        update={
            "run": report.run,
            "outcome": _counts(report.results),
            "reason": _reason(report),
            "smoke_tests": len(report.smoke.results) if report.smoke else None,
            "override": report.override,
            "seconds": round(report.seconds, 1),
            "publish_seconds": round(report.publish_seconds, 1),
        }
    )


def about_retreat(beginning: Beginning, run: str, retreat: Retreat, *, at: datetime, link: str | None) -> Notification:
    """A run took back what it had applied itself, because something in it failed."""
    failed = _failed_of(retreat.results)
    made = _told(
        "rolled-back", beginning.plan, _changes(retreat.results), failed, at=at, who=beginning.holder, link=link
    )
    return made.model_copy(
        update={
            "run": run,
            "plan": retreat.plan,
            "planned": None,
            "outcome": _counts(retreat.results),
            "reason": f"The run took itself back, because {retreat.why}.",
            "rollback": ToldRollback(run=run, left=retreat.left[:LEFT_TOLD]),
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
    if not report.results:
        return None
    return "rolled-back" if report.rollback else "applied"


def finished(made: Notification, mask: Mask) -> Notification:
    """The same with what an org or a person wrote cut to a length, and secrets taken out of it before."""

    def clean(text: str | None) -> str | None:
        return text if text is None else _cut(mask(text))

    failures = [failure.model_copy(update={"message": clean(failure.message)}) for failure in made.failures]
    back = made.rollback and made.rollback.model_copy(
        update={"left": tuple(_cut(mask(text)) for text in made.rollback.left)}
    )
    return made.model_copy(
        update={
            "reason": clean(made.reason),
            "override": clean(made.override),
            "failures": tuple(failures),
            "rollback": back,
        }
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
            "rollback": ToldRollback(**plan.rollback.model_dump()) if plan.rollback else None,
            "planned": plan.summary,
            **{name: tuple(items[:most]) for name, (items, most) in lists.items()},
            "left_out": LeftOut(**{name: max(0, len(items) - most) for name, (items, most) in lists.items()}),
        }
    )


def _changes(results: Sequence[Result]) -> list[ToldChange]:
    return [
        ToldChange(
            address=result.address,
            action=result.action,
            outcome=result.outcome,
            version_before=result.version_before,
            version_after=result.version_after,
        )
        for result in results
    ]


def _failed_of(results: Sequence[Result]) -> list[ToldFailure]:
    return [
        ToldFailure(name=result.address, message=result.message)
        for result in results
        if result.outcome is Outcome.FAILED
    ]


def _failures(report: RunReport) -> list[ToldFailure]:
    tests = report.smoke.not_passed if report.smoke else ()
    untested = [ToldFailure(name=test.name, message=f"smoke test: {test.outcome.value}") for test in tests]
    checks = report.verification.not_proven if report.verification else ()
    unproven = [
        ToldFailure(name=check.address, message=f"verify: {check.about}: {check.outcome.value}") for check in checks
    ]
    return _failed_of(report.results) + unproven + untested


def _reason(report: RunReport) -> str | None:
    if report.lock_lost:
        return report.lock_lost
    if report.stopped:
        return "The run was stopped."
    return None


def _counts(results: Sequence[Result]) -> Counts:
    ended = [result.outcome.name.lower() for result in results]
    return Counts(**{name: ended.count(name) for name in Counts.model_fields})


def _cut(text: str) -> str:
    """Not longer than a receiver copes with, and without what has no encoding: arguments may hold anything."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
