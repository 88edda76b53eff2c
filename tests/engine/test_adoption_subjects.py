"""Which flows are looked at, out of what the ledger knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.engine.adoption.document import Since
from reconciler.engine.adoption.subjects import subjects_of
from reconciler.ledger import Row, RunRecord, Snapshot

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)


def row(address, run="second", at=NOON, version="2.0", **modules):
    return Row(
        address=address,
        object_id=f"id of {address}",
        version=version,
        modules={f"id of commonModule/{name}": held for name, held in modules.items()},
        spec_digest="x",
        applied_at=at,
        applied_by="Jane",
        run=run,
    )


def ledger(*rows, runs=()):
    return Snapshot(rows={one.address: one for one in rows}, lock=None, applied_plans=(), runs=runs)


def test_flows_that_hold_a_module_through_another_one_stand_for_it_too():
    known = ledger(
        row("commonModule/Inner"),
        row("commonModule/Outer", Inner="2.0"),
        row("inboundCall/Direct", Inner="1.0"),
        row("inboundCall/Nested", Outer="2.0"),
        row("inboundCall/Other"),
    )
    found = subjects_of(known, ["commonModule/Inner"], None, "test")
    assert found.flows == ("inboundCall/Direct", "inboundCall/Nested")
    (told,) = found.modules
    assert [(one.address, one.holds, one.through) for one in told.consumers] == [
        ("inboundCall/Direct", "1.0", None),
        ("inboundCall/Nested", None, "commonModule/Outer"),
    ]


def test_modules_that_hold_each_other_come_to_an_end():
    known = ledger(row("commonModule/A", B="2.0"), row("commonModule/B", A="2.0"), row("inboundCall/Sales", A="2.0"))
    (told,) = subjects_of(known, ["commonModule/B"], None, "test").modules
    assert [one.through for one in told.consumers] == ["commonModule/A"]


def test_the_last_apply_is_the_last_that_published_a_flow():
    first, later = NOON - timedelta(days=9), NOON + timedelta(days=1)
    known = ledger(
        row("inboundCall/Old", run="first", at=first),
        row("inboundCall/New"),
        row("ivr/Line", run="third", at=later),
        runs=(
            RunRecord(run="first", at=first, by="Jane"),
            RunRecord(run="second", at=NOON + timedelta(seconds=2), by="Joe", seconds=30),
            RunRecord(run="third", at=later, by="Jane"),
        ),
    )
    found = subjects_of(known, [], None, "test")
    assert found.since == Since(
        start=NOON - timedelta(seconds=28), end=NOON + timedelta(seconds=2), run="second", by="Joe"
    )
    assert (found.flows, found.untouched) == (("inboundCall/New",), 1)


def test_a_run_that_the_ledger_has_forgotten_is_known_by_its_rows():
    known = ledger(row("inboundCall/A"), row("inboundCall/B", at=NOON + timedelta(seconds=9)))
    found = subjects_of(known, [], None, "test").since
    assert found == Since(start=NOON, end=NOON + timedelta(seconds=9), run="second", by="Jane")


def test_what_no_kind_knows_and_what_was_never_published_is_left_out():
    known = ledger(row("inboundCall/Sales"), row("inboundCall/Draft", version=None), row("hologram/Sales"))
    assert subjects_of(known, [], None, "test").flows == ("inboundCall/Sales",)
