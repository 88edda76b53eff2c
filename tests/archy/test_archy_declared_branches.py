"""What an export never writes by itself is a difference, also where the spec says nothing of it."""

from __future__ import annotations

import pytest

from reconciler.archy.declared import declared_only

LEAVE = {"actions": [{"disconnect": {"name": "Disconnect"}}]}


@pytest.mark.parametrize(
    ("spec", "export"),
    [
        ({"outputs": {"yes": LEAVE}}, {"outputs": {"yes": LEAVE, "no": LEAVE}}),
        ({"name": "Open?"}, {"name": "Open?", "outputs": {"no": LEAVE}}),
        ({"outputs": {"yes": LEAVE}}, {"outputs": {"yes": {**LEAVE, "enabled": False}}}),
        ({"name": "Common.Id"}, {"name": "Common.Id", "isInput": True}),
        ({"name": "End"}, {"name": "End", "outputPath": {"name": "Other"}}),
        ({"name": "Main"}, {"name": "Main", "actions": LEAVE["actions"]}),
    ],
)
def test_it_is_kept(spec, export):
    assert declared_only(spec, export) == export


def test_a_default_is_left_out():
    export = {"name": "Greet", "audio": {"tts": "Hello."}, "timeout": {"lit": {"seconds": 5}}, "enabled": True}
    assert declared_only({"name": "Greet", "audio": {"tts": "Hello."}}, export) == {
        "name": "Greet",
        "audio": {"tts": "Hello."},
    }
