"""Which resources a verification looks at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import networkx as nx

from reconciler.engine.dependencies import catalog_graph
from reconciler.engine.document import Action, Plan
from reconciler.engine.observe import embedded_modules
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.planner import Planning
from reconciler.globs import matches
from reconciler.problems import ReconcilerError
from reconciler.specs import Catalog
from reconciler.suggest import near


class NothingToVerifyError(ReconcilerError):
    """Nothing is there to be verified, or nothing of that address."""


@dataclass(frozen=True)
class Subjects:
    """What is verified."""

    addresses: frozenset[str]
    asked: frozenset[str]
    """Those whose uses dependency tracking is asked for one by one, if they hold common modules."""
    after_deletes: frozenset[str] = field(default_factory=frozenset)
    """Those that may use something that was deleted; the org is asked for all of them at once."""


def chosen(catalog: Catalog, patterns: Sequence[str]) -> Subjects:
    """The resources that match a pattern, what they use, and who uses them; everything where there is no pattern.

    Raises:
        NothingToVerifyError: there are no specs, or a pattern matches none.
    """
    known = tuple(catalog.resources)
    if not known:
        raise NothingToVerifyError("There are no specs, so there is nothing to verify.")
    for pattern in patterns:
        if not any(matches(address, (pattern,)) for address in known):
            raise NothingToVerifyError(
                f"{pattern}: no resource of the specs matches.",
                remedy=f"{near(pattern, known)}Addresses look like 'ivr/Household Line'; globs are allowed.",
            )
    if not patterns:
        return Subjects(frozenset(known), frozenset(known), frozenset(known))
    graph = catalog_graph(catalog)
    named = {address for address in known if matches(address, patterns)}
    around = named.union(*(nx.descendants(graph, each) | nx.ancestors(graph, each) for each in named))
    return Subjects(frozenset(around), frozenset(around), frozenset(around))


def changed(
    catalog: Catalog, planning: Planning, plan: Plan, results: Iterable[Result], *, everything: bool
) -> Subjects:
    """What a run changed, and who uses it or leads to it; or everything that the run was to leave as the specs say.

    What the plan left alone on purpose, or could not be applied, has been told already and is not looked at.
    """
    results = tuple(results)
    applied = {result.address: result.action for result in results if result.outcome is Outcome.APPLIED}
    made = {address for address, action in applied.items() if action is not Action.DELETE}
    graph = catalog_graph(catalog)
    left = _left_alone(catalog, planning, plan) | {result.address for result in results} - applied.keys()
    looked_at = frozenset(catalog.resources) - left
    reached = (made & graph.nodes).union(*(nx.ancestors(graph, address) for address in made if address in graph))
    # Who was published, or holds a module that was.
    asked = {address for address in reached if address in made or _holds_one_of(made, catalog, address)}
    return Subjects(
        addresses=looked_at if everything else looked_at & reached,
        asked=looked_at if everything else looked_at & asked,
        after_deletes=looked_at if everything or len(made) < len(applied) else frozenset(),
    )


def _holds_one_of(made: Collection[str], catalog: Catalog, address: str) -> bool:
    return any(module in made for module in embedded_modules(catalog.resources[address], catalog.resources))


def _left_alone(catalog: Catalog, planning: Planning, plan: Plan) -> set[str]:
    changes: Collection[str] = {change.address for change in plan.changes}
    verdicts = planning.verdicts
    return {
        address
        for address in catalog.resources
        if address not in verdicts
        or verdicts[address].held
        or (verdicts[address].action is not None and address not in changes)
    }
