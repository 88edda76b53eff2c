"""Writes the audit trail of a run as it goes by.

An audit trail that silently stops is worthless, and a disk that fills up must not leave half a deployment. So a run
whose first record cannot be written is refused before anything is changed. What cannot be written later is kept and
tried again with each further record; what is lost in the end is told, and the ledger's record of the run says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from reconciler.engine.audit.chain import Chain, Head, NotATrailError
from reconciler.engine.audit.record import CHANGED, ENDED, STARTED, canonical
from reconciler.engine.audit.surroundings import Surroundings
from reconciler.engine.document import Change, Plan
from reconciler.engine.outcome import Result, Retreat, RunReport
from reconciler.engine.witness import Beginning
from reconciler.files import parse_json
from reconciler.ledger import LOST_AUDIT
from reconciler.problems import ReconcilerError
from reconciler.specs import Environment
from reconciler.version import VERSION

SET_ASIDE = "policy-set-aside"
"""The finding by which a plan warns of it (``engine.policy``)."""


def trail_path(root: Path, environment: Environment, state: str) -> Path | None:
    """Where the environment's trail is kept; None where it keeps none."""
    settings = environment.audit
    if not settings.enabled:
        return None
    return root / (settings.path or f"{state}/audit/{environment.name}.jsonl")


class Trail:
    """A witness of one run (``engine.witness``)."""

    def __init__(
        self,
        path: Path,
        *,
        environment: str,
        client: str | None,
        surroundings: Surroundings,
        now: Callable[[], datetime],
        mask: Callable[[str], str],
        notice: Callable[[str], None],
    ) -> None:
        """Sees that the trail can be written; nothing is written yet.

        Raises:
            ReconcilerError: it cannot.
        """
        self._chain = Chain(path)
        self._environment = environment
        self._client = client
        self._surroundings = surroundings
        self._now = now
        self._mask = mask
        self._notice = notice
        self._run = ""
        self._lead = datetime.min.replace(tzinfo=UTC)
        self._head: Head | None = None
        self._pending: list[dict[str, Any]] = []
        self._changes: dict[str, Change] = {}
        self._counts: Counter[str] = Counter()
        try:
            self._chain.check()
        except OSError as error:
            raise _unwritable(path, error) from None
        except NotATrailError as error:
            raise _refused(error) from None

    @property
    def head(self) -> str:
        """The last record, as the ledger keeps it; or that records were lost."""
        if self._pending or self._head is None:
            return LOST_AUDIT
        return self._head.short

    def run_started(self, beginning: Beginning) -> None:
        """Writes who runs what, and where.

        Raises:
            ReconcilerError: it cannot be written; nothing was changed yet.
        """
        plan, commit, around = beginning.plan, beginning.commit, self._surroundings
        self._run = beginning.run
        self._changes = {change.address: change for change in plan.changes}
        self._counts = Counter()
        record = self._body(
            STARTED,
            org={"id": plan.org.id, "name": plan.org.name},
            holder=self._mask(beginning.holder),
            user=around.user,
            machine=around.machine,
            pipeline=around.pipeline.model_dump(exclude_none=True) if around.pipeline else None,
            client=self._client,
            tool=VERSION,
            commit=commit.commit,
            origin=commit.origin,
            release=commit.release,
            dirty=commit.dirty,
            plan=plan.id,
            plan_digest=plan.source.digest,
            planned={change.address: change.action.value for change in plan.changes},
            override=self._mask(beginning.override) if beginning.override else None,
            policies=_set_aside(plan),
            rollback=plan.rollback.told if plan.rollback else None,
            before=beginning.before.audit if beginning.before else None,
        )
        try:
            self._head = self._chain.append([record])
        except OSError as error:
            raise _unwritable(self._chain.path, error) from None
        except NotATrailError as error:
            raise _refused(error) from None

    def change_ended(self, result: Result) -> None:
        """Writes what became of one change."""
        # Of what a run takes back, no reason is known but that the run failed.
        planned = self._changes.pop(result.address, None)
        self._counts[result.outcome.value] += 1
        self._write(
            self._body(
                CHANGED,
                address=result.address,
                action=result.action.value,
                outcome=result.outcome.value,
                object_id=result.object_id,
                version_before=result.version_before,
                version_after=result.version_after,
                reasons=list(planned.reasons) if planned else [],
                refused=result.refused,
                message=self._mask(result.message) if result.message else None,
                ms=round(result.seconds * 1000),
            )
        )

    def run_ended(self, beginning: Beginning, report: RunReport) -> None:
        """Writes how the run ended, and tells what could not be written."""
        smoke = report.smoke.results if report.smoke else ()
        checks = Counter(check.outcome.value for check in report.verification.checks) if report.verification else {}
        self._write(
            self._body(
                ENDED,
                exit_code=report.exit_code,
                counts=dict(sorted(self._counts.items())),
                ms=round(report.seconds * 1000),
                publish_ms=round(report.publish_seconds * 1000),
                requests=report.requests,
                healed=list(report.healed),
                verification=dict(sorted(checks.items())),
                smoke={self._mask(test.name): test.outcome.value for test in smoke},
                retreat=self._retreat(report.retreat),
                lock_lost=self._mask(report.lock_lost) if report.lock_lost else None,
                stopped=report.stopped,
            )
        )
        if self._pending:
            lost = len(self._pending)
            records = "The last record" if lost == 1 else f"The last {lost} records"
            self._notice(
                f"{records} of the audit trail could not be written to {self._chain.path}; "
                "`reconciler audit verify` will tell that they are missing."
            )

    def _retreat(self, retreat: Retreat | None) -> dict[str, Any] | None:
        if retreat is None:
            return None
        left = [self._mask(sentence) for sentence in retreat.left]
        return {"why": self._mask(retreat.why), "plan": retreat.plan, "taken_back": retreat.taken_back, "left": left}

    def _body(self, event: str, **told: Any) -> dict[str, Any]:
        kept = {key: value for key, value in told.items() if value not in (None, False, [], {}, "")}
        at = self._moment().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {"at": at, "event": event, "environment": self._environment, "run": self._run, **kept}
        # As it will be read: a user name or a file name may hold bytes that are no text.
        return cast(dict[str, Any], parse_json(canonical(body)))

    def _moment(self) -> datetime:
        """The org's time. Answers tell it to the second and never ahead, so the furthest heard is the nearest."""
        passed = timedelta(seconds=time.monotonic())
        self._lead = max(self._lead, self._now().astimezone(UTC) - passed)
        return self._lead + passed

    def _write(self, record: dict[str, Any]) -> None:
        """Never fails, and waits for another process only while all is well."""
        first = not self._pending
        self._pending.append(record)
        try:
            self._head = self._chain.append(self._pending, **({} if first else {"wait": 0.0}))
        except (OSError, NotATrailError) as error:
            if first:
                why = error.strerror if isinstance(error, OSError) else error.message
                self._notice(f"{self._chain.path}: the audit trail cannot be written ({why}); tried again as it goes.")
        else:
            self._pending.clear()


def _set_aside(plan: Plan) -> list[str]:
    """What a plan warns of as set aside by hand."""
    return [found.message for found in plan.findings if found.id == SET_ASIDE]


def _unwritable(path: Path, error: OSError) -> ReconcilerError:
    return ReconcilerError(
        f"{path}: the audit trail cannot be written: {error.strerror}; nothing was applied.",
        remedy="Make room, or mend the permissions; `audit: {path: …}` in the environment names another file.",
    )


def _refused(error: NotATrailError) -> ReconcilerError:
    return NotATrailError(f"{error.message} Nothing was applied.", remedy=error.remedy)
