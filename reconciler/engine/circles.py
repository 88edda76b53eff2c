"""References between managed resources, and whether they go round in a circle; light, because `validate` asks."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from reconciler.engine.observe import flow_addresses
from reconciler.specs import Catalog


def reference_edges(catalog: Catalog) -> dict[str, list[str]]:
    """Address → the managed resources that its document names."""
    return {
        address: [
            target for reference in desired.references for target in flow_addresses(reference, catalog.resources)[:1]
        ]
        for address, desired in catalog.resources.items()
    }


def is_circular(catalog: Catalog) -> bool:
    """Whether some resources need each other, so that none of them can be published first."""
    # A flow may name itself.
    needs = {
        address: [target for target in targets if target != address]
        for address, targets in reference_edges(catalog).items()
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        return True
    return False
