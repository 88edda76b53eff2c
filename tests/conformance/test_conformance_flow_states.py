"""Every call in every state of a flow, with the official SDK: the state machine of facts §3.1.

A state is written ``lock saved checked-in published``: who has the flow checked out (``me``, ``other``, ``-``)
and the numbers of its versions. What the facts leave open, and these tables therefore only hold still, is in
``docs/fidelity.md``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flow_driver import CALLS, attempt, new_flow, standing
from sdk import Sdk, another

WAYS = {
    "new": "",
    "new, mine": "check out",
    "first draft": "check out, save",
    "checked in": "check out, save, check in",
    "checked in, mine": "check out, save, check in, check out",
    "checked in, draft": "check out, save, check in, check out, save",
    "published": "check out, save, check in, publish",
    "published, mine": "check out, save, check in, publish, check out",
    "published, draft": "check out, save, check in, publish, check out, save",
    "newer checked in": "check out, save, check in, publish, check out, save, check in",
    "newer checked in, mine": "check out, save, check in, publish, check out, save, check in, check out",
    "newer checked in, draft": "check out, save, check in, publish, check out, save, check in, check out, save",
    "unpublished": "check out, save, check in, publish, deactivate",
    "unpublished, draft": "check out, save, check in, publish, deactivate, check out, save",
    "another's": "check out by another",
    "another's first draft": "check out by another, save by another",
    "another's draft": "check out, save, check in, publish, check out by another, save by another",
    "deleted": "delete",
}
"""State → the calls that lead there from a new flow."""

LOCKED = "409 architect.flow.locked.by.user"
NOT_MINE = "409 architect.flow.not.locked.by.user"
NOT_IN = "409 architect.flow.not.checked.in"
EMPTY = "409 architect.flow.cannot.checkin.missing.config"
GONE = "410 architect.flow.deleted"

TABLE = """
state                   | is         | check out  | save     | check in | publish | publish 1.0 | revert   | unlock   | deactivate | rename     | delete
new                     | - - - -    | me - - -   | NOT_MINE | NOT_MINE | NOT_IN  | NOT_IN      | NOT_MINE | - - - -  | - - - -    | - - - -    | deleted
new, mine               | me - - -   | me - - -   | me 1 - - | EMPTY    | NOT_IN  | NOT_IN      | - - - -  | - - - -  | me - - -   | me - - -   | deleted
first draft             | me 1 - -   | me 1 - -   | me 2 - - | - 1 1 -  | NOT_IN  | NOT_IN      | - - - -  | - 1 1 -  | me 1 - -   | me 1 - -   | deleted
checked in              | - 1 1 -    | me 1 1 -   | NOT_MINE | NOT_MINE | - 1 1 1 | - 1 1 1     | NOT_MINE | - 1 1 -  | - 1 1 -    | - 1 1 -    | deleted
checked in, mine        | me 1 1 -   | me 1 1 -   | me 2 1 - | - 1 1 -  | - 1 1 1 | - 1 1 1     | - 1 1 -  | - 1 1 -  | me 1 1 -   | me 1 1 -   | deleted
checked in, draft       | me 2 1 -   | me 2 1 -   | me 3 1 - | - 2 2 -  | NOT_IN  | - 1 1 1     | - 1 1 -  | - 2 2 -  | me 2 1 -   | me 2 1 -   | deleted
published               | - 1 1 1    | me 1 1 1   | NOT_MINE | NOT_MINE | - 2 2 2 | - 2 2 2     | NOT_MINE | - 1 1 1  | - 1 1 -    | - 1 1 1    | deleted
published, mine         | me 1 1 1   | me 1 1 1   | me 2 1 1 | - 1 1 1  | - 2 2 2 | - 2 2 2     | - 1 1 1  | - 1 1 1  | me 1 1 -   | me 1 1 1   | deleted
published, draft        | me 2 1 1   | me 2 1 1   | me 3 1 1 | - 2 2 1  | NOT_IN  | - 3 3 3     | - 1 1 1  | - 2 2 1  | me 2 1 -   | me 2 1 1   | deleted
newer checked in        | - 2 2 1    | me 2 2 1   | NOT_MINE | NOT_MINE | - 2 2 2 | - 3 3 3     | NOT_MINE | - 2 2 1  | - 2 2 -    | - 2 2 1    | deleted
newer checked in, mine  | me 2 2 1   | me 2 2 1   | me 3 2 1 | - 2 2 1  | - 2 2 2 | - 3 3 3     | - 2 2 1  | - 2 2 1  | me 2 2 -   | me 2 2 1   | deleted
newer checked in, draft | me 3 2 1   | me 3 2 1   | me 4 2 1 | - 3 3 1  | NOT_IN  | - 4 4 4     | - 2 2 1  | - 3 3 1  | me 3 2 -   | me 3 2 1   | deleted
unpublished             | - 1 1 -    | me 1 1 -   | NOT_MINE | NOT_MINE | - 2 2 2 | - 2 2 2     | NOT_MINE | - 1 1 -  | - 1 1 -    | - 1 1 -    | deleted
unpublished, draft      | me 2 1 -   | me 2 1 -   | me 3 1 - | - 2 2 -  | NOT_IN  | - 3 3 3     | - 1 1 -  | - 2 2 -  | me 2 1 -   | me 2 1 -   | deleted
another's               | other - - - | LOCKED    | LOCKED   | LOCKED   | LOCKED  | LOCKED      | LOCKED   | - - - -  | LOCKED     | LOCKED     | LOCKED
another's first draft   | other 1 - - | LOCKED    | LOCKED   | LOCKED   | LOCKED  | LOCKED      | LOCKED   | - 1 1 -  | LOCKED     | LOCKED     | LOCKED
another's draft         | other 2 1 1 | LOCKED    | LOCKED   | LOCKED   | LOCKED  | LOCKED      | LOCKED   | - 2 2 1  | LOCKED     | LOCKED     | LOCKED
deleted                 | deleted    | GONE       | GONE     | GONE     | GONE    | GONE        | GONE     | GONE     | GONE       | GONE       | GONE
"""  # noqa: E501 - a table is read across

_HEAD, *_ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
EXPECTED = {row[0]: dict(zip(_HEAD[1:], row[1:], strict=True)) for row in _ROWS}
REFUSALS = {"LOCKED": LOCKED, "NOT_MINE": NOT_MINE, "NOT_IN": NOT_IN, "EMPTY": EMPTY, "GONE": GONE}


@pytest.fixture(scope="module")
def other(sdk: Sdk) -> Iterator[Sdk]:
    """A colleague's session."""
    session = another(sdk, name="Colleague")
    yield session
    session.close()


def bring(sdk: Sdk, other: Sdk, state: str) -> str:
    """A flow in a state."""
    flow = new_flow(sdk)
    for call in filter(None, WAYS[state].split(", ")):
        who = other if call.endswith(" by another") else sdk
        assert attempt(who, call.removesuffix(" by another"), flow) is None
    return flow


def test_the_table_has_every_state_and_every_call():
    assert list(EXPECTED) == list(WAYS)
    assert _HEAD[2:] == list(CALLS)


@pytest.mark.parametrize("state", EXPECTED)
def test_each_call_does_what_the_state_allows(sdk, other, state):
    for call, expected in EXPECTED[state].items():
        flow = bring(sdk, other, state)
        if call == "is":
            assert standing(sdk, flow) == expected
            continue
        refusal = attempt(sdk, call, flow)
        assert (call, refusal) == (call, REFUSALS.get(expected))
        # A call that is refused changes nothing.
        assert (call, standing(sdk, flow)) == (call, EXPECTED[state]["is"] if refusal else expected)
