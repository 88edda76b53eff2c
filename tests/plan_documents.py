"""Plan documents that no org has to make: for tests of what shows them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from reconciler.engine.document import (
    Action,
    Change,
    Difference,
    OrgRef,
    Plan,
    Precondition,
    Reach,
    ReachedIvr,
    SourceRef,
    Summary,
)


def change(address: str, action: Action, *reasons: str, diff: Any = (), after: Any = (), basis: Any = None) -> Change:
    """One change; its kind and name are those of the address."""
    kind, _, name = address.partition("/")
    return Change(
        address=address,
        kind=kind,
        name=name,
        action=action,
        reasons=reasons,
        depends_on=after,
        precondition=Precondition(absent=True),
        diff=diff,
        diff_basis=basis,
    )


def plan(
    *changes: Change,
    environment: str = "prod",
    org: str = "Acme",
    dirty: bool = False,
    release: str | None = None,
    **more: Any,
) -> Plan:
    """A plan of these changes, with counts that fit them."""
    counts = Counter(one.action.value for one in changes)
    return Plan(
        id="9c41f0aa21b7",
        created_at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
        tool_version="0",
        environment=environment,
        org=OrgRef(id="o1", name=org),
        source=SourceRef(commit="a1b2c3d4e5f6a7b8", dirty=dirty, digest="d", release=release),
        summary=Summary(**counts, unchanged=3),
        changes=changes,
        **more,
    )


def reach(address: str, *ivrs: str, consumers: Any = (), unmanaged: Any = (), foreign: Any = ()) -> Reach:
    """The reach of a change; ``ivrs`` are ``ivr/NAME NUMBER NUMBER``, ``foreign`` the same in no spec."""
    found = [(text, True) for text in ivrs] + [(text, False) for text in foreign]
    return Reach(
        address=address,
        consumers=consumers,
        ivrs=tuple(_ivr(text, managed) for text, managed in found),
        unmanaged=unmanaged,
    )


def _ivr(text: str, managed: bool) -> ReachedIvr:
    name, *numbers = text.split(" +")
    return ReachedIvr(address=name, numbers=tuple(f"+{number}" for number in numbers), managed=managed)


def sentences(count: int, words: int = 20) -> tuple[Difference, ...]:
    """Differences of a flow, as long as wanted."""
    return tuple(
        Difference(
            path=f"/inboundCall/tasks/{number}",
            op="change",
            before="old",
            after="new",
            text=f'task Greet {number}: "Say hello" now says "{" ".join(["new"] * words)}" (was "old")',
        )
        for number in range(count)
    )
