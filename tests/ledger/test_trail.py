"""The way back in a ledger's row: it comes back as it was written, and fits into a cell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ledger import TRAIL_KEPT, Earlier, Row, Was, extended
from reconciler.ledger.cells import cells_of, row_of
from reconciler.problems import ReconcilerError

CELL = 800
"""Characters that a cell holds, as far as we dare to guess (LEDGER-2)."""

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
maybe = st.none() | words
steps = st.builds(
    Earlier,
    run=words,
    was=st.sampled_from(Was),
    object=st.just("") | words,
    version=maybe,
    recorded=maybe,
    digest=maybe,
    commit=maybe,
    secrets=maybe,
)


def row(trail, *, gone=False):
    return Row(address="ivr/Line", object_id="5c1c", version="3", spec_digest="ab", trail=tuple(trail), gone=gone)


@given(st.lists(steps, max_size=TRAIL_KEPT), st.booleans())
def test_a_row_comes_back_from_its_cells_with_its_trail(trail, gone):
    kept = row(trail, gone=gone)
    again = row_of(cells_of(kept))
    assert (again.trail, again.gone) == (kept.trail, kept.gone)
    assert Row.model_validate_json(kept.model_dump_json()) == kept


def test_the_longest_trail_fits_into_a_cell():
    step = Earlier(
        run="0123456789ab",
        was=Was.DRIFTED,
        object="0f1e2d3c",
        version="12345.0",
        recorded="12344.0",
        digest="ab" * 32,
        commit="cd" * 20,
        secrets="12ab",
    )
    trail = ()
    for _ in range(TRAIL_KEPT + 3):
        trail = extended(trail, step)
    assert len(trail) == TRAIL_KEPT
    assert len(cells_of(row(trail, gone=True))["note"]) <= CELL


@pytest.mark.parametrize(
    "note",
    ["nonsense", "[]", '{"trail": 5}', '{"trail": [["r1"]]}', '{"trail": [["r1", "never", "", "", "", "", ""]]}', "5"],
)
def test_a_note_that_is_not_ours_is_told_and_no_traceback(note):
    cells = cells_of(row([])) | {"note": note, "applied_at": datetime(2026, 11, 26, tzinfo=UTC).isoformat()}
    with pytest.raises(ReconcilerError, match="not one of this tool's"):
        row_of(cells)
