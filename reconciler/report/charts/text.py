"""Text for boxes: on lines of a sane length, and nothing in it that no picture can show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

WIDTH = 28
"""Characters a line in a box."""
MAX_LINES = 4
"""Lines that one piece of text may take in a box."""
LABEL_WIDTH = 22
"""Characters a line beside an arrow."""
TITLE_WIDTH = 100
_PIECES = re.compile(r"[^\s.,;:()\[\]{}=/_&|+]*[.,;:()\[\]{}=/_&|+]*\s*")
"""Long expressions are broken behind their punctuation."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_SHOWN = frozenset(("Cc", "Cs", "Cn", "Co"))


def wrapped(text: str, width: int = WIDTH, max_lines: int = MAX_LINES) -> list[str]:
    """The text on lines, shortened with an ellipsis; empty for a text that holds nothing to see."""
    lines = list(_broken(cleaned(text), width))
    if len(lines) <= max_lines:
        return lines
    last = lines[max_lines - 1]
    return [*lines[: max_lines - 1], f"{last[: width - 1].rstrip()}…"]


def _broken(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in re.findall(r"\S+\s*", text):
        pieces = [word] if len(word.rstrip()) <= width else _PIECES.findall(word)
        for piece in (part for whole in pieces for part in _cut(whole, width)):
            if line and len(line) + len(piece.rstrip()) > width:
                yield line.rstrip()
                line = ""
            line += piece
    if line.strip():
        yield line.rstrip()


def _cut(piece: str, width: int) -> Iterator[str]:
    for start in range(0, len(piece.rstrip()), width):
        end = start + width
        yield piece[start:end] if end < len(piece.rstrip()) else piece[start:]


def cleaned(text: str) -> str:
    """The text on one line; characters that cannot be shown, or that turn the direction of others, left out."""
    return " ".join("".join(_shown(character) for character in text).split())


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    return "" if character in _BIDI or unicodedata.category(character) in _NOT_SHOWN else character
