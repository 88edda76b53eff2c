"""The org's limits: what plans say when they come close or cross one, and what `reconciler limits` shows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import ORG_ID, SEED, Org, connected, environment, flow, module

from reconciler.sandbox import embedded

LIMITS = """\
limits:
  architect: {flows.max: 10, what.nobody.knows: 12}
  telephony.configuration: {lines.of.ours: 2}
"""
ROUTE = "GET /api/v2/organizations/limits/namespaces/{namespaceName}"
IVR = """\
ivr:
  name: Line {number}
  dnis: ["+457010000{number}"]
  openHoursFlow: Flow 00
"""


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    """An org with limits of its own, some of which nobody documents."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED + LIMITS, encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as running, connected(running) as made:
        yield made


def flows(repository: Any, count: int) -> None:
    for number in range(count):
        repository.write(f"flows/flow-{number:02}.yaml", flow(f"Flow {number:02}"))


def findings(plan: Any) -> dict[str, dict[str, Any]]:
    return {finding["id"]: finding for finding in plan.json["findings"]}


def asked(org: Org) -> int:
    return int(httpx.get(f"{org.url}/sandbox/requests").json()["routes"].get(ROUTE, 0))


def planned(cli: Any) -> Any:
    return cli("plan", "--format", "json")


def test_a_plan_says_with_the_numbers_that_it_comes_close_to_a_limit(repository, cli, org):
    org.publish(flow("Somebody Else's"))
    flows(repository, 7)
    far = planned(cli)
    flows(repository, 8)
    near = planned(cli)

    assert "limit-near" not in findings(far)
    finding = findings(near)["limit-near"]
    assert finding["severity"] == "warning"
    assert "flows, 1 now and 9 after the plan; the org's limit is 10 (architect/flows.max)" in finding["message"]
    assert near.code == 0


def test_a_plan_that_crosses_a_limit_of_the_org_is_not_applied_unless_the_environment_says_so(repository, cli, org):
    org.publish(flow("Somebody Else's"))
    flows(repository, 10)
    crossing = planned(cli)
    refused = cli("apply", "--auto-approve")
    nothing = len(org.flows())
    environment(repository, "limits: {on_crossing: report}")
    reported = planned(cli)
    applied = cli("apply", "--auto-approve")

    assert findings(crossing)["limit-crossed"]["severity"] == "error"
    assert "1 now and 11 after the plan" in findings(crossing)["limit-crossed"]["message"]
    assert (refused.code, nothing) == (1, 1)
    assert "docs/limits.md" in refused.err
    assert findings(reported)["limit-crossed"]["severity"] == "warning"
    assert applied.code == 0, applied.err


def test_an_environment_may_say_that_a_limit_counts_something_else_or_nothing(repository, cli, org):
    flows(repository, 11)
    repository.write("shared/module.yaml", module("Module"))
    environment(repository, 'limits: {counts: {architect: {flows.max: ["commonModule/*"], what.nobody.knows: ["*"]}}}')
    modules_only = planned(cli)
    repository.edit("environments/test.yaml", '["commonModule/*"]', "[]")
    repository.edit("environments/test.yaml", '["*"]', "[]")
    nothing = planned(cli)

    message = findings(modules_only)["limit-near"]["message"]
    assert "objects (*), 0 now and 12 after the plan; the org's limit is 12 (architect/what.nobody.knows)" in message
    assert not [id for id in findings(nothing) if id.startswith("limit")]


def test_what_a_plan_deletes_makes_room(repository, cli, org):
    flows(repository, 10)
    assert cli("apply", "--auto-approve").code == 0
    for number in range(10):
        repository.remove(f"flows/flow-{number:02}.yaml")
    for number in range(10):
        repository.write(f"flows/new-{number}.yaml", flow(f"New {number}"))

    kept = planned(cli)
    replaced = cli("plan", "--prune", "--format", "json")

    assert "20 after the plan" in findings(kept)["limit-crossed"]["message"]
    assert "limit-crossed" not in findings(replaced)
    meanwhile = findings(replaced)["limit-near"]
    assert "10 now and 10 after the plan" in meanwhile["message"]
    assert "up to 20 at a time" in meanwhile["message"]


def test_a_limit_that_is_met_only_while_something_is_renamed_is_told(repository, cli, org):
    """The flow under its new name has to be there before the IVR lets go of the old one."""
    flows(repository, 10)
    repository.write("flows/line.ivr.yaml", IVR.format(number=0))
    assert cli("apply", "--auto-approve").code == 0
    repository.remove("flows/flow-00.yaml")
    repository.write("flows/new.yaml", flow("New"))
    repository.edit("flows/line.ivr.yaml", "Flow 00", "New")

    plan = cli("plan", "--prune", "--format", "json")

    finding = findings(plan)["limit-near"]
    assert plan.code == 0
    assert finding["severity"] == "warning"
    assert "up to 11 at a time" in finding["message"]


def test_the_org_is_asked_once_a_day_and_only_where_a_plan_adds_something(repository, cli, org, monkeypatch):
    flows(repository, 1)
    assert cli("apply", "--auto-approve").code == 0
    once = asked(org)
    assert planned(cli).code == 0
    flows(repository, 2)
    assert planned(cli).code == 0
    repository.write("flows/flow-00.yaml", flow("Flow 00", says="Good day."))
    assert planned(cli).code == 0

    assert (once, asked(org)) == (1, 1)
    monkeypatch.setattr("reconciler.engine.limits.values.KEPT", timedelta(0))
    assert planned(cli).code == 0
    assert asked(org) == 2


def test_a_limit_that_was_raised_today_keeps_no_plan(repository, cli, org, tmp_path):
    """Genesys raised it on request; the answer of this morning is still in the cache."""
    flows(repository, 11)
    assert planned(cli).code == 1
    with sqlite3.connect(tmp_path / "org.sqlite") as db:
        db.execute(
            "UPDATE meta SET value = replace(value, '\"flows.max\": 10', '\"flows.max\": 20') WHERE key = 'limits'"
        )
        assert db.total_changes == 1
    db.close()

    plan = planned(cli)

    assert plan.code == 0
    assert "limit-crossed" not in findings(plan)


@pytest.mark.parametrize(("status", "code"), [(403, "missing.permissions"), (404, "not.found"), (503, "busy")])
def test_limits_that_cannot_be_read_are_told_and_keep_no_plan(repository, cli, org, monkeypatch, status, code):
    monkeypatch.setattr("reconciler.platform.limits._PATIENCE", 0.1)
    flows(repository, 2)
    path = "/api/v2/organizations/limits/*"
    org.fault(match={"path": path}, effect={"status": status, "code": code, "message": "No."})
    plan = planned(cli)
    shown = cli("limits", "--format", "json")

    assert plan.code == 0
    assert findings(plan)["limits-unread"]["severity"] == "info"
    assert "architect" in findings(plan)["limits-unread"]["message"]
    assert shown.code == 0
    assert shown.json["missing"] == []
    assert set(shown.json["unread"]) == {"architect", "datatables", "telephony.configuration", "platform.api"}


def test_limits_shows_what_is_counted_and_what_nobody_documents(repository, cli, org):
    flows(repository, 9)
    repository.write("flows/line.yaml", IVR.format(number=1))
    environment(repository, 'limits: {counts: {telephony.configuration: {lines.of.ours: ["ivr/*"]}}}')
    assert cli("apply", "--auto-approve").code == 0
    shown, listed = cli("limits"), cli("limits", "--format", "json").json

    by_key = {limit["key"]: limit for limit in listed["limits"]}
    assert [by_key["flows.max"][key] for key in ("value", "now", "share")] == [10, 9, 0.9]
    assert (by_key["lines.of.ours"]["value"], by_key["lines.of.ours"]["now"]) == (2, 1)
    assert by_key["what.nobody.knows"]["now"] is None
    documented = {limit["counts"]: limit for limit in listed["documented"]}
    assert documented["data tables"]["now"] == 1, "the ledger's"
    # Ten objects, the run, the head and the lock.
    assert documented["rows of the ledger's data table"]["now"] == 13
    assert "IVRs (call routes)" not in documented, "the environment says which key of the org counts them"
    assert listed["missing"] == ["datatables/tables.max.allowed"]
    assert listed["sizes"][0]["here"] > 200
    assert "flows.max" in shown.err
    assert "90%  flows" in shown.err
    assert "limits: counts:" in shown.err


def test_a_count_of_a_kind_that_there_is_not_is_refused_with_its_place(repository, cli, org):
    environment(repository, 'limits: {counts: {architect: {flows.max: ["inboundcall/*"]}}}')
    flows(repository, 1)
    refused = cli("validate")

    assert refused.code == 1
    assert "environments/test.yaml:5" in refused.err
    assert "inboundCall" in refused.err


class TestSizes:
    """Flows that are larger than what is known to have been published."""

    def test_a_flow_of_a_megabyte_is_warned_of_until_the_org_has_taken_it(self, repository, cli, org):
        repository.edit("environments/test.yaml", "org:\n", f"org:\n  id: {ORG_ID}\n")
        repository.write("flows/large.yaml", flow("Large", says="word " * 200_000))
        repository.write("flows/small.yaml", flow("Small"))
        offline, plan = cli("validate", "--format", "json"), planned(cli)
        assert cli("apply", "--auto-approve").code == 0
        repository.edit("flows/large.yaml", "word word", "other")
        again, afterwards = planned(cli), cli("validate", "--format", "json")

        for said in (offline, plan):
            assert said.code == 0
            assert [finding["id"] for finding in said.json["findings"]].count("flow-large") == 1
        warning = findings(plan)["flow-large"]
        assert (warning["severity"], warning["file"]) == ("warning", "flows/large.yaml")
        assert "inboundCall/Large is 1,000 KB large" in warning["message"]
        assert "flow-large" not in findings(again)
        assert "flow-large" not in findings(afterwards)

    def test_common_modules_are_compared_with_common_modules(self, repository, cli, org):
        repository.write("shared/module.yaml", module("Large", says="word " * 30_000))
        repository.write("flows/flow.yaml", flow("Flow", says="word " * 30_000))

        plan = planned(cli)

        assert findings(plan)["flow-large"]["address"] == "commonModule/Large"
        assert "lower for common modules" in findings(plan)["flow-large"]["message"]
