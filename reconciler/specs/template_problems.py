"""Says in plain words what went wrong in a template, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import TemplateSyntaxError
from jinja2.exceptions import SecurityError, TemplateNotFound
from jinja2.utils import missing

from reconciler.problems import Finding, Location
from reconciler.specs.budget import TooMuch
from reconciler.specs.secret_text import SecretMisused
from reconciler.specs.template_syntax import RAW, explain_syntax
from reconciler.specs.undefined import UndefinedUse, error_places, missing_parameter
from reconciler.suggest import near

MAX_COLUMNS = 5_000
"""How far into a line an undefined name is looked for."""
MAX_EXPRESSION_LINES = 20
"""How far below its first line an undefined name is looked for in a long expression."""


class Explainer:
    """Makes findings for the templates of one environment."""

    def __init__(self, source_text: Callable[[str], str], variables: Mapping[str, Any], environment: str) -> None:
        """``source_text`` gives the template of that name, "" where there is none."""
        self._source_text = source_text
        self._variables = variables
        self._environment = environment

    def undefined(self, path: str, use: UndefinedUse) -> Finding:
        """A variable, key or attribute that does not exist, or that the sandbox forbids."""
        file = use.template or path
        parameter = missing_parameter(use.hint)
        # A parameter's name stands in the macro, not in the call that leaves it out.
        line, column, dotted = (use.line, None, use.name) if parameter else self._find_name(file, use)
        if parameter:
            message = f"The macro at {_place(*use.used)} is called without its parameter {parameter!r}."
            remedy = "Pass a value for it, or give it a default in the macro."
        else:
            message, remedy = self._undefined_words(use, dotted)
            if use.used[0] and use.used != (use.template, use.line):
                remedy += f" It is used at {_place(*use.used)}."
        return Finding(
            id="forbidden-in-template" if use.forbidden else "undefined-variable",
            message=message,
            file=file,
            line=line,
            column=column,
            remedy=remedy + _included(path, file, use.root_line),
        )

    def failure(self, path: str, error: Exception) -> Finding:
        """Whatever else a template raised."""
        places = error_places(error.__traceback__)
        root_line = places[-1][1] if places else None
        if isinstance(error, TemplateSyntaxError):
            return self._syntax(path, error, root_line)
        id_, message, remedy = _failure_words(error)
        file, line = places[0] if places else (path, None)
        remedy += _included(path, file, root_line)
        return Finding(id=id_, message=message, file=file, line=line, remedy=remedy)

    def secret_lost(self, path: str, name: str, places: Sequence[tuple[str, int]]) -> Finding:
        """A secret was put out but does not stand in the text, or not as often; ``places`` innermost first."""
        file, line = (places[0][0] or path, places[0][1]) if places else (path, 1)
        root_line = places[-1][1] if places else None
        return Finding(
            id="secret-misused",
            message=f"The secret {name} is written into a text that is changed or dropped afterwards.",
            file=file,
            line=line,
            remedy="Write it as `{{ name }}` or `{{ name | yaml }}`, where it stays as it is."
            + _included(path, file, root_line),
        )

    def too_large(self, path: str, line: int, limit: int) -> Finding:
        """The output has no end, or a size that no org takes."""
        return Finding(
            id="template-too-large",
            message=f"The file renders to more than {limit:,} characters.",
            file=path,
            line=line,
            remedy="Look for a loop over too much.",
        )

    def _syntax(self, path: str, error: TemplateSyntaxError, root_line: int | None) -> Finding:
        file = error.name or path
        trouble = explain_syntax(self._source_text(file), error)
        return Finding(
            id="template-syntax",
            message=trouble.message,
            file=file,
            line=trouble.line,
            column=trouble.column,
            remedy=trouble.remedy + _included(path, file, root_line),
        )

    def _undefined_words(self, use: UndefinedUse, dotted: str) -> tuple[str, str]:
        if use.forbidden:
            return f"Templates may not use {use.name!r} here.", "Use variables, filters and macros only."
        if use.hint:
            return f"{use.hint[:1].upper()}{use.hint[1:].rstrip('.')}.", "Correct the name."
        where = f" in the environment {self._environment}" if self._environment else ""
        default = "or give a value to use in its place: `| default(…)`."
        if use.parent is missing:
            return (
                f"The variable {dotted!r} is not defined{where}.",
                f"{near(dotted, map(str, self._variables))}Define it under `variables:`, {default}",
            )
        if isinstance(use.parent, Mapping):
            known = ", ".join(map(str, use.parent)) or "none"
            return (
                f"{dotted!r} is not defined{where}; there is no key {use.name!r}.",
                f"{near(use.name, map(str, use.parent))}Keys there: {known}. Define it under `variables:`, {default}",
            )
        kind = "list" if isinstance(use.parent, list | tuple) else "value"
        return f"{dotted!r} is not defined{where}; the {kind} has no {use.name!r}.", "Correct the expression."

    def _find_name(self, file: str, use: UndefinedUse) -> tuple[int, int | None, str]:
        pattern = re.compile(rf"(?<![\w.])((?:\w+(?:\.|\[['\"]?))*){re.escape(use.name)}(?!\w)")
        for line in range(use.line, use.line + MAX_EXPRESSION_LINES):
            text = line_of_text(self._source_text(file), line)[:MAX_COLUMNS]
            start = _expression_start(text) if line == use.line else 0
            match = pattern.search(text, start)
            if match:
                whole = _substitution_name(text, match.start()) if use.parent is missing else None
                dotted = re.sub(r"\[['\"]?", ".", match[1]) + use.name
                return line, match.start() + 1, whole or dotted
            if re.search(r"[%}]\}", text[start:]):
                break
        return use.line, None, use.name


def _expression_start(text: str) -> int:
    match = re.search(r"\{[{%]", text)
    return match.start() if match else 0


def _substitution_name(text: str, at: int) -> str | None:
    """The whole of ``my-queue`` or ``queue.sales`` where it starts at ``at`` and is all there is in ``{{ }}``."""
    match = re.search(r"\{\{[-+]?\s*$", text[:at])
    name = re.match(r"[^\s{}|'\"()\[\]~+*/=<>]+(?=\s*(?:\||\}\}))", text[at:])
    return name[0] if match and name else None


def line_of_text(text: str, line: int) -> str:
    """One line of a text, "" where there is none; ``line`` is 1-based."""
    lines = text.split("\n")
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _place(file: str, line: int | None) -> str:
    return str(Location(file=file, line=line))


def _included(path: str, file: str, line: int | None) -> str:
    return "" if file == path else f" It is included by {_place(path, line)}."


def _failure_words(error: Exception) -> tuple[str, str, str]:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, TemplateNotFound):
        name = error.name or "?"
        return (
            "missing-include",
            f"There is no file {name} to include.",
            "Correct the name: includes and macros are files below shared/, named from there.",
        )
    if isinstance(error, SecretMisused):
        return "secret-misused", text, "Write it as `{{ name }}` or `{{ name | yaml }}`, without anything else."
    if isinstance(error, SecurityError):
        return "forbidden-in-template", f"Templates may not do this: {_sentence(text)}", "Remove it."
    if isinstance(error, SyntaxError):
        # Python, into which templates are compiled, takes twenty loops inside each other.
        return "template-syntax", "Loops and conditions are nested too deeply.", "Nest fewer of them."
    if isinstance(error, OverflowError | MemoryError):
        return "template-too-large", f"The expression is too large: {_sentence(text)}", "Make it smaller."
    if isinstance(error, TooMuch):
        return "template-too-large", text, "Make the template simpler, or split the file."
    if isinstance(error, RecursionError):
        return "template-recursion", "Includes or macros call each other without end.", "Break the circle."
    return "template-failure", f"The expression cannot be computed: {_sentence(text)}", f"Correct it. {RAW}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
