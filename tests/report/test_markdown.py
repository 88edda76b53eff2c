"""The plan as a pull-request comment: what a reviewer reads first, and what opens on a click."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from plan_documents import change, plan, reach, sentences
from shown_markdown import Shown

from reconciler.engine.document import NOT_THERE, Action, Difference, Drift, Plan, UnmanagedConsumer
from reconciler.problems import Finding, Severity
from reconciler.report.markdown import drift_markdown, plan_markdown

ROOT = Path(__file__).parents[2]
MODULE = "commonModule/Authenticate Caller"
HOLDS = f"holds {MODULE}, which this plan publishes"
ERROR = Finding(id="number-in-use", message="No such number.", file="flows/a.yaml", line=3, remedy="Ask for one.")
WARNING = Finding(id="flow-locked", severity=Severity.WARNING, message="Ann edits it.", address="inboundCall/Sales")
REMARK = Finding(id="not-checkable", severity=Severity.INFO, message="Not checked.", address="inboundCall/Sales")
DRIFT = Drift(
    address="inboundCall/Sales",
    recorded_version="1.0",
    live_version="2.0",
    published_by="Ann",
    published_at="2026-11-19T10:00:00Z",
    diff=sentences(1, 1),
)


@pytest.fixture
def propagation():
    """A module changes, a flow is published again, a line is reached, and a flow outside stays behind."""
    return plan(
        change(MODULE, Action.UPDATE, "the spec changed", diff=sentences(2, 3)),
        change("inboundCall/Sales", Action.REPUBLISH, HOLDS, after=(MODULE,)),
        reach=(
            reach(
                MODULE,
                "ivr/Sales Line +4570100001 +4570100002",
                consumers=("inboundCall/Sales", "inboundCall/Menu"),
                foreign=("ivr/Old Line +4570100009",),
                unmanaged=(UnmanagedConsumer(address="inboundCall/Old", id="i1", version="1.0", holds=MODULE),),
            ),
            reach("inboundCall/Sales", "ivr/Sales Line +4570100001 +4570100002"),
        ),
    )


def opened(text, address):
    """What a click on a change shows."""
    found = re.search(rf"<summary>[^\n]*{re.escape(address)}.*?</details>", text, re.DOTALL)
    assert found
    return found[0]


def picture(text):
    """The source of the picture."""
    return re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)[1]


def test_it_begins_with_the_marker_what_the_plan_is_for_and_what_it_comes_to(propagation):
    lines = plan_markdown(propagation).splitlines()
    assert lines[:6] == [
        "<!-- reconciler plan: prod -->",
        "## Plan for `prod` · org Acme",
        "",
        "Commit `a1b2c3d` · plan `9c41f0aa21b7` · 2026-11-20 09:30 UTC",
        "",
        "**2 changes: 1 update, 1 republish. Callers of 3 phone numbers are affected.**",
    ]
    assert "| 0 | 1 | 1 | 0 | 0 | 3 | 0 |" in lines


def test_a_working_tree_with_changes_is_told():
    assert "Commit `a1b2c3d` **and uncommitted changes** · plan" in plan_markdown(plan(dirty=True))


@pytest.mark.parametrize(
    ("release", "said"), [("v1.4", "release `v1.4`"), ("a1b2c3d4", "pinned"), ("@v|1", "release `@v|1`")]
)
def test_a_release_that_the_environment_pins_is_told(release, said):
    assert Shown(f"Commit `a1b2c3d`, {said}").text in Shown(plan_markdown(plan(release=release))).text


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (plan(), "No changes. 3 resources are as the specs want them."),
        (
            plan(drift=(DRIFT,)),
            "No changes. 3 resources are as the specs want them. 1 object drifted and is left as it is.",
        ),
        (plan(findings=(ERROR,)), "This plan cannot be applied: 1 error."),
        (
            plan(change("ivr/A", Action.DELETE), findings=(ERROR, ERROR)),
            "This plan cannot be applied: 2 errors. It holds 1 change: 1 delete. No phone number is reached.",
        ),
        (
            plan(change("ivr/A", Action.ADOPT), reach=(reach("ivr/A", "ivr/A +1"),)),
            "1 change: 1 adopt. Nothing is published; callers notice nothing.",
        ),
        (
            plan(change("ivr/A", Action.CREATE, NOT_THERE), reach=(reach("ivr/A", "ivr/A +1"),)),
            "1 change: 1 create. Callers of 1 phone number are affected.",
        ),
    ],
)
def test_the_verdict_is_in_plain_words(made, verdict):
    assert f"\n**{verdict}**\n" in plan_markdown(made)


def test_reach_is_a_table_of_lines_with_numbers_and_the_changes_that_reach_them(propagation):
    text = plan_markdown(propagation)
    assert "| `ivr/Sales Line` | +4570100001, +4570100002 | 1, 2 |" in text
    assert "| `ivr/Old Line` (not in the specs) | +4570100009 | 1 |" in text
    assert "1 flow is published again to take in changed modules: `inboundCall/Sales`." in text


def test_consumers_left_behind_drift_and_warnings_come_before_the_changes_each_once(propagation):
    left = Finding(id="unmanaged-consumer", severity=Severity.WARNING, message="Stays.", address="inboundCall/Old")
    held = Finding(id="drift", severity=Severity.WARNING, message="Sales was changed by Ann.", address=DRIFT.address)
    made = propagation.model_copy(update={"findings": (left, held, WARNING), "drift": (DRIFT,)})
    text = plan_markdown(made)
    warning = text[text.index("> [!WARNING]") : text.index("### Changes")]
    assert "**1 flow outside the specs keeps the old copy of a module**" in warning
    assert f"> - `inboundCall/Old` holds `{MODULE}`" in warning
    assert "--republish-unmanaged" in warning
    assert "**1 object was changed in the org since the last apply**" in warning
    assert "> - Sales was changed by Ann. (`drift`); see change 2" in warning
    assert "> - Ann edits it. (`flow-locked`)" in warning
    assert "Stays." not in text


def test_errors_come_first_with_place_and_remedy_and_remarks_are_folded_away():
    text = plan_markdown(plan(change("inboundCall/Sales", Action.UPDATE), findings=(REMARK, ERROR)))
    assert "> - No such number. Ask for one. (`flows/a.yaml:3`, `number-in-use`)" in text
    assert text.index("> [!CAUTION]") < text.index("| 🟩 create")
    remarks = opened(text, "1 remark")
    assert "- Not checked. (`not-checkable`)" in remarks
    assert "No such number" not in remarks


def test_a_change_opens_to_reasons_order_reach_differences_drift_and_findings():
    made = plan(
        change("commonModule/A", Action.UPDATE, diff=sentences(1)),
        change(
            "inboundCall/Sales",
            Action.UPDATE,
            "the spec changed",
            "and more",
            after=("commonModule/A",),
            basis="live export",
            diff=(
                Difference(path="/x", op="change", text="menu Main: reworded", detail="We are [-closed-] {+open+}"),
                Difference(path="dnis", op="change", before=["+1", "`"], after=["+1", "```"]),
                Difference(path="gone", op="remove", before="x\ny"),
            ),
        ),
        reach=(reach("inboundCall/Sales", "ivr/Line +4570100001", consumers=("inboundCall/Menu",)),),
        drift=(DRIFT,),
        findings=(WARNING,),
    )
    shown = opened(plan_markdown(made), "inboundCall/Sales")
    assert shown.startswith(
        "<summary>🟨 <b>2. update</b> <code>inboundCall/Sales</code> · "
        "3 differences · drifted · reaches 1 phone number · 1 warning</summary>\n\n"
    )
    assert "- **Why:** the spec changed\n- **Why:** and more\n" in shown
    assert "- **After:** 1 `commonModule/A`\n" in shown
    assert "- **Reaches:** `ivr/Line (+4570100001)`\n- **Used by:** `inboundCall/Menu`\n" in shown
    assert "- **Warning:** Ann edits it. (`flow-locked`)" in shown
    assert "- **Drift:** changed by Ann on 2026-11-19 10:00 UTC: version 1.0 was applied, 2.0 is live" in shown
    assert "**What changes** (compared with the live flow, as far as the spec says anything)" in shown
    assert "- `~` menu Main: reworded<br>We are <del>closed</del> <ins>open</ins>\n" in shown
    assert '````diff\n  dnis\n- "+1"; "`"\n+ "+1"; "```"\n  gone\n- "x\\ny"\n````' in shown
    assert "**What somebody changed in the org since it was applied**\n\n- `~` task Greet 0" in shown


def test_what_a_change_is_about_stands_beside_it(propagation):
    shown = Shown(plan_markdown(propagation))
    assert f"2. republish inboundCall/Sales · holds {MODULE} · reaches 2 phone numbers" in shown.summaries[1]
    assert f"1. update {MODULE} · 2 differences · reaches 3 phone numbers" in shown.summaries[0]


def test_drift_without_a_change_has_a_section_of_its_own():
    text = plan_markdown(plan(change("ivr/A", Action.CREATE), drift=(DRIFT,)))
    section = text[text.index("### Changed in the org, and left as it is") :]
    assert "<code>inboundCall/Sales</code> · changed by Ann on 2026-11-19 10:00 UTC" in section
    assert '- `~` task Greet 0: "Say hello" now says' in section


def test_the_picture_leads_from_the_change_over_its_consumers_to_the_numbers(propagation):
    drawn = picture(plan_markdown(propagation))
    ids = {name: re.search(rf"(n\d+)\W*<b>{name}</b>", drawn)[1] for name in ("Authenticate Caller", "Sales", "Menu")}
    line, old, outside = (re.search(rf"(n\d+)\W*<b>{name}</b>", drawn)[1] for name in ("Sales Line", "Old Line", "Old"))
    assert set(re.findall(r"(n\d+) --> (n\d+)", drawn)) == {
        (ids["Authenticate Caller"], ids["Sales"]),
        (ids["Authenticate Caller"], ids["Menu"]),
        (ids["Authenticate Caller"], old),
        (ids["Authenticate Caller"], outside),
        (ids["Sales"], line),
    }
    assert ":::tone_update" in drawn
    assert ":::tone_republish" in drawn
    assert "4570100002" in drawn
    assert "keeps the old copy" in drawn


def test_a_large_picture_drops_what_does_not_change_and_a_larger_one_is_left_out():
    users = tuple(f"inboundCall/User {n}" for n in range(60))
    made = plan(change(MODULE, Action.UPDATE), reach=(reach(MODULE, "ivr/Line +1", consumers=users),))
    drawn = picture(plan_markdown(made))
    assert "User" not in drawn
    assert "Line" in drawn
    lines = tuple(f"ivr/Line {n} +{n}" for n in range(60))
    text = plan_markdown(plan(change(MODULE, Action.UPDATE), reach=(reach(MODULE, *lines),)))
    assert "mermaid" not in text
    assert "`reconciler graph --plan PLANFILE --out plan.svg` draws it" in text


def test_nothing_is_drawn_where_nothing_is_reached():
    text = plan_markdown(plan(change("workflow/A", Action.CREATE)))
    assert "mermaid" not in text
    assert "picture" not in text


def test_many_lines_are_folded_so_that_warnings_stay_in_sight():
    lines = tuple(f"ivr/Line {n:02} +{n}" for n in range(40))
    text = plan_markdown(plan(change(MODULE, Action.UPDATE), reach=(reach(MODULE, *lines),)))
    assert "<summary>28 more IVRs</summary>" in text
    assert "15 IVRs of them left out here." in text


def test_unmanaged_objects_are_folded_away():
    text = plan_markdown(plan(unmanaged=("inboundCall/Old", "ivr/Old")))
    folded = opened(text, "2 objects in the org that no spec manages, left alone")
    assert "`inboundCall/Old`, `ivr/Old`" in folded


def test_drift_alone_has_a_marker_and_says_so_when_there_is_none():
    text = drift_markdown(plan(drift=(DRIFT,)))
    assert text.startswith("<!-- reconciler drift: prod -->\n## Drift in `prod` · org Acme\n")
    assert "**1 object was changed in the org since the last apply.**" in text
    assert "<code>inboundCall/Sales</code> · changed by Ann" in text
    assert "**No drift: the org is as it was applied last.**" in drift_markdown(plan())


def test_the_same_document_gives_the_same_text(propagation):
    again = Plan.model_validate_json(propagation.model_dump_json())
    assert plan_markdown(again) == plan_markdown(propagation)


def test_the_example_in_the_documentation_is_what_it_looks_like():
    bill, business, household = (f"inboundCall/{name}" for name in ("Pay a Bill", "Business", "Household"))
    business_line = "ivr/Business Line +441632960110"
    household_line = "ivr/Household Line +441632960100 +441632960101"
    said = '"Please enter your four-digit PIN." (was "Now enter your four-digit PIN.")'
    pin = Difference(path="/x", op="change", text=f'start-up task: "Ask for the PIN" now says {said}')
    made = plan(
        change(MODULE, Action.UPDATE, "the spec changed", diff=(pin,)),
        *(change(address, Action.REPUBLISH, HOLDS, after=(MODULE,)) for address in (bill, business, household)),
        environment="local",
        org="Brackenmoor Energy (sandbox)",
        reach=(
            reach(MODULE, business_line, household_line, consumers=(business, household, bill)),
            reach(bill, business_line, household_line, consumers=(business, household)),
            reach(business, business_line),
            reach(household, household_line),
        ),
    )
    documentation = (ROOT / "docs/plan.md").read_text(encoding="utf-8")
    example = re.search(r"```markdown\n(.*?)\n```\n", documentation, re.DOTALL)[1]
    lines = [line for line in example.splitlines() if line != "…" and not line.startswith("Commit ")]
    shown = iter(plan_markdown(made).splitlines())
    assert [line for line in lines if line not in shown] == []


@pytest.mark.filterwarnings("default")
def test_the_wheel_holds_the_templates(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    held = zipfile.ZipFile(wheel).namelist()
    templates = [path.relative_to(ROOT).as_posix() for path in (ROOT / "reconciler").rglob("*.j2")]
    assert templates
    assert set(templates) <= set(held)
