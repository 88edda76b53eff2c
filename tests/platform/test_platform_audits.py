"""The platform's own audit: queries that take a while, results in pages, and answers that are none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from platform_support import Org, ok, problem

from reconciler.platform import AuditEvent, JobFailed, JobTimedOut, MalformedResponse, PermissionDenied

QUERY = "/api/v2/audits/query"
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 15, 12, tzinfo=UTC)


def event(id: str, at: str = "2026-03-02T08:00:00.000Z", **more: object) -> dict[str, object]:
    return {"id": id, "eventDate": at, "action": "Publish", "entityType": "Flow", "entity": {"id": "f"}, **more}


def asked(org: Org, end: datetime = END) -> list[AuditEvent]:
    return org.run(lambda platform: platform.audits.events("Architect", "Flow", START, end))


def one_query(*results: dict[str, object]) -> Org:
    org = Org().on(f"POST {QUERY}", ok({"id": "q", "state": "Succeeded"}))
    return org.on(f"GET {QUERY}/q/results", *(ok(result) for result in results))


def test_a_long_time_is_asked_for_a_month_at_a_time_and_what_comes_twice_counts_once() -> None:
    org = one_query({"entities": [event("b", "2026-03-02T08:00:01Z"), event("a")]})
    assert [one.id for one in asked(org)] == ["a", "b"]
    bodies = org.bodies(f"POST {QUERY}")
    assert [body["interval"] for body in bodies] == [
        "2026-03-01T00:00:00.000Z/2026-03-31T00:00:00.000Z",
        "2026-03-31T00:00:00.000Z/2026-04-30T00:00:00.000Z",
        "2026-04-30T00:00:00.000Z/2026-05-15T12:00:00.000Z",
    ]
    assert bodies[0]["filters"] == [{"property": "EntityType", "value": "Flow"}]


def test_a_query_is_waited_for_and_its_pages_are_followed_to_the_end() -> None:
    org = one_query({"entities": [event("a")], "cursor": "next"}, {"entities": [event("b")]})
    org.on(f"POST {QUERY}", ok({"id": "q", "state": "Queued"}))
    org.on(f"GET {QUERY}/q", ok({"id": "q", "state": "Running"}), ok({"id": "q", "state": "Succeeded"}))
    assert [one.id for one in asked(org, datetime(2026, 3, 2, tzinfo=UTC))] == ["a", "b"]
    assert [request.url.params.get("cursor") for request in org.seen[-2:]] == [None, "next"]
    assert org.seen[-1].url.params["pageSize"] == "500"


def test_who_did_it_is_told_as_far_as_the_org_tells_it() -> None:
    (one,) = asked(one_query({"entities": [event("a", user={"id": "u"}, client={"id": ""}, entity={"id": ""})]}))
    assert (one.client_id, one.entity_id, one.name) == (None, None, None)
    assert one.user is not None
    assert one.properties == ()


@pytest.mark.parametrize("state", ["Failed", "Cancelled"])
def test_a_query_that_the_org_gives_up_is_no_empty_answer(state: str) -> None:
    with pytest.raises(JobFailed, match=state):
        asked(Org().on(f"POST {QUERY}", ok({"id": "q", "state": state})))


def test_a_query_that_never_ends_is_given_up() -> None:
    org = Org().on(f"POST {QUERY}", ok({"id": "q", "state": "Queued"}))
    with pytest.raises(JobTimedOut, match="state Running"):
        asked(org.on(f"GET {QUERY}/q", ok({"id": "q", "state": "Running"})))


@pytest.mark.parametrize(
    "result",
    [{"entities": [event("a", "soon")]}, {"entities": [], "cursor": "same"}, {"entities": "none"}, {"entities": [{}]}],
)
def test_an_answer_that_makes_no_sense_is_refused(result: dict[str, object]) -> None:
    with pytest.raises(MalformedResponse):
        asked(one_query(result))


def test_a_refusal_names_the_permission() -> None:
    org = Org().on(f"GET {QUERY}/servicemapping", problem(403, "forbidden", "No."))
    with pytest.raises(PermissionDenied) as refused:
        org.run(lambda platform: platform.audits.entities())
    assert refused.value.remedy is not None
    assert "audits:audit:view" in refused.value.remedy
