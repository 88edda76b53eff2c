"""Says in plain words why a template cannot be read at all.

Jinja2 reads on behind a ``{{`` that is not closed and complains about whatever comes next, often a line later;
so what is not closed is looked for here first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import TemplateAssertionError

RAW = "Where `{{`, `{%` or `{#` is meant as plain text, put it between `{% raw %}` and `{% endraw %}`."

_RAW_BEGIN = r"\{%[-+]?\s*raw\s*[-+]?%\}"
_RAW_END = r"\{%[-+]?\s*endraw\s*[-+]?%\}"
# On one line only: the quote that belongs to an apostrophe of the YAML below would hide what is not closed.
_STRING = r'"(?:\\.|[^"\\\n])*+"|' + r"'(?:\\.|[^'\\\n])*+'"
# Up to the end or to the next opening, whichever comes first. Each character is read about once: the group is
# possessive, and a string that does not end is not tried again at each quote with a backslash in it.
_BODY = r"(?>" + _STRING + r"|\\[\"']|(?!%s|\{[{%%#]).)*+%s"
_PARTS = re.compile(
    "|".join(
        (
            rf"{_RAW_BEGIN}.*?{_RAW_END}",
            rf"(?P<raw>{_RAW_BEGIN})",
            r"\{#.*?#\}",
            r"\{\{" + _BODY % (r"\}\}", r"\}\}"),
            r"\{%" + _BODY % (r"%\}", r"%\}"),
            r"(?P<open>\{[{%#])",
        )
    ),
    re.DOTALL,
)
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_UNEXPECTED = re.compile(r"expected token 'end of (?P<where>print|statement)[^']*', got (?P<got>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SyntaxTrouble:
    """What is wrong with a template, and where."""

    line: int
    column: int | None
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Opening:
    """An opening mark without its closing one."""

    mark: str
    closing: str
    line: int
    column: int


def explain_syntax(text: str, error: TemplateSyntaxError) -> SyntaxTrouble:
    """What Jinja2 found wrong in ``text``; at the opening mark where that is what is not closed."""
    # An assertion is about a name, such as a filter's, in a template that could be read to its end.
    opening = None if isinstance(error, TemplateAssertionError) else _not_closed(text)
    if opening is not None and opening.line <= error.lineno:
        return SyntaxTrouble(
            opening.line,
            opening.column,
            f"`{opening.mark}` is not closed.",
            f"Close it with `{opening.closing}`. {RAW}",
        )
    return SyntaxTrouble(error.lineno, None, _message(error), f"Correct it. {RAW}")


def _not_closed(text: str) -> _Opening | None:
    """The first opening mark that another one, or the end of the text, follows before it is closed."""
    for match in _PARTS.finditer(text):
        mark = match["raw"] or match["open"]
        if mark:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            if match["raw"]:
                return _Opening("{% raw %}", "{% endraw %}", line, column)
            return _Opening(mark, _CLOSING[mark], line, column)
    return None


def _message(error: TemplateSyntaxError) -> str:
    text = (error.message or str(error)).strip()
    unexpected = _UNEXPECTED.fullmatch(text)
    if unexpected is not None:
        inside = "{{ }}" if unexpected["where"] == "print" else "{% %}"
        return f"The template cannot be read: {unexpected['got']} is not expected here, inside `{inside}`."
    return f"The template cannot be read: {text if text.endswith(('.', '!', '?')) else f'{text}.'}"
