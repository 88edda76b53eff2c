"""What is written reads back as it was, whatever it is."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.yaml import load
from reconciler.sandbox.yaml_writer import write_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(
    TEXT,
    st.sampled_from(
        ["yes", "No", "on", "null", "~", "12:30", "0123", "1e3", "2026-11-20", " x", "x ", "- a", "a: b", "#"]
    ),
    st.integers(-(10**12), 10**12),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=20,
)


@given(TREES)
def test_any_tree_reads_back(tree: Any) -> None:
    assert load(write_yaml(tree)) == tree


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), TEXT, max_size=5))
def test_strings_stay_strings_for_readers_of_the_older_yaml_too(tree: dict[str, str]) -> None:
    assert yaml.safe_load(write_yaml(tree)) == tree


def test_the_form_is_architects() -> None:
    assert write_yaml({"a": {"b": [{"c": "yes"}, {"d": ["x y", 1]}], "e": {}, "f": "line\nbreak"}}) == (
        'a:\n  b:\n    - c: "yes"\n    - d:\n        - x y\n        - 1\n  e: {}\n  f: "line\\nbreak"\n'
    )
