"""Secrets inside templates: text that can be written out and put into other text, and nothing else.

Whatever a template computed from a secret could not be recognised, and so not be masked, afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from jinja2.exceptions import TemplateRuntimeError


class SecretMisused(TemplateRuntimeError):
    """A template did more with a secret than write it out."""


class SecretText(str):
    """Text with secrets in it, as templates see it; placeholders and real values are treated alike."""

    __slots__ = ("names",)
    names: tuple[str, ...]
    """Variables of the secrets in it, one that stands there twice twice."""

    def __new__(cls, text: str, names: tuple[str, ...]) -> SecretText:
        """``text`` holds the placeholders or the real values of the variables ``names``."""
        made = super().__new__(cls, text)
        made.names = names
        return made

    def refuse(self, *_arguments: Any) -> NoReturn:
        """Says that it may not be computed with.

        Raises:
            SecretMisused: always.
        """
        raise SecretMisused(f"The secret {' and '.join(dict.fromkeys(self.names))} can only be written out as it is.")

    def __repr__(self) -> str:
        return " ".join(f"(secret {name})" for name in self.names)

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("A secret is never stored.")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refuse
    __len__ = __iter__ = __getitem__ = __contains__ = __mod__ = __mul__ = __rmul__ = refuse
    __hash__ = str.__hash__


def secrets_within(value: Any) -> tuple[str, ...]:
    """Variables of the secrets anywhere in a text, list or mapping."""
    if isinstance(value, SecretText):
        return value.names
    if isinstance(value, Mapping):
        return tuple(name for pair in value.items() for part in pair for name in secrets_within(part))
    if isinstance(value, list | tuple):
        return tuple(name for part in value for name in secrets_within(part))
    return ()


def carrying(result: Any, sources: Any) -> Any:
    """The result as text with secrets where it is text made of ``sources`` that hold some."""
    if not isinstance(result, str) or isinstance(result, SecretText):
        return result
    names = secrets_within(sources)
    return SecretText(result, names) if names else result


def refuse_secrets(values: Iterable[Any]) -> None:
    """Refuses when there is a secret in one of the values.

    Raises:
        SecretMisused: there is.
    """
    for value in values:
        names = secrets_within(value)
        if names:
            SecretText("", names).refuse()
