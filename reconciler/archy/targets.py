"""Resolves the references that stay inside a flow: ``targetTaskRef`` and its kin.

A ``refId`` is written by exports as ``<name>_<tracking id>``, so the same task has another one in each org
(facts/archy-yaml §2). Here it is only a way to find the object; what identifies the object is its label, made
of kind and name, with a number where a name repeats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from reconciler.archy.model import Path

_STEP = re.compile(r"(?:^|/)(\w+)\[")


@dataclass(frozen=True, slots=True)
class Target:
    """An object inside a flow that references can point at."""

    kind: str
    """Its key: ``menu``, ``task``, ``state``, ``bot``, or a choice such as ``menuDisconnect``."""
    ref_id: str
    name: str
    path: Path
    """Path of its body."""
    label: str
    """``task[Main]``, or ``task[Main#2]`` for the second of that name: the same in every org."""


class Targets:
    """Everything in one flow that carries a ``refId``."""

    def __init__(self, root: str, body: Any) -> None:
        self._by_ref: dict[tuple[str, str], list[Target]] = {}
        self.by_path: dict[Path, Target] = {}
        counts: dict[str, int] = {}
        for kind, content, path in _candidates(body, (root,)):
            name = content.get("name")
            text = name if isinstance(name, str) else ""
            label = f"{kind}[{text}]"
            counts[label] = counts.get(label, 0) + 1
            if counts[label] > 1:
                label = f"{kind}[{text}#{counts[label]}]"
            target = Target(kind, content["refId"], text, path, label)
            self._by_ref.setdefault((kind, target.ref_id), []).append(target)
            self.by_path[path] = target

    def resolve(self, reference: str, at: Path) -> Target | None:
        """The object that ``reference`` (a ``…Ref`` of the mapping at ``at``) means; None for no such one.

        Absolute (``/inboundCall/tasks/task[Main_12]``) and relative (``./tasks/task[Main]``) forms end alike.
        Where refIds repeat, as choices of two menus may in hand-written flows, the nearest object counts.
        """
        for step in _STEP.finditer(reference):
            if not reference.endswith("]"):
                return None
            found = self._by_ref.get((step[1], reference[step.end() : -1]))
            if found:
                return max(found, key=lambda target: _shared(target.path, at)) if len(found) > 1 else found[0]
        return None

    def is_ambiguous(self, target: Target) -> bool:
        """Whether another object of its kind has the same refId."""
        return len(self._by_ref[target.kind, target.ref_id]) > 1


def is_reference(key: str, value: Any) -> bool:
    """Whether a field points at an object of the same flow: ``startUpRef``, ``targetTaskRef`` and so on."""
    return isinstance(value, str) and key.endswith("Ref")


def _candidates(value: Any, path: Path) -> list[tuple[str, dict[str, Any], Path]]:
    """List items of one key whose body has a refId; in sorted key order, for labels must not depend on it."""
    found: list[tuple[str, dict[str, Any], Path]] = []
    _collect(value, list(path), found)
    return found


def _collect(value: Any, steps: list[str | int], found: list[tuple[str, dict[str, Any], Path]]) -> None:
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(steps[-1], int):
            ((key, content),) = value.items()
            if isinstance(content, dict) and isinstance(content.get("refId"), str):
                found.append((key, content, (*steps, key)))
        pairs = sorted((pair for pair in value.items() if isinstance(pair[1], dict | list)), key=itemgetter(0))
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return
    for step, item in pairs:
        steps.append(step)
        _collect(item, steps, found)
        steps.pop()


def _shared(one: Path, other: Path) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
