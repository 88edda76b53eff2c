"""The specs that the plan of a rollback is for: what goes back, and around it what was applied last."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping

from reconciler.archy.canonical import digest
from reconciler.engine.history import catalogs_at
from reconciler.engine.observe import Observation, embedded_modules
from reconciler.engine.rollback.desired import as_applied
from reconciler.engine.rollback.destination import Destination, Target
from reconciler.engine.workspace import Workspace
from reconciler.kinds.base import Desired
from reconciler.ledger import Row
from reconciler.specs import Catalog, Commit

COMMITS_READ = 5
"""Commits whose specs are read for what is not gone back to; each takes a moment."""


def catalog_of(workspace: Workspace, observation: Observation, destination: Destination) -> Catalog:
    """The targets, and everything else as it was applied last, so that the plan knows who uses what."""
    resources = _applied(workspace, observation, destination)
    resources |= {address: target.desired for address, target in destination.targets.items()}
    ordered = {address: resources[address] for address in sorted(resources)}
    return Catalog(ordered, _digest(destination), ())


def _applied(workspace: Workspace, observation: Observation, destination: Destination) -> dict[str, Desired]:
    rows = {
        address: row
        for address, row in observation.ledger.rows.items()
        if address not in destination.targets and address not in destination.made
    }
    known = _specs_behind(workspace, rows)
    found = {}
    for address, row in rows.items():
        live = observation.org.by_address.get(address)
        if live is not None and live.id == row.object_id:
            found[address] = as_applied(row, live, known.get(address), observation)
    return found


def _specs_behind(workspace: Workspace, rows: Mapping[str, Row]) -> dict[str, Desired]:
    """The specs that were applied, as far as few commits hold them; else what one of those says of the address."""
    commits = Counter(row.commit for row in rows.values() if row.commit).most_common(COMMITS_READ)
    known: dict[str, Desired] = {}
    for commit, _ in commits:
        if all(address in known and known[address].digest == row.spec_digest for address, row in rows.items()):
            break
        catalog = next(catalogs_at(workspace.root, workspace.environment.name, commit), None)
        for address, desired in catalog.resources.items() if catalog else ():
            row = rows.get(address)
            if address not in known or (row is not None and desired.digest == row.spec_digest):
                known[address] = desired
    return known


def _digest(destination: Destination) -> str:
    """Over all that is gone back to: a saved plan fits as long as that is the same."""
    rows = [
        [address, target.desired.digest, target.desired.division, target.version, _restored(target)]
        for address, target in sorted(destination.targets.items())
    ]
    told = [destination.reference.told, rows, sorted(destination.made)]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


def _restored(target: Target) -> str | None:
    """Digest of the fields that go back, where they are not those of the spec."""
    return digest(target.desired.content.canonical) if target.declared is not None else None


def commit_of(workspace: Workspace, destination: Destination) -> Commit:
    """The commit that most of the targets come from."""
    commits = Counter(target.commit for target in destination.targets.values() if target.commit).most_common(1)
    return Commit(commits[0][0] if commits else None, dirty=False, origin=workspace.commit.origin)


def consumers_of(catalog: Catalog, targets: Mapping[str, Target]) -> set[str]:
    """Managed objects that hold a copy of a common module among the targets, also by way of another module."""
    held = {address: embedded_modules(desired, catalog.resources) for address, desired in catalog.resources.items()}
    found: set[str] = set()
    reached = set(targets)
    while reached:
        reached = {address for address, modules in held.items() if not reached.isdisjoint(modules)} - found
        found |= reached
    return found
