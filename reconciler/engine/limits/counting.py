"""How many objects count against a limit, now and after a plan: those of the whole org, managed or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.engine.document import Action
from reconciler.engine.observe import Observation
from reconciler.globs import matches
from reconciler.specs.limits import LEDGER_ROWS

_LEDGERS_OWN = 2
"""Rows of the ledger that belong to no address and no run: its head, and the lock while a run goes on."""


@dataclass(frozen=True)
class Count:
    """Objects that count against one limit."""

    now: int
    after: int
    most: int
    """At some moment of the run: what is deleted may go after what is created has come."""


@dataclass(frozen=True)
class Counting:
    """The objects of an org, and what a plan does to them."""

    now: frozenset[str]
    after: frozenset[str]
    ever: frozenset[str]
    """Now and after, together."""

    def of(self, globs: tuple[str, ...]) -> Count:
        """How many of them the globs match; rows of the ledger only where a glob names them."""
        return Count(_many(self.now, globs), _many(self.after, globs), _many(self.ever, globs))


def counting(
    observation: Observation, actions: Mapping[str, Action], *, in_org: bool, others: Iterable[str] = ()
) -> Counting:
    """Counts live objects, plus creates, minus deletes.

    Args:
        observation: What there is.
        actions: What a plan does, by address.
        in_org: Whether the ledger is kept in the org, so that its rows count.
        others: Further addresses that are there, of objects that no spec can hold.
    """
    now = {*observation.org.by_address, *others}
    made = {address for address, action in actions.items() if action is Action.CREATE}
    gone = {address for address, action in actions.items() if action is Action.DELETE}
    # The row of what a run deletes stays, for the way back.
    rows = {*observation.ledger.rows, *observation.ledger.gone} if in_org else set()
    recorded = {address for address, action in actions.items() if action is not Action.DELETE} if in_org else set()
    runs = {f"~run {run.run}" for run in observation.ledger.runs} if in_org else set()
    own = {f"~{number}" for number in range(_LEDGERS_OWN)} if in_org else set()
    before = frozenset(now | _as_rows(rows | runs | own))
    after = frozenset((now - gone) | made | _as_rows(rows | recorded | runs | own))
    return Counting(before, after, before | after)


def _as_rows(names: Iterable[str]) -> set[str]:
    return {f"{LEDGER_ROWS}/{name}" for name in names}


def _many(addresses: Iterable[str], globs: tuple[str, ...]) -> int:
    rows = any(glob.startswith(LEDGER_ROWS) for glob in globs)
    # Most globs are whole kinds, which need no pattern: estates have thousands of objects.
    kinds = {glob[:-2] for glob in globs if glob.endswith("/*") and not any(sign in glob[:-2] for sign in "*?[")}
    others = tuple(glob for glob in globs if glob[:-2] not in kinds)
    count = 0
    for address in addresses:
        kind = address.partition("/")[0]
        if kind != LEDGER_ROWS or rows:
            count += kind in kinds or bool(others and matches(address, others))
    return count
