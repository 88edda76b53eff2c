"""``apply`` asks a person at a terminal; nothing happens before a yes, and only to what was shown."""

from __future__ import annotations

import pytest
from support import flow
from terminal import CTRL_C, Terminal

QUESTION = "Apply this? [y/N]: "


@pytest.fixture
def sales(repository):
    repository.write("flows/sales.yaml", flow("Sales"))
    return repository


def untouched(cli, org):
    """Nothing is published, and nobody holds the lock."""
    return org.flows() == {} and "is not locked" in cli("unlock").err


def test_a_yes_applies_what_was_shown(sales, org):
    with Terminal(sales, "apply") as terminal:
        terminal.wait_for(QUESTION)
        assert org.flows() == {}
        terminal.type("y\n")
        done = terminal.ended()

    assert done.code == 0, done.err
    assert "inboundCall/Sales" in done.err.partition(QUESTION)[0]
    assert org.version("Sales") == "1.0"


@pytest.mark.parametrize("keys", ["n\n", "\n", CTRL_C], ids=["no", "enter", "ctrl-c"])
def test_anything_else_applies_nothing(sales, cli, org, keys):
    with Terminal(sales, "apply") as terminal:
        terminal.wait_for(QUESTION)
        terminal.type(keys)
        done = terminal.ended()

    assert done.code == 0
    assert "Nothing was applied" in done.err
    assert "Traceback" not in done.err
    assert untouched(cli, org)


def test_a_pipeline_with_a_terminal_is_not_asked(sales, cli, org):
    with Terminal(sales, "apply", CI="true") as terminal:
        done = terminal.ended()

    assert done.code == 1
    assert QUESTION not in done.err
    assert "--auto-approve" in done.err
    assert untouched(cli, org)


def test_a_yes_comes_too_late_when_another_run_applied_something(sales, cli, org):
    with Terminal(sales, "apply") as terminal:
        terminal.wait_for(QUESTION)
        sales.write("flows/other.yaml", flow("Other"))
        assert cli("apply", "--auto-approve", "--target", "inboundCall/Other").code == 0
        terminal.type("y\n")
        done = terminal.ended()

    assert done.code == 3
    assert "nothing was applied" in " ".join(done.err.split())
    assert set(org.flows()) == {"Other"}
    assert "is not locked" in cli("unlock").err
