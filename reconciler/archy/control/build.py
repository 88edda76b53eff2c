"""Builds the control flow of a flow from its YAML, known actions and unknown ones alike.

Control that comes to the end of a list of actions goes on below the action around the list, and at the end of
a container with what the container does there: a task gives back to its caller, the task of an in-queue flow
begins again, everything else has run out of actions (facts/archy-yaml §2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.archy.control.behaviour import CALLS, ENDS, JUMPS, LOOPS, TRANSFERS, Ending
from reconciler.archy.control.model import START, ControlFlow, Dangling, Edge, Node, NodeKind, Step, end_of
from reconciler.archy.control.outcomes import outcomes
from reconciler.archy.model import Path
from reconciler.archy.structure import BRANCH_KEYS, Action, Container, branches, containers
from reconciler.archy.targets import Target, Targets, is_reference
from reconciler.archy.wording import in_words


@dataclass(frozen=True, slots=True)
class _Onward:
    """Where control goes when a list of actions is through."""

    target: Path
    step: Step = Step.NEXT


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around an action."""

    container: Path
    menus: tuple[Path, ...] = ()
    """Menu and sub-menus around, outermost first."""
    loop: Path | None = None
    loop_exit: _Onward | None = None
    disabled: bool = False


def control_flow(root: str, body: Any) -> ControlFlow:
    """The control flow of one flow; ``body`` is what stands below the root key. Never raises on odd bodies."""
    return _Builder(root, body).build()


class _Builder:
    def __init__(self, root: str, body: Any) -> None:
        self._root = root
        self._body = body
        self._flow = ControlFlow(root, Targets(root, body))
        self._containers = list(containers(root, body))
        self._menus: list[Path] = []
        self._back_to_menus: list[Path] = []
        """Actions that go back to whichever menu the caller comes from."""

    def build(self) -> ControlFlow:
        self._flow.add(Node(START, NodeKind.START, "start", "start", "", None))
        for container in self._containers:
            key, name = container.kind, container.name
            self._flow.add(Node(container.path, NodeKind.CONTAINER, key, key, name, None, container.body))
            if container.kind == "menu":
                self._menu(container.path, container.body, _Around(container.path))
            else:
                self._actions_of(container)
        self._start()
        self._events()
        self._flow.drop_loose_ways()
        self._menus_before()
        return self._flow

    def _start(self) -> None:
        reference = self._body.get("startUpRef") if isinstance(self._body, dict) else None
        if isinstance(reference, str):
            if target := self._resolve(reference, (self._root, "startUpRef")):
                self._flow.connect(START, target.path, Step.ENTER)
            return
        # Flows with one start-up task name none; where the reference is missing, the first container counts.
        first = next((c for c in self._containers if c.kind == "startUpTask"), next(iter(self._containers), None))
        if first is not None:
            self._flow.connect(START, first.path, Step.ENTER)

    def _events(self) -> None:
        """References of settings, such as the task that handles errors."""
        held = {container.path[1] for container in self._containers}
        for key, value in self._body.items() if isinstance(self._body, dict) else ():
            if key not in held and key != "startUpRef":
                for path, reference in _references(value, (self._root, key)):
                    if target := self._resolve(reference, path):
                        self._flow.connect(START, target.path, Step.EVENT, in_words(str(path[2])))

    def _menus_before(self) -> None:
        """Leads the actions that go back to the menu before to each menu that leads to them."""
        before = {path: self._flow.leading_to([path]) for path in self._back_to_menus}
        for path, places in before.items():
            for menu in self._menus:
                if menu in places:
                    self._flow.add_way(Edge(path, menu, Step.BACK))

    def _actions_of(self, container: Container) -> None:
        around = _Around(container.path)
        onward = self._end(container)
        entry = onward
        for branch in branches(container):
            entry = self._list(branch.actions, onward, around)
        self._flow.connect(container.path, entry.target, Step.ENTER)

    def _end(self, container: Container) -> _Onward:
        """What happens when the last action of a container is through."""
        if container.kind == "startUpTask" and self._root != "commonModule":
            return _Onward(container.path, Step.BACK)
        ending = Ending.RETURN if self._root == "commonModule" else Ending.RAN_OUT
        return _Onward(self._ending(container.path, ending))

    def _ending(self, container: Path, ending: Ending) -> Path:
        place = end_of(container, ending)
        if place not in self._flow.nodes:
            self._flow.add(Node(place, NodeKind.END, ending.value, ending.value, "", container))
        return place

    def _list(self, actions: Sequence[Action], onward: _Onward, around: _Around) -> _Onward:
        """Connects a list of actions; returns where control enters it."""
        follows = [*(_Onward(action.path) for action in actions[1:]), onward]
        for action, follow in zip(actions, follows, strict=False):
            self._add(action, around)
            self._action(action, follow, around)
        return _Onward(actions[0].path) if actions else onward

    def _add(self, action: Action, around: _Around) -> None:
        kind = NodeKind.CHOICE if action.is_choice else NodeKind.ACTION
        self._flow.add(
            Node(
                action.path,
                kind,
                action.key,
                action.operation,
                action.name,
                around.container,
                action.body,
                around.disabled,
            )
        )

    def _action(self, action: Action, follow: _Onward, around: _Around) -> None:
        """Connects one action to whatever may run after it."""
        operation = action.operation
        if operation in ENDS:
            self._flow.connect(action.path, self._ending(around.container, ENDS[operation]), Step.NEXT)
        elif operation in TRANSFERS:
            self._flow.connect(action.path, self._ending(around.container, Ending.TRANSFER), Step.NEXT)
            self._outcomes(action, follow, around, without=("success",))
        elif operation in JUMPS:
            self._refer(action, JUMPS[operation], Step.JUMP)
        elif operation in LOOPS:
            self._loop(action, follow, around)
        elif operation == "loopNext" and around.loop:
            self._flow.connect(action.path, around.loop, Step.BACK)
        elif operation == "loopExit" and around.loop_exit:
            self._flow.connect(action.path, around.loop_exit.target, around.loop_exit.step)
        elif operation == "repeatMenu" and around.menus:
            self._flow.connect(action.path, around.menus[-1], Step.BACK)
        elif operation == "previousMenu" and len(around.menus) > 1:
            self._flow.connect(action.path, around.menus[-2], Step.BACK)
        elif operation in ("repeatMenu", "previousMenu"):
            self._back_to_menus.append(action.path)
        else:
            self._pass_on(action, follow, around)
        self._other_references(action)

    def _pass_on(self, action: Action, follow: _Onward, around: _Around) -> None:
        if action.operation in CALLS:
            self._refer(action, CALLS[action.operation], Step.CALL)
        self._outcomes(action, follow, around)

    def _other_references(self, action: Action) -> None:
        """Unknown actions may go wherever they refer to, and so may event handling of their own in known ones."""
        known = JUMPS.get(action.operation) or CALLS.get(action.operation)
        fields = action.body.items() if isinstance(action.body, dict) else ()
        for path, reference in _references({key: item for key, item in fields if key != known}, action.path):
            if path[-1] != "defaultChildMenuRef" and (target := self._resolve(reference, path)):
                self._flow.connect(action.path, target.path, Step.EVENT, in_words(str(path[len(action.path)])))

    def _outcomes(self, action: Action, follow: _Onward, around: _Around, *, without: tuple[str, ...] = ()) -> None:
        called = action.operation in CALLS
        for outcome in outcomes(action):
            dead = not outcome.enabled or outcome.id in without
            entry = self._list(outcome.actions, follow, _within(around, dead))
            if dead:
                continue
            step = Step.BRANCH if outcome.actions else entry.step
            self._flow.connect(action.path, entry.target, Step.RETURN if called else step, outcome.label)

    def _loop(self, action: Action, follow: _Onward, around: _Around) -> None:
        """The body, then what the next round begins with (``loopUntil``), then the head again."""
        inner = replace(around, loop=action.path, loop_exit=follow)
        listed = {outcome.id: outcome for outcome in outcomes(action)}
        again = _Onward(action.path, Step.BACK)
        for name in ("loopNext", "loop"):
            if name in listed:
                outcome = listed.pop(name)
                again = self._list(outcome.actions, again, _within(inner, not outcome.enabled))
        self._flow.connect(action.path, again.target, Step.BRANCH, "each round")
        for outcome in listed.values():
            entry = self._list(outcome.actions, follow, _within(around, not outcome.enabled))
            if outcome.actions and outcome.enabled:
                self._flow.connect(action.path, entry.target, Step.BRANCH, outcome.label)
        self._flow.connect(action.path, follow.target, follow.step, "done")

    def _menu(self, path: Path, body: Any, around: _Around) -> None:
        """A menu or sub-menu: its choices, and the one that is taken when the caller makes none."""
        self._menus.append(path)
        inside = replace(around, menus=(*around.menus, path))
        owner = Action(str(path[-1]), "", path, body)
        for branch in branches(owner):
            for choice in branch.actions:
                self._add(choice, inside)
                self._choice(choice, inside)
                self._flow.connect(path, choice.path, Step.ENTER, digit(choice.body))
                if _is_global(choice.body):
                    self._flow.connect(START, choice.path, Step.EVENT, f"{digit(choice.body)} in any menu".lstrip())
        default = body.get("defaultChildMenuRef") if isinstance(body, dict) else None
        if isinstance(default, str) and (target := self._resolve(default, (*path, "defaultChildMenuRef"))):
            self._flow.connect(path, target.path, Step.ENTER, "no choice made")

    def _choice(self, choice: Action, around: _Around) -> None:
        if choice.operation == "subMenu":
            self._menu(choice.path, choice.body, around)
        elif choice.operation == "task":
            entry = _Onward(self._ending(around.container, Ending.RAN_OUT))
            for branch in branches(choice):
                entry = self._list(branch.actions, entry, around)
            self._flow.connect(choice.path, entry.target, Step.ENTER)
        else:
            # What a failed transfer leaves is the menu (docs/fidelity.md, ESTATE-10).
            self._action(choice, _Onward(around.menus[-1], Step.BACK), around)

    def _refer(self, action: Action, field: str, step: Step) -> None:
        reference = action.body.get(field) if isinstance(action.body, dict) else None
        if isinstance(reference, str) and (target := self._resolve(reference, (*action.path, field))):
            self._flow.connect(action.path, target.path, step)

    def _resolve(self, reference: str, path: Path) -> Target | None:
        """The object that the field at ``path`` points at; one that leads nowhere is noted."""
        target = self._flow.targets.resolve(reference, path[:-1])
        if target is None:
            self._flow.dangling.append(Dangling(path, reference))
        return target


def digit(choice: Any) -> str:
    """What a caller presses for a choice: ``1``, ``*``, ``#``; empty where there is none."""
    key = choice.get("dtmf") if isinstance(choice, dict) else None
    return {"star": "*", "pound": "#"}.get(key, key.removeprefix("digit_")) if isinstance(key, str) else ""


def _within(around: _Around, switched_off: bool) -> _Around:
    """What stands around the actions of an outcome."""
    return replace(around, disabled=True) if switched_off and not around.disabled else around


def _is_global(choice: Any) -> bool:
    """Whether callers can take a choice in every menu of the flow, by its digit or by saying it."""
    return isinstance(choice, dict) and True in (choice.get("globalDtmf"), choice.get("globalSpeechRecTerms"))


def _references(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """References in a tree and their paths; those of actions inside it are left to them."""
    pending = [(value, path)]
    while pending:
        value, path = pending.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                if is_reference(key, item):
                    yield (*path, key), item
                elif key not in BRANCH_KEYS:
                    pending.append((item, (*path, key)))
        elif isinstance(value, list):
            pending.extend((item, (*path, index)) for index, item in enumerate(value))
