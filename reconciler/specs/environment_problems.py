"""Says in plain words what pydantic found wrong in an environment file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.problems import Finding
from reconciler.specs.environment_files import Layers
from reconciler.suggest import near

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_EXPECTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "model_type": "must be a mapping of keys",
    "dict_type": "must be a mapping of keys",
    "mapping_type": "must be a mapping of keys",
    "tuple_type": "must be a list",
    "bool_type": "must be true or false",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def explain(detail: ErrorDetails, layers: Layers, environment: str) -> Finding:
    """One validation error as a finding at the file, line and column where the wrong key stands."""
    path = tuple(detail["loc"])
    dotted = ".".join(str(step) for step in path)
    match detail["type"]:
        case _ if path[0] == "notify" and len(path) > 2 and path[2] in ("url", "secret"):
            # Nor is this one.
            message = f"{'.'.join(map(str, path[:3]))} does not say where to read it."
            return layers.finding("bad-value", path[:3], message, "Write `{env: NAME}`, NAME being a variable's name.")
        case "extra_forbidden":
            known = known_keys(path[:-1])
            remedy = f"{near(str(path[-1]), known)}Known keys here: {', '.join(known)}."
            return layers.finding("unknown-environment-key", path, f"There is no key {dotted!r}.", remedy)
        case "missing":
            message = f"The environment {environment} needs the key {dotted!r}."
            return layers.finding("missing-key", path, message, f"Add it to {layers.files[0]}.")
        case _ if path[0] == "credentials":
            # The value is not shown: it may be the secret itself, written down by mistake.
            message = f"{dotted} does not say where to read a value."
            return layers.finding(
                "bad-value", path, message, "Write `{env: NAME}`; the value itself never stands here."
            )
        case other:
            return layers.finding(
                "bad-value",
                path,
                f"{dotted} {expectation(other, detail)}{given(detail['input'])}.",
                "Correct the value.",
            )


def known_keys(path: tuple[str | int, ...]) -> list[str]:
    """The keys that a mapping at ``path`` may have."""
    # Imported here because the models' module imports this one.
    from reconciler.specs.environment import EnvironmentFile

    schema = EnvironmentFile.model_json_schema()
    node: dict[str, Any] = schema
    for step in path:
        others = node.get("additionalProperties")
        named = node.get("properties", {}).get(str(step), others if isinstance(others, dict) else {})
        inner = node.get("items", {}) if isinstance(step, int) else named
        node = _resolved(inner, schema)
    return list(node.get("properties", {}))


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    options = [node, *node.get("anyOf", [])]
    reference = next((option["$ref"] for option in options if "$ref" in option), None)
    if reference is None:
        return node
    resolved: dict[str, Any] = schema["$defs"][reference.rpartition("/")[2]]
    return resolved


def expectation(kind: str, detail: ErrorDetails) -> str:
    """What a value must be, as the end of a sentence: ``must be text``."""
    context = detail.get("ctx", {})
    match kind:
        case "literal_error":
            return f"must be {context['expected']}".replace("'", "")
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case _:
            return _EXPECTED.get(kind) or f"is wrong ({detail['msg'].lower()})"


def given(value: Any) -> str:
    """What it is instead, as the end of that sentence: ``, not 12``."""
    if value is None:
        return "; it is empty"
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    if isinstance(value, int | float | str):
        shown = str(value)
        return f", not {shown if len(shown) <= 60 else shown[:60] + '…'}"
    return ""
