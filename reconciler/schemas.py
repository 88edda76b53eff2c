"""JSON Schema as an editor shows it: out of the pydantic models, with the texts that stand beside their fields.

The models stay the only truth. What this adds is for people: descriptions from docstrings, no titles that pydantic
makes up, no defaults that an editor would write into the file for nothing.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic_core import core_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
TEMPLATE_NAME = "Template"
TEMPLATE: dict[str, Any] = {
    "title": "{{ … }}",
    "description": "A variable of the environment, as in `{{ numbers.sales | yaml }}`.",
    "anyOf": [
        {"type": "string", "pattern": r"\{\{"},
        # YAML reads `{{ x }}` as a mapping whose only key is the mapping {x: null}; its key has no name, or one that
        # starts with a brace, depending on who reads.
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "patternProperties": {r"^\{": True},
            "additionalProperties": False,
        },
    ],
}
"""What may stand for any value of a spec: a template, as an editor reads it that knows nothing of Jinja2."""


class _Editor(GenerateJsonSchema):
    """What pydantic makes, in the words of our docstrings."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: pydantic would only repeat the key."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> dict[str, Any]:
        """One model, each field with the text that stands below it."""
        made = super().model_schema(schema)
        made.pop("title", None)
        texts = field_texts(schema["cls"])
        for name, field in schema["cls"].model_fields.items():
            key = field.alias or name
            if name in texts and key in made.get("properties", {}):
                made["properties"][key]["description"] = texts[name]
        if "description" in made:
            made["description"] = _plain(made["description"])
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        """Defaults that say something: an editor writes them into the file with the key."""
        made = super().default_schema(schema)
        if not isinstance(made.get("default"), str | int | float):
            made.pop("default", None)
        return made

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        """``type: [string, null]`` where that says all, because its messages are clearer than those of ``anyOf``."""
        inner = self.generate_inner(schema["schema"])
        if isinstance(inner.get("type"), str) and "enum" not in inner:
            return {**inner, "type": [inner["type"], "null"]}
        return super().nullable_schema(schema)


def model_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of what a model takes, for editors; shared parts below ``$defs``."""
    schema = model.model_json_schema(schema_generator=_Editor)
    made: dict[str, Any] = _written_out(schema, schema.get("$defs", {}))
    return made


def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Field → the docstring below it, in this class or the nearest one above that has the field."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls is BaseModel:
            continue
        try:
            (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        except (OSError, TypeError):
            continue  # A class that stands in no file, such as one made by a generic one.
        assert isinstance(definition, ast.ClassDef)
        for statement, below in zip(definition.body, definition.body[1:], strict=False):
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                text = _text(below)
                if text:
                    found[statement.target.id] = _plain(inspect.cleandoc(text))
    return found


def with_templates(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a mapping where ``{{ … }}`` may stand for values and items of lists; keys stay as strict."""
    return {**schema, "properties": {key: _or_template(value) for key, value in schema.get("properties", {}).items()}}


def or_null(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a key that may also be left empty."""
    if "$ref" in schema:
        schema = {**definitions[str(schema["$ref"]).rpartition("/")[2]], **schema}
        schema = {key: value for key, value in schema.items() if key != "$ref"}
    kind = schema.get("type")
    if not isinstance(kind, str):
        return dict(schema)
    empty = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [kind, "null"], **empty}


def nothing_required(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a part of a mapping that is merged with another part: keys are required in items of lists only."""
    definitions = schema.get("$defs", {})
    reached: dict[str, Any] = {}

    def part(node: Mapping[str, Any]) -> dict[str, Any]:
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name in definitions and name not in reached:
            reached[name] = {}  # A part may hold itself.
            reached[name] = part(definitions[name])
        made = {key: value for key, value in node.items() if key != "required"}
        if "properties" in made:
            made["properties"] = {key: part(value) for key, value in made["properties"].items()}
        if "anyOf" in made:
            made["anyOf"] = [part(choice) for choice in made["anyOf"]]
        return made

    return {**part(schema), "$defs": {**definitions, **reached}}


def one_of(roots: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of a document that is a mapping of exactly one of these keys; shared parts move to its top."""
    definitions: dict[str, Any] = {TEMPLATE_NAME: TEMPLATE}
    bodies = {}
    for root, body in roots.items():
        for name, definition in body.get("$defs", {}).items():
            assert definitions.setdefault(name, definition) == definition, f"two different definitions of {name}"
        bodies[root] = {key: value for key, value in body.items() if key != "$defs"}
    return {
        "$schema": DRAFT,
        # A document of nothing but comments is none.
        "type": ["object", "null"],
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": bodies,
        "$defs": definitions,
    }


def _written_out(node: Any, definitions: Mapping[str, Any]) -> Any:
    """The same with the parts written out that may be left empty: ``anyOf`` hides what is wrong inside of them."""
    if isinstance(node, list):
        return [_written_out(item, definitions) for item in node]
    if not isinstance(node, Mapping):
        return node
    match node.get("anyOf"):
        case [{"$ref": str(reference)}, {"type": "null"}]:
            rest = {key: value for key, value in node.items() if key != "anyOf"}
            return _written_out(or_null({"$ref": reference, **rest}, definitions), definitions)
    return {key: _written_out(value, definitions) for key, value in node.items()}


def _or_template(schema: Mapping[str, Any]) -> dict[str, Any]:
    inner = dict(schema)
    outer: dict[str, Any] = {key: inner.pop(key) for key in ("description", "examples", "default") if key in inner}
    if isinstance(inner.get("items"), Mapping):
        inner["items"] = _or_template(inner["items"])
    return {**outer, "anyOf": [inner, {"$ref": f"#/$defs/{TEMPLATE_NAME}"}]}


def _text(statement: ast.stmt) -> str:
    """The docstring that a statement is; empty for every other statement."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _plain(text: str) -> str:
    """A docstring as Markdown, one line a paragraph."""
    paragraphs = re.split(r"\n\s*\n", text.replace("``", "`"))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
