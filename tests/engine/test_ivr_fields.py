"""What an IVR holds and its spec does not name is kept, what the spec lets go of is told, numbers go around safely."""

from __future__ import annotations

from support import environment, flow


def test_a_field_taken_out_of_the_spec_is_told_also_without_history(repository, cli, monkeypatch, tmp_path):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write(
        "flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales, holidayHoursFlow: Sales}\n'
    )
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/line.yaml", ", holidayHoursFlow: Sales", "")
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "another-machine"))

    plan = cli("plan", "--format", "json").json

    assert plan["changes"] or plan["findings"]
    assert "ivr/Line" in {told["address"] for told in (*plan["changes"], *plan["findings"])}


def test_a_flow_that_somebody_put_on_an_ivr_stays_when_another_field_changes(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/line.yaml", "ivr: {name: Line, openHoursFlow: Sales, description: A}\n")
    assert cli("apply", "--auto-approve").code == 0
    org.change_ivr("Line", closedHoursFlow={"id": org.publish(flow("Other"))})
    repository.edit("flows/line.yaml", "description: A", "description: B")

    assert cli("apply", "--auto-approve").code == 0

    assert org.ivrs()["Line"]["description"] == "B"
    assert org.ivrs()["Line"]["closedHoursFlow"]["name"] == "Other"


def test_a_number_moves_to_another_ivr_when_its_own_drops_the_field(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/last.yaml", 'ivr: {name: Last, openHoursFlow: Sales, dnis: ["+4570100001"]}\n')
    repository.write("flows/first.yaml", "ivr: {name: First, openHoursFlow: Sales, description: None yet}\n")
    assert cli("apply", "--auto-approve").code == 0
    environment(repository, "concurrency: 1")
    repository.write("flows/last.yaml", "ivr: {name: Last, openHoursFlow: Sales}\n")
    repository.write("flows/first.yaml", 'ivr: {name: First, openHoursFlow: Sales, dnis: ["+4570100001"]}\n')

    applied = cli("apply", "--auto-approve")

    assert applied.code == 0, applied.err
    assert {name: ivr.get("dnis") or [] for name, ivr in org.ivrs().items()} == {
        "First": ["+4570100001"],
        "Last": [],
    }


def test_a_number_in_no_did_pool_is_found_before_anything_is_applied(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write(
        "flows/line.yaml",
        """\
        ivr:
          name: Line
          openHoursFlow: Sales
          dnis:
            - "+4570100001"
            - "+4599999999"
        """,
    )

    planned = cli("plan", "--format", "json")
    text = cli("plan")

    assert (planned.code, text.code) == (1, 1)
    (finding,) = planned.json["findings"]
    assert finding["id"] == "number-unavailable"
    assert (finding["file"], finding["line"]) == ("flows/line.yaml", 6)
    assert "+4599999999" in finding["message"]
    assert "flows/line.yaml:6" in text.err
    assert cli("apply", "--auto-approve").code == 1
    assert org.flows() == {}
    assert org.ivrs() == {}
