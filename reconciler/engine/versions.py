"""Judges kinds whose content lies in published versions: what changed, what is adopted, what has drifted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.archy.declared import declared_only
from reconciler.engine.differences import flow_differences, turned
from reconciler.engine.document import NOT_THERE, Action, Difference, Drift
from reconciler.engine.drift import DriftPolicy, by_whom, drift_of, moved_by_hand
from reconciler.engine.exports import Exports, Hide, Wanted
from reconciler.engine.history import History
from reconciler.engine.masking import first_placeholder, hide_all, hide_like
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Live
from reconciler.ledger import Interrupted, Row


@dataclass
class VersionJudge:
    """Compares specs with the ledger, and exports with exports; a spec with an export only for adoption."""

    exports: Exports
    history: History
    policy: DriftPolicy
    interrupted: tuple[Interrupted, ...]
    secret_fingerprints: Mapping[str, str]
    """Of the secrets that are set on this machine, by name."""

    async def prepare(self, verdicts: Iterable[Verdict]) -> None:
        """Fetches the exports that ``judge`` needs: of what is new to the ledger, or under another version."""
        wanted = []
        for verdict in verdicts:
            live, row = verdict.live, verdict.row
            if live is None or live.version is None or verdict.row_is_current:
                continue
            hide = self._hider(verdict)
            wanted.append(Wanted(live, live.version, hide))
            if row is not None and row.object_id == live.id and row.version is not None:
                wanted.append(Wanted(live, row.version, hide, optional=True))
        await self.exports.fetch(wanted)

    def judge(self, verdict: Verdict) -> None:
        """Sets action, reasons and drift."""
        live, row = verdict.live, verdict.row
        if live is None:
            self._judge_absent(verdict)
        elif row is None:
            self._judge_adoption(verdict, live)
        elif row.object_id != live.id:
            self._judge_remade(verdict, live)
        elif row.version == live.version:
            self._judge_spec(verdict)
        elif live.version is None:
            difference = Difference(path="published version", op="remove", before=row.version)
            self.policy.apply(verdict, drift_of(verdict, [difference]), Action.UPDATE, "is no longer published")
        else:
            self._judge_version(verdict, live, row)

    def judge_division(self, verdict: Verdict) -> None:
        """Adds a move where the flow lives in another division than the specs want."""
        live, desired, row = verdict.live, verdict.desired, verdict.row
        assert desired is not None
        if live is None or not desired.division or not live.division:
            return
        if live.division == desired.division:
            ours = row is not None and row.object_id == live.id
            verdict.heal = verdict.heal or (ours and row is not None and row.division != live.division)
            return
        if moved_by_hand(verdict):
            self.policy.note_move(verdict)
        if verdict.held:
            return
        told_by_spec = verdict.spec_changed and any(r.kind == "division" for r in desired.references)
        if not told_by_spec:
            moved = Difference(path="division", op="change", before=live.division, after=desired.division)
            verdict.diff = (*verdict.diff, moved)
        if verdict.action in (None, Action.ADOPT):
            verdict.moves_only = True
            verdict.basis = "live fields"
            verdict.decide(Action.UPDATE, f"belongs to the division {desired.division}")

    async def explain(self, verdicts: Iterable[Verdict]) -> None:
        """Gives each update its diff: against the last applied spec, else against the live export."""
        unexplained = []
        for verdict in verdicts:
            if verdict.action is not Action.UPDATE or verdict.basis is not None:
                continue
            assert verdict.desired is not None
            previous = self.history.spec(verdict.row) if verdict.row else None
            if verdict.spec_changed and previous is not None:
                changed = flow_differences(previous, verdict.desired.content.canonical)
                verdict.diff = (*verdict.diff, *changed)
                verdict.basis = "last applied spec"
            elif verdict.drift is not None and not verdict.spec_changed:
                verdict.diff = (*verdict.diff, *self._putting_back(verdict, verdict.drift))
                verdict.basis = "live export"
            elif verdict.spec_changed and verdict.live is not None and verdict.live.version is not None:
                unexplained.append((verdict, verdict.live, verdict.live.version))
        await self.exports.fetch(Wanted(live, version, self._hider(v)) for v, live, version in unexplained)
        for verdict, live, _ in unexplained:
            verdict.diff = (*verdict.diff, *self._against_export(verdict, live))
            verdict.basis = "live export"

    def _judge_absent(self, verdict: Verdict) -> None:
        if verdict.row is None:
            verdict.decide(Action.CREATE, NOT_THERE)
            return
        difference = Difference(path="the whole flow", op="remove", before=verdict.row.version)
        reason = "was deleted in the org since it was applied"
        self.policy.apply(verdict, drift_of(verdict, [difference]), Action.CREATE, reason)

    def _judge_spec(self, verdict: Verdict) -> None:
        if verdict.spec_changed:
            verdict.decide(Action.UPDATE, "the spec changed")
        for name in self._rotated_secrets(verdict):
            verdict.decide(Action.UPDATE, f"the secret {name} changed")

    def _rotated_secrets(self, verdict: Verdict) -> list[str]:
        assert verdict.desired is not None
        known = verdict.row.secrets if verdict.row else {}
        now = self.secret_fingerprints
        return [name for name in verdict.desired.secrets if name in known and known[name] != now.get(name, known[name])]

    def _judge_adoption(self, verdict: Verdict, live: Live) -> None:
        if live.version is None:
            verdict.decide(Action.UPDATE, "is in the org but was never published")
            return
        verdict.diff = self._against_export(verdict, live)
        verdict.basis = "live export"
        if verdict.diff:
            verdict.decide(Action.UPDATE, "is in the org but not in the ledger, and differs from the spec")
        else:
            verdict.decide(Action.ADOPT, "is in the org and means what the spec says")

    def _judge_remade(self, verdict: Verdict, live: Live) -> None:
        """Somebody deleted the flow and made another one of its name."""
        gone = Difference(path="published version", op="remove", before=verdict.row.version if verdict.row else None)
        differences = self._away_from_spec(verdict, live) if live.version is not None else (gone,)
        if not differences:
            verdict.decide(Action.ADOPT, "was made again in the org and means what the spec says")
            return
        reason = f"was deleted and made again in the org{by_whom(live)} and is put back"
        self.policy.apply(verdict, drift_of(verdict, differences), Action.UPDATE, reason)

    def _judge_version(self, verdict: Verdict, live: Live, row: Row) -> None:
        """Another version is live than the ledger knows."""
        differences = self._since_applied(verdict, live, row)
        if not differences:
            verdict.heal = True
            self._judge_spec(verdict)
            return
        run = next((run for run in self.interrupted if run.run != row.run and run.covers(verdict.address)), None)
        if run is not None and not self._against_export(verdict, live):
            # What is live means the present spec, so the dead run published it, and nobody after it.
            verdict.decide(Action.UPDATE, f"the run {run.run} ended while it was publishing this flow")
            self._judge_spec(verdict)
            return
        taken_over = verdict.spec_changed and not self.policy.overwrites(verdict.address)
        if taken_over and not self._against_export(verdict, live):
            verdict.basis = "live export"
            verdict.decide(Action.ADOPT, "the spec took over what was changed in the org")
            return
        reason = f"was changed in the org{by_whom(live)} and is put back"
        self.policy.apply(verdict, drift_of(verdict, differences), Action.UPDATE, reason)

    def _since_applied(self, verdict: Verdict, live: Live, row: Row) -> tuple[Difference, ...]:
        """From the version that was applied to the one that is live."""
        recorded = self.exports.canonical(live, row.version or "")
        now = self.exports.canonical(live, live.version or "")
        if recorded is None:
            return self._away_from_spec(verdict, live)
        return flow_differences(recorded, now)

    def _against_export(self, verdict: Verdict, live: Live) -> tuple[Difference, ...]:
        """From the live export to the spec, as far as the spec says anything."""
        assert verdict.desired is not None
        spec = verdict.desired.content.canonical
        export = self.exports.canonical(live, live.version or "")
        return _tell_secrets(flow_differences(declared_only(spec, export), spec))

    def _away_from_spec(self, verdict: Verdict, live: Live) -> tuple[Difference, ...]:
        """From the spec to the live export, as far as the spec says anything."""
        assert verdict.desired is not None
        spec = verdict.desired.content.canonical
        export = self.exports.canonical(live, live.version or "")
        return _tell_secrets(flow_differences(spec, declared_only(spec, export)))

    def _putting_back(self, verdict: Verdict, drift: Drift) -> tuple[Difference, ...]:
        """The drift, seen from the other side: what an update undoes."""
        live, row = verdict.live, verdict.row
        fields = turned(difference for difference in drift.diff if difference.text is None)
        if live is None or live.version is None or len(fields) == len(drift.diff):
            return fields
        ours = row is not None and row.object_id == live.id
        recorded = self.exports.canonical(live, row.version or "") if ours and row is not None else None
        if recorded is None:
            return (*self._against_export(verdict, live), *fields)
        return (*flow_differences(self.exports.canonical(live, live.version), recorded), *fields)

    def _hider(self, verdict: Verdict) -> Hide | None:
        """How to hide what may be secret in this flow's exports; None for a flow without secrets."""
        assert verdict.desired is not None
        before = set(verdict.row.secrets) if verdict.row else set()
        if not before and not verdict.desired.secrets:
            return None
        previous = self.history.spec(verdict.row) if verdict.row else None
        if before - set(verdict.desired.secrets) and previous is None:
            return hide_all
        templates = [verdict.desired.content.canonical, previous]
        return lambda form: hide_like(templates, form)


def _tell_secrets(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """A hidden live value that meets a secret of the spec is told as that secret, changed."""
    return tuple(map(_tell_secret, differences))


def _tell_secret(difference: Difference) -> Difference:
    for hidden, spec in (("before", difference.after), ("after", difference.before)):
        value = getattr(difference, hidden)
        placeholder = first_placeholder(spec)
        if placeholder and isinstance(value, str):
            told = f"{placeholder[:-1]}, changed)"
            text = difference.text.replace(value, told) if difference.text and value else difference.text
            return difference.model_copy(update={hidden: told, "text": text, "detail": None})
    return difference
