"""A canonical flow as a tree of things that people recognise: containers, actions, and outcomes between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.archy.model import Path
from reconciler.archy.structure import Action, Container, branches, containers

BranchKey = tuple[str, ...]
"""Steps from an owner to a list of actions, list positions replaced by what stands there."""


@dataclass
class Thing:
    """A container, an action, or the flow itself."""

    key: str
    name: str
    path: Path
    body: Any
    """All of it, branches included."""
    fields: Any
    """What it says itself: the body without lists of actions."""
    parent: Thing | None = None
    branch: BranchKey = ()
    """In which branch of the parent it stands."""
    position: int = 0
    branches: dict[BranchKey, list[Thing]] = field(default_factory=dict)

    @property
    def is_choice(self) -> bool:
        """Whether it is a choice of a menu."""
        return bool(self.branch) and self.branch[-1] == "choices"

    @property
    def is_container(self) -> bool:
        """Whether it is a menu, task, state, bot or the start-up task."""
        return self.parent is not None and self.parent.parent is None

    @property
    def container(self) -> Thing:
        """The container around it, or itself."""
        thing = self
        while thing.parent is not None and not thing.is_container:
            thing = thing.parent
        return thing

    @property
    def before_it(self) -> Thing | None:
        """The thing in front of it in its list."""
        if self.parent is None or self.position == 0:
            return None
        return self.parent.branches[self.branch][self.position - 1]

    def all_inside(self) -> Iterator[Thing]:
        """Everything below it, in document order."""
        pending = [thing for things in reversed(self.branches.values()) for thing in reversed(things)]
        while pending:
            thing = pending.pop()
            yield thing
            pending.extend(inner for things in reversed(thing.branches.values()) for inner in reversed(things))


_CONTAINERS: BranchKey = ("containers",)


def parse(document: dict[str, Any]) -> Thing:
    """The tree of one canonical flow, ``{root key: body}``."""
    ((root, body),) = document.items()
    found = list(containers(root, body))
    flow = Thing("flow", root, (root,), body, _without_containers(body, {item.path[1] for item in found}))
    for position, container in enumerate(found):
        thing = Thing(
            container.kind,
            container.name,
            container.path,
            container.body,
            None if container.kind == "startUpTask" else _without_actions(container.body),
            flow,
            _CONTAINERS,
            position,
        )
        flow.branches.setdefault(_CONTAINERS, []).append(thing)
        _fill(thing, container)
    return flow


def _fill(thing: Thing, owner: Container | Action) -> None:
    for branch in branches(owner):
        key = _branch_key(owner.body, branch.steps)
        while key in thing.branches:
            key = (*key, "again")
        items = thing.branches.setdefault(key, [])
        for position, action in enumerate(branch.actions):
            made = Thing(
                action.key, action.name, action.path, action.body, _without_actions(action.body), thing, key, position
            )
            items.append(made)
            _fill(made, action)


def _branch_key(body: Any, steps: Path) -> BranchKey:
    """``outputs.intents[2].intent.actions`` is known by the intent's name, a case by its condition."""
    key: list[str] = []
    value = body
    for index, step in enumerate(steps):
        value = value[step]
        if isinstance(step, int):
            held = value.get(steps[index + 1]) if isinstance(value, dict) and index + 1 < len(steps) else None
            named = held.get("name") or held.get("value") if isinstance(held, dict) else None
            key.append(content(named) if named is not None else f"#{step}")
        else:
            key.append(str(step))
    return tuple(key)


def _without_containers(body: Any, keys: set[Any]) -> Any:
    if not isinstance(body, dict):
        return body
    kept = {key: value for key, value in body.items() if key not in keys}
    # A list of containers may hold things that are none; they must not go unseen.
    for key in keys & body.keys():
        rest = _no_actions(body[key])
        if rest:
            kept[str(key)] = rest
    return kept


def _without_actions(value: Any) -> Any:
    """The value with every list of actions or choices taken out, and what is empty without them."""
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            rest = _no_actions(item) if key in ("actions", "choices") and isinstance(item, list) else item
            left = _without_actions(rest)
            if left == item or left not in ({}, []):
                kept[key] = left
        return kept
    if isinstance(value, list):
        return [_without_actions(item) for item in value]
    return value


def _no_actions(items: list[Any]) -> list[Any]:
    return [item for item in items if not (isinstance(item, dict) and len(item) == 1)]


def content(value: Any) -> str:
    """A value as text that is equal for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
