"""What a flow is made of: menus, tasks, states, bots, the start-up task, and the actions in them.

Actions are recognised as list items of one key (facts/archy-yaml §2: settings reuse action keys). Which
outputs an action has is not asked: every list under a key ``actions`` or ``choices`` is a branch, so that
unknown actions are walked too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.archy.flowtypes import by_root
from reconciler.archy.model import Path
from reconciler.archy.targets import Target, Targets

__all__ = ["BRANCH_KEYS", "Action", "Branch", "Container", "Target", "Targets", "actions", "branches", "containers"]

_START_UP = "startUpTaskActions"
BRANCH_KEYS = ("actions", "choices")
"""Keys whose lists hold actions and choices, wherever they stand."""
_ANY_CONTAINERS = ("menus", "tasks", "states", "bots", _START_UP)


@dataclass(frozen=True, slots=True)
class Container:
    """A menu, task, state or bot; or the one start-up task of in-queue call flows and common modules."""

    kind: str
    """``menu``, ``task``, ``state``, ``bot``, or ``startUpTask``."""
    name: str
    """Empty for the start-up task."""
    path: Path
    """Path of its body; of the list of actions for the start-up task."""
    body: Any


@dataclass(frozen=True, slots=True)
class Action:
    """One action or one choice of a menu."""

    key: str
    """As written: ``transferToAcd``, ``menuTransferToAcd``."""
    name: str
    path: Path
    """Path of its body."""
    body: Any

    @property
    def is_choice(self) -> bool:
        """Whether it is a choice of a menu."""
        return len(self.path) > 2 and self.path[-3] == "choices"

    @property
    def operation(self) -> str:
        """The action that is performed: a choice ``menuTransferToAcd`` performs ``transferToAcd``."""
        if self.is_choice and self.key.startswith("menu") and len(self.key) > 4:
            return self.key[4].lower() + self.key[5:]
        return self.key


@dataclass(frozen=True, slots=True)
class Branch:
    """A list of actions that is run inside a container or as an outcome of an action."""

    steps: Path
    """Keys and indices from the owner's body to the list: ``("outputs", "found", "actions")``."""
    actions: tuple[Action, ...]


def containers(root: str, body: Any) -> Iterator[Container]:
    """The containers of a flow in export order; ``body`` is what stands below the root key."""
    if not isinstance(body, dict):
        return
    flow_type = by_root(root)
    for key in flow_type.containers if flow_type else _ANY_CONTAINERS:
        items = body.get(key)
        if not isinstance(items, list):
            continue
        if key == _START_UP:
            yield Container("startUpTask", "", (root, key), items)
            continue
        for index, item in enumerate(items):
            if isinstance(item, dict) and len(item) == 1:
                ((kind, content),) = item.items()
                yield Container(kind, _name(content), (root, key, index, kind), content)


def actions(root: str, body: Any) -> Iterator[Action]:
    """Every action and menu choice of a flow, an action before those inside it, in document order."""
    for container in containers(root, body):
        pending = [action for branch in reversed(branches(container)) for action in reversed(branch.actions)]
        while pending:
            action = pending.pop()
            yield action
            pending.extend(inner for branch in reversed(branches(action)) for inner in reversed(branch.actions))


def branches(owner: Container | Action) -> list[Branch]:
    """The lists of actions directly inside a container or an action, in document order."""
    if isinstance(owner, Container) and owner.kind == "startUpTask":
        return [Branch((), _items(owner.body, owner.path))]
    found: list[Branch] = []
    if isinstance(owner.body, dict | list):
        _collect(owner.body, owner.path, [], found)
    return found


def _collect(value: Any, path: Path, steps: list[str | int], found: list[Branch]) -> None:
    """Adds the branches in a value; ``steps`` lead to it from the owner at ``path``."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        if not isinstance(item, dict | list):
            continue
        steps.append(key)
        if key in BRANCH_KEYS and isinstance(item, list):
            found.append(Branch(tuple(steps), _items(item, (*path, *steps))))
        else:
            _collect(item, path, steps, found)
        steps.pop()


def _items(items: list[Any], path: Path) -> tuple[Action, ...]:
    found = []
    for index, item in enumerate(items):
        if isinstance(item, dict) and len(item) == 1:
            ((key, content),) = item.items()
            found.append(Action(key, _name(content), (*path, index, key), content))
    return tuple(found)


def _name(content: Any) -> str:
    name = content.get("name") if isinstance(content, dict) else None
    return name if isinstance(name, str) else ""
