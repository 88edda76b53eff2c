"""The official SDK counts generated traffic (``post_analytics_flows_aggregates_query``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sdk import Sdk, connect, genesys, refused

from reconciler.sandbox import embedded

SEED = "flowOutcomes: [Bill Paid]\n"
DAY = "2026-03-02T00:00:00Z/2026-03-03T00:00:00Z"
START, END = DAY.split("/")


def call_flow(name: str, says: str = "Hello.") -> str:
    """A small call flow."""
    return (
        f"inboundCall: {{name: {name}, startUpRef: './tasks/task[a]', tasks: [{{task: {{refId: a, name: {says}}}}}]}}"
    )


def generate(sdk: Sdk, flow: str, **more: Any) -> dict[str, Any]:
    """Makes conversations of a flow; how many of which version."""
    wanted = {"flow": flow, "from": START, "to": END, "version": "1.0", **more}
    made: dict[str, Any] = sdk.admin.post("/sandbox/traffic", json=wanted).raise_for_status().json()
    return made


def ask(sdk: Sdk, metrics: list[str], **more: Any) -> Any:
    """The answer to a query (SDK ``FlowAggregationQuery``)."""
    query = genesys.FlowAggregationQuery()
    query.interval, query.metrics = DAY, metrics
    for name, value in more.items():
        setattr(query, name, value)
    return genesys.AnalyticsApi(sdk.client).post_analytics_flows_aggregates_query(query)


def counts(answer: Any, metric: str = "nFlow") -> dict[tuple[str, ...], int]:
    """Count of a metric by the values of the group, over all intervals."""
    found: dict[tuple[str, ...], int] = {}
    for result in answer.results:
        group = tuple(result.group.values())
        for data in result.data:
            found[group] = found.get(group, 0) + sum(item.stats.count for item in data.metrics if item.metric == metric)
    return found


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    """An org in which people called two flows for a day."""
    folder = tmp_path_factory.mktemp("busy")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    with embedded.start(folder / "org.sqlite", seed=folder / "seed.yaml") as running:
        sdk = connect(running)
        sdk.publish(call_flow("Sales"))
        sdk.publish(call_flow("Sales", "Good morning."))
        sdk.publish(call_flow("Support"))
        generate(sdk, "Sales", per_hour=20, disconnect_share=0.2, error_share=0.1, outcome="Bill Paid")
        generate(sdk, "Sales", per_hour=10, version="2.0", seed=2)
        generate(sdk, "Support", per_hour=5, seed=3)
        yield sdk
        sdk.close()


def test_the_same_seed_makes_the_same_traffic_and_another_one_other(alone: Sdk) -> None:
    alone.publish(call_flow("Sales"))
    first = generate(alone, "Sales", per_hour=20)
    before = ask(alone, ["nFlow", "tFlow"]).to_dict()
    assert generate(alone, "Sales", per_hour=20) == first
    assert ask(alone, ["nFlow", "tFlow"]).to_dict() == before, "made again, not twice"
    alone.admin.delete("/sandbox/traffic").raise_for_status()
    assert ask(alone, ["nFlow"]).results == []
    generate(alone, "Sales", per_hour=20, seed=9)
    assert ask(alone, ["nFlow", "tFlow"]).to_dict() != before


def test_results_are_grouped_by_flow_and_version(busy: Sdk) -> None:
    answer = ask(busy, ["nFlow"], group_by=["flowName", "flowVersion"])
    by_version = counts(answer)
    assert by_version.keys() == {("Sales", "1.0"), ("Sales", "2.0"), ("Support", "1.0")}
    for group, per_hour in ((("Sales", "1.0"), 20), (("Sales", "2.0"), 10), (("Support", "1.0"), 5)):
        assert by_version[group] == pytest.approx(24 * per_hour, rel=0.35)
    assert {tuple(result.group) for result in answer.results} == {("flowName", "flowVersion")}
    assert counts(ask(busy, ["nFlow"])) == {(): sum(by_version.values())}
    types = ask(busy, ["nFlow"], group_by=["flowType", "mediaType"])
    assert [result.group for result in types.results] == [{"flowType": "INBOUNDCALL", "mediaType": "voice"}]


def test_times_add_up_and_each_conversation_ends_in_one_way(busy: Sdk) -> None:
    (result,) = ask(busy, ["nFlow", "tFlow", "tFlowDisconnect", "tFlowExit"]).results
    (data,) = result.data
    assert data.interval == "2026-03-02T00:00:00.000Z/2026-03-03T00:00:00.000Z"
    stats = {item.metric: item.stats for item in data.metrics}
    assert stats["nFlow"].count == stats["tFlow"].count
    assert stats["nFlow"].sum is None
    assert stats["tFlowDisconnect"].count + stats["tFlowExit"].count == stats["tFlow"].count
    assert stats["tFlowDisconnect"].sum + stats["tFlowExit"].sum == stats["tFlow"].sum
    assert stats["tFlow"].min <= stats["tFlow"].sum / stats["tFlow"].count <= stats["tFlow"].max


def test_shares_come_out_as_asked_for(busy: Sdk) -> None:
    version = {"type": "and", "predicates": [_is("flowName", "Sales"), _is("flowVersion", "1.0")]}
    reasons = counts(ask(busy, ["nFlow"], group_by=["exitReason"], filter=version))
    total = sum(reasons.values())
    assert reasons[("DISCONNECT",)] / total == pytest.approx(0.2, abs=0.08)
    assert reasons[("FLOW_ERROR_DISCONNECT",)] / total == pytest.approx(0.1, abs=0.08)
    answer = ask(busy, ["nFlowOutcome", "nFlowOutcomeFailed"])
    assert counts(answer, "nFlowOutcome") == {(): total}
    assert counts(answer, "nFlowOutcomeFailed")[()] / total == pytest.approx(0.2, abs=0.08)


def _is(dimension: str, value: str) -> dict[str, str]:
    return {"dimension": dimension, "value": value}


def test_granularity_cuts_the_interval_and_loses_nothing(busy: Sdk) -> None:
    hours = ask(busy, ["nFlow"], granularity="PT1H").results[0].data
    assert len(hours) == 24
    assert hours[0].interval == "2026-03-02T00:00:00.000Z/2026-03-02T01:00:00.000Z"
    assert sum(data.metrics[0].stats.count for data in hours) == counts(ask(busy, ["nFlow"]))[()]


def test_days_follow_the_clock_of_the_time_zone(busy: Sdk) -> None:
    # Summer time begins in the night to the 29th.
    generate(busy, "Support", **{"from": "2026-03-28T00:00:00Z", "to": "2026-03-31T00:00:00Z"}, seed=4)
    interval = "2026-03-27T23:00:00Z/2026-03-30T22:00:00Z"
    days = ask(busy, ["nFlow"], granularity="P1D", interval=interval, time_zone="Europe/Copenhagen").results[0].data
    assert [data.interval for data in days] == [
        "2026-03-27T23:00:00.000Z/2026-03-28T23:00:00.000Z",
        "2026-03-28T23:00:00.000Z/2026-03-29T22:00:00.000Z",
        "2026-03-29T22:00:00.000Z/2026-03-30T22:00:00.000Z",
    ]


def test_filters_join_predicates_and_clauses(busy: Sdk) -> None:
    every = counts(ask(busy, ["nFlow"], group_by=["flowName", "flowVersion"]))
    either = {"type": "or", "predicates": [_is("flowName", "Support"), _is("flowVersion", "2.0")]}
    wanted = {"type": "and", "predicates": [_is("flowType", "inboundcall")], "clauses": [either]}
    found = counts(ask(busy, ["nFlow"], group_by=["flowName", "flowVersion"], filter=wanted))
    assert found == {group: count for group, count in every.items() if group != ("Sales", "1.0")}
    without = {"type": "and", "predicates": [{"dimension": "flowOutcomeId", "operator": "notExists"}]}
    assert counts(ask(busy, ["nFlow"], group_by=["flowName", "flowVersion"], filter=without)) == found


def test_a_view_counts_what_lies_in_its_range(busy: Sdk) -> None:
    views = [
        {"target": "tFlow", "name": "short", "function": "rangeBound", "range": {"lt": 10000}},
        {"target": "tFlow", "name": "long", "function": "rangeBound", "range": {"gte": 10000}},
    ]
    (data,) = ask(busy, ["tFlow"], views=views).results[0].data
    seen = {view.name: view.stats for view in data.views}
    assert seen["short"].max < 10000 <= seen["long"].min
    assert seen["short"].count + seen["long"].count == data.metrics[0].stats.count


def test_traffic_is_of_the_version_that_was_published_at_its_time(alone: Sdk) -> None:
    flow = alone.publish(call_flow("Sales"))
    alone.publish(call_flow("Sales", "Good morning."))
    first = alone.architect.get_flow_version(flow, "1.0")
    second = alone.architect.get_flow_version(flow, "2.0")
    assert first.date_published_end == second.date_published
    past = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z", "version": None}
    assert generate(alone, "Sales", **past) == {"conversations": 0, "versions": {}}
    future = {"from": "2100-01-01T00:00:00Z", "to": "2100-01-02T00:00:00Z", "version": None}
    assert generate(alone, "Sales", **future)["versions"].keys() == {"2.0"}
    alone.architect.post_flows_actions_deactivate(flow)
    assert alone.architect.get_flow_version(flow, "2.0").date_published_end is not None
    assert generate(alone, "Sales", **future) == {"conversations": 0, "versions": {}}


def test_no_conversation_goes_through_a_common_module_itself(alone: Sdk) -> None:
    alone.publish("commonModule: {name: Greet, startUpTaskActions: [{endTask: {name: End}}]}")
    wanted = {"flow": "Greet", "from": START, "to": END}
    refusal = alone.admin.post("/sandbox/traffic", json=wanted)
    assert refusal.status_code == 400
    assert "COMMONMODULE" in refusal.json()["message"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metrics": ["nCalls"]}, "nCalls"),
        ({"metrics": ["oFlowMilestone"]}, "oFlowMilestone"),
        ({"metrics": []}, "metrics"),
        ({"groupBy": ["dnis"]}, "dnis"),
        ({"filter": {"type": "and", "predicates": [{"dimension": "ani", "value": "+1"}]}}, "ani"),
        ({"filter": {"type": "nor"}}, "filter.type"),
        ({"granularity": "an hour"}, "an hour"),
        ({"granularity": "PT1S", "interval": "2026-01-01T00:00:00Z/2026-03-01T00:00:00Z"}, "10000"),
        ({"timeZone": "Mars"}, "Mars"),
        ({"interval": "today"}, "interval"),
        ({"interval": "0001-01-01T00:00:00Z/9999-01-01T00:00:00Z"}, "1970"),
        ({"alternateTimeDimension": "eventTime"}, "alternateTimeDimension"),
    ],
)
def test_a_query_that_cannot_be_answered_truly_is_refused_and_says_why(
    busy: Sdk, change: dict[str, Any], named: str
) -> None:
    api = genesys.AnalyticsApi(busy.client)
    query = {"interval": DAY, "metrics": ["nFlow"], **change}
    with pytest.raises(genesys.rest.ApiException) as caught:
        api.post_analytics_flows_aggregates_query(query)
    assert caught.value.status == 400
    assert named in caught.value.body
    assert refused(api.post_analytics_flows_aggregates_query, query)[0] == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"flow": "Nobody"}, 404),
        ({"outcome": "Nothing"}, 404),
        ({"version": "9.0"}, 404),
        ({"per_hour": 10**9}, 400),
        ({"disconnect_share": 0.7, "error_share": 0.7}, 400),
        ({"colour": "red"}, 400),
        ({"to": START}, 400),
    ],
)
def test_traffic_that_is_not_possible_is_refused(busy: Sdk, change: dict[str, Any], status: int) -> None:
    wanted = {"flow": "Sales", "from": START, "to": END, **change}
    assert busy.admin.post("/sandbox/traffic", json=wanted).status_code == status
