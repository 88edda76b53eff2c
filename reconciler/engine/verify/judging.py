"""What an answer of dependency tracking means for a flow: whether it holds the right copies, and nothing deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.engine.observe import candidate_addresses
from reconciler.engine.verify.fields import NOT_PUBLISHED, NOT_THERE, deleted_check
from reconciler.engine.verify.report import Check, Proof, What
from reconciler.engine.verify.view import View
from reconciler.kinds.base import Consumed, Desired, Live
from reconciler.kinds.registry import kind_of

LAG_SECONDS = 900.0
"""How long after a publish dependency tracking may still lag behind; what it says later is not waited for."""


@dataclass(frozen=True)
class CopyJudge:
    """Compares what dependency tracking says of a published version with what is published now."""

    view: View
    environment: str

    def copies(self, desired: Desired, live: Live, consumed: Iterable[Consumed]) -> list[tuple[Check, bool]]:
        """A check for each module of the flow, and whether tracking may only lag behind."""
        holds = {each.id: each.version for each in consumed}
        return [self._copy(live, module, holds) for module in modules_of(desired, self.view)]

    def _copy(self, live: Live, address: str, holds: Mapping[str, str | None]) -> tuple[Check, bool]:
        check, module = self._wanted(live.address, address), self.view.live(address)
        held = holds.get(module.id) if module else None
        if module is None or module.version is None:
            actual = f"of a module that is {NOT_THERE if module is None else NOT_PUBLISHED}"
            remedy = f"Publish the module: `reconciler apply --env {self.environment}`, if it is in the specs."
            failed = {"outcome": Proof.FAILED, "actual": actual, "remedy": remedy}
            return check.model_copy(update=failed), False
        if held == module.version:
            return check, False
        if held is None and module.id in holds:
            reason = "dependency tracking does not say which version it is"
            unknown = {"outcome": Proof.UNPROVEN, "reason": reason, "remedy": self.later}
            return check.model_copy(update=unknown), False
        remedy = (
            "Its callers get the old copy until it is published again: "
            f"`reconciler plan --env {self.environment}` shows it, apply does it."
        )
        actual = f"version {held}" if held else "missing"
        failed = {"outcome": Proof.FAILED, "actual": actual, "remedy": remedy}
        # A flow that was published before the module cannot hold it: there is nothing to wait for.
        before = _is_before(live.published_at, module.published_at)
        return check.model_copy(update=failed), not before and self.may_lag(live)

    def _wanted(self, address: str, module_address: str) -> Check:
        """The check of one copy, as if it was proven."""
        module = self.view.live(module_address)
        published = module is not None and module.version is not None
        return Check(
            address=address,
            what=What.COPY,
            about=f"its copy of {module_address}",
            expected=f"version {module.version}" if module and published else "the published version",
            expected_id=module.id if module else None,
            outcome=Proof.PROVEN,
        )

    def may_lag(self, live: Live) -> bool:
        """Whether it was published so lately that tracking may not show it yet."""
        since = (self.view.platform.now() - timedelta(seconds=LAG_SECONDS)).isoformat()
        return not _is_before(live.published_at, since)

    def remains(self, desired: Desired, consumed: Iterable[Consumed]) -> Check:
        """The check that nothing of what it uses was deleted."""
        consumed = tuple(consumed)
        gone = [f"the {each.noun} {each.name or each.id!r}" for each in consumed if each.deleted]
        remedy = "Make it again, or take it out of the spec and apply: a call that comes there fails."
        check = deleted_check(desired.address, gone, remedy)
        unknown = [each.name or each.id for each in consumed if each.state_unknown and not each.deleted]
        if gone or not unknown:
            return check
        reason = f"dependency tracking does not know whether {', '.join(unknown)} still exists"
        return check.model_copy(update={"outcome": Proof.UNPROVEN, "reason": reason, "remedy": self.later})

    @property
    def later(self) -> str:
        """What to do where time will tell."""
        return f"Run `reconciler verify --env {self.environment}` later."

    def unproven(self, desired: Desired, reason: str, remedy: str | None, *, modules: bool) -> list[Check]:
        """What is not known of a flow."""
        checks = [self._wanted(desired.address, module) for module in modules_of(desired, self.view) if modules]
        checks.append(deleted_check(desired.address, (), ""))
        told = {"outcome": Proof.UNPROVEN, "reason": reason.rstrip("."), "remedy": remedy}
        return [check.model_copy(update=told) for check in checks]


def modules_of(desired: Desired, view: View) -> list[str]:
    """Addresses of the common modules that are copied into a flow when it is published, whether there or not."""
    kind = kind_of(desired.kind)
    embedded = [reference for reference in desired.references if kind.embeds(reference)]
    found = (view.target(each) or next(iter(candidate_addresses(each)), None) for each in embedded)
    return list(dict.fromkeys(address for address in found if address is not None))


def _is_before(first: str | None, second: str | None) -> bool:
    """Whether one moment (ISO 8601) is surely before another."""
    try:
        return datetime.fromisoformat(first or "") < datetime.fromisoformat(second or "")
    except (ValueError, TypeError):
        return False
