"""What somebody changed in the org since it was applied, and what the environment's policy does about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.engine.document import Action, Difference, Drift
from reconciler.engine.policy import ON_DRIFT, named_reason
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Live
from reconciler.problems import Finding, Severity

OnDrift = Literal["overwrite", "report", "fail"]


@dataclass(frozen=True)
class DriftPolicy:
    """``policy.on_drift`` of the environment; an address that the command line names is always overwritten."""

    on_drift: OnDrift
    named: Collection[str] = ()
    """Addresses named in full on the command line."""

    def overwrites(self, address: str) -> bool:
        """Whether drift at this address is put back."""
        return self.on_drift == "overwrite" or address in self.named

    def apply(self, verdict: Verdict, drift: Drift, action: Action, reason: str) -> None:
        """Notes the drift; the action follows only if the policy puts it back."""
        verdict.drift = drift
        if self.overwrites(verdict.address):
            verdict.decide(action, reason)
            if verdict.spec_changed:
                verdict.reasons.append("the spec changed")
            self.say_if_named(verdict)
            return
        self._hold(verdict)

    def note_move(self, verdict: Verdict) -> None:
        """Notes that somebody moved the object to another division; held where the policy leaves drift alone."""
        assert verdict.live is not None
        assert verdict.row is not None
        difference = Difference(path="division", op="change", before=verdict.row.division, after=verdict.live.division)
        before = verdict.drift.diff if verdict.drift else ()
        verdict.drift = drift_of(verdict, (*before, difference))
        if self.overwrites(verdict.address):
            self.say_if_named(verdict)
        elif not verdict.held:
            self._hold(verdict)

    def _hold(self, verdict: Verdict) -> None:
        """Leaves the object as it is, whatever else was decided about it."""
        verdict.held = True
        verdict.action, verdict.reasons = None, []
        verdict.diff, verdict.basis = (), None
        verdict.moves_only = verdict.heal = False
        verdict.findings.append(self._finding(verdict))

    def say_if_named(self, verdict: Verdict) -> None:
        """Gives what the policy would have left as it is its reason: it was named."""
        if self.on_drift != "overwrite" and named_reason(ON_DRIFT) not in verdict.reasons:
            verdict.reasons.append(named_reason(ON_DRIFT))

    def _finding(self, verdict: Verdict) -> Finding:
        waiting = " The change of its spec waits." if verdict.spec_changed else ""
        return Finding(
            id="drift",
            severity=Severity.ERROR if self.on_drift == "fail" else Severity.WARNING,
            message=f"{verdict.address} was changed in the org{by_whom(verdict.live)} and is left as it is.{waiting}",
            address=verdict.address,
            remedy=f"Take the change over into the spec, or overwrite it with --target '{verdict.address}'.",
        )


def drift_of(verdict: Verdict, differences: Iterable[Difference]) -> Drift:
    """The drift of one address; ``differences`` go from what was applied to what is live."""
    live = verdict.live
    return Drift(
        address=verdict.address,
        recorded_version=verdict.row.version if verdict.row else None,
        live_version=live.version if live else None,
        published_by=live.published_by if live else None,
        published_at=live.published_at if live else None,
        diff=tuple(differences),
    )


def moved_by_hand(verdict: Verdict) -> bool:
    """Whether the object left the division that it was applied to, which is still the wanted one."""
    live, row, desired = verdict.live, verdict.row, verdict.desired
    if live is None or row is None or desired is None or row.object_id != live.id:
        return False
    return row.division is not None and row.division == desired.division != live.division


def by_whom(live: Live | None) -> str:
    """`` by NAME on DATE`` as far as it is known."""
    if live is None or not live.published_by:
        return ""
    return f" by {live.published_by}" + (f" on {live.published_at}" if live.published_at else "")
