"""Puts verdicts together to a plan document."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from reconciler.engine.document import Action, Change, OrgRef, Plan, Reach, RollbackRef, SourceRef, Summary
from reconciler.engine.graph import Graph, execution_order, find_cycles
from reconciler.engine.observe import Observation
from reconciler.engine.unmanaged import unmanaged_addresses
from reconciler.engine.verdict import Verdict
from reconciler.engine.workspace import Workspace
from reconciler.problems import Finding
from reconciler.version import VERSION


def assemble(
    workspace: Workspace,
    observation: Observation,
    verdicts: Mapping[str, Verdict],
    changes: Mapping[str, Verdict],
    order: Graph,
    findings: Iterable[Finding],
    reach: Iterable[Reach],
    rollback: RollbackRef | None = None,
) -> Plan:
    """The plan document; changes in execution order, or as they came where they go round in a circle."""
    sequence = list(changes) if find_cycles(order) else execution_order(order)
    counts = dict.fromkeys((action.value for action in Action), 0)
    for verdict in changes.values():
        if verdict.action is not None:
            counts[verdict.action.value] += 1
    identity = observation.org.identity
    place = {address: number for number, address in enumerate(sequence)}
    return Plan(
        id=secrets.token_hex(6),
        created_at=datetime.now(UTC),
        tool_version=VERSION,
        environment=workspace.environment.name,
        org=OrgRef(id=identity.id, name=identity.name),
        source=SourceRef(
            commit=workspace.commit.commit,
            dirty=workspace.commit.dirty,
            digest=workspace.catalog.digest,
            release=workspace.commit.release,
        ),
        summary=Summary(**counts, unchanged=sum(1 for v in verdicts.values() if v.action is None and not v.held)),
        changes=tuple(_change(changes[address], order) for address in sequence),
        drift=tuple(verdict.drift for verdict in verdicts.values() if verdict.drift is not None),
        unmanaged=tuple(unmanaged_addresses(workspace.catalog, observation)),
        reach=tuple(sorted(reach, key=lambda one: place[one.address])),
        findings=tuple(findings),
        rollback=rollback,
    )


def _change(verdict: Verdict, order: Graph) -> Change:
    assert verdict.action is not None
    return Change(
        address=verdict.address,
        kind=verdict.address.partition("/")[0],
        name=verdict.name,
        action=verdict.action,
        reasons=tuple(dict.fromkeys(verdict.reasons)),
        depends_on=tuple(sorted(order.successors(verdict.address))),
        precondition=verdict.precondition,
        digest=verdict.desired.digest if verdict.desired else None,
        diff=verdict.diff,
        diff_basis=verdict.basis if verdict.diff else None,
        publish_version=verdict.publish_version,
    )
