"""Differences between two canonical documents, found by DeepDiff and told path by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from deepdiff import DeepDiff

from reconciler.archy.model import Path
from reconciler.archy.wording import describe_path
from reconciler.engine.document import Difference

_OPS: Mapping[str, Literal["add", "remove", "change"]] = {
    "values_changed": "change",
    "type_changes": "change",
    "dictionary_item_added": "add",
    "iterable_item_added": "add",
    "dictionary_item_removed": "remove",
    "iterable_item_removed": "remove",
}


def flow_differences(before: Any, after: Any) -> tuple[Difference, ...]:
    """Differences of two canonical flows, paths in the words of a call flow."""
    return tuple(
        Difference(path=describe_path(path, after if op != "remove" else before), op=op, before=old, after=new)
        for path, op, old, new in _differences(before, after)
    )


def field_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Differences of the fields that ``after`` declares; a field that is None on both sides is equal."""
    found = []
    for field, new in after.items():
        old = before.get(field)
        if _same(old, new):
            continue
        op: Literal["add", "remove", "change"] = "add" if _empty(old) else "remove" if _empty(new) else "change"
        found.append(Difference(path=field, op=op, before=old, after=new))
    return tuple(found)


def _differences(before: Any, after: Any) -> Iterator[tuple[Path, Literal["add", "remove", "change"], Any, Any]]:
    tree = DeepDiff(before, after, view="tree", ignore_order=False, verbose_level=2, threshold_to_diff_deeper=0)
    found = [
        (tuple(level.path(output_format="list")), op, _value(level.t1), _value(level.t2))
        for report, op in _OPS.items()
        for level in tree.get(report, ())
    ]
    yield from sorted(found, key=lambda item: [(isinstance(part, int), part) for part in item[0]])


def _value(value: Any) -> Any:
    """DeepDiff marks the missing side with an object of its own."""
    return value if isinstance(value, str | int | float | bool | dict | list) else None


def _same(old: Any, new: Any) -> bool:
    return old == new or (_empty(old) and _empty(new))


def _empty(value: Any) -> bool:
    return value is None or value == [] or value == ""
