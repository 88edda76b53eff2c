"""Where an environment stands: what was applied last, and what a plan finds now."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict

from reconciler.engine.planner import Planning
from reconciler.ledger import RunRecord


class EnvironmentStatus(BaseModel):
    """One environment. Where it could not be looked at, ``problem`` says why and the rest is None."""

    model_config = ConfigDict(frozen=True)

    environment: str
    org: str | None = None
    """Name of the org."""
    release: str | None = None
    """The revision that the environment pins, as it is written there."""
    commit: str | None = None
    """The commit that was applied last."""
    dirty: bool = False
    """It was applied with changes that are in no commit."""
    behind: int | None = None
    """How many commits that touch specs the working tree has beyond that commit; None where Git cannot tell."""
    applied_at: AwareDatetime | None = None
    applied_by: str | None = None
    exit_code: int | None = None
    """How the last apply ended."""
    unproven: int | None = None
    """Smoke tests after the last apply that were not passed."""
    not_proven: int | None = None
    """Checks after the last apply that were not proven."""
    pending: int | None = None
    """Changes that a plan holds now."""
    drift: int | None = None
    """Objects that somebody changed in the org."""
    errors: int | None = None
    """Findings that keep the plan from being applied."""
    locked_by: str | None = None
    """Who is applying something now."""
    problem: str | None = None
    remedy: str | None = None


def status_of(planning: Planning, behind: int | None) -> EnvironmentStatus:
    """The status that a plan and the ledger behind it show."""
    plan, ledger = planning.plan, planning.observation.ledger
    last = last_run(planning)
    return EnvironmentStatus(
        environment=plan.environment,
        org=plan.org.name,
        release=plan.source.release,
        commit=last.commit if last else None,
        dirty=last.dirty if last else False,
        behind=behind,
        applied_at=last.at if last else None,
        applied_by=last.by if last else None,
        exit_code=last.exit_code if last else None,
        unproven=last.unproven if last else None,
        not_proven=last.not_proven if last else None,
        pending=len(plan.changes),
        drift=len(plan.drift),
        errors=len(plan.errors),
        locked_by=ledger.lock.holder if ledger.locked and ledger.lock else None,
    )


def last_run(planning: Planning) -> RunRecord | None:
    """The run that applied something last; None where the ledger remembers none."""
    runs = planning.observation.ledger.runs
    return runs[-1] if runs else None
