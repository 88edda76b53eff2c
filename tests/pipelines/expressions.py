"""The part of GitHub's expression language that our action and workflows use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|==|!=|&&|\|\||!|\(|\)|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)")
_OPERATORS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "(": "(", ")": ")"}


def evaluate(expression: str, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """The value of one expression. Unknown contexts and functions fail; missing properties are empty, as on GitHub."""
    python, at = [], 0
    while at < len(expression.rstrip()):
        found = _TOKEN.match(expression, at)
        assert found, f"cannot read {expression[at:]!r} in {expression!r}"
        at = found.end()
        python.append(_python(found[1], expression[at : at + 1] == "("))

    def look(name: str) -> Any:
        first, *rest = name.split(".")
        assert first in contexts, f"{expression!r} uses the context {first}, which is not there"
        value = contexts[first]
        for part in rest:
            value = value.get(part, "") if isinstance(value, Mapping) else ""
        return value

    return eval("".join(python), {"__builtins__": {}}, {"look": look, "call": {"fromJSON": json.loads, **functions}})


def rendered(text: Any, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """A value of a workflow file with its expressions filled in; one that is a single expression keeps its type."""
    if not isinstance(text, str):
        return text
    whole = re.fullmatch(r"\s*\$\{\{(.*?)\}\}\s*", text, re.DOTALL)
    if whole and "${{" not in whole[1]:
        return evaluate(whole[1], contexts, functions)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda each: _text(evaluate(each[1], contexts, functions)), text, flags=re.DOTALL)


def condition(text: str | None, contexts: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> bool:
    """Whether an ``if`` holds; without a status function it means ``success() && …``."""
    expression = (text or "success()").strip().removeprefix("${{").removesuffix("}}")
    holds = bool(evaluate(expression, contexts, functions))
    if re.search(r"\b(always|cancelled|failure|success)\(\)", expression):
        return holds
    return holds and bool(functions["success"]())


def _python(token: str, called: bool) -> str:
    if token in _OPERATORS:
        return _OPERATORS[token]
    if token.startswith("'"):
        return repr(token[1:-1].replace("''", "'"))
    if token in ("true", "false"):
        return token.title()
    return f"call[{token!r}]" if called else f"look({token!r})"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
