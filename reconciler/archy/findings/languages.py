"""Languages that a flow uses and does not support."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem

_TAG = re.compile(r"[a-z]{2,3}-[a-z]{2}", re.IGNORECASE)
"""A language with its region, as Architect writes them: ``en-us``."""
_SPOKEN = frozenset(("tts", "audio", "prompt", "communication", "initialGreeting", "preHandlingAudio"))
_SKIPPED = frozenset(("settingsNaturalLanguageUnderstanding", "referencedObjects", "supportedLanguages"))


def check_languages(view: View) -> Iterator[Problem]:
    """``unsupported-language``: the default, one that is set, or one that a text is given in."""
    supported = view.body.get("supportedLanguages") if isinstance(view.body, dict) else None
    if not isinstance(supported, dict) or not supported:
        return
    known = {language.lower() for language in supported}
    for path, language in _used(view.body, (view.root,)):
        if language.lower() not in known:
            yield problem(
                "unsupported-language",
                f"{view.place_of(path)}: {_how(path)} {language}, but the flow supports only {', '.join(supported)}.",
                path,
                "Add the language to `supportedLanguages:`, or use one that is there.",
            )


def _used(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            here = (*path, key)
            if key in _SKIPPED:
                continue
            if key == "defaultLanguage" and len(path) == 1 and isinstance(item, str):
                yield here, item
            elif key == "setLanguage" and isinstance(item, dict):
                yield from _set(item, here)
            elif key in _SPOKEN and isinstance(item, dict) and item and all(map(_TAG.fullmatch, item)):
                yield from (((*here, language), language) for language in item)
            else:
                yield from _used(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _used(item, (*path, index))


def _set(body: dict[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    """The language of a set language action, plain or as a literal (the key is a guess: docs/fidelity.md, FLOW-23)."""
    for key in ("language", "languageValue"):
        value = body.get(key)
        literal = value.get("lit") if isinstance(value, dict) else value
        if isinstance(literal, str) and _TAG.fullmatch(literal):
            yield (*path, key), literal


def _how(path: Path) -> str:
    if path[-1] == "defaultLanguage":
        return "the default language is"
    return "the language is set to" if path[-2] == "setLanguage" else "there is a text in"
