"""Decides what happens to each resource that the specs want: the table of docs/how-it-decides.md.

The order of stages: what the ledger and the lists tell; what only an export tells (adoption and drift);
where the object lives (division); and last, along the references, which consumers must be published again
because a common module that they hold has moved on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.archy.declared import declared_only
from reconciler.engine.differences import field_differences, flow_differences
from reconciler.engine.document import NOT_THERE, Action, Difference, Drift
from reconciler.engine.exports import Exports, Hide, Wanted
from reconciler.engine.history import History
from reconciler.engine.masking import first_placeholder, hide_all, hide_like
from reconciler.engine.observe import Observation, flow_addresses
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Desired, Live
from reconciler.platform import Platform
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog

TRACKING_CONCURRENCY = 8


@dataclass
class Assessor:
    """Gathers what the stages need; ``assess`` runs them."""

    platform: Platform
    catalog: Catalog
    observation: Observation
    exports: Exports
    history: History
    on_drift: Literal["overwrite", "report", "fail"]
    secret_fingerprints: Mapping[str, str]
    """Of the secrets that are set on this machine, by name."""

    async def assess(self, order: Iterable[str]) -> dict[str, Verdict]:
        """Verdicts on the wanted addresses, which come in the order of their dependencies."""
        verdicts = {address: self._first_look(self.catalog.resources[address]) for address in order}
        self.history.recall(
            verdict.row for verdict in verdicts.values() if verdict.row and self._needs_history(verdict)
        )
        await self._fetch_exports(verdicts.values())
        for verdict in verdicts.values():
            if verdict.kind.content_in_versions:
                self._judge_versions(verdict)
                self._judge_division(verdict)
            else:
                self._judge_fields(verdict)
        await self._judge_modules(verdicts)
        await self._explain_updates(verdicts.values())
        return verdicts

    def _first_look(self, desired: Desired) -> Verdict:
        live = self.observation.org.by_address.get(desired.address)
        return Verdict(desired.address, desired, live, self.observation.row(desired.address))

    def _needs_history(self, verdict: Verdict) -> bool:
        return verdict.spec_changed or (
            verdict.row is not None and bool(verdict.row.secrets) and not verdict.row_is_current
        )

    # What only an export tells

    async def _fetch_exports(self, verdicts: Iterable[Verdict]) -> None:
        wanted = []
        for verdict in verdicts:
            live, row = verdict.live, verdict.row
            if not verdict.kind.content_in_versions or live is None or live.version is None:
                continue
            if verdict.row_is_current:
                continue
            hide = self._hider(verdict)
            wanted.append(Wanted(live, live.version, hide))
            if row is not None and row.object_id == live.id and row.version is not None:
                wanted.append(Wanted(live, row.version, hide))
        await self.exports.fetch(wanted)

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

    def _judge_versions(self, verdict: Verdict) -> None:
        live, row = verdict.live, verdict.row
        if live is None:
            gone = "was deleted in the org since it was applied" if row else NOT_THERE
            verdict.decide(Action.CREATE, gone)
        elif row is None or row.object_id != live.id:
            self._judge_adoption(verdict, live)
        elif live.version is None:
            verdict.decide(Action.UPDATE, "is no longer published")
        elif row.version == live.version:
            self._judge_spec(verdict)
        else:
            self._judge_drift(verdict, live)

    def _judge_spec(self, verdict: Verdict) -> None:
        if verdict.spec_changed:
            verdict.decide(Action.UPDATE, "the spec changed")
        for name in self._rotated_secrets(verdict):
            verdict.decide(Action.UPDATE, f"the secret {name} changed")

    def _rotated_secrets(self, verdict: Verdict) -> list[str]:
        assert verdict.desired is not None
        known = verdict.row.secrets if verdict.row else {}
        return [
            name
            for name in verdict.desired.secrets
            if name in known and name in self.secret_fingerprints and known[name] != self.secret_fingerprints[name]
        ]

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

    def _judge_drift(self, verdict: Verdict, live: Live) -> None:
        assert verdict.row is not None
        assert live.version is not None
        differences = self._drift_differences(verdict, live)
        if not differences:
            verdict.heal = True
            self._judge_spec(verdict)
            return
        interrupted = [run for run in self.observation.ledger.interrupted if run.covers(verdict.address)]
        if interrupted:
            verdict.decide(Action.UPDATE, f"the run {interrupted[0].run} ended while it was publishing this flow")
            self._judge_spec(verdict)
            return
        verdict.drift = _drift(verdict, live, differences)
        self._judge_spec(verdict)
        self._follow_policy(verdict, f"was changed in the org{_by_whom(live)} and is put back")

    def _drift_differences(self, verdict: Verdict, live: Live) -> tuple[Difference, ...]:
        assert verdict.row is not None
        assert live.version is not None
        recorded = self.exports.canonical(live, verdict.row.version or "")
        now = self.exports.canonical(live, live.version)
        if recorded is None:
            return tuple(_turned(difference) for difference in self._against_export(verdict, live))
        return flow_differences(recorded, now)

    def _against_export(self, verdict: Verdict, live: Live) -> tuple[Difference, ...]:
        """From the live export to the spec, as far as the spec says anything."""
        assert verdict.desired is not None
        assert live.version is not None
        spec = verdict.desired.content.canonical
        export = self.exports.canonical(live, live.version)
        return _tell_secrets(flow_differences(declared_only(spec, export), spec))

    def _follow_policy(self, verdict: Verdict, reason: str) -> None:
        if self.on_drift == "overwrite":
            verdict.decide(Action.UPDATE, reason)
        elif self.on_drift == "fail":
            verdict.findings.append(
                Finding(
                    id="drift",
                    message=f"{verdict.address} was changed in the org{_by_whom(verdict.live)}.",
                    address=verdict.address,
                    remedy="Take the change over into the specs, or set `policy.on_drift: overwrite`.",
                )
            )

    # Where it lives

    def _judge_division(self, verdict: Verdict) -> None:
        live, desired = verdict.live, verdict.desired
        assert desired is not None
        if live is None or not desired.division or not live.division or live.division == desired.division:
            return
        verdict.diff = (
            *verdict.diff,
            Difference(path="division", op="change", before=live.division, after=desired.division),
        )
        if verdict.action in (None, Action.ADOPT):
            verdict.moves_only = True
            verdict.basis = "live fields"
            verdict.decide(Action.UPDATE, f"belongs to the division {desired.division}")

    # Kinds whose fields a list shows

    def _judge_fields(self, verdict: Verdict) -> None:
        live, row, desired = verdict.live, verdict.row, verdict.desired
        assert desired is not None
        if live is None:
            verdict.decide(Action.CREATE, "was deleted in the org since it was applied" if row else NOT_THERE)
            return
        verdict.diff = field_differences(self._live_fields(live), self._wanted_fields(verdict))
        verdict.basis = "live fields" if verdict.diff else None
        ours = row is not None and row.object_id == live.id
        if not ours:
            if verdict.diff:
                verdict.decide(Action.UPDATE, "is in the org but not in the ledger, and differs from the spec")
            else:
                verdict.decide(Action.ADOPT, "is in the org and means what the spec says")
        elif verdict.diff and verdict.spec_changed:
            verdict.decide(Action.UPDATE, "the spec changed")
        elif verdict.diff:
            verdict.drift = _drift(verdict, live, tuple(_turned(difference) for difference in verdict.diff))
            self._follow_policy(verdict, f"was changed in the org{_by_whom(live)} and is put back")
        else:
            verdict.heal = verdict.spec_changed

    def _live_fields(self, live: Live) -> dict[str, Any]:
        return {"division": live.division} | dict(live.fields or {})

    def _wanted_fields(self, verdict: Verdict) -> dict[str, Any]:
        """The declared fields; one that was declared before and is no longer is cleared."""
        assert verdict.desired is not None
        wanted = dict(verdict.desired.content.canonical)
        previous = self.history.spec(verdict.row) if verdict.row and verdict.spec_changed else None
        if isinstance(previous, Mapping):
            wanted = {field: None for field in previous if field not in wanted} | wanted
        if verdict.desired.division and verdict.live and verdict.live.division:
            wanted["division"] = verdict.desired.division
        return wanted

    # Along the references

    async def _judge_modules(self, verdicts: Mapping[str, Verdict]) -> None:
        built = await self._modules_built_with(verdicts.values())
        for verdict in verdicts.values():
            if verdict.action not in (None, Action.ADOPT) or verdict.live is None:
                continue
            if verdict.drift is not None:
                continue
            reasons = [
                reason
                for module in self._modules(verdict)
                if (reason := self._module_reason(module, verdicts, built.get(verdict.address, {})))
            ]
            for reason in reasons:
                verdict.decide(Action.REPUBLISH, reason)

    def _modules(self, verdict: Verdict) -> list[str]:
        """Addresses of the modules that are copied into this object when it is published."""
        assert verdict.desired is not None
        known = {**self.observation.org.by_address, **self.catalog.resources}
        found = [
            flow_addresses(reference, known)
            for reference in verdict.desired.references
            if verdict.kind.embeds(reference)
        ]
        return list(dict.fromkeys(addresses[0] for addresses in found if addresses))

    def _module_reason(self, address: str, verdicts: Mapping[str, Verdict], built: Mapping[str, str]) -> str | None:
        verdict = verdicts.get(address)
        if verdict is not None and verdict.publishes:
            return f"holds {address}, which this plan publishes"
        live = self.observation.org.by_address.get(address)
        if live is None or live.version is None or built.get(live.id) == live.version:
            return None
        if live.id in built:
            return f"holds version {built[live.id]} of {address}; {live.version} has been published since"
        return f"was not built with the present {address}"

    async def _modules_built_with(self, verdicts: Iterable[Verdict]) -> dict[str, Mapping[str, str]]:
        """Module versions in each live consumer: from the ledger, else from dependency tracking."""
        built: dict[str, Mapping[str, str]] = {}
        unknown = []
        for verdict in verdicts:
            if verdict.live is None or verdict.action not in (None, Action.ADOPT):
                continue
            if verdict.row_is_current and verdict.row is not None and verdict.row.modules is not None:
                built[verdict.address] = verdict.row.modules
            elif self._modules(verdict):
                unknown.append(verdict)
        gate = asyncio.Semaphore(TRACKING_CONCURRENCY)

        async def ask(verdict: Verdict) -> None:
            assert verdict.live is not None
            async with gate:
                built[verdict.address] = await verdict.kind.modules_built_with(self.platform, verdict.live)

        await asyncio.gather(*(ask(verdict) for verdict in unknown))
        return built

    # What people read

    async def _explain_updates(self, verdicts: Iterable[Verdict]) -> None:
        """Gives each changed flow its diff: against the last applied spec, else against the live export."""
        unexplained = []
        for verdict in verdicts:
            if verdict.action is not Action.UPDATE or verdict.basis is not None:
                continue
            assert verdict.desired is not None
            previous = self.history.spec(verdict.row) if verdict.row else None
            if verdict.spec_changed and previous is not None:
                spec = verdict.desired.content.canonical
                verdict.diff = (*verdict.diff, *flow_differences(previous, spec))
                verdict.basis = "last applied spec"
            elif verdict.drift is not None and not verdict.spec_changed:
                verdict.diff = (*verdict.diff, *(_turned(difference) for difference in verdict.drift.diff))
                verdict.basis = "live export"
            elif verdict.spec_changed and verdict.live is not None and verdict.live.version is not None:
                unexplained.append(verdict)
        await self.exports.fetch(
            Wanted(verdict.live, verdict.live.version, self._hider(verdict))
            for verdict in unexplained
            if verdict.live is not None and verdict.live.version is not None
        )
        for verdict in unexplained:
            assert verdict.live is not None
            verdict.diff = (*verdict.diff, *self._against_export(verdict, verdict.live))
            verdict.basis = "live export"


def lock_findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    """Locks that would make a publish fail."""
    return [
        Finding(
            id="flow-locked",
            severity=Severity.WARNING,
            message=f"{verdict.address} is being edited by {verdict.live.locked_by}; publishing it will fail.",
            address=verdict.address,
            remedy="Ask them to check in or discard their draft before you apply.",
        )
        for verdict in verdicts
        if verdict.publishes and verdict.live is not None and verdict.live.locked_by
    ]


def _drift(verdict: Verdict, live: Live, differences: tuple[Difference, ...]) -> Drift:
    return Drift(
        address=verdict.address,
        recorded_version=verdict.row.version if verdict.row else None,
        live_version=live.version,
        published_by=live.published_by,
        published_at=live.published_at,
        diff=differences,
    )


def _turned(difference: Difference) -> Difference:
    """The same difference, seen from the other side."""
    op = {"add": "remove", "remove": "add"}.get(difference.op, difference.op)
    return Difference.model_validate(
        {"path": difference.path, "op": op, "before": difference.after, "after": difference.before}
    )


def _tell_secrets(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """A hidden live value that meets a secret of the spec is told as that secret, changed."""
    return tuple(
        difference.model_copy(update={"before": f"{placeholder[:-1]}, changed)"})
        if (placeholder := first_placeholder(difference.after)) and isinstance(difference.before, str)
        else difference
        for difference in differences
    )


def _by_whom(live: Live | None) -> str:
    if live is None or not live.published_by:
        return ""
    when = f" on {live.published_at}" if live.published_at else ""
    return f" by {live.published_by}{when}"
