"""Which variables a flow declares, and where it sets and reads them.

Scopes are those of facts/archy-yaml §3. Only ``Flow.``, ``Task.``, ``State.``, ``Common.`` and ``Slot.`` hold an
author's variables; all others belong to the platform. Names are compared in any case, as Architect does (the corpus
writes ``flow.ani`` for ``Flow.ani``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.archy.expressions import variables
from reconciler.archy.model import Path
from reconciler.archy.structure import containers

AUTHORS_SCOPES = frozenset(("flow", "task", "state", "common", "slot"))
LOCAL_SCOPES = frozenset(("task", "state"))
"""Each task and each state has variables of its own, so the same name in two of them means two."""

BUILT_IN = frozenset(
    f"flow.{name}"
    for name in (
        "holdprompt",
        "invocationdata",
        "istest",
        "startdatetimeutc",
        "version",
        "wrapupcode",
    )
)
"""Variables of the platform in a scope of the author's, lower case.

Sources: ``Flow.HoldPrompt`` (corpus), ``Flow.InvocationData`` and ``Flow.Version`` (change log of the Scripting SDK),
``Flow.IsTest`` and ``Flow.StartDateTimeUtc`` (third-party logs of real runs); ``Flow.WrapupCode`` (third-party notes,
docs/fidelity.md, FLOW-22). One that is missing here is only told of where a flow does not declare it.
"""

_LISTS = ("variables", "startUpTaskVariables")
_SKIPPED = frozenset(("settingsNaturalLanguageUnderstanding", "referencedObjects"))
_UNSET = ({"noValue": True}, {"none": True})


@dataclass(frozen=True, slots=True)
class Use:
    """One place that sets or reads a variable."""

    path: Path
    counts: bool = True
    """False for the index of a loop, which must have a variable whether anybody reads it or not."""


@dataclass
class Variable:
    """One variable of a flow and everything that happens to it."""

    name: str
    """As declared, else as first used."""
    owner: Path
    """The task or state that it belongs to; the root for variables of the whole flow."""
    declared: Path | None = None
    """Of its declaration; None where the flow uses it without declaring it."""
    initial: bool = False
    """It has an initial value."""
    is_input: bool = False
    is_output: bool = False
    sets: list[Use] = field(default_factory=list)
    reads: list[Use] = field(default_factory=list)

    @property
    def scope(self) -> str:
        """Lower case: ``flow``, ``task``, ``state``, ``common`` or ``slot``."""
        return self.name.partition(".")[0].lower()


def declared_variables(root: str, body: Any) -> list[Variable]:
    """Every variable that a flow declares, in document order; their uses are not looked for."""
    return list(_Reader(root, body).declarations().values())


def variables_of(root: str, body: Any) -> list[Variable]:
    """Every variable that a flow declares or uses, in document order; never those of the platform.

    ``root`` is the flow's root key, ``body`` what stands below it. Never raises on odd bodies.
    """
    return list(_Reader(root, body).read().values())


class _Reader:
    def __init__(self, root: str, body: Any) -> None:
        self._root = root
        self._body = body
        self._owners = {container.path[:3]: container.path for container in containers(root, body)}
        self._found: dict[tuple[Path, str], Variable] = {}

    def declarations(self) -> dict[tuple[Path, str], Variable]:
        self._declarations(self._body, [self._root])
        return self._found

    def read(self) -> dict[tuple[Path, str], Variable]:
        self.declarations()
        self._uses(self._body, [self._root])
        return self._found

    def _declarations(self, value: Any, steps: list[str | int]) -> None:
        """Looks for declarations in a value; ``steps`` lead to it."""
        for step, item in _parts(value):
            if step in _SKIPPED or not isinstance(item, dict | list):
                continue
            steps.append(step)
            if step in _LISTS and isinstance(item, list):
                for index, entry in enumerate(item):
                    self._declare(entry, (*steps, index))
            else:
                self._declarations(item, steps)
            steps.pop()

    def _uses(self, value: Any, steps: list[str | int]) -> None:
        """Looks for uses in a value; keys that are author's words, such as ``Common.in``, are looked at too."""
        for step, item in _parts(value):
            if step in _SKIPPED:
                continue
            steps.append(step)
            if isinstance(item, str):
                self._text(str(step), item, steps)
            elif isinstance(item, dict | list):
                if isinstance(step, str):
                    self._text("", step, steps)
                self._uses(item, steps)
            steps.pop()

    def _text(self, key: str, text: str, steps: list[str | int]) -> None:
        if "." not in text:
            return
        if key == "exp":
            for name in variables(text):
                self._use(name, tuple(steps), "reads")
        elif key == "var":
            self._use(text, tuple(steps), "sets", counts=steps[-2] != "currentIndex")
        elif key == "variable":
            self._use(text, tuple(steps), "sets")
        elif key != "name" and self._key(text, tuple(steps)) in self._found:
            # A field that no rule knows names a variable: it may do either.
            self._use(text, tuple(steps), "sets")
            self._use(text, tuple(steps), "reads")

    def _declare(self, entry: Any, path: Path) -> None:
        if not isinstance(entry, dict) or len(entry) != 1:
            return
        ((key, content),) = entry.items()
        name = content.get("name") if isinstance(content, dict) else None
        variable = self._variable(name, path) if isinstance(name, str) else None
        if variable is not None and variable.declared is None:
            variable.declared = (*path, key)
            variable.initial = "initialValue" in content and content["initialValue"] not in _UNSET
            variable.is_input = content.get("isInput") is True
            variable.is_output = content.get("isOutput") is True

    def _use(self, name: str, path: Path, how: str, *, counts: bool = True) -> None:
        variable = self._variable(name, path)
        if variable is not None:
            getattr(variable, how).append(Use(path, counts))

    def _variable(self, name: str, path: Path) -> Variable | None:
        key = self._key(name, path)
        if key is None:
            return None
        if key not in self._found:
            scope, _, rest = name.partition(".")
            self._found[key] = Variable(f"{scope}.{rest.partition('.')[0]}", key[0])
        return self._found[key]

    def _key(self, name: str, path: Path) -> tuple[Path, str] | None:
        """Owner and lower-case name; None for what is no variable of an author's."""
        scope, dot, rest = name.lower().partition(".")
        short = f"{scope}.{rest.partition('.')[0]}"
        if not dot or scope not in AUTHORS_SCOPES or short in BUILT_IN:
            return None
        owner = self._owners.get(path[:3], (self._root,)) if scope in LOCAL_SCOPES else (self._root,)
        return owner, short


def _parts(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def declared_types(root: str, body: Any) -> dict[tuple[Path, str], str]:
    """Type of each declared variable by owner and lower-case name; ``string`` for ``stringVariable``.

    The owner is the path of the task or state for its own variables, ``(root,)`` for those of the whole flow.
    """
    return {
        (variable.owner, variable.name.lower()): str(variable.declared[-1]).removesuffix("Variable")
        for variable in declared_variables(root, body)
        if variable.declared is not None
    }
