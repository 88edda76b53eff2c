"""Operations and models of the Platform API, read out of the official Python SDK's generated code.

The SDK (``PureCloudPlatformClientV2``) is neither imported nor executed, which would take seconds: its methods and
models have one shape each, and what is asked for is read from their text. Text of another shape raises
``UnknownShape``, so that a new version of the SDK cannot pass for one without parameters or fields.

What the SDK does not say cannot be judged: which fields of a body are required, which values a query parameter
may have, with which code an operation succeeds.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from oracle.table import Field, Limit, Model, Operation, Parameter, Type

PACKAGE = "PureCloudPlatformClientV2"


class UnknownShape(Exception):
    """The SDK's code does not look as expected; names the place."""


AREA = 3
"""Which segment of a path says what it is about: ``flows`` of ``/api/v2/flows/{flowId}``; it is never a parameter."""
FREE_TEXT = ("/datatables/{datatableId}/rows/{rowId}",)
"""Ends of the paths whose last parameter is a text that people choose: the key of a row."""


@cache
def type_of(text: str) -> Type:
    """A type as the SDK writes it: ``list[Flow]``, ``dict(str, object)``."""
    if found := re.fullmatch(r"list\[(.*)\]", text):
        return Type("list", type_of(found[1]))
    if found := re.fullmatch(r"dict\(str, (.*)\)", text):
        return Type("dict", type_of(found[1]))
    if not re.fullmatch(r"\w+", text):
        raise UnknownShape(f"type {text!r}")
    return Type(text)


@dataclass(frozen=True)
class _Place:
    """Where an operation stands, unread."""

    template: str
    segments: tuple[str, ...]
    file: Path
    start: int
    end: int

    def matches(self, segments: tuple[str, ...]) -> bool:
        return all(
            own == given or (own.startswith("{") and given) for own, given in zip(self.segments, segments, strict=True)
        )

    @property
    def literal(self) -> tuple[bool, ...]:
        """Sorts a literal segment before a parameter, the first difference counts."""
        return tuple(own.startswith("{") for own in self.segments)


_CALL = re.compile(
    r"^    def (?!__)\w+\(self"
    r".*?resource_path = '(?P<path>[^']*)'.*?call_api\(resource_path, '(?P<method>[A-Z]+)'.*?\)$",
    re.DOTALL | re.MULTILINE,
)
_PARAMETER = re.compile(r":param (?P<type>\S+|dict\(.*?\)) (?P<name>\w+):")
_MISSING = re.compile(r"Missing the required parameter `(\w+)`")
_CLASS = re.compile(r"^class (\w+)\(object\):", re.MULTILINE)
_EXPORT = re.compile(r"^from \.(\w+) import (\w+)$", re.MULTILINE)
_TYPES = re.compile(r"^        self\.swagger_types = (\{.*?^        \})", re.DOTALL | re.MULTILINE)
_NAMES = re.compile(r"^        self\.attribute_map = (\{.*?^        \})", re.DOTALL | re.MULTILINE)
_SETTER = re.compile(
    r"^    @(?P<name>\w+)\.setter\n    def .*?\n        \"\"\".*?\"\"\"\n(?P<body>.*?)(?=^    @|^    def )",
    re.DOTALL | re.MULTILINE,
)


class Sdk:
    """The SDK of this environment, read as far as it is asked for."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise UnknownShape(f"{PACKAGE} is not installed")
        self._root = Path(spec.submodule_search_locations[0])
        self._operations: dict[_Place, Operation] = {}
        self._models: dict[str, Model] = {}

    @cached_property
    def _places(self) -> dict[tuple[str, int, str], list[_Place]]:
        """All operations by method, number of segments and area, the more literal ones first."""
        places: dict[tuple[str, int, str], list[_Place]] = defaultdict(list)
        for file in sorted((self._root / "apis").glob("*_api.py")):
            text = file.read_text(encoding="utf-8")
            found = list(_CALL.finditer(text))
            if len(found) != text.count("call_api(resource_path"):
                raise UnknownShape(f"{file.name}: {len(found)} of its calls were understood")
            for call in found:
                segments = tuple(call["path"].split("/"))
                if len(segments) <= AREA or segments[AREA].startswith("{"):
                    raise UnknownShape(f"{file.name}: {call['path']} is in no area")
                place = _Place(call["path"], segments, file, call.start(), call.end())
                places[call["method"], len(segments), segments[AREA]].append(place)
        for same in places.values():
            same.sort(key=lambda place: place.literal)
        return dict(places)

    @property
    def count(self) -> int:
        """How many operations there are; some stand in several API classes and are counted once."""
        return len({(method, place.template) for (method, *_), same in self._places.items() for place in same})

    def operation(self, method: str, path: str) -> Operation | None:
        """The operation of a request, or None when the SDK has none at that path."""
        segments = tuple(path.split("/"))
        area = segments[AREA] if len(segments) > AREA else ""
        for place in self._places.get((method, len(segments), area), ()):
            if place.matches(segments):
                if place not in self._operations:
                    self._operations[place] = _operation(place)
                return self._operations[place]
        return None

    def spanning(self, method: str, path: str) -> Operation | None:
        """The operation whose last parameter holds slashes: the SDK leaves them as they are (``__call_api``).

        Only of parameters that are free text; all others are ids, where a slash begins another path.
        """
        segments = path.split("/")
        for length in range(len(segments) - 1, 0, -1):
            last = "%2F".join(segments[length - 1 :])
            operation = self.operation(method, "/".join([*segments[: length - 1], last]))
            if operation is not None and operation.template.endswith(FREE_TEXT):
                return operation
        return None

    def model(self, name: str) -> Model:
        """A class of ``models``."""
        if name not in self._models:
            self._models[name] = _model(name, self._root / "models" / f"{self._modules[name]}.py")
        return self._models[name]

    @cached_property
    def _modules(self) -> dict[str, str]:
        text = (self._root / "models" / "__init__.py").read_text(encoding="utf-8")
        return {found[2]: found[1] for found in _EXPORT.finditer(text)}


def _operation(place: _Place) -> Operation:
    whole = place.file.read_text(encoding="utf-8")
    owner = _CLASS.search(whole)
    # The class around it keeps the indentation right; some documentation has lines that are not indented.
    around = ast.parse("class _:\n" + whole[place.start : place.end]).body[0]
    function = around.body[0] if isinstance(around, ast.ClassDef) else None
    if owner is None or not isinstance(function, ast.FunctionDef):
        raise UnknownShape(f"{place.file.name}: {place.template}")
    name = f"{owner[1]}.{function.name}"
    types = {found["name"]: type_of(found["type"]) for found in _PARAMETER.finditer(_documentation(function))}
    types.pop("function", None)
    required = set(_MISSING.findall(ast.unparse(function)))
    parameters: dict[str, list[Parameter]] = defaultdict(list)
    given: set[str] = set()
    for target, key, argument in _handed_over(function):
        if argument not in types:
            raise UnknownShape(f"{name}: {argument} is not documented")
        given.add(argument)
        parameters[target].append(Parameter(key, types[argument], argument in required))
    if set(types) - {"callback"} != given:
        raise UnknownShape(f"{name}: {sorted(set(types) ^ given)} go nowhere")
    body = parameters["body_params"][0] if parameters["body_params"] else None
    return Operation(
        name=name,
        method=_argument_of_call(function, 1),
        template=place.template,
        path=tuple(parameters["path_params"]),
        query={one.name: one for one in parameters["query_params"]},
        headers={one.name: one for one in parameters["header_params"]},
        body=body,
        response=_response(function),
    )


def _documentation(function: ast.FunctionDef) -> str:
    return ast.get_docstring(function) or ""


def _handed_over(function: ast.FunctionDef) -> Iterator[tuple[str, str, str]]:
    """Where each argument goes: (``query_params``, name on the wire, argument); a body has no name."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)):
            continue
        source, argument = node.value.value, node.value.slice
        if not (isinstance(source, ast.Name) and source.id == "params" and isinstance(argument, ast.Constant)):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name):
            yield target.id, "body", str(argument.value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            assert isinstance(target.slice, ast.Constant)
            yield target.value.id, str(target.slice.value), str(argument.value)


def _call(function: ast.FunctionDef) -> ast.Call:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call_api":
            return node
    raise UnknownShape(f"{function.name} calls nothing")


def _argument_of_call(function: ast.FunctionDef, position: int) -> str:
    return str(ast.literal_eval(_call(function).args[position]))


def _response(function: ast.FunctionDef) -> Type | None:
    for keyword in _call(function).keywords:
        if keyword.arg == "response_type":
            text = ast.literal_eval(keyword.value)
            return None if text is None else type_of(text)
    raise UnknownShape(f"{function.name} says nothing of its response")


def _model(name: str, file: Path) -> Model:
    text = file.read_text(encoding="utf-8")
    types, names = _TYPES.search(text), _NAMES.search(text)
    if types is None or names is None:
        raise UnknownShape(f"{file.name} has no table of fields")
    on_wire: dict[str, str] = ast.literal_eval(names[1])
    setters = {found["name"]: found["body"] for found in _SETTER.finditer(text + "\n    def ")}
    values = {attribute: _values(body) for attribute, body in setters.items()}
    understood = sum(found is not None for found in values.values())
    if set(on_wire) - set(setters) or text.count("allowed_values = [") != understood:
        raise UnknownShape(f"{file.name} has setters of another shape")
    fields = [
        Field(on_wire[attribute], type_of(kind), values[attribute], tuple(_limits(setters[attribute])))
        for attribute, kind in ast.literal_eval(types[1]).items()
    ]
    return Model(name, {field.name: field for field in fields})


def _values(setter: str) -> tuple[str, ...] | None:
    found = re.search(r"^        allowed_values = (\[.*?\])$", setter, re.MULTILINE)
    return tuple(ast.literal_eval(found[1])) if found else None


def _limits(setter: str) -> Iterator[Limit]:
    """Lengths, ranges and patterns: the SDK's setters raise ValueError where they are not kept."""
    if "raise ValueError" not in setter:
        return
    for node in ast.parse(textwrap.dedent(setter)).body:
        if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
            yield _limit(node.test)


def _limit(test: ast.expr) -> Limit:
    variables = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)} - {"len", "re"}
    if len(variables) != 1:
        raise UnknownShape(f"limit {ast.unparse(test)}")
    (variable,) = variables
    code = compile(ast.Expression(test), "limit", "eval")

    def refuses(value: Any) -> bool:
        return bool(eval(code, {"re": re, "len": len, variable: value}))

    return Limit(refuses, ast.unparse(test))
