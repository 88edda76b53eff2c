"""Tells a process's hooks what goes on: a witness of runs, and the same for plans and drift.

Whatever goes wrong in here is told at the end and changes nothing: neither what is done nor the exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from reconciler.engine.document import Plan
from reconciler.engine.outcome import Result, RunReport
from reconciler.engine.witness import Beginning
from reconciler.ledger import now_utc
from reconciler.notify.delivery import Delivery
from reconciler.notify.document import Notification
from reconciler.notify.making import about_break, about_end, about_plan, about_retreat, about_start, event_of, finished
from reconciler.notify.outbox import Outbox
from reconciler.notify.targets import Target, target_of
from reconciler.specs import Environment, EventName

FOLDER = "notify"


def outbox_of(state: Path, environment: str) -> Outbox:
    """Where an environment's undelivered notifications are kept; ``state`` is ``.reconciler/``."""
    return Outbox(state / FOLDER / environment)


def targets_of(environment: Environment, environ: Mapping[str, str]) -> dict[str, Target]:
    """All hooks of an environment, resolved on this machine."""
    return {name: target_of(name, hook, environ) for name, hook in environment.hooks.items()}


@dataclass
class Telling:
    """What one process tells."""

    environment: str
    delivery: Delivery
    who: str
    mask: Callable[[str], str]
    """Takes secrets out of what an org or a person wrote."""
    link: str | None = None
    now: Callable[[], datetime] = now_utc
    drift_is_news: bool = False
    """Whether runs tell of drift: nobody has, where their plan was made by themselves."""
    plan: Plan | None = None
    """What is about to be applied, as far as it is known."""
    faults: list[str] = field(default_factory=list)
    """What went wrong in here."""
    _locked_run: str | None = None

    def planned(self, plan: Plan) -> None:
        """``plan`` made a plan; told where it changes something and can be applied, and its drift."""
        if plan.changes and not plan.errors:
            self._tell(lambda: self._about_plan("planned", plan))
        self.drift_found(plan)

    def drift_found(self, plan: Plan) -> None:
        """A plan was made that may hold drift; told where it does."""
        if plan.drift:
            self._tell(lambda: self._about_plan("drift", plan))

    def locked(self, run: str) -> None:
        """A run has the lock: from here on it is told how it ended, also where it ends before it begins."""
        self._locked_run = run

    def run_started(self, beginning: Beginning) -> None:
        """See ``Witness``."""
        self.plan = beginning.plan
        if self.drift_is_news:
            self.drift_found(beginning.plan)
        if beginning.plan.changes:
            self._tell(lambda: about_start(beginning, at=self.now(), link=self.link))

    def change_ended(self, result: Result) -> None:
        """See ``Witness``: single changes are told when the run is over."""

    def run_ended(self, beginning: Beginning, report: RunReport) -> None:
        """See ``Witness``."""
        self._locked_run = None
        event, retreat = event_of(report), report.retreat
        if event is not None:
            self._tell(lambda: about_end(event, beginning, report, at=self.now(), link=self.link))
        if retreat is not None:
            self._tell(lambda: about_retreat(beginning, report.run, retreat, at=self.now(), link=self.link))

    def broke_off(self, why: str) -> None:
        """An error, or an impatient person, ended the command; told where a run had the lock."""
        run, plan = self._locked_run, self.plan
        if run is not None:
            self._locked_run = None
            self._tell(
                lambda: about_break(plan, self.environment, why, run=run, at=self.now(), who=self.who, link=self.link)
            )

    def _about_plan(self, event: EventName, plan: Plan) -> Notification:
        return about_plan(event, plan, at=self.now(), who=self.who, link=self.link)

    def _tell(self, make: Callable[[], Notification]) -> None:
        try:
            self.delivery.put(finished(make(), self.mask))
        except Exception as error:  # noqa: BLE001 - no fault of a message may reach the run
            self.faults.append(type(error).__name__)
