"""Ways to spoil valid input: bytes, text, lines and trees. What they are spoilt with has broken other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fuzz.choices import Choices

TEXTS = (
    "",
    "\0",
    "\x1b[2J",
    "\ud800",
    "\ufeff",
    "\u2028",
    "\x85",
    "\u202e",
    "\t",
    "\r",
    "\n",
    "  ",
    "\n---\n",
    "\n...\n",
    "é" * 40,
    "ſ" * 20,
    "😀",
    "A" * 3000,
    "9" * 5000,
    "-1",
    "1e999",
    ".nan",
    "0x" + "f" * 400,
    "null",
    "~",
    "[]",
    "{}",
    "[" * 300,
    "{a: " * 300,
    "- " * 300,
    "? " * 50,
    '"',
    "'",
    "`",
    "#",
    "&a",
    "*a",
    "&a [*a]",
    "&a [1]\n",
    "!!python/object:os.system",
    "!!binary aGk=",
    "<<: *a",
    "%TAG ! tag:x,2000:",
    "%YAML 9.9\n---\n",
    "|",
    ">-",
    ": ",
    "::",
    "../../etc/passwd",
    "(secret token)",
    "(secret ",
    "%s%n%99999d",
    "{0.__class__}",
    '"' + '\\"' * 200 + "\\",
    "/*" * 100,
    'FindQueue("Sales")',
    "FindQueue(",
    'Prompt.a + FindUserPrompt("b")',
)
TEMPLATES = (
    "{{ company }}",
    "{{ token }}",
    "{{ token | yaml }}",
    "{{ token | upper }}",
    "{{ token ~ 'x' }}",
    "{{ queue.sales }}",
    "{{ nothing }}",
    "{{ nothing.at.all }}",
    "{{",
    "}}",
    "{%",
    "{#",
    "#}",
    "{% raw %}",
    "{% endraw %}",
    "{% if company %}",
    "{% endif %}",
    "{% else %}",
    "{% for i in range(50) %}",
    "{% for i in range(99999) %}",
    "{% for i in queues recursive %}{{ loop(queues) }}",
    "{% endfor %}",
    "{{ loop.index }}",
    "{% set x = company %}",
    "{% set x = namespace(a=1) %}",
    "{% macro m(a, b=2) %}{{ m(a) }}",
    "{% endmacro %}",
    "{{ m(1) }}",
    "{{ m }}",
    "{{ caller() }}",
    "{% call m(1) %}",
    "{% endcall %}",
    "{% filter upper %}",
    "{% endfilter %}",
    "{% block a %}",
    "{% endblock %}",
    "{% extends 'a.yaml' %}",
    "{% include '_a.yaml' %}",
    "{% include '_b.yaml' ignore missing %}",
    "{% include ['x', '_a.yaml'] %}",
    "{% include company %}",
    "{% include '../environments/fuzz.yaml' %}",
    "{% import '_a.yaml' as a %}{{ a.m(1) }}",
    "{% from '_b.yaml' import m with context %}",
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 999999 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ range(10**9) }}",
    "{{ range(99999) | list }}",
    "{{ range(99999) | map('center', 9999) | join }}",
    "{{ ([company * 9] * 99999) | join }}",
    "{{ ','.join([company] * 99999) }}",
    "{{ '%9999d' * 9999 % 1 }}",
    "{{ ('{0:>9999}' * 9999).format(1) }}",
    "{{ company | center(10**9) }}",
    "{{ company | indent(10**9) }}",
    "{{ company | replace('', 'x' * 9999) }}",
    "{{ company | batch(10**9, 'x') | list }}",
    "{{ company | wordwrap(1) | urlize | title }}",
    "{{ queues | sum(start='') }}",
    "{{ queues | sort | first | attr('__class__') }}",
    "{{ queues | tojson | pprint }}",
    "{{ queues | groupby('x') | xmlattr }}",
    "{{ queues[10**30:] }}",
    "{{ company[::0] }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ '{0.__class__}'.format(company) }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ (" + "(" * 200 + "1",
    "{{ " + "-" * 300 + "1 }}",
    "{{ " + "not " * 300 + "1 }}",
    "{{ [" * 100,
    "{{ 1 if 1 else 2 is divisibleby 0 }}",
    "{{ 1 / 0 }}",
    "{{ 'é'.encode() }}",
    "{{ '\\ud800' }}",
    "{{ numbers | yaml }}",
    "{{ dict(a=token) | tojson }}",
    "{% do 1 %}",
    "{% autoescape true %}",
    "{% with a=1 %}",
    "{% endwith %}",
    "{% trans %}",
    "{% debug %}",
    "{%- -%}",
)
DEEPEST = 300
"""Levels of a tree that a change may lie below; a tree may be deeper than Python can walk."""
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    1.5,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "x",
    "\0",
    "\ud800",
    "\x1b[2J\x07",
    "A" * 3000,
    "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "http://127.0.0.1:1/x",
    "file:///etc/passwd",
    "http://[",
    "../..",
    [],
    [None],
    [[]],
    ["x"] * 300,
    {},
    {"id": None},
    {"": ""},
    {"id": {"id": {"id": []}}},
)


def spoilt_text(choices: Choices, text: str, fragments: Sequence[str] = TEXTS + TEMPLATES) -> str:
    """The text with up to a few changes: fragments put in, parts moved, doubled, dropped; whole lines, too."""
    for _round in range(choices.pick((1, 0, 1, 1, 2, 4))):
        how = choices.number(8)
        if how < 3:
            at = _line_or_token_start(choices, text) if how else choices.number(len(text) + 1)
            text = text[:at] + choices.pick(fragments) + text[at:]
        elif how == 3:
            start, end = _part(choices, text)
            text = text[:start] + choices.pick(fragments) + text[end:]
        elif how == 4:
            start, end = _part(choices, text)
            text = text[:start] + text[end:]
        elif how == 5:
            text = _lines_changed(choices, text)
        elif how == 6:
            start, end = _part(choices, text)
            at = choices.number(len(text) + 1)
            text = text[:at] + text[start:end] + text[at:]
        else:
            at = choices.number(len(text) + 1)
            text = text[:at] + choices.rest(choices.number(8)).decode("latin-1") + text[at:]
    return text


def spoilt_bytes(choices: Choices, data: bytes) -> bytes:
    """The bytes cut short, flipped, or in another encoding."""
    match choices.number(24):
        case 0:
            return data[: choices.number(len(data) + 1)]
        case 1:
            at = choices.number(len(data) + 1)
            return data[:at] + choices.rest(4) + data[at + choices.number(3) :]
        case 2:
            return data.decode("utf-8", "replace").encode("utf-16")
        case 3:
            return b"\xef\xbb\xbf" + data
        case 4:
            at = choices.number(len(data) + 1)
            return data[:at] + choices.pick((b"\xff", b"\0", b"\xc3", b"\xed\xa0\x80", b"\x80" * 9)) + data[at:]
        case 5:
            return data.replace(b"\n", choices.pick((b"\r", b"\r\n", b"\xc2\x85", b"\xe2\x80\xa8")))
        case _:
            return data


def spoilt_tree(choices: Choices, tree: Any) -> Any:
    """A JSON-able tree with one to three changes somewhere: another type, a key gone, doubled, or deep below."""
    for _round in range(choices.pick((1, 1, 1, 2, 3, 0))):
        tree = _spoilt_once(choices, tree)
    return tree


def dumped(tree: Any) -> str:
    """The tree as JSON, which is YAML as well; something deep where it cannot be written."""
    try:
        return json.dumps(tree)
    except RecursionError:
        return '{"a": ' * 5000


def _spoilt_once(choices: Choices, tree: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        return choices.pick(VALUES)
    if isinstance(tree, dict) and tree and not choices.chance(6):
        key = choices.pick(sorted(tree))
        if choices.chance(6):
            return {name: value for name, value in tree.items() if name != key}
        if choices.chance(8):
            return {**tree, str(choices.pick(TEXTS)): tree[key]}
        return {**tree, key: _spoilt_once(choices, tree[key], depth + 1)}
    if isinstance(tree, list) and tree and not choices.chance(6):
        at = choices.number(len(tree))
        if choices.chance(6):
            return [*tree[:at], *tree[at + 1 :]]
        if choices.chance(6):
            return [*tree, *tree[at:]]
        return [*tree[:at], _spoilt_once(choices, tree[at], depth + 1), *tree[at + 1 :]]
    if isinstance(tree, str) and choices.chance(3):
        return spoilt_text(choices, tree, TEXTS)
    if choices.chance(12):
        return _deep(choices.number(2), choices.pick((3, 60, 250, 1200)), tree)
    return choices.pick(VALUES)


def _deep(lists: int, levels: int, value: Any) -> Any:
    for _level in range(levels):
        value = [value] if lists else {"a": value}
    return value


def _part(choices: Choices, text: str) -> tuple[int, int]:
    start = choices.number(len(text) + 1)
    return start, min(len(text), start + choices.pick((1, 2, 5, 20, 100, 1000)))


def _line_or_token_start(choices: Choices, text: str) -> int:
    at = choices.number(len(text) + 1)
    found = text.find(choices.pick((": ", "\n", "- ", "{{ ", '"')), at)
    return at if found < 0 else found + choices.number(3)


def _lines_changed(choices: Choices, text: str) -> str:
    lines = text.split("\n")
    at, other = choices.number(len(lines)), choices.number(len(lines))
    match choices.number(5):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            lines[at:at] = lines[other : other + choices.number(9)]
        case 2:
            del lines[at : at + choices.number(9)]
        case 3:
            lines[at] = choices.pick((" ", "  ", "\t", "")) + lines[at].removeprefix(choices.pick((" ", "  ", "    ")))
        case _:
            key, colon, _value = lines[at].partition(":")
            lines[at] = f"{key}{colon} {choices.pick(TEXTS)}"
    return "\n".join(lines)
