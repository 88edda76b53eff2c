"""One edit is one difference, told where a person would look for it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import flow

from reconciler.archy.canonical import canonical
from reconciler.archy.yaml import load
from reconciler.engine.differences import field_differences, flow_differences


def action(sort, name, **body):
    return {sort: {"name": name, **body}}


@pytest.fixture
def before():
    ((root, body),) = load(flow("Sales")).items()
    form = canonical(root, body)
    form["inboundCall"]["tasks"][0]["task"]["actions"][:0] = [
        action("playAudio", "Greet", audio={"tts": "Hello."}),
        action("playAudio", "Explain", audio={"tts": "We record."}),
        action("decision", "Open?", condition={"exp": "Flow.open"}),
    ]
    return form


def actions(form):
    return form["inboundCall"]["tasks"][0]["task"]["actions"]


def told(before, after):
    return [(d.op, d.text) for d in flow_differences(before, after)]


def test_an_action_in_between_is_one_difference(before):
    after = copy.deepcopy(before)
    actions(after).insert(1, action("playAudio", "Warn", audio={"tts": "Careful."}))
    assert told(before, after) == [("add", 'task Main: new action "Warn" (play audio) after "Greet": says "Careful."')]


def test_an_action_taken_out_is_one_difference(before):
    after = copy.deepcopy(before)
    del actions(after)[0]
    assert told(before, after) == [("remove", 'task Main: action "Greet" removed (was at the start: says "Hello.")')]


def test_a_new_wording_is_one_difference_also_behind_an_insertion(before):
    after = copy.deepcopy(before)
    actions(after)[1]["playAudio"]["audio"]["tts"] = "We record calls."
    actions(after).insert(0, action("playAudio", "Warn", audio={"tts": "Careful."}))
    assert told(before, after) == [
        ("add", 'task Main: new action "Warn" (play audio) at the start: says "Careful."'),
        ("change", 'task Main: "Explain" now says "We record calls." (was "We record.")'),
    ]


def test_a_new_name_is_one_difference(before):
    after = copy.deepcopy(before)
    actions(after)[0]["playAudio"]["name"] = "Welcome"
    (difference,) = flow_differences(before, after)
    assert (difference.op, difference.before, difference.after) == ("rename", "Greet", "Welcome")
    assert difference.path == "/inboundCall/tasks/0/task/actions/0/playAudio/name"


def test_one_of_several_actions_of_one_name_is_one_difference(before):
    """Architect calls every new action the same."""
    actions(before)[:3] = [
        action("playAudio", "Play Audio", audio={"tts": text}) for text in ("One.", "Two.", "Three.")
    ]
    after = copy.deepcopy(before)
    del actions(after)[0]
    assert [op for op, _ in told(before, after)] == ["remove"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_documents_differ(one, other):
    assert bool(flow_differences({"x": one}, {"x": other})) == (not same(one, other))
    assert flow_differences({"x": one}, {"x": one}) == ()


def same(one, other):
    """Equal as JSON is: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def test_fields_that_nobody_declared_are_no_difference():
    assert field_differences({"a": 1, "b": 2}, {"a": 1}) == ()
    assert [d.op for d in field_differences({"a": None, "b": "x", "c": 1}, {"a": 1, "b": None, "c": 2})] == [
        "add",
        "remove",
        "change",
    ]
    assert field_differences({"d": ""}, {"d": None}) == ()
