"""Bounds on what one step of a template may compute, checked before it is computed.

The sandbox of Jinja2 keeps templates away from Python; it does not keep them from filling the memory. What many
small steps add up to is the business of ``budget``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any

from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from reconciler.specs.budget import Budget, TooMuch, cost
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
_PERCENT = re.compile(r"%(?:\([^()]{0,200}\))?[-+ #0]{0,9}(\*|\d+)?(?:\.(\*|\d+)?)?")
_FIELD_WIDTH = re.compile(r"\d+")


def bounded_filters(budget: Budget) -> dict[str, Callable[..., Any]]:
    """Jinja2's own filters and ``yaml``, each with bounds, without those whose result is random."""
    filters = {name: call for name, call in FILTERS.items() if name not in _NOT_REPRODUCIBLE}
    return {name: _guarded(name, call, budget) for name, call in (filters | {"yaml": to_yaml}).items()}


def bounded_tests(budget: Budget) -> dict[str, Any]:
    """Jinja2's own tests, charged for what they look at: ``select`` may call one very often."""

    def charged(test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        def call(*arguments: Any) -> Any:
            budget.spend_on(*arguments)
            return test(*arguments)

        return call

    tests: dict[str, Any] = dict(TESTS)
    return {name: charged(test) for name, test in tests.items()}


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
        check_percent(left, [right])


def check_method(text: str, name: str, arguments: Sequence[Any]) -> None:
    """Refuses calls of text methods that would pad or multiply without end."""
    if name in _PADDING:
        _check_widths(arguments)
    elif name in ("format", "format_map"):
        check_braces(text, arguments)
    elif name == "join":
        _check_join(text, arguments[:1])
    elif name == "replace" and len(arguments) > 1:
        _check_replace(text, arguments)


def check_percent(text: str, arguments: Sequence[Any]) -> None:
    """Refuses what ``%`` would make too long: by widths such as ``%99999d``, computed widths, or by repetition."""
    widths = [number for match in _PERCENT.finditer(text) for number in match.groups() if number]
    _check_format(text, widths, text.count("%"), arguments)


def check_braces(text: str, arguments: Sequence[Any]) -> None:
    """Refuses what ``format`` would make too long: ``{:>99999}``, computed widths, or by repetition."""
    # A field inside a field's format is a computed width.
    widths = ["*"] if re.search(r"\{[^{}]{0,1000}\{", text.replace("{{", "")) else _FIELD_WIDTH.findall(text)
    _check_format(text, widths, text.count("{"), arguments)


def _check_format(text: str, widths: Sequence[str], fields: int, arguments: Sequence[Any]) -> None:
    total = 0
    for width in widths:
        if len(width) > 4 or not width.isdecimal():
            raise TooMuch("A format may not pad text that far, or to a computed width.")
        total += int(width)
    check_size(len(text) + total + fields * max((cost(argument, MAX_VALUE) for argument in arguments), default=0))


def _guarded(name: str, call: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    @wraps(call)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        # What is computed one by one is charged one by one; what is joined must be known before it is.
        arguments = tuple(
            budget.counted(value) if isinstance(value, Iterator) and name != "join" else value for value in arguments
        )
        if name == "join":
            arguments = tuple(
                list(budget.counted(value)) if isinstance(value, Iterator) else value for value in arguments
            )
        values = (*arguments, *keywords.values())
        budget.spend_on(*values)
        if name not in _SECRET_FILTERS:
            refuse_secrets(value for value in values if isinstance(value, SecretText))
        _check_filter(name, arguments, values, keywords)
        result = bounded(call(*arguments, **keywords))
        budget.spend_on(result)
        if isinstance(result, str) and name not in _JOINING_FILTERS:
            # Text made of a list with a secret in it, by tojson for example, holds it in another form.
            refuse_secrets(value for value in values if not isinstance(value, str))
        return carrying(result, values)

    return guarded


def _check_filter(name: str, arguments: Sequence[Any], values: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    if name in _PADDING:
        _check_widths(values)
    elif name == "format":
        check_percent(str(arguments[0]) if arguments else "", [*arguments[1:], *keywords.values()])
    elif name == "join":
        # Where Jinja2's evaluation context comes first, the values are second.
        separators = [value for value in values if isinstance(value, str)]
        for value in values:
            if isinstance(value, list | tuple | dict | range):
                _check_join(max(separators, key=str.__len__, default=""), [value])
    elif name == "replace":
        # The first argument is Jinja2's evaluation context, the second the text.
        _check_replace(str(arguments[1]), [str(value) for value in arguments[2:]])
    elif name == "sum" and isinstance(arguments[-1], list | tuple):
        # Texts and lists are put together one after the other, each time as a whole.
        check_size(len(arguments[-1]) * cost(arguments[-1], MAX_VALUE) // MAX_WIDTH)


def _check_join(separator: str, values: Sequence[Any]) -> None:
    for items in values:
        if isinstance(items, list | tuple | dict | range):
            check_size(cost(items, MAX_VALUE * 8) // 2 + str.__len__(separator) * len(items))


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
