"""A comment never grows beyond what GitHub takes; what is cut is said, and what matters most is cut last."""

from __future__ import annotations

import re

import pytest
from plan_documents import change, plan, reach, sentences
from shown_markdown import Shown

from reconciler.engine.document import Action, Drift
from reconciler.problems import Finding, Severity
from reconciler.report.markdown import LIMIT, drift_markdown, plan_markdown


def large(flows, differences=30, words=20, warnings=0, ivrs=10):
    """A plan that updates many flows."""
    diff = sentences(differences, words)
    changes = [change(f"inboundCall/Flow {n:04}", Action.UPDATE, "the spec changed", diff=diff) for n in range(flows)]
    return plan(
        *changes,
        reach=tuple(reach(one.address, f"ivr/Line {n % ivrs} +45{n % ivrs:08}") for n, one in enumerate(changes)),
        findings=tuple(
            Finding(id="flow-locked", severity=Severity.WARNING, message=f"Flow {n} is being edited by Ann.")
            for n in range(warnings)
        ),
    )


def named(text):
    """Numbers of the flows that are named, as changes or in a list."""
    return [
        int(number) for number in re.findall(r"\d+\. update\D*inboundCall/Flow (\d{4})[<`]", text.replace("</b>", ""))
    ]


def opened(text):
    """How many changes can be opened."""
    return text.count(". update</b>")


def with_differences(text):
    """How many changes tell differences."""
    return text.count("**What changes**\n\n- ")


@pytest.mark.parametrize(
    ("flows", "differences", "words"),
    [(1, 3, 5), (1, 2000, 200), (50, 30, 20), (200, 30, 50), (200, 100, 5), (450, 1, 1)],
)
def test_every_changed_address_is_named_and_the_limit_is_kept(flows, differences, words):
    text = plan_markdown(large(flows, differences, words))
    assert len(text.encode()) < LIMIT
    assert named(text) == list(range(flows))
    Shown(text)


def test_a_small_plan_is_told_whole():
    text = plan_markdown(large(10, differences=5))
    assert text.count('"Say hello" now says') == 50
    assert "left out here" not in text
    assert "shortened" not in text


def test_long_differences_are_shortened_before_any_is_dropped():
    text = plan_markdown(large(60, differences=15, words=40))
    assert with_differences(text) == 60
    assert "> Long differences and lists are shortened here: open the plan with `reconciler show PLANFILE`." in text
    assert "more differences" in text


def test_then_the_last_changes_lose_their_differences_and_it_is_said_how_many():
    text = plan_markdown(large(110))
    told = with_differences(text)
    assert 55 <= told < 110
    assert f"The differences of {110 - told} changes are left out here: open the plan with" in text
    assert text.index("left out here") < text.index("<details>\n<summary>🟨")
    assert opened(text) == 110


def test_then_the_last_changes_are_only_listed():
    text = plan_markdown(large(300))
    told = with_differences(text)
    assert 0 < told == opened(text) < 300
    assert named(text) == list(range(300))
    assert "- 🟨 300. update `inboundCall/Flow 0299` · 30 differences · reaches 1 phone number" in text


def test_with_thousands_of_changes_it_is_said_how_many_are_not_named():
    text = plan_markdown(large(5000, differences=2, warnings=5))
    known = named(text)
    assert len(text.encode()) < LIMIT
    assert known == list(range(len(known)))
    assert 300 < len(known) < 5000
    assert f"{5000 - len(known):} more changes are not even named here" in text
    assert "**5000 changes: 5000 update. Callers of 10 phone numbers are affected.**" in text
    assert text.count("is being edited by Ann") == 5
    assert all(f"`ivr/Line {n}`" in text for n in range(10))


def test_remarks_go_before_differences_and_warnings_and_reach_stay():
    made = large(200, warnings=10)
    remarks = tuple(Finding(id="hm", severity=Severity.INFO, message="A remark.") for _ in range(40))
    text = plan_markdown(made.model_copy(update={"findings": made.findings + remarks}))
    assert "40 remarks, left out here." in text
    assert text.count("is being edited by Ann") == 10
    assert all(f"| `ivr/Line {n}` |" in text for n in range(10))


@pytest.mark.parametrize(
    ("awkward", "limit"),
    [("$" * 900, 8_000), ("\u202e" * 400, 8_000), ("\u202e" * 400, LIMIT), ("`" * 900, LIMIT), ("😀" * 900, 20_000)],
)
def test_any_limit_is_kept_whatever_the_texts_are(awkward, limit):
    findings = [
        Finding(id=awkward, severity=severity, message=awkward, file=awkward, remedy=awkward)
        for severity in Severity
        for _ in range(30)
    ]
    changes = [
        change(f"inboundCall/{n}{awkward}", Action.UPDATE, *[awkward] * 12, diff=sentences(12, 50)) for n in range(9)
    ]
    drift = [
        Drift(address=f"ivr/{n}{awkward}", recorded_version=awkward, live_version="2", published_by=awkward)
        for n in range(30)
    ]
    made = plan(
        *changes,
        environment=awkward,
        org=awkward,
        findings=tuple(findings),
        drift=tuple(drift),
        unmanaged=(awkward,) * 99,
        reach=tuple(
            reach(one.address, *(f"ivr/{n}{awkward} +{awkward} +1" for n in range(30)), consumers=(awkward,) * 99)
            for one in changes
        ),
    )
    for text in (plan_markdown(made, limit=limit), drift_markdown(made, limit=limit)):
        assert len(text.encode()) < limit
        Shown(text)


def test_errors_outlast_the_names_of_changes():
    errors = tuple(Finding(id="no", message=f"Error {n}: {'very long ' * 40}") for n in range(25))
    text = plan_markdown(large(900).model_copy(update={"findings": errors}), limit=20_000)
    assert text.count("> - Error ") == 25
    assert "not even named here" in text


def test_a_limit_without_room_for_the_headline_is_refused():
    with pytest.raises(ValueError, match="at least 8000"):
        plan_markdown(plan(), limit=1000)


def test_long_drift_is_cut_like_changes():
    drift = tuple(
        Drift(address=f"inboundCall/Flow {n:04}", recorded_version="1.0", live_version="2.0", diff=sentences(30))
        for n in range(300)
    )
    text = drift_markdown(plan(drift=drift))
    assert len(text.encode()) < LIMIT
    assert all(f"inboundCall/Flow {n:04}" in text for n in range(300))
    assert re.search(
        r"The differences of \d+ objects are left out here: see all of it with `reconciler drift --env prod`", text
    )
