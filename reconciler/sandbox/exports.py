"""The export of a version that is kept, under the names of today."""

from __future__ import annotations

import sqlite3

from reconciler.archy.flowtypes import by_root
from reconciler.archy.yaml import load
from reconciler.sandbox import flow_store, objects
from reconciler.sandbox.exporter import export_yaml, with_current_names
from reconciler.sandbox.flow_store import Flow, Version
from reconciler.sandbox.shapes import division_ref
from reconciler.sandbox.yaml_writer import write_yaml


def export_version(db: sqlite3.Connection, flow: Flow, number: int) -> str:
    """The YAML of one version of a flow; the version must exist."""
    content = flow_store.content_of(db, flow.id, number)
    ((root, body),) = load(content.text).items()
    flow_type = by_root(root)
    assert flow_type is not None
    current = objects.names_of(db, [entry["id"] for entry in content.resolved])
    division = division_ref(db, flow.division_id) or {}
    return export_yaml(
        flow_type,
        body,
        name=flow.name,
        division=division.get("name", "Home"),
        version=number,
        flow_names=[current.get(entry["id"], entry["name"]) for entry in content.resolved],
    )


def renamed_source(db: sqlite3.Connection, flow: Flow, number: int) -> str:
    """The source of a version, naming the flows that it refers to as they are called now.

    Republishing keeps to objects, not to names: a flow renamed since is still the one meant.
    """
    content = flow_store.content_of(db, flow.id, number)
    current = objects.names_of(db, [entry["id"] for entry in content.resolved])
    names = [current.get(entry["id"], entry["name"]) for entry in content.resolved]
    if names == [entry["name"] for entry in content.resolved]:
        return content.text
    ((root, body),) = load(content.text).items()
    flow_type = by_root(root)
    assert flow_type is not None
    return write_yaml({root: with_current_names(flow_type, body, names)})


def latest_version(flow: Flow) -> int | None:
    """The version that an export without version shows: the latest saved one (facts archy-yaml §7)."""
    numbers = (flow.saved_version, flow.checked_in_version, flow.published_version)
    return max((number for number in numbers if number is not None), default=None)


def is_there(flow: Flow, version: Version) -> bool:
    """Whether a version is seen by now and is no draft that was dropped or that a later one replaced."""
    if version.type == "SAVE":
        return version.number == flow.saved_version
    return version.number <= (latest_version(flow) or 0)
