"""One run of a flow: its variables, its place, and what actions need to do their work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox.internal_refs import target_of
from reconciler.sandbox.running_flows.evaluating import evaluate
from reconciler.sandbox.running_flows.problems import CannotRun, FlowFailed
from reconciler.sandbox.running_flows.scope import Declared, Scope, declared
from reconciler.sandbox.running_flows.values import Value
from reconciler.sandbox.running_flows.world import World

MAX_ACTIONS = 10_000
"""Actions that one invocation may run (facts §3.11, page P15)."""
MAX_CALLS = 50
"""Tasks that may call each other; deeper is a mistake, and Python's own stack has an end."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow ends."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeState:
    """Another state goes on."""

    reference: str


@dataclass(frozen=True, slots=True)
class EndTask:
    """A task returns, by one of its output paths."""

    path: str | None = None


@dataclass(frozen=True, slots=True)
class NextRound:
    """A loop starts its next round."""


@dataclass(frozen=True, slots=True)
class LeaveLoop:
    """A loop ends."""


Signal = Finish | ChangeState | EndTask | NextRound | LeaveLoop
"""Where to go on, when it is not with the next action."""
Handler = Callable[["Run", dict[str, Any]], Signal | None]
"""What an action does: (run, body of the action) → signal; None goes on with the next action."""


@dataclass(frozen=True, slots=True)
class Step:
    """An action that was run."""

    action: str
    name: str


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; none where there is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class Run:
    """A run of one flow. Every method raises ``CannotRun`` and ``FlowFailed``."""

    def __init__(self, body: dict[str, Any], world: World, handlers: Mapping[str, Handler]) -> None:
        self.world = world
        self.scope = Scope(world.now)
        self.waited = 0.0
        """Seconds that the flow waited."""
        self.steps: list[Step] = []
        self.conversation_data: dict[str, dict[str, Value]] = {}
        """Attributes by conversation id, as the flow set them."""
        self._handlers = handlers
        self._calls = 0
        self._containers = {
            (kind, str(content.get("refId"))): content
            for key in ("states", "tasks")
            for item in mappings(body.get(key))
            for kind, content in item.items()
            if isinstance(content, dict)
        }

    def container(self, reference: str, kind: str) -> dict[str, Any]:
        """The state or task that a reference means."""
        target = target_of(reference, self._containers)
        if target is None or target[0] != kind:
            raise CannotRun(f"'{reference}' leads to no {kind}")
        return self._containers[target]

    def enter(self, container: dict[str, Any]) -> list[Declared]:
        """Declares the variables of a state or task with their initial values."""
        variables = declared(container)
        for variable in variables:
            self.scope.declare(variable, self.value(variable.initial))
        return variables

    def perform(self, actions: Any) -> Signal | None:
        """Runs a list of actions in order, until one of them sends the run elsewhere."""
        for item in actions or []:
            ((key, body),) = item.items()
            if len(self.steps) >= MAX_ACTIONS:
                raise FlowFailed(f"the flow ran {MAX_ACTIONS} actions, which is the most that the platform allows")
            self.steps.append(Step(key, str(body.get("name", "")) if isinstance(body, dict) else ""))
            handler = self._handlers.get(key)
            if handler is None:
                raise CannotRun(f"the action {key} is not among those that the sandbox can run")
            signal = handler(self, body)
            if signal is not None:
                return signal
        return None

    def output(self, body: dict[str, Any], name: str) -> Signal | None:
        """Runs the actions of an output; one that is absent or disabled goes on below the action."""
        output = (body.get("outputs") or {}).get(name) or {}
        return None if output.get("enabled") is False else self.perform(output.get("actions"))

    def call_task(self, reference: str) -> Signal | None:
        """Runs a task and returns what ended it: ``Finish``, ``ChangeState``, ``EndTask`` or None."""
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise FlowFailed(f"more than {MAX_CALLS} tasks call each other")
        task = self.container(reference, "task")
        variables = self.enter(task)
        signal = self.perform(task.get("actions"))
        self.scope.forget(variables)
        self._calls -= 1
        return signal

    def value(self, form: Any) -> Value:
        """What a value form (``lit``, ``exp``, ``var``, ``noValue``) comes to."""
        if form is None or (isinstance(form, dict) and (form.get("noValue") is True or form.get("none") is True)):
            return None
        if isinstance(form, dict):
            if "lit" in form:
                return self._literal(form["lit"])
            if "exp" in form:
                expression = form["exp"]
                return evaluate(expression, self.scope.get) if isinstance(expression, str) else expression
            if "var" in form:
                return self.scope.get(str(form["var"]))
        raise CannotRun(f"a value given as {', '.join(form) if isinstance(form, dict) else form!r} cannot be read")

    def _literal(self, value: Any) -> Value:
        if isinstance(value, dict):
            raise CannotRun(f"a literal of {', '.join(value)} is not among those that the sandbox can run")
        if isinstance(value, list):
            return [self.value(item) if isinstance(item, dict) else item for item in value]
        return value

    def text(self, form: Any, what: str) -> str:
        """A value that must be a string."""
        value = self.value(form)
        if value is None:
            raise CannotRun(f"what happens when {what} is NOT_SET is not known")
        if not isinstance(value, str):
            raise FlowFailed(f"{what} must be a string")
        return value

    def assign(self, bindings: Any, values: Mapping[str, Value]) -> None:
        """Puts outputs into the variables that are bound to them (``{output: {var: …}}``)."""
        for name, form in (bindings or {}).items():
            if isinstance(form, dict) and "var" in form:
                self.scope.set(str(form["var"]), values.get(name))
