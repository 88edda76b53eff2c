"""Finds every place where a flow names another object of the org.

The shapes are those of facts/archy-yaml §4: K (the name is a mapping key), N (``{name: X}``), L (a value
form, ``{lit: {name: X}}`` or ``{exp: …}``). The parsed tree is walked once, field by field, so that an action
never reports what an action inside it refers to. Where the author chooses the keys (``inputs`` of a data
action, say) keys mean nothing and only expressions are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.archy.expressions import is_guid, is_unset, look_ups, string_literal, without_prompt_prefix
from reconciler.archy.flowtypes import by_api_type, by_root
from reconciler.archy.model import Certainty, Path, Reference
from reconciler.archy.reference_rules import (
    AUTHORS_KEYS,
    CALLED_FLOW_TYPES,
    FIELD_ENDINGS,
    FIND_ACTIONS,
    IN_QUEUE_FLOWS,
    KEYED_FIELDS,
    NAMED_FIELDS,
    NO_NAMES,
    OBJECT_KINDS,
    POST_FLOWS,
    SKIPPED,
    TRANSFER_TARGETS,
    TYPED_VALUES,
    VALUE_FIELDS,
)

__all__ = ["OBJECT_KINDS", "extract_references"]


def extract_references(root: str, body: Any) -> tuple[Reference, ...]:
    """Every reference in a flow, one for each place, in document order.

    ``root`` is the flow's root key, ``body`` what stands below it; anything JSON-like is walked, unknown
    action keys too. Paths start with ``root``.
    """
    extractor = _Extractor(root, body)
    extractor.visit(body, (root,), "")
    return tuple(extractor.found)


class _Extractor:
    """One walk over one flow."""

    def __init__(self, root: str, body: Any) -> None:
        self.found: list[Reference] = []
        self._root = root
        self._media = tuple(_media(root, body))

    def visit(self, value: Any, path: Path, action: str) -> None:
        """Walks fields, lists and nested actions; ``action`` is the key of the nearest action around."""
        if isinstance(value, dict):
            if len(path) == 1 and isinstance(division := value.get("division"), str) and division:
                self._add("division", division, (*path, "division"))
            for key, item in value.items():
                self._visit_field(key, item, (*path, key), action)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                here = (*path, index)
                if isinstance(item, dict) and len(item) == 1:
                    ((key, content),) = item.items()
                    self._visit_item(key, content, (*here, key), action)
                else:
                    self.visit(item, here, action)

    def _visit_item(self, key: str, content: Any, path: Path, action: str) -> None:
        """A list item of one key: an action, a menu choice, a variable, a statement, a skill…"""
        if isinstance(content, dict):
            type_name = key.removesuffix("Variable").removesuffix("Collection")
            for field in ("value", "initialValue"):
                if type_name in TYPED_VALUES and field in content and ("variable" in content or "name" in content):
                    return self._visit_typed(TYPED_VALUES[type_name], content, path, field)
            if "name" in content and key != "lit" and key not in NAMED_FIELDS and not _is_value(content):
                return self.visit(content, path, _as_action(key))
        return self._visit_field(key, content, path, action)

    def _visit_typed(self, kind: str, content: dict[str, Any], path: Path, field: str) -> None:
        for key, item in content.items():
            if key == field:
                self._value(kind, item, (*path, key))
            else:
                self._expressions(item, (*path, key))

    def _visit_field(self, key: str, value: Any, path: Path, action: str) -> None:
        if key in SKIPPED:
            return
        if key in AUTHORS_KEYS:
            self._expressions(value, path)
        elif key == "exp" and isinstance(value, str):
            self._expression(value, path)
        elif key == "lit" and isinstance(value, dict):
            self._unplaced_literal(value, path)
        elif key == "findName" and action in FIND_ACTIONS:
            self._searched_name(FIND_ACTIONS[action], value, path)
        elif key == "category" and _holds_data_actions(value):
            self._data_actions(value, path)
        elif key == "firstMatch" and isinstance(value, dict):
            self._first_match(value, path, action)
        elif key == "engine" and len(path) > 1 and path[-2] == "speechToText":
            self._named("sttEngine", value, path, action)
        elif key in KEYED_FIELDS and isinstance(value, dict):
            self._keyed(key, value, path, action)
        elif key in NAMED_FIELDS and isinstance(value, dict):
            self._named(NAMED_FIELDS[key], value, path, action)
        elif key in VALUE_FIELDS and (_is_value(value) or (key == "prompt" and isinstance(value, str))):
            self._value(VALUE_FIELDS[key], value, path)
        else:
            self.visit(value, path, action)

    def _keyed(self, key: str, value: dict[str, Any], path: Path, action: str) -> None:
        """Shape K: ``dataTable: {By Week Routing: {…}}``."""
        kind = KEYED_FIELDS[key]
        flow_types = (CALLED_FLOW_TYPES[key],) if kind == "flow" else ()
        if set(value) == {"name"} and isinstance(value["name"], str):
            self._add(kind, value["name"], (*path, "name"), flow_types=flow_types)
            return
        for name, content in value.items():
            if name in NO_NAMES:
                self._visit_field(name, content, (*path, name), action)
                continue
            self._add(kind, name, (*path, name), flow_types=flow_types)
            self._expressions(content, (*path, name))

    def _named(self, kind: str, value: Any, path: Path, action: str) -> None:
        """Shape N: ``worktype: {name: X}``; also ``{lit: {name: X}}`` and ``{exp: …}``."""
        flow_types = self._flow_types(str(path[-1]), action) if kind == "flow" else ()
        if isinstance(value, dict) and isinstance(name := value.get("name"), str) and "lit" not in value:
            self._add(kind, name, (*path, "name"), flow_types=flow_types)
        elif _is_value(value):
            self._value(kind, value, path, flow_types=flow_types)
        else:
            self.visit(value, path, action)

    def _value(self, kind: str, value: Any, path: Path, *, flow_types: tuple[str, ...] = ()) -> None:
        """Shape L: a literal (of one object or of a list), an expression, or nothing."""
        if isinstance(value, str):
            self._add(kind, value, path, flow_types=flow_types)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                form, steps = _unwrapped(item)
                self._value(kind, form, (*path, index, *steps), flow_types=flow_types)
        elif isinstance(value, dict):
            if "lit" in value:
                self._literal(kind, value["lit"], (*path, "lit"), flow_types)
            elif isinstance(value.get("exp"), str):
                self._computed(kind, value["exp"], (*path, "exp"), flow_types)
            else:
                self.visit(value, path, "")

    def _literal(self, kind: str, literal: Any, path: Path, flow_types: tuple[str, ...]) -> None:
        if isinstance(literal, dict):
            for field in ("name", "userName"):
                if isinstance(name := literal.get(field), str):
                    self._add(kind, name, (*path, field), flow_types=flow_types)
                    return
        elif isinstance(literal, str | list):
            self._value(kind, literal, path, flow_types=flow_types)

    def _unplaced_literal(self, literal: dict[str, Any], path: Path) -> None:
        """A literal object in a field without a rule: the form tells users, the field's name tells others."""
        if isinstance(mail := literal.get("userName"), str):
            self._add("user", mail, (*path, "userName"))
        elif isinstance(name := literal.get("name"), str):
            fields = [step for step in path if isinstance(step, str) and step != "lit"]
            kind = _kind_of_field(fields[-1]) if fields else None
            if kind:
                self._add(kind, name, (*path, "name"))

    def _computed(self, kind: str, expression: str, path: Path, flow_types: tuple[str, ...] = ()) -> None:
        """An expression for an object of ``kind``: what it looks up, or the expression itself."""
        before = len(self.found)
        self._expression(expression, path)
        looked_up = any(reference.kind == kind for reference in self.found[before:])
        if not looked_up and not is_unset(expression) and not _names_built_in_prompt(kind, expression):
            self._add(kind, expression, path, Certainty.DYNAMIC, flow_types=flow_types)

    def _searched_name(self, kind: str, value: Any, path: Path) -> None:
        """``findName`` of a find action, resolved when the call runs: only a literal can be checked."""
        if not isinstance(value, dict):
            return
        if isinstance(name := value.get("lit"), str):
            certainty = Certainty.DYNAMIC if is_guid(name) else Certainty.RUNTIME
            self._add(kind, name, (*path, "lit"), certainty)
        elif isinstance(expression := value.get("exp"), str):
            self._expression(expression, (*path, "exp"))
            name = string_literal(expression)
            if name is not None and not is_guid(name):
                self._add(kind, name, (*path, "exp"), Certainty.RUNTIME)
            elif not is_unset(expression):
                self._add(kind, expression, (*path, "exp"), Certainty.DYNAMIC)

    def _data_actions(self, categories: dict[str, Any], path: Path) -> None:
        for category, content in categories.items():
            actions = content.get("dataAction") if isinstance(content, dict) else None
            if not isinstance(actions, dict):
                continue
            for name, arguments in actions.items():
                here = (*path, category, "dataAction", name)
                self._add("dataAction", name, here, category=category)
                self._expressions(arguments, here)

    def _first_match(self, value: dict[str, Any], path: Path, action: str) -> None:
        """A switch over one value: with a typed value, the cases are objects of that type."""
        for type_name, content in value.items():
            here = (*path, type_name)
            kind = TYPED_VALUES.get(type_name)
            if kind is None or not isinstance(content, dict):
                self.visit(content, here, action)
                continue
            for key, item in content.items():
                if key == "value":
                    self._expressions(item, (*here, key))
                elif key == "cases" and isinstance(item, list):
                    for index, entry in enumerate(item):
                        self._case(kind, entry, (*here, key, index), action)
                else:
                    self.visit(item, (*here, key), action)

    def _case(self, kind: str, entry: Any, path: Path, action: str) -> None:
        case = entry.get("case") if isinstance(entry, dict) else None
        if not isinstance(case, dict):
            return self.visit(entry, path, action)
        for key, item in case.items():
            here = (*path, "case", key)
            if key == "value":
                self._value(kind, item, here)
            else:
                self.visit(item, here, action)
        return None

    def _expressions(self, value: Any, path: Path) -> None:
        """Reads only expressions and prompts: keys here are the author's words."""
        if isinstance(value, dict):
            for key, item in value.items():
                if key == "exp" and isinstance(item, str):
                    self._expression(item, (*path, key))
                elif key == "prompt" and isinstance(item, str):
                    self._add("prompt", item, (*path, key))
                else:
                    self._expressions(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._expressions(item, (*path, index))

    def _expression(self, expression: str, path: Path) -> None:
        for found in look_ups(expression):
            if not found.literal:
                certainty = Certainty.DYNAMIC
            else:
                certainty = Certainty.RUNTIME if found.function else Certainty.STATIC
            self._add(found.kind, found.name, path, certainty)

    def _add(
        self,
        kind: str,
        name: str,
        path: Path,
        certainty: Certainty = Certainty.STATIC,
        *,
        flow_types: tuple[str, ...] = (),
        category: str | None = None,
    ) -> None:
        if kind == "prompt" and certainty is not Certainty.DYNAMIC:
            own = without_prompt_prefix(name)
            if own is None:
                return
            name = own
        if name:
            self.found.append(Reference(kind, name, path, certainty, flow_types, category))

    def _flow_types(self, field: str, action: str) -> tuple[str, ...]:
        """API types that the flow in ``targetFlow`` or ``overrideInQueueFlow`` may have."""
        if field == "overrideInQueueFlow":
            return _union(IN_QUEUE_FLOWS, self._media)
        if action == "transferToFlowSecure":
            return ("SECURECALL",)
        if action == "setPostFlow":
            return POST_FLOWS
        own = by_root(self._root)
        if own and own.api_type == "INBOUNDCALL":
            return ("INBOUNDCALL",)
        return _union(TRANSFER_TARGETS, self._media)


def _media(root: str, body: Any) -> Iterator[str]:
    """Media that the flow handles; for a common module those of the flow types it declares compatible."""
    flow_type = by_root(root)
    if flow_type is None:
        return
    if flow_type.media != "any":
        yield flow_type.media
        return
    settings = body.get("settingsCommonModule") if isinstance(body, dict) else None
    entries = settings.get("compatibleFlowTypes") if isinstance(settings, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        name = entry.get("flowType") if isinstance(entry, dict) else None
        compatible = by_api_type(name) if isinstance(name, str) else None
        if compatible:
            yield compatible.media


def _union(by_media: Mapping[str, tuple[str, ...]], media: tuple[str, ...]) -> tuple[str, ...]:
    """Types for these media, or for all where none of them is known, without repetition."""
    known = [name for name in media if name in by_media] or list(by_media)
    return tuple(dict.fromkeys(api_type for name in known for api_type in by_media[name]))


def _as_action(key: str) -> str:
    """A menu choice as the action that it performs: ``menuTransferToAcd`` → ``transferToAcd``."""
    if key.startswith("menu") and len(key) > 4 and key[4].isupper():
        return key[4].lower() + key[5:]
    return key


def _kind_of_field(field: str) -> str | None:
    for ending, kind in FIELD_ENDINGS.items():
        if field.endswith(ending):
            return kind
    return None


def _is_value(value: Any) -> bool:
    return isinstance(value, dict) and ("lit" in value or "exp" in value)


def _unwrapped(item: Any) -> tuple[Any, Path]:
    """An item of a list literal, ``{lit: …}`` or wrapped in a key of its own, and the steps to its value."""
    if isinstance(item, dict) and len(item) == 1:
        ((key, content),) = item.items()
        if key not in ("lit", "exp") and isinstance(content, dict):
            return content, (key,)
    return item, ()


def _holds_data_actions(value: Any) -> bool:
    return isinstance(value, dict) and any(
        isinstance(content, dict) and "dataAction" in content for content in value.values()
    )


def _names_built_in_prompt(kind: str, expression: str) -> bool:
    """System prompts, and the hold music that Architect itself sets in in-queue flows (corpus)."""
    text = expression.strip().lower()
    return kind == "prompt" and (text.startswith("promptsystem.") or text == "flow.holdprompt")
