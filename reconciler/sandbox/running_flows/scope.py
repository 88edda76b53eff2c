"""The variables of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.sandbox.flow_traits import variables_of
from reconciler.sandbox.running_flows.evaluating import CLOCK
from reconciler.sandbox.running_flows.problems import CannotRun
from reconciler.sandbox.running_flows.values import Value, check_fits

_SUFFIX = "Variable"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that the platform would have put here and the sandbox does not know; reading it ends the run."""

    reason: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable as a flow, state or task declares it."""

    name: str
    """With its scope: ``Flow.contactId``."""
    kind: str
    """``string``, ``boolean``, ``json`` …: its key in YAML without ``Variable``."""
    initial: Any
    is_input: bool
    is_output: bool


def declared(container: dict[str, Any]) -> list[Declared]:
    """The variables that a flow, state or task declares."""
    return [
        Declared(
            name=str(body.get("name", "")),
            kind=key.removesuffix(_SUFFIX),
            initial=body.get("initialValue"),
            is_input=body.get("isInput") is True,
            is_output=body.get("isOutput") is True,
        )
        for key, body in variables_of(container)
    ]


class Scope:
    """Variables by name, in any case as expressions are (facts archy-yaml §3)."""

    def __init__(self, now: datetime) -> None:
        """``now`` is the moment that the flow's clock shows."""
        self._now = now
        self._kinds: dict[str, str] = {}
        self._values: dict[str, Value] = {}

    def declare(self, variable: Declared, value: Value) -> None:
        """A new variable, or an old one that starts anew; raises as ``set`` does."""
        self._kinds[variable.name.lower()] = variable.kind
        self.set(variable.name, value)

    def get(self, name: str) -> Value:
        """A variable's value; raises ``CannotRun`` for one that is not declared or has an unknown value."""
        if name == CLOCK:
            return self._now
        if name.lower() not in self._values:
            raise CannotRun(
                f"the variable {name} is not declared, and not among the built-in ones that the sandbox has"
            )
        value = self._values[name.lower()]
        if isinstance(value, Unknown):
            raise CannotRun(f"the value of {name} is not known: {value.reason}")
        return value

    def set(self, name: str, value: Value) -> None:
        """Gives a declared variable a value; raises ``CannotRun`` and ``FlowFailed`` for a type that does not fit."""
        kind = self._kinds.get(name.lower())
        if kind is None:
            raise CannotRun(f"the variable {name} is not declared")
        known = isinstance(value, Unknown)
        self._values[name.lower()] = value if known else check_fits(kind, value, f"the variable {name}")

    def forget(self, variables: Iterable[Declared]) -> None:
        """Ends variables of a state or task."""
        for variable in variables:
            self._kinds.pop(variable.name.lower(), None)
            self._values.pop(variable.name.lower(), None)
