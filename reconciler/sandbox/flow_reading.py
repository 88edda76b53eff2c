"""Reads an uploaded flow and checks what Architect checks without looking at the org.

The checks are those whose outcome is certain from public material: YAML, root key, name rules
(facts §3.1), internal references. Everything that is wrong is said at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.archy.flowtypes import FlowType, by_root
from reconciler.archy.model import Reference
from reconciler.archy.references import extract_references
from reconciler.archy.yaml import YamlError, load_documents
from reconciler.sandbox.internal_refs import Target, target_of

MAX_NAME_LENGTH = 200
_START_CONTAINERS = frozenset({"menus", "states", "bots"})


class FlowRefused(Exception):
    """A flow that cannot be published; ``messages`` says every reason in Architect's manner."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """An uploaded flow, read and sound in itself."""

    flow_type: FlowType
    name: str
    description: str
    division: str | None
    body: dict[str, Any]
    text: str
    references: tuple[Reference, ...]


def read_flow(text: str) -> ReadFlow:
    """Reads one flow document; raises ``FlowRefused`` with all that is wrong."""
    if not text.strip():
        raise FlowRefused(["The uploaded file is empty: there is no flow to publish."])
    try:
        documents = load_documents(text)
    except YamlError as error:
        raise FlowRefused([f"The YAML cannot be read: {error} (line {error.line}, column {error.column})."]) from error
    if len(documents) != 1:
        raise FlowRefused([f"The file must hold exactly one flow; it holds {len(documents)} documents."])
    data = documents[0].data
    if not isinstance(data, dict) or len(data) != 1:
        raise FlowRefused(["The file must be a mapping with one root key, the flow type (e.g. inboundCall)."])
    ((root, body),) = data.items()
    flow_type = by_root(root)
    if flow_type is None:
        raise FlowRefused([f"'{root}' is not a flow type."])
    if not isinstance(body, dict):
        raise FlowRefused([f"'{root}' must hold a mapping with the flow's properties."])
    problems = [*_name_problems(body.get("name")), *_reference_problems(flow_type, body)]
    if problems:
        raise FlowRefused(problems)
    description = body.get("description")
    division = body.get("division")
    return ReadFlow(
        flow_type=flow_type,
        name=body["name"],
        description=description if isinstance(description, str) else "",
        division=division if isinstance(division, str) and division else None,
        body=body,
        text=text,
        references=extract_references(root, body),
    )


def _name_problems(name: Any) -> Iterator[str]:
    if name is None or name == "":
        yield "The property 'name' is required and cannot be empty."
        return
    if not isinstance(name, str):
        yield "The property 'name' must be a string."
        return
    if len(name) > MAX_NAME_LENGTH:
        yield f"The flow name has {len(name)} characters; at most {MAX_NAME_LENGTH} are allowed."
    if "/" in name:
        yield f"The flow name '{name}' must not contain '/'."
    if name.endswith("-debug"):
        yield f"The flow name '{name}' must not end with '-debug'."
    if not any(character.isalnum() for character in name):
        yield f"The flow name '{name}' must contain at least one letter or digit."


def _reference_problems(flow_type: FlowType, body: dict[str, Any]) -> Iterator[str]:
    """Start and jump references that lead nowhere."""
    targets = set(_ref_ids(body))
    needs_start = bool(_START_CONTAINERS & set(flow_type.containers))
    if needs_start and not isinstance(body.get("startUpRef"), str):
        yield "The property 'startUpRef' is required: it names the menu, task, state or bot that starts the flow."
    for key, value in _refs(body):
        if target_of(value, targets) is None:
            yield f"'{key}': could not resolve the reference '{value}' to an element of this flow."


def _ref_ids(value: Any) -> Iterator[Target]:
    """(key, refId) of every element that can be jumped to."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict) and "refId" in item:
                yield key, str(item["refId"])
            yield from _ref_ids(item)
    elif isinstance(value, list):
        for item in value:
            yield from _ref_ids(item)


def _refs(value: Any) -> Iterator[tuple[str, str]]:
    """(key, path) of every internal reference: ``startUpRef``, ``targetTaskRef``, …"""
    if isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("Ref") and isinstance(item, str):
                yield key, item
            else:
                yield from _refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _refs(item)
