"""Finds the objects that a flow names, as Architect does when it imports one.

Static names must exist (facts archy-yaml §4); names inside look-up expressions are resolved when a
call runs and are not checked here. A common module must be published to be consumed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reconciler.archy.flowtypes import by_api_type
from reconciler.archy.model import Certainty, Reference
from reconciler.archy.references import OBJECT_KINDS
from reconciler.sandbox import flow_store, objects
from reconciler.sandbox.flow_reading import FlowRefused, ReadFlow
from reconciler.sandbox.flow_store import Dependency
from reconciler.sandbox.module_calls import module_calls, unknown_bindings
from reconciler.sandbox.shapes import SHAPES

MODULE = "COMMONMODULE"


@dataclass(slots=True)
class Resolution:
    """What a flow uses."""

    dependencies: list[Dependency] = field(default_factory=list)
    flows: list[dict[str, str]] = field(default_factory=list)
    """``{name, id}`` of each flow reference, in document order."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves names against the org as it is seen at one moment."""

    db: sqlite3.Connection
    now: float
    supply: Callable[[Reference], bool]
    """Makes a missing object; False where it does not want to."""
    check_calls: bool = True
    """Whether module calls must fit the module; not where modules are made up."""

    def resolve(self, flow: ReadFlow) -> Resolution:
        """All objects behind the static references of a flow; raises ``FlowRefused`` naming every missing one."""
        resolution = Resolution()
        missing: list[str] = []
        for reference in flow.references:
            if reference.certainty is not Certainty.STATIC:
                continue
            if not self._add(reference, resolution) and not (
                self.supply(reference) and self._add(reference, resolution)
            ):
                missing.append(self._complaint(reference))
        problems = missing or (list(self._bad_calls(flow)) if self.check_calls else [])
        if problems:
            raise FlowRefused(list(dict.fromkeys(problems)))
        return resolution

    def _bad_calls(self, flow: ReadFlow) -> Iterator[str]:
        """Module calls that bind what the published module does not have."""
        for name, call in module_calls(flow.body):
            module = flow_store.find(self.db, name, (MODULE,), self.now)
            if module is None or module.published_version is None:
                continue
            version = flow_store.version_of(self.db, module.id, module.published_version)
            yield from unknown_bindings(name, call, version.traits if version else {})

    def _add(self, reference: Reference, resolution: Resolution) -> bool:
        if reference.kind == "flow":
            return self._add_flow(reference, resolution)
        found = self._object_id(reference)
        if found is None:
            return False
        tracking_type = SHAPES[reference.kind].tracking_type
        if tracking_type is not None:
            resolution.dependencies.append(Dependency(found, tracking_type))
        return True

    def _add_flow(self, reference: Reference, resolution: Resolution) -> bool:
        target = flow_store.find(self.db, reference.name, reference.flow_types, self.now)
        if target is None:
            return False
        is_module = target.type == MODULE
        if is_module and target.published_version is None:
            return False
        flow_type = by_api_type(target.type)
        if flow_type is not None:
            version = target.published_version if is_module else None
            resolution.dependencies.append(Dependency(target.id, flow_type.tracking_type, version))
        resolution.flows.append({"name": reference.name, "id": target.id})
        return True

    def _object_id(self, reference: Reference) -> str | None:
        """Exact name; users by e-mail, data actions by integration name (any case) and action name."""
        if reference.kind not in SHAPES:
            return None
        if reference.kind == "user":
            wanted = reference.name.casefold()
            for user in objects.all_active(self.db, "user"):
                if str(user.body.get("email", "")).casefold() == wanted:
                    return user.id
            return None
        named = objects.find_by_name(self.db, reference.kind, reference.name)
        if reference.kind == "dataAction":
            category = (reference.category or "").casefold()
            named = [item for item in named if str(item.body.get("category", "")).casefold() == category]
        return named[0].id if named else None

    def _complaint(self, reference: Reference) -> str:
        noun = OBJECT_KINDS.get(reference.kind, reference.kind)
        name = f"{reference.category}/{reference.name}" if reference.category else reference.name
        if reference.kind == "flow" and reference.flow_types:
            noun = f"{reference.flow_types[0].lower()} flow"
            target = flow_store.find(self.db, reference.name, reference.flow_types, self.now)
            if target is not None:
                return f"find '{noun}' by value of '{name}' - no published version"
        return f"find '{noun}' by value of '{name}' - no matches"
