"""Which flows are looked at, out of the ledger; a common module stands for the flows that hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reconciler.engine.adoption.document import Consumer, ModuleAdoption, Since
from reconciler.engine.adoption.moments import last_publish
from reconciler.globs import matches
from reconciler.kinds.registry import kind_of
from reconciler.ledger import Row, Snapshot
from reconciler.problems import ReconcilerError
from reconciler.suggest import near

MODULE = "commonModule/"
_SECOND = timedelta(seconds=1)
"""Ledgers keep moments to the second."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is looked at, and since when."""

    since: Since | None
    """None where no flow was ever applied."""
    flows: tuple[str, ...] = ()
    modules: tuple[ModuleAdoption, ...] = ()
    untouched: int = 0


def subjects_of(
    ledger: Snapshot, patterns: Sequence[str], read_since: Callable[[], Since] | None, environment: str
) -> Subjects:
    """The flows that were applied since, or those asked for.

    Args:
        ledger: What was applied.
        patterns: Addresses or globs; empty for all that was applied since.
        read_since: Since when; None for the last apply that published one of them.
        environment: Its name, for messages.

    Raises:
        ReconcilerError: a pattern matches no flow that was ever applied.
    """
    published = {address: row for address, row in sorted(ledger.rows.items()) if _is_flow(address) and row.version}
    named = _named(ledger, published, patterns, environment)
    holders = _Holders(published)
    looked_at = {address: None for name in named for address in (name, *holders.of(name))} if patterns else published
    since = read_since() if read_since else last_publish(ledger, list(looked_at))
    if since is None:
        return Subjects(None)
    applied = [address for address in looked_at if patterns or _applied_since(published[address], since)]
    flows = tuple(sorted(address for address in applied if not address.startswith(MODULE)))
    modules = [address for address in (named if patterns else applied) if address.startswith(MODULE)]
    known = [address for address in published if not address.startswith(MODULE)]
    return Subjects(
        since=since,
        flows=flows,
        modules=tuple(ModuleAdoption(**holders.told(address)) for address in sorted(modules)),
        untouched=0 if patterns else len(known) - len(flows),
    )


def _is_flow(address: str) -> bool:
    try:
        return kind_of(address.partition("/")[0]).content_in_versions
    except KeyError:
        # A row of a newer version of this tool.
        return False


def _named(ledger: Snapshot, published: Mapping[str, Row], patterns: Sequence[str], environment: str) -> list[str]:
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = [address for address in published if matches(address, [pattern])]
        if not hits and any(matches(address, [pattern]) for address in ledger.rows):
            raise ReconcilerError(
                f"{pattern} is no flow: only flows have conversations to count.",
                remedy="Name the flows behind it; `reconciler graph` shows them.",
            )
        if not hits:
            raise ReconcilerError(
                f"No flow {pattern} was ever applied to {environment}.",
                remedy=f"{near(pattern, published)}Name a flow by its address, like inboundCall/Sales, or by a glob.",
            )
        found.update(dict.fromkeys(hits))
    return list(found)


def _applied_since(row: Row, since: Since) -> bool:
    if since.run is not None and row.run == since.run:
        return True
    return row.applied_at is not None and row.applied_at >= since.start - _SECOND


class _Holders:
    """Who holds a copy of which module, as the ledger noted when they were published."""

    def __init__(self, published: Mapping[str, Row]) -> None:
        self._published = published

    def of(self, module: str) -> Iterator[str]:
        """Flows that hold a module, also through another module."""
        if module.startswith(MODULE):
            yield from (address for address, _ in self._reached(module))

    def told(self, module: str) -> dict[str, object]:
        """A module with its consumers, for the document."""
        id = self._published[module].object_id
        consumers = [
            Consumer(address=address, holds=(self._published[address].modules or {}).get(id), through=through)
            for address, through in self._reached(module)
        ]
        return {"address": module, "version": self._published[module].version, "consumers": tuple(consumers)}

    def _reached(self, module: str) -> list[tuple[str, str | None]]:
        """Flows, each with the module that it holds this one through, None for those that hold it themselves."""
        found: dict[str, str | None] = {}
        waiting, seen = [module], {module}
        while waiting:
            inner = waiting.pop(0)
            id = self._published[inner].object_id
            for address, row in self._published.items():
                if id not in (row.modules or {}):
                    continue
                if not address.startswith(MODULE):
                    found.setdefault(address, None if inner == module else inner)
                elif address not in seen:
                    seen.add(address)
                    waiting.append(address)
        return sorted(found.items())
