"""Secrets as they stand among an environment's variables.

A variable that is a secret says where to read it, ``{secret: {env: NAME}}``, at any depth. Everything that is
digested, shown or stored is rendered with the placeholder ``(secret <variable>)`` in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.specs.secret_text import SecretText
from reconciler.specs.secrets import SecretValues, SecretVariable

_VARIABLE = {"$ref": "#/$defs/Variable"}
VARIABLE_SCHEMA: dict[str, Any] = {
    "if": {"type": "object", "required": ["secret"]},
    "then": {
        "properties": {
            "secret": {
                "description": "A secret: where to read it, never the value.",
                "type": "object",
                "properties": {
                    "env": {
                        "description": "Name of the environment variable that holds the secret.",
                        "type": "string",
                        "minLength": 1,
                    }
                },
                "required": ["env"],
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
    },
    "else": {"additionalProperties": _VARIABLE, "items": _VARIABLE},
}
"""JSON Schema of ``$defs/Variable``: any value, but what looks like a secret must be one (see ``is_secret``)."""


def is_secret(value: Any) -> bool:
    """Whether a variable's value is the well-formed ``{secret: {env: NAME}}``."""
    if not isinstance(value, Mapping) or set(value) != {"secret"}:
        return False
    origin = value["secret"]
    return (
        isinstance(origin, Mapping)
        and set(origin) == {"env"}
        and isinstance(origin["env"], str)
        and bool(origin["env"])
    )


def secret_variables(variables: Mapping[str, Any]) -> tuple[SecretVariable, ...]:
    """All secrets among the variables, in their order."""
    return tuple(_find(variables, ()))


def with_placeholders(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables as all renderings for people and files see them."""
    return {name: _fill(value, name, None) for name, value in variables.items()}


def with_values(variables: Mapping[str, Any], values: SecretValues) -> dict[str, Any]:
    """The variables as the rendering for upload sees them; secrets not set keep their placeholder."""
    return {name: _fill(value, name, values) for name, value in variables.items()}


def malformed_secrets(variables: Mapping[str, Any]) -> list[tuple[str | int, ...]]:
    """Paths of values that look like a secret but are none, such as a secret written down right here."""
    if "secret" in variables:
        return [("secret",), *_malformed({k: v for k, v in variables.items() if k != "secret"}, ())]
    return list(_malformed(variables, ()))


def _find(node: Any, path: tuple[str, ...]) -> Iterator[SecretVariable]:
    if path and is_secret(node):
        yield SecretVariable(".".join(path), node["secret"]["env"])
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _find(value, (*path, str(key)))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _find(value, (*path, str(index)))


def _fill(node: Any, name: str, values: SecretValues | None) -> Any:
    if is_secret(node):
        value = values.get(name) if values else None
        return SecretText(value if value is not None else f"(secret {name})", (name,))
    if isinstance(node, Mapping):
        return {key: _fill(value, f"{name}.{key}", values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, f"{name}.{index}", values) for index, value in enumerate(node)]
    return node


def _malformed(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if path and isinstance(node, Mapping) and "secret" in node:
        if not is_secret(node):
            yield (*path, "secret")
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _malformed(value, (*path, str(key)))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _malformed(value, (*path, index))
