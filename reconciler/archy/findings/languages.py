"""Languages that a flow uses and does not support."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem

_TAG = re.compile(r"[a-z]{2,3}-[a-z]{2}", re.IGNORECASE)
"""A language with its region, as Architect writes them: ``en-us``."""
_UNDERSTANDING = "settingsNaturalLanguageUnderstanding"


def check_languages(view: View) -> Iterator[Problem]:
    """``unsupported-language``: the default one, one that is set, or the one in which a bot understands.

    In which language a text or a prompt is, a flow does not say; that is the platform's to find out.
    """
    supported = view.body.get("supportedLanguages") if isinstance(view.body, Mapping) else None
    if not isinstance(supported, Mapping) or not supported:
        return
    for path, language, what in [*_default(view), *_set(view), *_understood(view)]:
        if not any(_covers(each, language) for each in supported):
            yield problem(
                "unsupported-language",
                f"{view.place_of(path)}: {what} {language}, but the flow supports only {', '.join(supported)}.",
                path,
                "Add the language to `supportedLanguages:`, or use one that is there.",
            )


def _covers(supported: str, language: str) -> bool:
    """Whether they are the same; a language without a region counts for all its regions."""
    supported, language = supported.lower(), language.lower()
    return supported == language or ("-" not in language and supported.startswith(f"{language}-"))


def _default(view: View) -> Iterator[tuple[Path, str, str]]:
    if isinstance(language := view.body.get("defaultLanguage"), str):
        yield (view.root, "defaultLanguage"), language, "the default language is"


def _set(view: View) -> Iterator[tuple[Path, str, str]]:
    """The field of a set language action is a guess (docs/fidelity.md, FLOW-23)."""
    for node in view.flow.nodes.values():
        if node.operation == "setLanguage" and isinstance(node.body, Mapping):
            for key in ("language", "languageValue"):
                value = node.body.get(key)
                literal = value.get("lit") if isinstance(value, Mapping) else value
                if isinstance(literal, str) and _TAG.fullmatch(literal):
                    yield (*node.path, key), literal, "it changes to"


def _understood(view: View) -> Iterator[tuple[Path, str, str]]:
    path = (_UNDERSTANDING, "nluDomainVersion", "language")
    value: Any = view.body
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        yield (view.root, *path), value, "the bot understands"
