"""Which operations the code of our client can ask for, read from ``reconciler/platform`` without running it.

A path is always made by ``path_of``, directly or by a helper of the module (``_tables``), and stands beside its
method or goes to a function that is known to use one. What cannot be made out raises ``Unreadable``: nothing is
left out in silence. A segment that a method takes as an argument (``_act("publish", …)``) is followed to the
calls of that method in its module.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import reconciler.platform

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"})
USES = {
    "list_all": ("GET", ""),
    "numbered": ("GET", ""),
    "finished": ("GET", ""),
    "delete_settled": ("DELETE", ""),
    "Numbered": ("GET", ""),
    "Cursor": ("GET", ""),
    "Users": ("POST", "/search"),
    "Searched": ("POST", "/search"),
    "Worktypes": ("POST", ""),
}
"""With which method a function of ours uses the path that it is given, and what it adds to it."""
SPEAKS_ONLY = frozenset({"VersionConflict"})
"""Takes a path to show it."""


class Unreadable(Exception):
    """A place where it cannot be told what is asked for."""


@dataclass(frozen=True, order=True)
class Ask:
    """``GET /api/v2/flows/*/versions``; a ``*`` stands for what is known only when it runs."""

    method: str
    path: str
    place: str

    def was_sent(self, sent: Iterable[tuple[str, str]]) -> bool:
        """Whether one of these methods and paths is such a request."""
        pattern = re.compile("/".join("[^/]+" if part == "*" else re.escape(part) for part in self.path.split("/")))
        return any(method == self.method and pattern.fullmatch(path) for method, path in sent)


def asks(folder: Path = Path(reconciler.platform.__path__[0])) -> list[Ask]:
    """Everything that the modules of that folder can ask for."""
    found = {ask for file in sorted(folder.glob("*.py")) for ask in _Module(file).asks()}
    return sorted(found)


class _Module:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._tree = ast.parse(file.read_text(encoding="utf-8"))
        self._helpers = {
            node.name: node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.FunctionDef) and any(isinstance(part, ast.Starred) for part in _made(node))
        }

    def asks(self) -> Iterator[Ask]:
        placed: set[int] = set()
        for scope in ast.walk(self._tree):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef) and scope.name in self._helpers:
                placed.update(id(node) for node in ast.walk(scope) if isinstance(node, ast.Call))
        for scope in [*_functions(self._tree), self._tree]:
            named = self._named(scope, placed)
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and id(call) not in placed:
                    for ask in self._asks_of(call, named, placed):
                        yield from self._by_callers(ask, scope)
        for call in ast.walk(self._tree):
            if isinstance(call, ast.Call) and self._segments(call) is not None and id(call) not in placed:
                raise Unreadable(f"{self._place(call)}: with which method? See USES in {Path(__file__).name}")

    def _asks_of(self, call: ast.Call, named: dict[str, str], placed: set[int]) -> Iterator[Ask]:
        function = _name(call.func)
        for index, argument in enumerate(call.args):
            path = self._path(argument, named)
            if path is None:
                continue
            before = call.args[index - 1] if index else None
            if isinstance(before, ast.Constant) and before.value in METHODS:
                method, more = str(before.value), ""
            elif function in USES:
                method, more = USES[function]
            else:
                continue
            placed.add(id(argument))
            placed.add(id(call))
            yield Ask(method, path + more, self._place(call))
        if function in SPEAKS_ONLY:
            placed.update(id(node) for node in ast.walk(call))

    def _by_callers(self, ask: Ask, scope: ast.AST) -> Iterator[Ask]:
        """The ask once for each literal with which the module calls the function around it."""
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            yield ask
            return
        names = [argument.arg for argument in scope.args.args if argument.arg != "self"]
        literals = [
            (f"{{{name}}}", str(call.args[position].value), self._place(call))
            for call in ast.walk(self._tree)
            if isinstance(call, ast.Call) and _name(call.func) == scope.name and _is_own(call.func)
            for position, name in enumerate(names[: len(call.args)])
            if f"{{{name}}}" in ask.path and isinstance(call.args[position], ast.Constant)
        ]
        for variable, literal, place in literals:
            yield Ask(ask.method, _open(ask.path.replace(variable, literal)), place)
        if not literals:
            yield Ask(ask.method, _open(ask.path), ask.place)

    def _named(self, scope: ast.AST, placed: set[int]) -> dict[str, str]:
        """Paths that a function keeps in a variable first."""
        named: dict[str, str] = {}
        if isinstance(scope, ast.Module):
            return named
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                path = self._path(node.value, {})
                if path is not None:
                    named[node.targets[0].id] = path
                    placed.add(id(node.value))
        return named

    def _path(self, node: ast.expr, named: dict[str, str]) -> str | None:
        if isinstance(node, ast.Name):
            return named.get(node.id)
        segments = self._segments(node) if isinstance(node, ast.Call) else None
        return None if segments is None else "/api/v2/" + "/".join(segments)

    def _segments(self, call: ast.Call) -> list[str] | None:
        name = _name(call.func)
        if name == "path_of":
            return [_segment(part) for part in call.args]
        if name not in self._helpers:
            return None
        made = _made(self._helpers[name])
        return [_segment(part) for part in [*made[:-1], *call.args]]

    def _place(self, node: ast.expr) -> str:
        return f"{self._file.name}:{node.lineno}"


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _made(function: ast.FunctionDef) -> list[ast.expr]:
    """The segments of the path that a helper returns; empty for other functions."""
    last = function.body[-1]
    if isinstance(last, ast.Return) and isinstance(last.value, ast.Call) and _name(last.value.func) == "path_of":
        return last.value.args
    return []


def _is_own(function: ast.expr) -> bool:
    """Whether it may be a function of this module: ``get(…)`` or ``self.get(…)``, not a mapping's ``get``."""
    if not isinstance(function, ast.Attribute):
        return True
    return isinstance(function.value, ast.Name) and function.value.id == "self"


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _segment(node: ast.expr) -> str:
    """A literal as it is, a variable as ``{name}``, anything else as ``*``."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return f"{{{node.id}}}" if isinstance(node, ast.Name) else "*"


def _open(path: str) -> str:
    return re.sub(r"\{\w+\}", "*", path)
