"""Properties of exports: they never fail on what was accepted, and exporting an export changes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.canonical import canonical
from reconciler.archy.flowtypes import by_root
from reconciler.archy.yaml import load
from reconciler.sandbox.exporter import FIRST_NUMBER, NUMBERS_APART, export_yaml
from reconciler.sandbox.flow_reading import read_flow

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus"
KEYS = st.sampled_from(
    [
        "actions",
        "outputs",
        "yes",
        "task",
        "tasks",
        "name",
        "refId",
        "targetTaskRef",
        "variables",
        "choices",
        "exp",
        "lit",
    ]
)
TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["a", "./tasks/task[a]", "x]", ""])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=15,
)


def exported(root: str, body: dict[str, Any], version: int = 1) -> str:
    """The export of a body."""
    flow_type = by_root(root)
    assert flow_type is not None
    return export_yaml(flow_type, body, name="Flow", division="Home", version=version, flow_names=[])


@given(
    st.sampled_from(["inboundCall", "commonModule", "botFlow", "workflow"]), st.dictionaries(KEYS, TREES, max_size=4)
)
def test_whatever_was_accepted_can_be_exported(root: str, body: dict[str, Any]) -> None:
    text = exported(root, body)
    again = load(text)[root]
    assert exported(root, again) == text
    assert canonical(root, again) == canonical(root, load(exported(root, again, version=2))[root])


def corpus() -> list[Path]:
    """Real flows, where they are at hand."""
    return sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".yml"))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real flows is not beside the repository")
def test_real_flows_keep_their_meaning() -> None:
    for path in corpus():
        source = re.sub(r"\{\{\s*([^}]*?)\s*\}\}", lambda match: "X" + re.sub(r"\W", "", match[1]), path.read_text())
        read = read_flow(re.sub(r"\$\{[^}]*\}", "X", source))
        root = read.flow_type.root
        first, second = (load(exported(root, read.body, version))[root] for version in (1, 2))
        assert first != second, path
        assert canonical(root, first) == canonical(root, second), path
        assert canonical(root, load(exported(root, first))[root]) == canonical(root, first), path


def test_numbers_are_those_of_the_version() -> None:
    body = {"startUpTaskActions": [{"disconnect": {"name": "A"}}, {"disconnect": {"name": "B"}}]}
    for version in (1, 2, 5):
        actions = load(exported("commonModule", body, version))["commonModule"]["startUpTaskActions"]
        first = FIRST_NUMBER + NUMBERS_APART * (version - 1)
        assert [action["disconnect"]["trackingId"] for action in actions] == [first, first + 1]
