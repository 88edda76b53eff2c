"""What dependency tracking knows: who uses what, in which version, and whether it changed since (facts §3.10)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from reconciler.archy.flowtypes import FLOW_TYPES, by_api_type, by_tracking_type
from reconciler.sandbox import flow_store, objects
from reconciler.sandbox.flow_store import Flow
from reconciler.sandbox.shapes import BY_TRACKING_TYPE
from reconciler.sandbox.wire import without_none

MODULE_TYPE = "COMMONMODULEFLOW"


@dataclass(frozen=True, slots=True)
class Use:
    """One version of a consumer uses one object."""

    consumer_id: str
    consumer_version: int
    consumer_type: str
    target_id: str
    target_type: str
    target_version: int | None


@dataclass(frozen=True, slots=True)
class Tracker:
    """Answers questions about uses, as seen at one moment."""

    db: sqlite3.Connection
    now: float

    def consumed(self, consumer_id: str, version: int | None) -> list[Use]:
        """What a version of a consumer uses; None stands for consumers that have one version."""
        condition = "" if version is None else " AND consumer_version = ?"
        arguments = (consumer_id,) if version is None else (consumer_id, version)
        rows = self.db.execute(f"SELECT * FROM dependencies WHERE consumer_id = ?{condition}", arguments)  # noqa: S608
        return [Use(**dict(row)) for row in rows.fetchall()]

    def caught_up(self, consumer_id: str, version: int, lag: float) -> int | None:
        """The version whose uses are shown for ``version``: the one before it as long as tracking lags, if any."""
        asked = flow_store.version_of(self.db, consumer_id, version)
        if not lag or asked is None or asked.published is None or asked.published <= self.now - lag:
            return version
        known = flow_store.versions_of(self.db, consumer_id)
        return max((each.number for each in known if each.number < version and each.published), default=None)

    def consuming(self, target_id: str, flow_filter: str | None) -> list[Use]:
        """Who uses an object: published versions of flows, checked-in ones, or (None) both."""
        rows = self.db.execute("SELECT * FROM dependencies WHERE target_id = ?", (target_id,)).fetchall()
        return [use for use in (Use(**dict(row)) for row in rows) if self._counts(use, flow_filter)]

    def all_consuming(self, flow_filter: str = "published") -> list[Use]:
        """Every use by a published (or else checked-in) version of a flow."""
        rows = self.db.execute("SELECT * FROM dependencies").fetchall()
        return [use for use in (Use(**dict(row)) for row in rows) if self._counts(use, flow_filter)]

    def _counts(self, use: Use, flow_filter: str | None) -> bool:
        if by_tracking_type(use.consumer_type) is None:
            return flow_filter is None and objects.get_active(self.db, use.consumer_id) is not None
        flow = flow_store.get(self.db, use.consumer_id, self.now)
        if flow is None or flow.deleted:
            return False
        published = use.consumer_version == flow.published_version
        checked_in = use.consumer_version == flow.checked_in_version
        wanted = {"published": published, "checkedin": checked_in}
        return wanted.get((flow_filter or "").lower(), published or checked_in)

    def is_updated(self, use: Use) -> bool:
        """Whether the used object changed since the consumer's version was made."""
        if by_tracking_type(use.target_type) is None:
            target = objects.get(self.db, use.target_id)
            return target is not None and target.modified > self._made(use)
        flow = flow_store.get(self.db, use.target_id, self.now)
        if flow is None or flow.published_version is None:
            return False
        if use.target_type == MODULE_TYPE:
            return flow.published_version != use.target_version
        version = flow_store.version_of(self.db, flow.id, flow.published_version)
        return version is not None and version.published is not None and version.published > self._made(use)

    def _made(self, use: Use) -> float:
        """When the consumer's version was made."""
        if by_tracking_type(use.consumer_type) is None:
            consumer = objects.get(self.db, use.consumer_id)
            return consumer.modified if consumer else 0.0
        version = flow_store.version_of(self.db, use.consumer_id, use.consumer_version)
        if version is None:
            return 0.0
        return version.published if version.published is not None else version.created

    def show_target(self, use: Use) -> dict[str, Any]:
        """The used object (SDK ``Dependency``)."""
        version = f"{use.target_version}.0" if use.target_version is not None else None
        return {
            **self.show_object(use.target_id, use.target_type, version),
            "updated": self.is_updated(use),
        }

    def show_consumer(self, use: Use) -> dict[str, Any]:
        """The consumer (SDK ``Dependency``)."""
        flow = by_tracking_type(use.consumer_type) is not None
        version = f"{use.consumer_version}.0" if flow else str(use.consumer_version)
        return {
            **self.show_object(use.consumer_id, use.consumer_type, version),
            "updated": self.is_updated(use),
        }

    def show_object(self, object_id: str, tracking_type: str, version: str | None = None) -> dict[str, Any]:
        """An object as tracking shows it; one that is gone is ``deleted``."""
        if by_tracking_type(tracking_type) is not None:
            flow = flow_store.get(self.db, object_id, self.now)
            name, deleted = (flow.name, flow.deleted) if flow else (None, True)
            if version is None and flow is not None and flow.published_version is not None:
                version = f"{flow.published_version}.0"
        else:
            item = objects.get(self.db, object_id)
            name, deleted = (item.name, item.state == objects.DELETED) if item else (None, True)
        return without_none(
            {
                "id": object_id,
                "name": name,
                "version": version,
                "type": tracking_type,
                "deleted": deleted,
                "updated": False,
                "stateUnknown": False,
            }
        )

    def find(self, name: str | None, types: set[str]) -> list[tuple[str, str, str]]:
        """(name, id, type) of tracked objects whose name contains a text, in any case."""
        wanted = (name or "").casefold()
        found = [
            (flow.name, flow.id, tracking_type)
            for flow in flow_store.listed(self.db, self.now)
            if not flow.deleted and (tracking_type := tracking_type_of(flow)) is not None
        ]
        found += [
            (item.name, item.id, tracking_type)
            for tracking_type, shape in BY_TRACKING_TYPE.items()
            for item in objects.all_active(self.db, shape.kind)
        ]
        return sorted(entry for entry in found if wanted in entry[0].casefold() and (not types or entry[2] in types))


def tracking_type_of(flow: Flow) -> str | None:
    """Dependency tracking's name for a flow's type."""
    flow_type = by_api_type(flow.type)
    return flow_type.tracking_type if flow_type is not None else None


VERSIONED_TYPES = frozenset(flow_type.tracking_type for flow_type in FLOW_TYPES)
ALL_TYPES = tuple(sorted(VERSIONED_TYPES | set(BY_TRACKING_TYPE)))
"""Types that this org tracks: a part of SDK ``Dependency.type``."""
