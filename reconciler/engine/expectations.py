"""Compares an output of an execution with what a smoke test expects of it, in words that may be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.engine.smoke_report import Check
from reconciler.specs import Expectation, Masker

LONGEST = 1000
"""Characters of a value that a report keeps."""


def compare(expectation: Expectation, value: Any, outputs: Mapping[str, Any], mask: Masker) -> Check:
    """What is expected of one output, what came, and whether the one is the other.

    An output that is null counts as not set: an org may give it so or leave it out (CLIENT-41).

    Args:
        expectation: What the test says; secrets as placeholders.
        value: The expectation's value with the real secrets.
        outputs: What the execution gave.
        mask: Takes secrets out of what is shown.
    """
    actual = outputs.get(expectation.output)
    match expectation.how:
        case "equals":
            met, expected = same(value, actual), shown(expectation.value)
        case "matches":
            met = actual is not None and re.search(value, as_text(actual)) is not None
            expected = f"to match /{expectation.value}/"
        case "present":
            met, expected = actual is not None, "to be set"
        case "absent":
            met, expected = actual is None, "not to be set"
    came = None if actual is None else shown(mask.mask_tree(actual))
    return Check(subject=expectation.output, expected=_short(mask.mask(expected)), actual=came, met=met)


def same(wanted: Any, actual: Any) -> bool:
    """Equality of JSON values: ``1`` is ``1.0``, but true is not 1."""
    if isinstance(wanted, bool) or isinstance(actual, bool):
        return wanted is actual
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        return wanted.keys() == actual.keys() and all(same(wanted[key], actual[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(actual, list):
        return len(wanted) == len(actual) and all(map(same, wanted, actual))
    return bool(wanted == actual)


def as_text(value: Any) -> str:
    """What a pattern is looked for in: a text itself, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> str:
    """A value for people: JSON, cut where it is long."""
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
