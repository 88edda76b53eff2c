"""How an editor reads a file and holds it against a schema: it knows YAML, and nothing of Jinja2."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value for value in (True, False) for word in (str(value), str(value).lower(), str(value).upper())
}


def documents(text: str) -> Iterator[Any]:
    """Every document that holds something, in YAML 1.2; a key that is a mapping becomes text, as in JavaScript.

    Raises:
        yaml.YAMLError: it is no YAML, for instance because of a ``{% … %}``.
    """
    for node in list(yaml.compose_all(text, Loader=yaml.CSafeLoader)):
        if not (isinstance(node, ScalarNode) and not node.value):
            yield _value(node)


def complaints(schema: dict[str, Any], text: str) -> list[str]:
    """What a schema has against a text, each with the path to it."""
    validator = Draft202012Validator(schema)
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for document in documents(text)
        for error in validator.iter_errors(document)
    ]


def _value(node: Node) -> Any:
    if isinstance(node, MappingNode):
        return {_key(key): _value(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_value(item) for item in node.value]
    assert isinstance(node, ScalarNode)
    return node.value if node.style else _scalar(node.value)


def _key(node: Node) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else json.dumps(_value(node))


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
