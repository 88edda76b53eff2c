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
from collections.abc import Collection, Iterable, Iterator, Mapping
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

    List positions do not count, because they move, so neighbours in the same place of other actions are looked
    at too; what a template says there in plain words is public and stays.
    """
    templates = tuple(templates)
    public: dict[Signature, set[str]] = {place: set() for t in templates for place in _secret_places(t, ())}
    for template in templates:
        _collect_public(template, (), public)
    return _hide(document, (), public) if public else document


def hide_all(document: Any, public: Collection[str] = ()) -> Any:
    """The document with every text and number hidden, but for public ones."""
    if isinstance(document, dict):
        return {key: hide_all(value, public) for key, value in document.items()}
    if isinstance(document, list):
        return [hide_all(item, public) for item in document]
    if document is None or isinstance(document, bool) or str(document) in public:
        return document
    return _hidden(str(document))


def first_placeholder(value: Any) -> str | None:
    """The first ``(secret NAME)`` in a text, or None."""
    found = _PLACEHOLDER.search(value) if isinstance(value, str) else None
    return found[0] if found else None


def secret_names(document: Any) -> tuple[str, ...]:
    """Names of the secrets that a document has placeholders for, sorted."""
    if isinstance(document, dict):
        found = {name for item in (*document, *document.values()) for name in secret_names(item)}
    elif isinstance(document, list):
        found = {name for item in document for name in secret_names(item)}
    else:
        found = {each[len(PLACEHOLDER) : -1] for each in _PLACEHOLDER.findall(str(document))}
    return tuple(sorted(found))


def _secret_places(value: Any, path: Signature) -> Iterator[Signature]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _secret_places(item, _below(path, key))
            if PLACEHOLDER in str(key):
                yield path
    elif isinstance(value, list):
        for item in value:
            yield from _secret_places(item, path)
    elif isinstance(value, str) and PLACEHOLDER in value:
        yield path


def _collect_public(value: Any, path: Signature, public: dict[Signature, set[str]]) -> None:
    """Notes the plain scalars at and below the places of secrets."""
    if isinstance(value, dict):
        for key, item in value.items():
            _collect_public(item, _below(path, key), public)
    elif isinstance(value, list):
        for item in value:
            _collect_public(item, path, public)
    elif PLACEHOLDER not in str(value):
        for length in range(len(path) + 1):
            if path[:length] in public:
                public[path[:length]].add(str(value))


def _hide(value: Any, path: Signature, public: Mapping[Signature, Collection[str]]) -> Any:
    if path in public:
        return hide_all(value, public[path])
    if isinstance(value, dict):
        return {key: _hide(item, _below(path, key), public) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, path, public) for item in value]
    return value


def _below(path: Signature, key: str) -> Signature:
    """The same value may be written in another form by hand: as an expression instead of a literal."""
    return path if key in VALUE_FORMS else (*path, key)


def _hidden(value: str) -> str:
    if PLACEHOLDER in value:
        return value
    digest = hashlib.blake2b(value.encode(), key=_SALT, digest_size=2).hexdigest()
    return f"(secret value #{digest})"
