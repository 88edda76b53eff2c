"""Bounds on what one template may compute, checked before it is computed where that is possible.

The sandbox of Jinja2 keeps templates away from Python; it does not keep them from filling the memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import FILTERS

from reconciler.specs.secret_text import SecretText, carrying, refuse_secrets
from reconciler.specs.yamltext import to_yaml

MAX_VALUE = 1_000_000
"""Characters or items of one computed value; the largest flow known has 800 KB (facts on Archy §7)."""
MAX_WIDTH = 10_000
"""Columns that text may be padded or indented to."""
MAX_BITS = 4096
"""Size of a whole number."""

_NOT_REPRODUCIBLE = frozenset({"random"})
_PADDING = frozenset({"center", "indent", "wordwrap", "ljust", "rjust", "zfill", "expandtabs", "batch", "slice"})
_SECRET_FILTERS = frozenset({"yaml", "default", "d", "string"})
_JOINING_FILTERS = frozenset({"yaml", "join", "first", "last", "default", "d", "attr"})
_WIDTH = re.compile(
    r"%(?:\([^)]*\))?[-+ #0]*(?:\*|\d{5,})"  # %*d, %99999d
    r"|%[^a-zA-Z%]*\.(?:\*|\d{5,})"  # %.*f, %.99999f
    r"|\{[^{}]*:[^{}]*(?:\{|\d{5,})"  # {:{}}, {:>99999}
)


class TooMuch(TemplateRuntimeError):
    """A template used more time or memory than a spec may."""


def bounded_filters() -> dict[str, Callable[..., Any]]:
    """Jinja2's own filters and ``yaml``, each with bounds, without those whose result is random."""
    filters = {name: call for name, call in FILTERS.items() if name not in _NOT_REPRODUCIBLE}
    return {name: _guarded(name, call) for name, call in (filters | {"yaml": to_yaml}).items()}


def bounded(value: Any) -> Any:
    """The value itself, once it is known not to be too large.

    Raises:
        TooMuch: it is.
    """
    if isinstance(value, str):
        check_size(str.__len__(value))
    elif isinstance(value, list | tuple | dict):
        check_size(len(value))
    return value


def check_size(size: int) -> None:
    """Refuses values of more than ``MAX_VALUE`` characters or items."""
    if size > MAX_VALUE:
        raise TooMuch(f"A value would have more than {MAX_VALUE:,} characters or items.")


def joined(parts: Sequence[Any]) -> Any:
    """What ``~`` makes: one text of all parts, with the secrets that are in them."""
    return carrying(bounded("".join(map(str, parts))), parts)


def check_operator(operator: str, left: Any, right: Any) -> None:
    """Refuses what would be huge, and whatever computes with a secret; putting it into other text is fine."""
    if operator == "%" and isinstance(left, str):
        refuse_secrets((left,))
    elif operator != "+":
        refuse_secrets((left, right))
    if operator == "*":
        for sized, factor in ((left, right), (right, left)):
            if isinstance(sized, str | list | tuple) and isinstance(factor, int):
                check_size(len(sized) * max(factor, 0))
            elif isinstance(sized, int) and isinstance(factor, int):
                _check_bits(sized.bit_length() + factor.bit_length())
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() * abs(right))
    elif operator == "%" and isinstance(left, str):
        check_format(left)


def check_method(text: str, name: str, arguments: Sequence[Any]) -> None:
    """Refuses calls of text methods that would pad or multiply without end."""
    if name in _PADDING:
        _check_widths(arguments)
    elif name in ("format", "format_map"):
        check_format(text)
    elif name == "replace" and len(arguments) > 1:
        _check_replace(text, arguments)


def check_format(text: str) -> None:
    """Refuses widths such as ``%99999d`` or ``{:>99999}``, and widths that are computed."""
    if _WIDTH.search(text):
        raise TooMuch("A format may not pad text that far, or to a computed width.")


def _guarded(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        values = (*arguments, *keywords.values())
        if name not in _SECRET_FILTERS:
            refuse_secrets(value for value in values if isinstance(value, SecretText))
        if name in _PADDING:
            _check_widths(values)
        elif name == "format":
            for value in arguments[:1]:
                check_format(str(value))
        elif name == "replace":
            # The first argument is Jinja2's evaluation context, the second the text.
            _check_replace(str(arguments[1]), [str(value) for value in arguments[2:]])
        result = bounded(call(*arguments, **keywords))
        if isinstance(result, str) and name not in _JOINING_FILTERS:
            # Text made of a list with a secret in it, by tojson for example, holds it in another form.
            refuse_secrets(value for value in values if not isinstance(value, str))
        return carrying(result, values)

    return guarded


def _check_replace(text: str, arguments: Sequence[Any]) -> None:
    old, new = arguments[0], arguments[1] if len(arguments) > 1 else ""
    if isinstance(old, str) and isinstance(new, str) and len(new) > len(old):
        times = text.count(old) if old else len(text) + 1
        check_size(len(text) + times * (len(new) - len(old)))


def _check_widths(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, int) and abs(value) > MAX_WIDTH:
            raise TooMuch(f"Text may not be padded or indented by more than {MAX_WIDTH:,} columns.")


def _check_bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise TooMuch("A number would be too large.")


def plain(value: Any) -> Any:
    """What an expression puts out: text as it is, everything else in YAML's words.

    Jinja2 would write Python's: ``True``, ``None``, and addresses in memory for functions.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple | bool | int | float) or value is None:
        return to_yaml(value)
    return value
