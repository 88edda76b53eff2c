"""What a common module wants from its callers and gives them, and what each call binds to it.

A module's variables with ``isInput`` and ``isOutput`` are its contract (facts/archy-yaml §5). Names are compared
in any case, as Architect does with variables; types only as far as both sides show one for certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.archy.expressions import variables
from reconciler.archy.flowtypes import by_api_type, by_root
from reconciler.archy.model import Path
from reconciler.archy.structure import actions
from reconciler.archy.variables import LOCAL_SCOPES, declared_types

MODULE_ROOT = "commonModule"
_PLACEHOLDERS = frozenset(("none", "noValue"))
_NO_VALUE = frozenset(("noValue", "none", "noValueWithNoFallback"))
_LISTS = ("variables", "startUpTaskVariables")

Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable of a module or a workflow that is bound from outside."""

    name: str
    """With its scope: ``Common.accountNumber``."""
    type: str
    """As the key of its declaration says it: ``string``, ``integer``, ``queueCollection``."""
    is_input: bool
    is_output: bool
    has_default: bool
    """It has an initial value, so that a caller may leave it out."""
    path: Path


@dataclass(frozen=True, slots=True)
class Contract:
    """What callers of a module must know."""

    parameters: tuple[Parameter, ...] = ()
    compatible: tuple[str, ...] = ()
    """API types of flows that may call it; empty where the module does not say."""

    def find(self, name: str, direction: Direction) -> Parameter | None:
        """The input or output of that name."""
        return next((p for p in self.parameters if p.name.lower() == name.lower() and _is(p, direction)), None)

    def names(self, direction: Direction) -> list[str]:
        """All inputs or outputs."""
        return [parameter.name for parameter in self.parameters if _is(parameter, direction)]

    def promises(self) -> tuple[Any, ...]:
        """What callers rely on, without where it is written: equal for equal contracts."""
        parameters = ((p.name.lower(), p.type, p.is_input, p.is_output, p.has_default) for p in self.parameters)
        return tuple(sorted(parameters)), tuple(sorted(self.compatible))


@dataclass(frozen=True, slots=True)
class Binding:
    """One input or output that a call binds."""

    name: str
    direction: Direction
    path: Path
    type: str | None = None
    """Type of what is bound, where it shows: a literal's or a declared variable's."""
    literal: bool = False


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """One ``callCommonModule`` of a flow."""

    module: str
    path: Path
    """Of the module's name."""
    place: str
    """The action's name."""
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """How one flow and the modules around it fit together."""

    contract: Contract | None = None
    """Of a common module; None for every other flow."""
    calls: tuple[ModuleCall, ...] = ()


def interface_of(root: str, body: Any) -> Interface:
    """The contract of a module and the calls of modules in a flow; never raises on odd bodies."""
    contract = contract_of(body) if root == MODULE_ROOT else None
    return Interface(contract, tuple(_calls(root, body)))


def contract_of(body: Any) -> Contract:
    """The contract of a common module; ``body`` is what stands below ``commonModule:``."""
    if not isinstance(body, dict):
        return Contract()
    settings = body.get("settingsCommonModule")
    entries = _list(settings.get("compatibleFlowTypes")) if isinstance(settings, dict) else []
    names = [entry.get("flowType") for entry in entries if isinstance(entry, dict)]
    types = [by_api_type(name) for name in names if isinstance(name, str)]
    return Contract(parameters_of(MODULE_ROOT, body), tuple(flow_type.api_type for flow_type in types if flow_type))


def parameters_of(root: str, body: Any) -> tuple[Parameter, ...]:
    """The inputs and outputs of a flow that others call or launch, in document order."""
    if not isinstance(body, dict):
        return ()
    return tuple(
        parameter
        for key in _LISTS
        for index, entry in enumerate(_list(body.get(key)))
        if (parameter := _parameter(entry, (root, key, index))) is not None
    )


def api_type_of(root: str) -> str | None:
    """The API type of flows with this root key."""
    flow_type = by_root(root)
    return flow_type.api_type if flow_type else None


def _is(parameter: Parameter, direction: Direction) -> bool:
    return parameter.is_input if direction == "input" else parameter.is_output


def _parameter(entry: Any, path: Path) -> Parameter | None:
    if not isinstance(entry, dict) or len(entry) != 1:
        return None
    ((key, content),) = entry.items()
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str):
        return None
    is_input, is_output = content.get("isInput") is True, content.get("isOutput") is True
    if not (is_input or is_output):
        return None
    initial = content.get("initialValue")
    has_default = isinstance(initial, dict) and not _NO_VALUE & initial.keys()
    return Parameter(name, str(key).removesuffix("Variable"), is_input, is_output, has_default, (*path, str(key)))


def _calls(root: str, body: Any) -> Iterator[ModuleCall]:
    types: dict[tuple[Path, str], str] | None = None
    for action in actions(root, body):
        if action.operation != "callCommonModule" or not isinstance(action.body, dict):
            continue
        named = action.body.get("commonModule")
        for name, versions in named.items() if isinstance(named, dict) else ():
            if name in ("name", *_PLACEHOLDERS):
                continue
            types = declared_types(root, body) if types is None else types
            path = (*action.path, "commonModule", name)
            yield ModuleCall(name, path, action.name, tuple(_bindings(versions, path, types)))


def _bindings(versions: Any, path: Path, types: dict[tuple[Path, str], str]) -> Iterator[Binding]:
    for version, call in versions.items() if isinstance(versions, dict) else ():
        for direction in ("input", "output"):
            bound = call.get(f"{direction}s") if isinstance(call, dict) else None
            for name, form in bound.items() if isinstance(bound, dict) else ():
                if name not in _PLACEHOLDERS:
                    here = (*path, version, f"{direction}s", name)
                    yield _binding(name, "input" if direction == "input" else "output", here, form, types)


def _binding(name: str, direction: Direction, path: Path, form: Any, types: dict[tuple[Path, str], str]) -> Binding:
    if not isinstance(form, dict) or _NO_VALUE & form.keys():
        return Binding(name, direction, path)
    if "lit" in form:
        return Binding(name, direction, path, _literal_type(form["lit"]), literal=True)
    text = form.get("var", form.get("exp"))
    return Binding(name, direction, path, _variable_type(text, path, types) if isinstance(text, str) else None)


def _literal_type(literal: Any) -> str | None:
    if isinstance(literal, bool):
        return "boolean"
    if isinstance(literal, int):
        return "integer"
    if isinstance(literal, float):
        return "decimal"
    return "string" if isinstance(literal, str) else None


def _variable_type(text: str, path: Path, types: dict[tuple[Path, str], str]) -> str | None:
    """The type of an expression that is one declared variable and nothing else."""
    name = text.strip()
    if variables(name) != (name,):
        return None
    local = name.partition(".")[0].lower() in LOCAL_SCOPES
    return types.get((path[:4] if local else path[:1], name.lower()))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
