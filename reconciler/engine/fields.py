"""Judges kinds whose fields a list shows: declared fields only, and what the ledger knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.archy.canonical import digest
from reconciler.engine.differences import field_differences, turned
from reconciler.engine.document import NOT_THERE, Action, Difference
from reconciler.engine.drift import DriftPolicy, by_whom, drift_of, moved_by_hand
from reconciler.engine.history import History
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Live
from reconciler.kinds.registry import kind_of
from reconciler.ledger import Row


@dataclass
class FieldJudge:
    """Compares declared fields with live ones; the ledger tells a change of the spec from drift."""

    history: History
    policy: DriftPolicy

    def judge(self, verdict: Verdict) -> None:
        """Sets action, reasons, diff and drift."""
        live, row = verdict.live, verdict.row
        if live is None:
            self._judge_absent(verdict)
            return
        ours = row if row is not None and row.object_id == live.id else None
        verdict.diff = field_differences(_with_division(live), self._wanted(verdict, ours))
        verdict.basis = "live fields" if verdict.diff else None
        if moved_by_hand(verdict):
            self.policy.note_move(verdict)
        if verdict.held:
            return
        if row is not None and ours is None:
            self._judge_remade(verdict, live)
        elif ours is None:
            self._judge_adoption(verdict)
        elif not verdict.diff:
            changed = state_digest(live, ours.fields) != ours.state_digest or ours.division != live.division
            verdict.heal = verdict.spec_changed or changed
        elif all(difference.path == "division" for difference in verdict.diff):
            _judge_division(verdict)
        elif state_digest(live, ours.fields) != ours.state_digest:
            self._judge_drift(verdict, live, ours)
        elif verdict.spec_changed:
            verdict.decide(Action.UPDATE, "the spec changed")
        else:
            # The fields are as we left them: the org keeps one in other words than it was sent.
            _judge_division(verdict)

    def _judge_absent(self, verdict: Verdict) -> None:
        if verdict.row is None:
            verdict.decide(Action.CREATE, NOT_THERE)
            return
        difference = Difference(path="the whole object", op="remove", before=verdict.name)
        reason = "was deleted in the org since it was applied"
        self.policy.apply(verdict, drift_of(verdict, [difference]), Action.CREATE, reason)

    def _judge_adoption(self, verdict: Verdict) -> None:
        if verdict.diff:
            verdict.decide(Action.UPDATE, "is in the org but not in the ledger, and differs from the spec")
        else:
            verdict.decide(Action.ADOPT, "is in the org and means what the spec says")

    def _judge_remade(self, verdict: Verdict, live: Live) -> None:
        """Somebody deleted the object and made another one of its name."""
        if not verdict.diff:
            verdict.decide(Action.ADOPT, "was made again in the org and means what the spec says")
            return
        reason = f"was deleted and made again in the org{by_whom(live)} and is put back"
        self.policy.apply(verdict, drift_of(verdict, turned(verdict.diff)), Action.UPDATE, reason)

    def _judge_drift(self, verdict: Verdict, live: Live, row: Row) -> None:
        assert verdict.desired is not None
        applied = self.history.spec(row) if verdict.spec_changed else verdict.desired.content.canonical
        reason = f"was changed in the org{by_whom(live)} and is put back"
        self.policy.apply(verdict, drift_of(verdict, _since_applied(applied, live, row)), Action.UPDATE, reason)

    def _wanted(self, verdict: Verdict, row: Row | None) -> dict[str, Any]:
        """The declared fields; one that was declared when it was applied and is no longer is cleared."""
        assert verdict.desired is not None
        wanted: dict[str, Any] = dict(verdict.desired.content.canonical)
        for field in row.fields if row else ():
            wanted.setdefault(field, None)
        if verdict.desired.division and verdict.live and verdict.live.division:
            wanted["division"] = verdict.desired.division
        return wanted


def _judge_division(verdict: Verdict) -> None:
    """Of the differences only the division counts."""
    verdict.diff = tuple(difference for difference in verdict.diff if difference.path == "division")
    verdict.basis = "live fields" if verdict.diff else None
    if verdict.diff:
        verdict.decide(Action.UPDATE, f"belongs to the division {verdict.diff[0].after}")


def state_digest(live: Live, fields: Iterable[str]) -> str:
    """Digest of these fields as the org has them."""
    present = live.fields or {}
    return digest({field: present.get(field) for field in sorted(fields)})


def row_tells(live: Live, row: Row) -> bool:
    """Whether an object is as the row says: nobody else has changed it since."""
    if kind_of(live.kind).content_in_versions:
        return live.version == row.version
    return state_digest(live, row.fields) == row.state_digest


def _since_applied(applied: Any, live: Live, row: Row) -> tuple[Difference, ...]:
    """From the fields that were applied to the live ones; without the former there is only the fact."""
    now = {field: (live.fields or {}).get(field) for field in row.fields}
    if not isinstance(applied, Mapping):
        return tuple(Difference(path=field, op="add", after=value) for field, value in now.items())
    return field_differences({field: applied.get(field) for field in row.fields}, now)


def _with_division(live: Live) -> dict[str, Any]:
    return {"division": live.division} | dict(live.fields or {})
