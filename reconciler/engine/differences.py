"""Differences between two documents, as a plan shows them: of flows by their meaning, of other kinds by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from reconciler.archy.meaning import compare_flows
from reconciler.archy.model import Path
from reconciler.engine.document import Difference


def flow_differences(before: Any, after: Any) -> tuple[Difference, ...]:
    """Differences of two canonical flows, each told in a sentence, in the order of the flow."""
    return tuple(
        Difference(
            path=pointer(edit.path),
            from_path=pointer(edit.from_path) if edit.from_path != edit.path else None,
            op=edit.op,
            before=edit.before,
            after=edit.after,
            text=edit.text,
            detail=edit.detail,
        )
        for edit in compare_flows(before, after)
    )


def field_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Differences of the fields that ``after`` declares; a field that is empty on both sides is equal."""
    found = []
    for field, new in after.items():
        old = before.get(field)
        if old == new or (_empty(old) and _empty(new)):
            continue
        op: Literal["add", "remove", "change"] = "add" if _empty(old) else "remove" if _empty(new) else "change"
        found.append(Difference(path=field, op=op, before=old, after=new))
    return tuple(found)


def turned(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Differences of fields, seen from the other side; those of flows are compared the other way round instead."""
    swapped: dict[str, Literal["add", "remove"]] = {"add": "remove", "remove": "add"}
    return tuple(
        Difference(
            path=difference.path,
            op=swapped.get(difference.op, difference.op),
            before=difference.after,
            after=difference.before,
        )
        for difference in differences
    )


def pointer(path: Path) -> str:
    """A path as JSON Pointer (RFC 6901), ``/inboundCall/tasks/0/task/name``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _empty(value: Any) -> bool:
    return value is None or value == [] or value == ""
