"""What the wire shows of a flow's content without opening it: languages, compatible types, schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.archy.flowtypes import FlowType
from reconciler.sandbox.wire import without_none

_JSON_TYPES = {
    "stringVariable": "string",
    "booleanVariable": "boolean",
    "integerVariable": "integer",
    "decimalVariable": "number",
}


def traits_of(flow_type: FlowType, body: dict[str, Any]) -> dict[str, Any]:
    """Wire fields of ``Flow`` and ``FlowVersion`` that follow from the content."""
    return without_none(
        {
            "supportedLanguages": _languages(body),
            "compatibleFlowTypes": _compatible(body) if flow_type.api_type == "COMMONMODULE" else None,
            "inputSchema": _schema(body, "isInput"),
            "outputSchema": _schema(body, "isOutput"),
        }
    )


def _languages(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    supported = body.get("supportedLanguages")
    default = body.get("defaultLanguage")
    names = list(supported) if isinstance(supported, dict) else []
    if isinstance(default, str) and default not in names:
        names.append(default)
    return [{"language": name, "isDefault": name == (default or names[0])} for name in names] or None


def _compatible(body: dict[str, Any]) -> list[str] | None:
    settings = body.get("settingsCommonModule")
    entries = settings.get("compatibleFlowTypes") if isinstance(settings, dict) else None
    if not isinstance(entries, list):
        return None
    return [
        entry["flowType"].upper()
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("flowType"), str)
    ]


def variables_of(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, definition) of each flow variable, e.g. ``("stringVariable", {"name": …})``."""
    variables = body.get("variables")
    for item in variables if isinstance(variables, list) else []:
        if isinstance(item, dict) and len(item) == 1:
            ((kind, definition),) = item.items()
            if isinstance(definition, dict):
                yield kind, definition


def _schema(body: dict[str, Any], direction: str) -> dict[str, Any] | None:
    properties = {
        str(definition.get("name")): {"type": _JSON_TYPES.get(kind, "object")}
        for kind, definition in variables_of(body)
        if definition.get(direction) is True
    }
    return {"type": "object", "properties": properties} if properties else None
