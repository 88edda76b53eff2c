"""Writes the pin of an environment (``release:``) into its file, and changes nothing else of it."""

from __future__ import annotations

import re
from typing import Any

import yaml

from reconciler.archy.yaml import YamlError, load
from reconciler.archy.yaml_parser import plain_value
from reconciler.problems import ReconcilerError

KEY, BEFORE_IT = "release", "extends"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


class PinError(ReconcilerError):
    """The file cannot be edited without the risk of spoiling it; nothing was written."""


def with_release(text: str, commit: str, file: str) -> str:
    """The environment file with ``release`` set to a commit: one line is added or changed, comments stay.

    Raises:
        PinError: the file is no plain mapping, or is written so that one line cannot be changed alone.
    """
    unsafe = PinError(
        f"{file}: the release cannot be set without touching more of the file than one line.",
        remedy=f"Write it yourself, on a line of its own at the left edge: `{KEY}: {commit}`.",
    )
    try:
        before = load(text) or {}
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (YamlError, yaml.YAMLError):
        raise unsafe from None
    if not isinstance(before, dict):
        raise unsafe
    edited = _edited(text, node, _scalar(commit))
    if edited is None or _reading(edited) != {**before, KEY: commit}:
        raise unsafe
    return edited


def _edited(text: str, node: Any, scalar: str) -> str | None:
    lines = _LINE.findall(text)
    end = "\r\n" if "\r\n" in text else "\n"
    added = f"{KEY}: {scalar}{end}"
    if node is None:
        return text + ("" if not text or text.endswith(("\n", "\r")) else end) + added
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return None
    found = {key.value: (key, value) for key, value in node.value}
    if KEY in found:
        return _replaced(lines, found[KEY][1], scalar)
    if BEFORE_IT in found and _on_one_line(*found[BEFORE_IT]):
        at = found[BEFORE_IT][0].start_mark.line
        if not lines[at].endswith(("\n", "\r")):
            lines[at] += end
        lines.insert(at + 1, added)
    else:
        lines.insert(node.value[0][0].start_mark.line, added)
    return "".join(lines)


def _on_one_line(key: Any, value: Any) -> bool:
    line: int = key.start_mark.line
    return isinstance(value, yaml.ScalarNode) and bool(value.end_mark.line == line)


def _replaced(lines: list[str], value: Any, scalar: str) -> str | None:
    start, stop = value.start_mark, value.end_mark
    if start.line != stop.line:
        return None
    line = lines[start.line]
    blank = "" if line[: start.column].endswith(" ") else " "
    lines[start.line] = line[: start.column] + blank + scalar + line[stop.column :]
    return "".join(lines)


def _scalar(commit: str) -> str:
    """Quoted where YAML would take it for a number (``12e4567``)."""
    return commit if plain_value(commit) == commit else f'"{commit}"'


def _reading(text: str) -> Any:
    try:
        return load(text)
    except YamlError:
        return None
