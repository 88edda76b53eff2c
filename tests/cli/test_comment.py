"""The pull-request comment, made as a pipeline makes it: a plan of an org, shown as Markdown."""

from __future__ import annotations

from shown_markdown import Shown
from support import flow, module


def test_a_pipeline_gets_one_comment_of_a_plan_and_one_of_drift(repository, cli, org):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/closed.yaml", flow("Closed", says="We are @closed."))
    repository.write("flows/line.yaml", 'ivr: {name: Sales Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    assert cli("apply", "--auto-approve").code == 0
    org.publish(flow("By Hand", modules=("Greeter",)))
    org.publish(flow("Closed", says="Back @soon."))
    repository.edit("shared/greeter.yaml", "One moment.", "Just a moment.")

    planned = cli("plan", "--format", "markdown", "--out", "plan.json")
    shown = Shown(planned.out)

    assert planned.code == 0
    assert planned.out.startswith("<!-- reconciler plan: test -->\n")
    assert "3 changes: 2 update, 1 republish. Callers of 1 phone number are affected." in shown.text
    assert "| `ivr/Sales Line` | +4570100001 |" in planned.out
    assert "`inboundCall/By Hand` holds `commonModule/Greeter`" in planned.out
    assert "`inboundCall/Closed` changed" in planned.out
    assert "```mermaid\n" in planned.out
    (greeter,) = (summary for summary in shown.summaries if "update commonModule/Greeter" in summary)
    assert greeter.startswith("🟨 ")
    assert greeter.endswith("update commonModule/Greeter · 1 difference · reaches 1 phone number")
    assert 'now says "Just a moment." (was "One moment.")' in shown.text
    assert cli("show", "plan.json", "--format", "markdown").out == planned.out

    drift = cli("drift", "--format", "markdown")
    assert drift.code == 2
    assert drift.out.startswith("<!-- reconciler drift: test -->\n")
    assert 'now says "Back @soon." (was "We are @closed.")' in Shown(drift.out).text
    assert "@soon" not in drift.out
