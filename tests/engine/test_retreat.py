"""``apply --rollback-on-failure``, and smoke tests that are not passed: a run takes back what it applied."""

from __future__ import annotations

import json

import pytest
from support import environment, flow, module, start, wait_for_lines


@pytest.fixture
def estate(repository, cli):
    """A module with two callers and an IVR, applied; then a change of all of them that is not applied yet."""
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter",)))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    environment(repository, "concurrency: 1")
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("shared/greeter.yaml", "One moment.", "Please hold.")
    repository.edit("flows/support.yaml", "Hello.", "Good day.")
    repository.edit("flows/line.yaml", "Sales", "Support")
    return repository


def fail(org, name):
    org.fault(match={"job_flow": name}, effect={"job": {"status": "Failure", "messages": ["No such queue."]}})


def apply(cli, *more):
    return cli("apply", "--auto-approve", "--rollback-on-failure", *more)


def says(org, name):
    flow_id, version = org.flows()[name]["id"], org.version(name)
    return json.dumps(org.get(f"/flows/{flow_id}/versions/{version}/configuration"))


def test_half_an_apply_failed_and_the_other_half_is_taken_back(estate, cli, org):
    fail(org, "Support")

    done = apply(cli)

    assert done.code == 1, done.err
    assert "What this run applied is taken back, because inboundCall/Support failed." in done.err
    assert "Rolled back, because inboundCall/Support failed: 2 objects as before this run." in done.err
    assert "One moment." in says(org, "Greeter")
    assert org.module_versions("Sales") == {"Greeter": "3.0"}
    assert org.version("Support") == "1.0"
    assert org.ivrs()["Line"]["openHoursFlow"]["name"] == "Sales"
    org.mend()
    assert "taken back" in cli("history").err
    again = cli("rollback", "--auto-approve")
    assert (again.code, "was rolled back already" in again.err) == (1, True)
    rest = cli("plan", "--format", "json").json
    assert {change["address"] for change in rest["changes"]} == {
        "commonModule/Greeter",
        "inboundCall/Sales",
        "inboundCall/Support",
        "ivr/Line",
    }
    assert apply(cli).code == 0


def test_a_saved_plan_can_be_taken_back_too(estate, cli, org, tmp_path):
    saved = str(tmp_path / "plan.json")
    assert cli("plan", "--out", saved).code == 0
    fail(org, "Support")
    assert cli("apply", saved, "--rollback-on-failure").code == 1
    assert "One moment." in says(org, "Greeter")


def test_without_the_option_what_was_applied_stays(estate, cli, org):
    fail(org, "Support")
    assert cli("apply", "--auto-approve").code == 4
    assert "Please hold." in says(org, "Greeter")


def test_nothing_is_taken_back_when_nothing_was_applied(estate, cli, org):
    fail(org, "Greeter")
    done = apply(cli)
    assert done.code == 1
    assert "taken back" not in done.err
    assert org.version("Greeter") == "1.0"


@pytest.mark.parametrize("on_drift", ["overwrite", "fail"])
def test_what_failed_but_was_published_all_the_same_is_taken_back_too(estate, cli, org, on_drift):
    environment(estate, f"policy: {{on_drift: {on_drift}}}")
    # The org does not tell how the job ended; it ended well.
    org.fault(match={"method": "GET", "path": "/api/v2/flows/jobs/*"}, after=2, times=1, effect={"status": 403})
    done = apply(cli)
    assert "failed" in done.err
    assert done.code == 1, done.err
    assert org.version("Support") == org.version("Sales") == "3.0"
    assert "Hello." in says(org, "Support")
    assert org.module_versions("Support") == org.module_versions("Sales") == {"Greeter": "3.0"}
    assert cli("drift").code == 0


def test_what_the_run_made_stays_and_is_told(estate, cli, org):
    estate.write("flows/new.yaml", flow("New"))
    fail(org, "Support")
    done = apply(cli)
    assert done.code == 4
    assert "inboundCall/New was not there before run" in done.err
    assert "New" in org.flows()


def test_what_cannot_be_taken_back_is_told_by_name(estate, cli, org):
    fail(org, "Support")
    org.fault(match={"method": "POST", "path": "/api/v2/flows/actions/publish"}, effect={"status": 403})
    done = apply(cli)
    assert done.code == 4
    assert "Rolled back in part only, because inboundCall/Support failed" in done.err
    assert "commonModule/Greeter is not as before" in done.err


def test_an_org_that_does_not_answer_any_more_is_told(estate, cli, org):
    fail(org, "Support")
    org.fault(match={"method": "GET", "path": "/api/v2/architect/schedulegroups"}, after=1, effect={"status": 403})
    done = apply(cli)
    assert done.code == 4
    assert "Nothing could be taken back" in done.err
    assert "is not locked" in cli("unlock").err


def test_the_journal_tells_of_it(estate, cli, org):
    fail(org, "Support")
    apply(cli)
    newest = max((estate.root / ".reconciler/runs/test").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    events = [json.loads(line) for line in newest.read_text(encoding="utf-8").splitlines()]
    begun = next(number for number, event in enumerate(events) if event["event"] == "rollback-started")
    back = [event for event in events[begun:] if event["event"] == "change-ended"]
    assert [(e["address"], e["version_before"], e["version_after"]) for e in back] == [
        ("commonModule/Greeter", "2.0", "3.0"),
        ("inboundCall/Sales", "2.0", "3.0"),
    ]


def test_what_somebody_changed_meanwhile_keeps_nothing_else_from_being_taken_back(repository, cli, org):
    environment(repository, "concurrency: 1\npolicy: {on_drift: fail}")
    repository.write("flows/all.yaml", "---\n".join(flow(f"Flow {number}") for number in range(3)))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/all.yaml", "Hello.", "Good day.")
    org.settings(job_seconds=0.3)
    fail(org, "Flow 2")
    process = start(repository, "apply", "--auto-approve", "--rollback-on-failure")
    wait_for_lines(process, 1, "[1/3]")
    org.settings(job_seconds=0)
    org.publish(flow("Flow 0", says="By hand."))
    _, told = process.communicate()
    assert process.returncode == 4
    assert "inboundCall/Flow 0 was changed in the org" in told
    assert "By hand." in says(org, "Flow 0")
    assert "Good day." not in says(org, "Flow 1")


def test_an_adoption_is_nothing_to_take_back(repository, cli, org):
    org.publish(flow("Sales"))
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/support.yaml", flow("Support"))
    fail(org, "Support")
    done = apply(cli)
    assert done.code == 4
    assert "taken back" not in done.err


def test_what_keeps_all_from_being_taken_back_does_not_hide_what_stays(estate, cli, org):
    fail(org, "Support")
    org.fault(match={"method": "GET", "path": "/api/v2/architect/schedulegroups"}, after=1, effect={"status": 403})
    assert "commonModule/Greeter stays as this run made it." in apply(cli).err


def test_one_object_without_a_way_back_does_not_keep_the_others_from_theirs(estate, cli, org):
    queue = "          - transferToAcd: {name: To queue, targetQueue: {lit: {name: Sales}}}\n          - disconnect:"
    spec = flow("Sales", modules=("Greeter",))
    estate.write("flows/sales.yaml", spec.replace("          - disconnect:", queue))
    estate.edit("shared/greeter.yaml", "Please hold.", "One moment.")
    estate.edit("flows/support.yaml", "Good day.", "Hello.")
    estate.edit("flows/line.yaml", "Support", "Sales")
    assert cli("apply", "--auto-approve").code == 0
    (sales,) = org.get("/routing/queues", name="Sales")["entities"]
    org.send("DELETE", f"/routing/queues/{sales['id']}", forceDelete="true").raise_for_status()
    estate.write("flows/sales.yaml", spec)
    estate.edit("shared/greeter.yaml", "One moment.", "Please hold.")
    estate.edit("flows/support.yaml", "Hello.", "Good day.")
    fail(org, "Support")

    done = apply(cli)

    assert done.code == 4
    assert "names the queue 'Sales', which does not exist" in done.err
    assert "inboundCall/Sales stays as this run made it." in done.err
    assert "One moment." in says(org, "Greeter")
    assert "To queue" not in says(org, "Sales")
    assert org.module_versions("Sales") == {"Greeter": org.version("Greeter")}
