"""Carries out the changes of a rollback: publishes earlier versions again, and lets the ledger go back with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.engine.document import Action, Change
from reconciler.engine.fields import state_digest
from reconciler.engine.rollback.destination import Target
from reconciler.engine.rollback.former import NOT_KNOWN
from reconciler.engine.steps import Steps
from reconciler.kinds.base import Kind, Live, Operations
from reconciler.ledger import Earlier, Row, Was, mark_of
from reconciler.platform import NoSuchVersion
from reconciler.problems import ReconcilerError

UNKNOWN_STATE = ""
"""State digest that no object has: the next plan looks closely."""


@dataclass
class BackSteps(Steps):
    """See the module."""

    targets: Mapping[str, Target] = field(default_factory=dict)
    uploaded: set[str] = field(default_factory=set)
    """Targets whose version the org had lost."""

    async def _look(self, kind: Kind, live: Live) -> Live | None:
        """Many flows go back at a time: they share their requests."""
        return await kind.look(self.platform, live)

    def _commit(self, change: Change, row: Row) -> str | None:
        target = self.targets.get(change.address)
        return target.commit if target else row.commit

    async def _update(self, kind: Kind, change: Change, live: Live, operations: Operations) -> Live:
        desired = self.wanted[change.address]
        as_it_is = change.action is Action.REPUBLISH and desired.content.upload is None
        if change.address not in self.targets or (change.publish_version is None and as_it_is):
            return await kind.publish_again(live, live.version, operations)
        if change.publish_version is None:
            return await super()._update(kind, change, live, operations)
        try:
            return await kind.publish_earlier(desired, live, change.publish_version, operations)
        except NoSuchVersion as gone:
            if desired.content.upload is None:
                raise ReconcilerError(
                    f"{change.address} cannot go back to version {change.publish_version}: {gone}",
                    remedy="Its text is not in Git either; publish what it should be from the specs.",
                ) from gone
            self.uploaded.add(change.address)
            operations.progress(f"version {change.publish_version} is no longer in the org; uploading from Git")
            return await super()._update(kind, change, live, operations)

    async def _record(
        self,
        kind: Kind,
        change: Change,
        live: Live,
        modules: Mapping[str, str] | None,
        trail: tuple[Earlier, ...],
    ) -> None:
        target, before = self.targets.get(change.address), self.rows.get(change.address)
        if target is None:
            assert before is not None
            await self._write(self._republished(before, change, live, modules, trail))
            return
        if live.version == change.publish_version:
            # The org put the old version itself on the air, with the modules of its time.
            modules = None
        row = self._row(kind, change, live, modules, trail).model_copy(update={"commit": target.commit})
        if target.declared is not None:
            state = state_digest(live, target.declared)
            row = row.model_copy(update={"fields": target.declared, "state_digest": state})
        if change.publish_version is not None and change.address not in self.uploaded:
            row = row.model_copy(update={"secrets": _secrets_of(target, row, before)})
        was = target.step.was if target.step else Was.OURS
        if was is Was.FOREIGN:
            # Nobody's again, but the way forward is remembered.
            await self._write(row.model_copy(update={"gone": True}))
            return
        if was is Was.DRIFTED and target.step is not None and target.desired.digest != target.step.digest:
            # It is again what somebody had made of it by hand: drift, as it was then.
            row = row.model_copy(
                update={
                    "version": target.step.recorded,
                    "spec_digest": target.step.digest,
                    "state_digest": None if kind.content_in_versions else UNKNOWN_STATE,
                    "modules": None,
                }
            )
        await self._write(row)

    def _republished(
        self,
        before: Row,
        change: Change,
        live: Live,
        modules: Mapping[str, str] | None,
        trail: tuple[Earlier, ...],
    ) -> Row:
        """The row of a consumer that was published again as it was, drift and all."""
        current = before.version == change.precondition.version
        signed = {"applied_by": self.signature.holder, "run": self.signature.run, "trail": trail}
        if not current:
            return before.model_copy(update=signed)
        return before.model_copy(update=signed | {"version": live.version, "modules": modules})


def _secrets_of(target: Target, row: Row, before: Row | None) -> dict[str, str]:
    """Fingerprints of the secrets in an earlier version; unknown ones if they were others, so that it is noticed."""
    for known in (row.secrets, before.secrets if before else {}):
        if mark_of(known) == target.secrets:
            return dict(known)
    return dict.fromkeys(target.desired.secrets, NOT_KNOWN)
