"""Reads Architect expressions into trees.

Grammar as seen in real flows (facts archy-yaml §3): double-quoted strings with backslash escapes, numbers,
``true``, ``false``, ``NOT_SET``, dotted names, calls with names in any case, ``[index]``, ``! - * / + - < <= >
>= == != and or``, parentheses. Anything else is ``CannotRun``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.sandbox.running_flows.problems import CannotRun
from reconciler.sandbox.running_flows.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written down."""

    value: Value


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, with its scope: ``Flow.contactId``."""

    text: str


@dataclass(frozen=True, slots=True)
class Member:
    """A part of a value: ``.e164``."""

    owner: Node
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """An element of a collection: ``[0]``."""

    owner: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """``!x`` or ``-x``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """``a operator b``."""

    operator: str
    left: Node
    right: Node


Node = Literal | Name | Member | Item | Call | Unary | Binary

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<number>[0-9]{1,40}(?:\.[0-9]{1,40})?)
      | (?P<name>[^\W\d]\w*)
      | (?P<mark><=|>=|==|!=|[-+*/<>!().,\[\]])
    )""",
    re.DOTALL | re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/"),
)
"""Binary operators, those that bind least first."""
_SCOPES = frozenset(
    {"flow", "state", "task", "common", "call", "message", "email", "chat", "slot", "survey", "session"}
)
_WORDS: dict[str, Value] = {"true": True, "false": False, "not_set": None}
MAX_DEPTH = 50


def parse(text: str) -> Node:
    """The tree of an expression; raises ``CannotRun`` for what cannot be read."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _split(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._level(0)
        if self._at < len(self._tokens):
            raise self._problem()
        return node

    def _problem(self) -> CannotRun:
        where = self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"
        return CannotRun(f"the expression '{self._text.strip()}' cannot be read at {where}")

    def _peek(self) -> str:
        """The next word or mark, in lower case; empty at the end and for strings and numbers."""
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        return text.lower() if kind in ("name", "mark") else ""

    def _take(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._at += 1
        return True

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._problem()

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while (operator := self._peek()) in _LEVELS[level]:
            self._at += 1
            left = Binary(operator, left, self._level(level + 1))
        return left

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CannotRun("an expression is nested too deeply")
        operator = self._peek()
        if operator in ("!", "-"):
            self._at += 1
            node: Node = Unary(operator, self._unary())
        else:
            node = self._parts(self._primary())
        self._depth -= 1
        return node

    def _parts(self, node: Node) -> Node:
        while True:
            if self._take("."):
                node = Member(node, self._name())
            elif self._take("["):
                node = Item(node, self._level(0))
                self._expect("]")
            else:
                return node

    def _name(self) -> str:
        if self._at >= len(self._tokens) or self._tokens[self._at][0] != "name":
            raise self._problem()
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _primary(self) -> Node:
        if self._take("("):
            node = self._level(0)
            self._expect(")")
            return node
        if self._at >= len(self._tokens):
            raise self._problem()
        kind, text = self._tokens[self._at]
        if kind == "string":
            self._at += 1
            return Literal(unquoted(text))
        if kind == "number":
            self._at += 1
            return Literal(float(text) if "." in text else int(text))
        if text.lower() in _WORDS:
            self._at += 1
            return Literal(_WORDS[text.lower()])
        name = self._name()
        if self._take("("):
            return Call(name, self._arguments())
        if name.lower() in _SCOPES and self._take("."):
            return Name(f"{name}.{self._name()}")
        raise CannotRun(f"'{name}' in '{self._text.strip()}' is nothing that the sandbox knows")

    def _arguments(self) -> tuple[Node, ...]:
        if self._take(")"):
            return ()
        arguments = [self._level(0)]
        while self._take(","):
            arguments.append(self._level(0))
        self._expect(")")
        return tuple(arguments)


def _split(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise CannotRun(f"the expression '{text.strip()}' cannot be read at '{text[at:].strip()[:20]}'")
        tokens.append((str(match.lastgroup), match.group(str(match.lastgroup))))
        at = match.end()
    return tokens


def unquoted(text: str) -> str:
    """The text that a string in quotes stands for; raises ``CannotRun`` for an unknown escape."""

    def meaning(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise CannotRun(f"what '\\{match[1]}' in a string means is not known")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", meaning, text[1:-1], flags=re.DOTALL)
