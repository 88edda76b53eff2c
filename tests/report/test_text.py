"""What people read: counts first, then each change with its reasons, and nothing that tells nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.engine.document import (
    NOT_THERE,
    Action,
    Change,
    Difference,
    Drift,
    OrgRef,
    Plan,
    Precondition,
    SourceRef,
    Summary,
)
from reconciler.engine.outcome import Outcome, Result, RunReport
from reconciler.problems import Finding
from reconciler.report.text import drift_text, plan_text, run_text


def change(address, action, *reasons, diff=(), after=()):
    kind, _, name = address.partition("/")
    return Change(
        address=address,
        kind=kind,
        name=name,
        action=action,
        reasons=reasons,
        depends_on=after,
        precondition=Precondition(absent=True),
        diff=diff,
    )


def plan(*changes, **more):
    counts = {action.value: sum(1 for c in changes if c.action is action) for action in Action}
    return Plan(
        id="p1",
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        tool_version="0",
        environment="prod",
        org=OrgRef(id="o1", name="Acme <b>"),
        source=SourceRef(commit=None, dirty=False, digest="d"),
        summary=Summary(**counts, unchanged=3),
        changes=changes,
        **more,
    )


def lines(texts):
    return [text.plain for text in texts]


def test_counts_come_first_and_reasons_with_each_change():
    said = lines(
        plan_text(
            plan(
                change(
                    "commonModule/A",
                    Action.UPDATE,
                    "the spec changed",
                    diff=(Difference(path="task T › audio › tts", op="change", before="Hello.", after="Good day."),),
                ),
                change("inboundCall/B", Action.REPUBLISH, "holds commonModule/A", after=("commonModule/A",)),
                change("inboundCall/C", Action.CREATE, NOT_THERE),
            )
        )
    )
    assert said[0] == "Plan for prod · org Acme <b>"
    assert said[1].strip() == ("1 to create · 1 to update · 1 to republish · 0 to adopt · 0 to delete · 3 unchanged")
    assert "1. update    commonModule/A" in said
    assert "   the spec changed" in said
    assert "   ~ task T › audio › tts" in said
    assert '       was  "Hello."' in said
    assert '       now  "Good day."' in said
    assert "2. republish inboundCall/B  after 1" in said
    assert not any(NOT_THERE in line for line in said)
    assert said[-1] == "3 changes: 1 to create, 1 to update, 1 to republish."


def test_errors_come_before_the_changes_and_forbid_the_apply():
    finding = Finding(id="missing-reference", message="No such queue.", file="flows/a.yaml", line=3, remedy="Make it.")
    said = lines(plan_text(plan(change("inboundCall/A", Action.CREATE), findings=(finding,))))
    assert said.index("error missing-reference: No such queue.") < said.index("1. create    inboundCall/A")
    assert "    at flows/a.yaml:3" in said
    assert "    Make it." in said
    assert said[-1] == "This plan cannot be applied: 1 error, see above."


def test_long_lists_and_texts_are_cut_and_it_is_said():
    long = Difference(path="p", op="add", after="x" * 1000)
    many = tuple(Difference(path=f"p{n}", op="remove", before=n) for n in range(40))
    said = lines(
        plan_text(
            plan(
                change("inboundCall/b", Action.UPDATE, diff=(long,)),
                change("inboundCall/c", Action.UPDATE, diff=many),
                unmanaged=tuple(f"inboundCall/{n}" for n in range(30)),
            )
        )
    )
    assert any(line.endswith("(1002 characters)") for line in said)
    assert any("more differences" in line for line in said)
    assert any("20 more" in line for line in said)


def test_drift_names_who_and_when():
    drift = Drift(
        address="inboundCall/A",
        recorded_version="1.0",
        live_version="2.0",
        published_by="Ann",
        published_at="2026-11-20T10:00:00Z",
    )
    said = lines(drift_text(plan(drift=(drift,))))
    assert "  inboundCall/A: version 1.0 was applied, 2.0 is live" in said
    assert "    changed by Ann at 2026-11-20 10:00 UTC" in said
    assert lines(drift_text(plan()))[-1].startswith("No drift")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((Outcome.APPLIED, Outcome.APPLIED), 0),
        ((Outcome.APPLIED, Outcome.FAILED), 4),
        ((Outcome.FAILED, Outcome.SKIPPED), 1),
        ((Outcome.APPLIED, Outcome.NOT_STARTED), 4),
        ((Outcome.NOT_STARTED,), 1),
        ((), 0),
    ],
)
def test_exit_codes_follow_the_outcomes(outcomes, code):
    results = tuple(Result(address=f"a/{n}", action=Action.UPDATE, outcome=o) for n, o in enumerate(outcomes))
    report = RunReport(run="r", plan="p", environment="e", results=results)
    assert report.exit_code == code
    assert lines(run_text(report))


def test_a_lost_lock_and_pure_refusals_are_3():
    refused = Result(address="a/b", action=Action.UPDATE, outcome=Outcome.FAILED, refused=True)
    assert RunReport(run="r", plan="p", environment="e", results=(refused,)).exit_code == 3
    assert RunReport(run="r", plan="p", environment="e", results=(), lock_lost="gone").exit_code == 3
