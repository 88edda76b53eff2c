"""The yaml filter: what is written is read back as the same value, wherever a value may stand."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import TemplateRuntimeError

from reconciler.archy.yaml import load
from reconciler.specs.yamltext import to_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_any_value_is_read_back_as_it_was(value: Any) -> None:
    written = to_yaml(value)
    assert "\n" not in written
    assert load(f"a:\n  b: {written}\n  c: [{written}]\n") == {"a": {"b": value, "c": [value]}}


@pytest.mark.parametrize(
    "text",
    ["yes", "12:30", "0123", "null", "", " x ", "a: b # c", "\u2028\u0085\ufeff\x7f\ufffe", "{{x}}", "'\"\\\n\t\0"],
)
def test_texts_that_plain_yaml_would_spoil(text: str) -> None:
    assert load(f"a: {to_yaml(text)}") == {"a": text}


def test_long_keys_and_special_numbers() -> None:
    assert load(to_yaml({"k" * 2000: 1})) == {"k" * 2000: 1}
    assert load(to_yaml([math.inf, -math.inf])) == [math.inf, -math.inf]
    assert math.isnan(load(to_yaml(math.nan)))


def test_what_has_no_form_in_yaml_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for value in (object(), len, b"bytes", endless):
        with pytest.raises(TemplateRuntimeError):
            to_yaml(value)
