"""Keeps secret values out of what is shown, also values that this machine does not know.

A value may be secret because the spec has a placeholder in its place, although the value itself is unknown
here: an old secret, one typed in by hand, or a pipeline job that has no secrets. So everything in a live
document that stands where the spec has a secret is replaced by a short fingerprint, which still shows whether
two values differ.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any

PLACEHOLDER = "(secret "
VALUE_FORMS = frozenset({"lit", "exp", "tts", "prompt", "var"})
"""Keys of which a value of Archy has exactly one (fact sheet on Archy, §3)."""
Signature = tuple[str, ...]
"""Mapping keys down to a value, list positions left out."""

_PLACEHOLDER = re.compile(r"\(secret [^()]+\)")
_SALT = secrets.token_bytes(16)


def hide_like(templates: Iterable[Any], document: Any) -> Any:
    """The document with everything hidden that stands where one of the templates has a secret.

    List positions do not count, because they move; so a neighbour in the same place of another action may be
    hidden too. Values that are placeholders already stay as they are.
    """
    signatures = {signature for template in templates for signature in _secret_places(template, ())}
    return _hide(document, (), signatures) if signatures else document


def hide_all(document: Any) -> Any:
    """The document with every text and number hidden: for flows that held secrets whose places are not known."""
    if isinstance(document, dict):
        return {key: hide_all(value) for key, value in document.items()}
    if isinstance(document, list):
        return [hide_all(item) for item in document]
    return document if document is None or isinstance(document, bool) else _hidden(str(document))


def first_placeholder(value: Any) -> str | None:
    """The first ``(secret NAME)`` in a text, or None."""
    found = _PLACEHOLDER.search(value) if isinstance(value, str) else None
    return found[0] if found else None


def _secret_places(value: Any, path: Signature) -> Iterator[Signature]:
    if isinstance(value, dict):
        for key, item in value.items():
            # The same value may be written in another form by hand: as an expression instead of a literal.
            yield from _secret_places(item, path if key in VALUE_FORMS else (*path, key))
            if PLACEHOLDER in str(key):
                yield path
    elif isinstance(value, list):
        for item in value:
            yield from _secret_places(item, path)
    elif isinstance(value, str) and PLACEHOLDER in value:
        yield path


def _hide(value: Any, path: Signature, signatures: set[Signature]) -> Any:
    if path in signatures:
        return hide_all(value)
    if isinstance(value, dict):
        return {key: _hide(item, (*path, key), signatures) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, path, signatures) for item in value]
    return value


def _hidden(value: str) -> str:
    if PLACEHOLDER in value:
        return value
    digest = hashlib.blake2b(value.encode(), key=_SALT, digest_size=2).hexdigest()
    return f"(secret value #{digest})"
