"""Makes a flow's next version and publishes it.

Publishing resolves every name again and copies the published version of each common module into the
consumer (facts §3.2): the consumer keeps that version until it is itself published again. A new
version is made even if its content equals the last one (facts §3.1).
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reconciler.archy.model import Reference
from reconciler.sandbox import audit_trail, flow_store, objects, supply
from reconciler.sandbox.flow_reading import FlowRefused, ReadFlow, read_flow
from reconciler.sandbox.flow_store import Content, Flow, Version
from reconciler.sandbox.flow_traits import traits_of
from reconciler.sandbox.objects import Edit
from reconciler.sandbox.resolving import Resolution, Resolver


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes on behalf of somebody, at one moment."""

    db: sqlite3.Connection
    edit: Edit
    client_id: str | None = None
    user_id: str | None = None
    visible_at: float | None = None
    """When others see it; None is at once."""
    create_missing: bool = False
    create_stubs: bool = False

    def deploy(self, text: str) -> Flow:
        """Creates or updates the flow that the YAML describes (by name and type) and publishes it.

        Raises ``FlowRefused`` when the flow is not sound, names what is not there, or is locked.
        """
        read = read_flow(text)
        flow = flow_store.kept_by_name(self.db, read.name, read.flow_type.api_type)
        if flow is not None and self.locked_by_another(flow):
            raise FlowRefused([locked_message(flow)])
        resolution = self._resolver().resolve(read)
        if flow is None:
            flow = flow_store.add(
                self.db,
                self.edit,
                name=read.name,
                flow_type=read.flow_type.api_type,
                description=read.description,
                division_id=self._division_id(read),
            )
            audit_trail.record_flow(self.db, self.edit, flow, "Create")
        flow = replace(flow, description=read.description)
        return self._publish_new_version(flow, read, resolution)

    def publish_text(self, flow: Flow, text: str, checked_in: Version | None = None) -> Flow:
        """Publishes content of a flow that exists: a checked-in version in place, or a new one.

        Raises ``FlowRefused`` as ``deploy`` does.
        """
        read = read_flow(text)
        resolution = self._resolver().resolve(read)
        if checked_in is None:
            return self._publish_new_version(flow, read, resolution)
        return self._publish(flow, checked_in, read, resolution)

    def put_back(self, flow: Flow, version: Version) -> Flow:
        """Makes an earlier published version the published one again, with the modules that it was built with."""
        last = flow_store.version_of(self.db, flow.id, flow.published_version or 0)
        if last is not None:
            flow_store.keep_version(self.db, replace(last, published_end=self.edit.now))
        flow_store.keep_version(self.db, replace(version, published=self.edit.now, published_end=None))
        after = replace(
            flow,
            active=True,
            published_version=version.number,
            locked_client=None,
            locked_user=None,
            operation=self._operation("PUBLISH"),
        )
        audit_trail.record_flow(self.db, self.edit, after, "Publish", version.number)
        return flow_store.keep(self.db, self.edit, flow, after, visible_at=self.visible_at)

    def locked_by_another(self, flow: Flow) -> bool:
        """Checked out by somebody else than the one who publishes."""
        return flow.locked and (flow.locked_client, flow.locked_user) != (self.client_id, self.user_id)

    def _publish_new_version(self, flow: Flow, read: ReadFlow, resolution: Resolution) -> Flow:
        version = Version(
            flow_id=flow.id,
            number=flow_store.next_number(self.db, flow.id),
            type="CHECKIN",
            name=flow.name,
            traits=traits_of(read.flow_type, read.body),
            created=self.edit.now,
            client_id=self.client_id,
            user_id=self.user_id,
            checked_in=self.edit.now,
        )
        flow_store.add_version(self.db, version, Content(read.text, resolution.flows))
        return self._publish(flow, version, read, resolution)

    def _publish(self, flow: Flow, version: Version, read: ReadFlow, resolution: Resolution) -> Flow:
        before = flow_store.kept(self.db, flow.id) or flow
        if before.published_version is not None:
            last = flow_store.version_of(self.db, flow.id, before.published_version)
            if last is not None and last.published_end is None and last.number != version.number:
                flow_store.keep_version(self.db, replace(last, published_end=self.edit.now))
        flow_store.keep_version(self.db, replace(version, type="PUBLISH", published=self.edit.now, published_end=None))
        flow_store.set_dependencies(
            self.db, flow.id, version.number, read.flow_type.tracking_type, resolution.dependencies
        )
        after = replace(
            flow,
            active=True,
            published_version=version.number,
            saved_version=version.number,
            checked_in_version=version.number,
            locked_client=None,
            locked_user=None,
            operation=self._operation("PUBLISH"),
        )
        audit_trail.record_flow(self.db, self.edit, after, "Publish", version.number)
        return flow_store.keep(self.db, self.edit, before, after, visible_at=self.visible_at)

    def _operation(self, action: str) -> dict[str, Any]:
        return operation(action, done=self.visible_at or self.edit.now, client_id=self.client_id, user_id=self.user_id)

    def _division_id(self, read: ReadFlow) -> str:
        """The division that the YAML names (resolved before), else home."""
        if read.division is not None:
            named = objects.find_by_name(self.db, "division", read.division)
            if named:
                return named[0].id
        return objects.home_division(self.db).id

    def _resolver(self) -> Resolver:
        return Resolver(self.db, self.edit.now, self._supplier(), check_calls=not self.create_missing)

    def _supplier(self) -> Callable[[Reference], bool]:
        if self.create_missing:
            return supply.anything(self.db, self.edit, self._make_stub)
        if self.create_stubs:
            return supply.stubs(self._make_stub)
        return supply.nothing

    def _make_stub(self, name: str, api_type: str) -> None:
        """A published flow that only ends, for a target that does not exist yet."""
        if flow_store.kept_by_name(self.db, name, api_type) is not None:
            return
        maker = replace(self, visible_at=None, create_stubs=False)
        maker.deploy(supply.stub_text(name, api_type))


def operation(
    action: str,
    *,
    done: float,
    client_id: str | None,
    user_id: str | None,
    error_code: str | None = None,
    error_message: str | None = None,
) -> dict[str, Any]:
    """A flow's operation as it is kept."""
    return {
        "id": str(uuid.uuid4()),
        "action": action,
        "done": done,
        "client_id": client_id,
        "user_id": user_id,
        "error_code": error_code,
        "error_message": error_message,
    }


def locked_message(flow: Flow) -> str:
    """What a job says about a flow that somebody else has checked out (facts §3.3)."""
    return (
        f"The flow '{flow.name}' (type: '{flow.type.lower()}') is locked by another entity. "
        "You can use the --forceUnlock option to unlock it."
    )
