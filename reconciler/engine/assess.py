"""Decides what happens to each resource that the specs want: the table of docs/how-it-decides.md.

The order of stages: what the ledger, the lists and, where needed, exports tell; where the object lives; and
last, along the references, which consumers must be published again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.engine.fields import FieldJudge
from reconciler.engine.history import History
from reconciler.engine.observe import Observation
from reconciler.engine.propagation import Propagation
from reconciler.engine.verdict import Verdict
from reconciler.engine.versions import VersionJudge
from reconciler.ledger import Row
from reconciler.problems import Finding, Severity
from reconciler.specs import Catalog


@dataclass(frozen=True)
class Assessor:
    """Runs the stages over all wanted addresses."""

    catalog: Catalog
    observation: Observation
    history: History
    versions: VersionJudge
    fields: FieldJudge
    propagation: Propagation

    async def assess(self, order: Iterable[str]) -> dict[str, Verdict]:
        """Verdicts on the wanted addresses, which come in the order of their dependencies."""
        verdicts = {address: self._first_look(address) for address in order}
        versioned = [verdict for verdict in verdicts.values() if verdict.kind.content_in_versions]
        self.history.recall(
            verdict.row for verdict in verdicts.values() if verdict.row and _needs_history(verdict, verdict.row)
        )
        await self.versions.prepare(versioned)
        for verdict in verdicts.values():
            if verdict.kind.content_in_versions:
                self.versions.judge(verdict)
                self.versions.judge_division(verdict)
            else:
                self.fields.judge(verdict)
        await self.propagation.judge(verdicts)
        await self.versions.explain(versioned)
        return verdicts

    def _first_look(self, address: str) -> Verdict:
        live = self.observation.org.by_address.get(address)
        return Verdict(address, self.catalog.resources[address], live, self.observation.row(address))


def edit_lock_findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    """Edit locks that would make a publish fail."""
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


def _needs_history(verdict: Verdict, row: Row) -> bool:
    """For the diff of a changed spec, and to know where secrets stood in an export."""
    return verdict.spec_changed or (bool(row.secrets) and not verdict.row_is_current)
