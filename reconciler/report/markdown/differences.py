"""Differences as far as there is room to tell them: sentences, and before and after of plain fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.engine.document import Difference
from reconciler.report.markdown.escaping import cut, literal
from reconciler.report.markdown.fitting import Level
from reconciler.report.words import shown_value

_SIGNS = {"add": "+", "remove": "−", "change": "~", "move": "»", "rename": "~"}


class ToldDifferences:
    """What a template shows of the differences of one object."""

    def __init__(self, differences: Sequence[Difference], level: Level) -> None:
        told = differences[: level.differences]
        self.all = len(differences)
        self.more = len(differences) - len(told)
        self.sentences = [
            (_SIGNS[one.op], cut(one.text, level.width), cut(one.detail or "", level.width)) for one in told if one.text
        ]
        """Sign, sentence, and the words that changed in a long text."""
        self.fields = [line for one in told if not one.text for line in _field(one, level.width)]
        """Lines of a ``diff`` block."""


def _field(difference: Difference, width: int) -> Iterator[str]:
    yield f"  {literal(cut(difference.path, width))}"
    if difference.op != "add":
        yield f"- {literal(shown_value(difference.before, width))}"
    if difference.op != "remove":
        yield f"+ {literal(shown_value(difference.after, width))}"
