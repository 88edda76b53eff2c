"""A changed module reaches its consumers, exactly those, and nothing else is touched."""

from __future__ import annotations

import pytest
from support import environment, flow, module


@pytest.fixture
def estate(repository):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("shared/closer.yaml", module("Closer"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter", "Closer")))
    repository.write("flows/alone.yaml", flow("Alone"))
    repository.write(
        "flows/lines.yaml",
        """\
        ivr:
          name: Sales Line
          dnis: ["+4570100001"]
          openHoursFlow: Sales
        """,
    )
    return repository


@pytest.fixture
def applied(estate, cli):
    assert cli("apply", "--auto-approve").code == 0
    return estate


def changes(plan):
    return [(change["action"], change["address"]) for change in plan["changes"]]


def test_the_first_plan_creates_everything_in_order(estate, cli):
    plan = cli("plan", "--format", "json").json

    assert plan["summary"] == {"create": 6, "update": 0, "republish": 0, "adopt": 0, "delete": 0, "unchanged": 0}
    order = [change["address"] for change in plan["changes"]]
    assert order.index("commonModule/Greeter") < order.index("inboundCall/Sales") < order.index("ivr/Sales Line")
    assert order.index("commonModule/Closer") < order.index("inboundCall/Support")
    by_address = {change["address"]: change for change in plan["changes"]}
    assert by_address["inboundCall/Support"]["depends_on"] == ["commonModule/Closer", "commonModule/Greeter"]
    assert by_address["inboundCall/Support"]["precondition"]["absent"] is True


def test_after_apply_there_is_nothing_to_do(applied, cli):
    again = cli("plan", "--detailed-exitcode")

    assert again.code == 0
    assert "No changes. 6 resources are as the specs want them." in again.err
    assert again.out == ""


def test_a_changed_module_is_updated_and_exactly_its_consumers_are_republished_after_it(applied, cli, org):
    applied.edit("shared/greeter.yaml", "One moment.", "One moment, please.")

    planned = cli("plan", "--format", "json", "--detailed-exitcode")

    assert planned.code == 2
    assert changes(planned.json) == [
        ("update", "commonModule/Greeter"),
        ("republish", "inboundCall/Sales"),
        ("republish", "inboundCall/Support"),
    ]
    (difference,) = planned.json["changes"][0]["diff"]
    assert (difference["op"], difference["before"], difference["after"]) == (
        "change",
        "One moment.",
        "One moment, please.",
    )
    assert planned.json["changes"][1]["depends_on"] == ["commonModule/Greeter"]
    assert "holds commonModule/Greeter" in planned.json["changes"][1]["reasons"][0]

    assert cli("apply", "--auto-approve").code == 0

    flows = org.flows()
    consumers = org.get(
        "/architect/dependencytracking/consumingresources",
        id=flows["Greeter"]["id"],
        objectType="COMMONMODULEFLOW",
        pageSize=100,
    )["entities"]
    assert {consumer["name"] for consumer in consumers} == {"Sales", "Support"}
    for name in ("Sales", "Support"):
        assert org.module_versions(name)["Greeter"] == org.version("Greeter")
    assert org.version("Alone") == "1.0"
    assert org.version("Closer") == "1.0"
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_module_published_by_somebody_else_after_its_consumers_republishes_them(applied, cli, org):
    org.publish(module("Greeter"))

    plan = cli("plan", "--format", "json").json

    assert changes(plan) == [("republish", "inboundCall/Sales"), ("republish", "inboundCall/Support")]
    assert plan["drift"] == []
    assert "holds version 1.0 of commonModule/Greeter; 2.0 has been published since" in plan["changes"][0]["reasons"]


def test_without_a_record_dependency_tracking_tells_the_module_versions(applied, cli, org):
    """A lost ledger is adopted again, and consumers that are behind are still found."""
    org.publish(module("Closer"))
    table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]
    org.send("DELETE", f"/flows/datatables/{table['id']}", force="true").raise_for_status()

    plan = cli("plan", "--format", "json").json

    assert plan["summary"]["adopt"] == 5
    assert ("republish", "inboundCall/Support") in changes(plan)
    assert cli("apply", "--auto-approve").code == 0
    assert org.version("Sales") == "1.0"
    assert org.version("Support") == "2.0"
    assert cli("plan", "--detailed-exitcode").code == 0


def test_consumers_outside_the_repository_are_named(applied, cli, org):
    org.publish(flow("By Hand", modules=("Greeter",)))
    applied.edit("shared/greeter.yaml", "One moment.", "Just a moment.")

    plan = cli("plan", "--format", "json").json

    assert plan["unmanaged"] == ["inboundCall/By Hand"]
    (finding,) = [finding for finding in plan["findings"] if finding["id"] == "unmanaged-consumer"]
    assert finding["address"] == "inboundCall/By Hand"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  name: Sales\n", "  # what sells\n  name: Sales\n"),
        ("  name: Sales\n", "  name: 'Sales'\n"),
        ("  tasks:\n", "\n\n  tasks:\n"),
        ("tts: Hello.", 'tts: "Hello."'),
        (
            "  name: Sales\n  defaultLanguage: en-us\n",
            "  defaultLanguage: en-us\n  name: Sales\n",
        ),
    ],
)
def test_comments_blanks_key_order_and_quoting_are_no_change(applied, cli, old, new):
    applied.edit("flows/sales.yaml", old, new)

    assert cli("plan", "--detailed-exitcode").code == 0


def test_target_takes_dependencies_along_and_exclude_leaves_dependents_out(estate, cli):
    targeted = cli("plan", "--format", "json", "--target", "ivr/*").json
    assert [address for _, address in changes(targeted)] == [
        "commonModule/Greeter",
        "inboundCall/Sales",
        "ivr/Sales Line",
    ]

    excluded = cli("plan", "--format", "json", "--exclude", "commonModule/Greeter").json
    assert {address for _, address in changes(excluded)} == {"commonModule/Closer", "inboundCall/Alone"}

    assert cli("plan", "--target", "flow/Nothing").code == 1


def test_an_exclude_that_matches_nothing_is_an_error(estate, cli, org):
    refused = cli("plan", "--exclude", "inboundCall/Seles")

    assert refused.code == 1
    assert "--exclude inboundCall/Seles: no resource matches." in refused.err
    assert cli("apply", "--auto-approve", "--exclude", "inboundCall/Seles").code == 1
    assert org.flows() == {}


def test_a_part_of_the_estate_is_said_to_be_one(estate, cli):
    parts = cli("plan", "--format", "json", "--target", "inboundCall/Alone").json["findings"]
    whole = cli("plan", "--format", "json").json["findings"]

    (finding,) = parts
    assert (finding["id"], finding["severity"]) == ("partial-plan", "warning")
    assert "5 of 6 resources are left out" in finding["message"]
    assert "--target inboundCall/Alone" in finding["message"]
    assert whole == []


def test_consumers_that_a_target_leaves_behind_are_named(applied, cli):
    applied.edit("shared/greeter.yaml", "One moment.", "Two moments.")

    said = cli("plan", "--target", "commonModule/*").err

    assert "inboundCall/Sales" in said
    assert "inboundCall/Support" in said


def test_a_consumer_left_behind_because_of_drift_is_named(applied, cli, org):
    environment(applied, "policy: {on_drift: report}")
    org.publish(flow("Sales", says="Emergency.", modules=("Greeter",)))
    applied.edit("shared/greeter.yaml", "One moment.", "Two moments.")

    plan = cli("plan", "--format", "json").json

    assert "inboundCall/Sales" not in {change["address"] for change in plan["changes"]}
    assert any("Sales" in finding["message"] for finding in plan["findings"])


def test_a_consumer_published_by_hand_as_it_was_still_gets_the_module_of_today(applied, cli, org):
    """Its row is renewed; that it holds an old version of the module must not be forgotten with it."""
    org.publish(flow("Sales", modules=("Greeter",)))
    org.publish(module("Greeter", "Changed by hand."))

    assert cli("apply", "--auto-approve").code == 0

    assert org.module_versions("Sales") == {"Greeter": org.version("Greeter")}
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_consumer_that_failed_gets_the_module_that_was_put_back_since(applied, cli, org):
    applied.edit("shared/greeter.yaml", "One moment.", "Two moments.")
    org.fault(match={"job_flow": "Sales"}, effect={"job": {"status": "Failure", "messages": ["No."]}})
    assert cli("apply", "--auto-approve").code == 4
    org.mend()
    applied.edit("shared/greeter.yaml", "Two moments.", "One moment.")

    assert cli("apply", "--auto-approve").code == 0

    assert org.module_versions("Sales") == {"Greeter": org.version("Greeter")}
    assert cli("plan", "--detailed-exitcode").code == 0


def test_consumers_of_a_module_that_is_left_because_of_drift_are_left_as_well(applied, cli, org):
    environment(applied, "policy: {on_drift: report}")
    org.publish(module("Greeter", "By hand."))

    assert cli("apply", "--auto-approve").code == 0

    assert org.version("Sales") == "1.0"
    assert org.version("Support") == "1.0"
