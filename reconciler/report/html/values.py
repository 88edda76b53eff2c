"""Values of differences, before and after: laid out in lines, with the words marked that are not in both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

_WORDS = re.compile(r"^\s+|\S+\s*")
"""Words with the space behind them, so that a changed phrase is one mark and not one a word."""
_ALIKE = 0.4
"""Share in common below which two texts are told apart as a whole; marks would only be confetti."""
_MAX_PAIRS = 250_000
"""Pairs of words above which a comparison would take noticeable time."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a value; marked where the other side does not have it."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One value as it is shown."""

    pieces: tuple[Piece, ...]
    lines: int
    structured: bool
    """Whether it is a part of a document, and not a text or number."""


Sides = tuple[Side | None, Side | None]


def side_by_side(op: Literal["add", "remove", "change", "move", "rename"], before: Any, after: Any) -> Sides:
    """Both values of a difference; None for a side on which there is nothing."""
    old = None if op == "add" or (op != "change" and before is None) else _text(before)
    new = None if op == "remove" or (op != "change" and after is None) else _text(after)
    pieces = _marked(old, new) if old is not None and new is not None else None
    return (
        None if old is None else _side(before, old, pieces and pieces[0]),
        None if new is None else _side(after, new, pieces and pieces[1]),
    )


def _side(value: Any, text: str, pieces: tuple[Piece, ...] | None) -> Side:
    pieces = tuple(piece for piece in pieces or () if piece.text)
    return Side(pieces or (Piece(text),), text.count("\n") + 1, isinstance(value, dict | list))


def _text(value: Any) -> str:
    if isinstance(value, dict | list) and value:
        return "\n".join(_outline(value, ""))
    return _scalar(value)


def _outline(value: Any, indent: str) -> Iterator[str]:
    """A document as indented lines, like YAML but for people only: texts stand as they are."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _entry(f"{indent}{key}:", item, indent)
    else:
        for item in value:
            yield from _entry(f"{indent}-", item, indent)


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, dict | list) and item:
        inner = list(_outline(item, indent + "  "))
        if head.endswith("-"):
            yield f"{head} {inner[0].lstrip()}"
            yield from inner[1:]
        else:
            yield head
            yield from inner
    else:
        first, *more = _scalar(item).split("\n")
        yield f"{head} {first}"
        yield from (f"{indent}  {line}" for line in more)


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _marked(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if old == new or len(before) * len(after) > _MAX_PAIRS:
        return None
    plain_before, plain_after = [word.strip() for word in before], [word.strip() for word in after]
    # Where only spaces differ, they are what has to be marked.
    words = (before, after) if plain_before == plain_after else (plain_before, plain_after)
    codes = SequenceMatcher(None, *words, autojunk=False).get_opcodes()
    same = sum(old_to - old_from for tag, old_from, old_to, _, _ in codes if tag == "equal")
    if 2 * same < _ALIKE * (len(before) + len(after)):
        return None
    return (
        tuple(p for tag, start, end, _, _ in codes for p in _pieces("".join(before[start:end]), tag)),
        tuple(p for tag, _, _, start, end in codes for p in _pieces("".join(after[start:end]), tag)),
    )


def _pieces(text: str, tag: str) -> Iterator[Piece]:
    """A stretch, the space at its end unmarked unless it is all there is."""
    if tag == "equal":
        yield Piece(text)
        return
    words = text.rstrip() or text
    yield Piece(words, marked=True)
    yield Piece(text[len(words) :])
