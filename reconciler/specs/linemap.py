"""From a place in rendered text back to the line of the file that wrote it.

Each piece of output carries the template and line it came from (``Piece``). Text written in a template
advances line by line with its source; whatever an expression puts out belongs to the expression's line.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


class Piece(str):
    """A part of the output that remembers where it was written."""

    __slots__ = ("line", "literal", "template")
    template: str
    line: int
    literal: bool

    def __new__(cls, text: str, template: str, line: int, literal: bool) -> Piece:
        """``literal``: text of the template itself, not the value of an expression."""
        made = super().__new__(cls, text)
        made.template = template
        made.line = line
        made.literal = literal
        return made


@dataclass(frozen=True, slots=True)
class _Span:
    """One piece and where it lies in the output."""

    text: str
    first: int
    """1-based line of the output where it starts."""
    last: int
    column: int
    """0-based column of the output where it starts."""
    file: str
    line: int
    literal: bool
    root_line: int
    follows_root: bool
    """The root template advances with it line by line."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """The part of a span that lies on one line of the output."""

    column: int
    file: str
    line: int
    root_line: int
    blank: bool


@dataclass
class LineMap:
    """Source places of every rendered line; filled piece by piece, in order."""

    root: str
    """The file that is rendered; other files are its includes."""
    _spans: list[_Span] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _line: int = 1
    _column: int = 0

    def add(self, text: str, file: str, line: int, literal: bool, root_line: int) -> None:
        """Notes one piece of output; ``root_line`` is where ``root`` was when it was written."""
        first, breaks = self._line, text.count("\n")
        follows_root = literal and file == self.root
        self._spans.append(
            _Span(text, first, first + breaks, self._column, file, line, literal, root_line, follows_root)
        )
        self._starts.append(first)
        self._line += breaks
        self._column = len(text) - text.rfind("\n") - 1 if breaks else self._column + len(text)

    def source(self, line: int, column: int | None = None) -> tuple[str, int]:
        """File and line that wrote a place in the output (all 1-based).

        Without a column: whoever wrote the first text of the line that is not blank.
        """
        segments = self._segments(line)
        if not segments:
            return self.root, 1
        if column is None:
            chosen = _first_with_text(segments)
        else:
            index = bisect_right([segment.column for segment in segments], column - 1)
            chosen = segments[max(index - 1, 0)]
        return chosen.file, chosen.line

    def root_line(self, line: int) -> int:
        """The line of ``root`` that wrote a line of the output; for an include, the line of its statement."""
        segments = self._segments(line)
        return _first_with_text(segments).root_line if segments else 1

    def _segments(self, line: int) -> list[_Segment]:
        wanted = min(max(line, 1), self._line)
        found = []
        for span in reversed(self._spans[: bisect_right(self._starts, wanted)]):
            if span.last < wanted:
                break
            found.append(_segment(span, wanted))
        return found[::-1]


def _segment(span: _Span, line: int) -> _Segment:
    below = line - span.first
    text = span.text.split("\n")[below]
    return _Segment(
        column=0 if below else span.column,
        file=span.file,
        line=span.line + (below if span.literal else 0),
        root_line=span.root_line + (below if span.follows_root else 0),
        blank=not text.strip(),
    )


def _first_with_text(segments: list[_Segment]) -> _Segment:
    return next((segment for segment in segments if not segment.blank), segments[0])
