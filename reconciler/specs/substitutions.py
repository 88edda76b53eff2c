"""Archy's substitutions with names that Jinja2 cannot read: ``{{my-queue}}``, ``{{queue.sales}}``.

Archy replaces ``{{key}}`` by the value of ``key``, whatever characters the key has (facts on Archy §7). Where
the environment defines exactly that name, it wins over reading the text as an expression; filters may follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Jinja2 reads these words as operators or constants, never as variables.
_WORDS = frozenset(
    (
        *("and", "as", "context", "else", "false", "False", "if", "import", "in", "is", "none", "None"),
        *("not", "or", "recursive", "true", "True", "with", "without"),
    )
)
_COMMENT = r"\{#.*?#\}"
_RAW = r"\{%[-+]?\s*raw\s*[-+]?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}"
_STRINGS = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'"
# Possessive, so that an expression that never ends is given up at once.
_STATEMENT = r"\{%(?>" + _STRINGS + r"|\\[\"']|(?!%\}).)*+%\}"
_EXPRESSION = r"\{\{(?>" + _STRINGS + r"|\\[\"']|(?!\}\}).)*+\}\}"

# What is never closed is Jinja2's to complain about; taking all the rest keeps the search linear.
_OPEN_RAW = r"\{%[-+]?\s*raw\s*[-+]?%\}.*"
_OPEN = r"\{[{%#].*"


class Substitutions:
    """The names of one environment that need help, and how to find them in a template."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        """Only names at the first level count: Archy's substitutions are flat."""
        names = sorted((name for name in variables if not _readable(name)), key=len, reverse=True)
        self._aliases = {name: f"substitution_{index}_" for index, name in enumerate(names)}
        self._pattern = _compile(names) if names else None
        self.aliases = {alias: variables[name] for name, alias in self._aliases.items()}
        """Variables under the names that ``apply`` writes."""

    def apply(self, source: str) -> str:
        """The template with each such name replaced by a variable's; lines stay where they are."""
        if self._pattern is None:
            return source
        return self._pattern.sub(self._replace, source)

    def _replace(self, match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        offset = match.start()
        start, end = match.start("name") - offset, match.end("name") - offset
        return f"{match[0][:start]}{self._aliases[name]}{match[0][end:]}"


def _readable(name: str) -> bool:
    return name.isidentifier() and name not in _WORDS


def _compile(names: list[str]) -> re.Pattern[str]:
    alternatives = "|".join(re.escape(name) for name in names)
    named = r"\{\{[-+]?\s*(?P<name>" + alternatives + r")(?=\s*(?:\||[-+]?\}\}))"
    # What may hold such text without meaning it comes first or is skipped as a whole.
    return re.compile("|".join((_RAW, _OPEN_RAW, _COMMENT, named, _STATEMENT, _EXPRESSION, _OPEN)), re.DOTALL)
