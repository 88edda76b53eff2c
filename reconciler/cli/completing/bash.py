"""What bash has typed so far, and how to write what it is to type next.

bash hands over the raw line: quotes and backslashes are still in it, and it replaces only the part of a word behind
the last ``=`` or ``:``. So a candidate is written in the quotes that are open, without the part that stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSAFE = re.compile(r"[^\w@%+=:,./-]")
_UNSAFE_IN_DOUBLE = re.compile(r'(["$`\\])')


@dataclass(frozen=True)
class Line:
    """A command line up to the cursor."""

    words: tuple[str, ...]
    """The words behind the command that are finished, as the command will see them."""
    current: str
    """The word that the cursor is in, as far as it is typed."""
    kept: str
    """The beginning of that word that bash leaves as it is."""
    quote: str
    """The quote that is open: ``"``, ``'`` or nothing."""


def read_line(line: str, command: str, replaced: str) -> Line:
    """Reads a line that bash completes; ``replaced`` is the raw text at its end that bash will replace."""
    tokens, raw, quote = _tokens(line)
    *before, current = tokens
    (name, *_), _, _ = _tokens(command)
    # What stands before the command, such as an assignment, is none of ours.
    start = before.index(name) + 1 if name in before else 1
    kept = raw.removesuffix(replaced) if replaced else raw
    return Line(tuple(before[start:]), current, _tokens(kept)[0][-1], quote)


def written(candidate: str, line: Line) -> str | None:
    """A candidate as bash is to insert it; None where it does not go on from what is kept."""
    if not candidate.startswith(line.kept):
        return None
    rest = candidate[len(line.kept) :]
    if line.quote == '"':
        return _UNSAFE_IN_DOUBLE.sub(r"\\\1", rest)
    if line.quote == "'":
        return rest.replace("'", "'\\''")
    return _UNSAFE.sub(lambda match: f"\\{match[0]}", rest)


def _tokens(line: str) -> tuple[list[str], str, str]:
    """The words of a line without their quotes, the raw text of the last one, and the quote left open in it."""
    words, word, raw, quote = [], "", "", ""
    characters = iter(line)
    for character in characters:
        raw += character
        if character == "\\" and quote != "'":
            escaped = next(characters, "")
            raw += escaped
            word += escaped if quote != '"' or escaped in '"$`\\' else character + escaped
        elif character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        elif not quote and character.isspace():
            if len(raw) > 1:
                words.append(word)
            word = raw = ""
        else:
            word += character
    return [*words, word], raw, quote
