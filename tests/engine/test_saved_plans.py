"""A saved plan is applied as reviewed or refused."""

from __future__ import annotations

import json

import pytest
from support import flow, module


@pytest.fixture
def planned(repository, cli):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/other.yaml", flow("Other"))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello.", "Good day.")
    repository.edit("flows/other.yaml", "Hello.", "Good day.")
    assert cli("plan", "--out", "plan.json").code == 0
    return repository


def test_it_is_applied_and_then_refused(planned, cli, org):
    applied = cli("apply", "plan.json")

    assert applied.code == 0
    assert org.version("Sales") == "2.0"
    again = cli("apply", "plan.json")
    assert again.code == 3
    assert "was applied already" in again.err
    assert cli("plan", "--detailed-exitcode").code == 0


def test_it_is_refused_after_the_specs_changed(planned, cli, org):
    planned.edit("flows/sales.yaml", "Good day.", "Good evening.")

    refused = cli("apply", "plan.json")

    assert refused.code == 3
    assert "changed since the plan was made" in refused.err
    assert org.version("Sales") == "1.0"


def test_it_is_refused_for_another_environment_and_another_org(planned, cli, org):
    planned.write("environments/other.yaml", "extends: test\n")
    assert cli("apply", "plan.json", "--env", "other").code == 3

    plan = json.loads((planned.root / "plan.json").read_text(encoding="utf-8"))
    plan["org"]["id"] = "00000000-0000-4000-8000-000000000000"
    planned.write("elsewhere.json", json.dumps(plan))
    refused = cli("apply", "elsewhere.json")
    assert refused.code == 3
    assert "was made for the org" in refused.err
    assert org.version("Sales") == "1.0"


def test_an_object_that_changed_since_is_refused_and_named_while_the_rest_goes_on(planned, cli, org):
    org.publish(flow("Sales", says="By hand.", modules=("Greeter",)))

    applied = cli("apply", "plan.json")

    assert applied.code == 4
    assert "inboundCall/Sales was changed in the org since the plan was made" in applied.err
    assert "version 2.0 instead of 1.0" in applied.err
    assert org.version("Sales") == "2.0"
    assert org.version("Other") == "2.0"


def test_something_made_meanwhile_is_refused(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/other.yaml", flow("Other"))
    assert cli("plan", "--out", "plan.json").code == 0
    org.publish(flow("Sales", says="By hand."))

    applied = cli("apply", "plan.json")

    assert applied.code == 4
    assert "inboundCall/Sales was made in the org since the plan was made" in applied.err
    assert org.version("Sales") == "1.0"


def test_show_renders_it_without_an_org(planned, cli, monkeypatch):
    monkeypatch.delenv("GENESYSCLOUD_OAUTHCLIENT_ID")
    shown = cli("show", "plan.json")
    assert shown.code == 0
    assert "update    inboundCall/Sales" in shown.err
    assert json.loads(cli("show", "plan.json", "--format", "json").out)["format_version"] == "1"
    assert "update `inboundCall/Sales`" in cli("show", "plan.json", "--format", "markdown").out


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format_version": "2"}', "null", "\x00"])
def test_a_file_that_is_no_plan_is_explained(planned, cli, text):
    planned.write("broken.json", text)

    shown = cli("show", "broken.json")

    assert shown.code == 1
    assert "not a plan" in shown.err
    assert "Traceback" not in shown.err
