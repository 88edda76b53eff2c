"""Secrets by value: read from the operating system's environment, never shown, taken out of what comes back.

Everywhere else a secret is known by its name only (see ``variables``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from reconciler.problems import Finding, ReconcilerError

SHORT = 4
"""Values below this length are masked only as whole scalars: ``1`` or ``on`` occurs in any text."""
LONG_LINE = 8
"""Lines of a secret with several lines are masked one by one from this length on."""


@dataclass(frozen=True, slots=True)
class SecretVariable:
    """One secret of an environment: what it is called in the specs, and where its value comes from."""

    name: str
    """Path of the variable with dots, e.g. ``crm.token`` or ``keys.0``."""
    env: str
    """The operating system's environment variable that holds the value."""

    @property
    def placeholder(self) -> str:
        """What stands in place of the value wherever people or files could see it."""
        return f"(secret {self.name})"


class SecretValues:
    """The values of an environment's secrets, as far as they are set here; they never show in any output."""

    __slots__ = ("_missing", "_values")

    def __init__(self, values: Mapping[str, str], missing: Iterable[SecretVariable] = ()) -> None:
        """``values`` by variable name; ``missing`` are the secrets without one."""
        self._values = dict(values)
        self._missing = tuple(missing)

    @classmethod
    def resolve(cls, variables: Iterable[SecretVariable], environ: Mapping[str, str]) -> SecretValues:
        """Reads the values; an empty one counts as not set, which is how pipelines pass on absent secrets.

        Raises:
            ReconcilerError: a value is not text (UTF-8).
        """
        values, missing = {}, []
        for variable in variables:
            value = environ.get(variable.env, "")
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ReconcilerError(
                    f"The environment variable {variable.env}, secret {variable.name}, is not UTF-8 text.",
                    remedy="Store it as text, for example in base64.",
                ) from None
            if value:
                values[variable.name] = value
            else:
                missing.append(variable)
        return cls(values, missing)

    def get(self, name: str) -> str | None:
        """The real value, or None where it is not set here. For uploads only."""
        return self._values.get(name)

    def missing(self) -> tuple[SecretVariable, ...]:
        """The secrets that are not set here."""
        return self._missing

    def fingerprint(self, name: str, salt: str) -> str | None:
        """See ``fingerprint``; None where the secret is not set here."""
        value = self._values.get(name)
        return None if value is None else fingerprint(value, salt)

    def items(self) -> Iterator[tuple[str, str]]:
        """Names and real values, for masking."""
        return iter(self._values.items())

    def __repr__(self) -> str:
        return f"SecretValues(set: {', '.join(self._values) or 'none'})"

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("Secrets are never stored.")


def fingerprint(value: str, salt: str) -> str:
    """Four hex digits that change (nearly always) when the secret does.

    They show a rotation and give away at most 16 bits; scrypt makes guessing costly.
    """
    return hashlib.scrypt(value.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=2).hex()


def missing_secret_finding(secret: SecretVariable, environment: str) -> Finding:
    """What to tell somebody who needs a secret that is not set here."""
    return Finding(
        id="secret-not-set",
        message=f"The secret {secret.name} of the environment {environment} is not set here.",
        remedy=f"Set the environment variable {secret.env}.",
    )


class Masker:
    """Replaces secret values by ``(secret NAME)``, the longest first; masking twice changes nothing more."""

    def __init__(self, values: SecretValues) -> None:
        """``values`` are those set here; a secret that is not set here cannot be recognised."""
        named = sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))
        self._whole = {value: f"(secret {name})" for name, value in reversed(named)}
        self._replacements: dict[str, str] = {}
        for name, value in named:
            for form in _written_forms(value):
                self._replacements.setdefault(form, f"(secret {name})")
        self._pattern = self._compile(f"(secret {name})" for name, _value in named)

    def mask(self, text: str) -> str:
        """The text without the secrets, also where they are escaped as in JSON, YAML or an address."""
        if text in self._whole:
            return self._whole[text]
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._replacements.get(match[0], match[0]), text)

    def mask_tree(self, value: Any) -> Any:
        """The same for every key and scalar of a tree of mappings and lists, as a new tree."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask_tree(key): self.mask_tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_tree(item) for item in value]
        # A number in an export may be what an unquoted secret was read as.
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._whole.get(str(value), value)
        return value

    def __repr__(self) -> str:
        return f"Masker({len(self._whole)} secrets)"

    def _compile(self, placeholders: Any) -> re.Pattern[str] | None:
        if not self._replacements:
            return None
        forms = sorted(self._replacements, key=lambda form: (-len(form), form))
        # Placeholders come first so that a secret such as "secret" does not eat those already there.
        return re.compile("|".join(re.escape(form) for form in (*placeholders, *forms)))


def _written_forms(value: str) -> list[str]:
    if len(value) < SHORT:
        return []
    lines = [line.strip() for line in value.splitlines()] if "\n" in value else []
    forms = [value, *(line for line in lines if len(line) >= LONG_LINE)]
    escaped = [
        write(form)
        for form in forms
        for write in (_json, _ascii_json, _single_quoted, lambda text: quote(text, safe=""), quote_plus)
    ]
    return [*forms, *escaped]


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _ascii_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _single_quoted(text: str) -> str:
    return text.replace("'", "''")
