"""What deviates is caught: each test shows a right exchange and what is said of a wrong one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oracle.exceptions import Excepted
from oracle.judge import Deviation
from oracle.reach import Ask
from oracle.recording import Exchange
from oracle.sdk import Sdk
from oracle.verdict import judged

SDK = Sdk()
TEST = "tests/x.py::test_y"
FLOW = {"id": "1", "name": "Sales", "type": "INBOUNDCALL", "active": True}


def places(*exchanges: Exchange) -> list[str]:
    """Where something deviates."""
    return [deviation.place for deviation in judged(exchanges, SDK, ()).deviations]


def sent(target: str, body: Any = None, **what: Any) -> Exchange:
    """A request of our client: ``sent("GET /api/v2/flows?pageSize=5")``."""
    method, _, address = target.partition(" ")
    path, _, query = address.partition("?")
    text = None if body is None else json.dumps(body)
    given = {"authorization": "Bearer", "content_type": "application/json", "test": TEST} | what
    return Exchange("client", method, path, query, text, len(text or ""), **given)


def answered(target: str, body: Any, status: int = 200, **what: Any) -> Exchange:
    """An answer of the sandbox."""
    method, _, path = target.partition(" ")
    text = None if body is None else json.dumps(body)
    given = {"content_type": "application/json", "test": TEST} | what
    return Exchange("sandbox", method, path, "", text, len(text or ""), status=status, **given)


def listing(**flow: Any) -> Exchange:
    """A page with one flow that is right but for these fields."""
    return answered("GET /api/v2/flows", {"entities": [FLOW | flow], "pageSize": 25, "total": 1})


def test_an_unknown_operation() -> None:
    assert places(sent("GET /api/v2/flows/1"), sent("DELETE /api/v2/flows/1")) == []
    assert places(sent("GET /api/v2/architect/flows")) == ["path"]
    assert places(sent("PATCH /api/v2/flows/1", {})) == ["path"]
    assert places(sent("GET /sandbox/requests")) == ["path"]
    assert places(answered("GET /api/v2/architect/flows", {})) == ["path"]


def test_an_unknown_query_parameter() -> None:
    assert places(sent("GET /api/v2/flows?pageSize=5&type=inboundcall,workflow&deleted=true")) == []
    assert places(sent("GET /api/v2/flows?page_size=5")) == ["query page_size"]


@pytest.mark.parametrize("query", ["pageSize=five", "pageSize=", "pageSize=5&pageSize=6", "deleted=True", "deleted=1"])
def test_a_query_parameter_of_a_wrong_type(query: str) -> None:
    assert places(sent(f"GET /api/v2/flows?{query}")) == [f"query {query.partition('=')[0]}"]


def test_a_missing_required_query_parameter() -> None:
    assert places(sent("POST /api/v2/flows/actions/checkout?flow=1")) == []
    assert places(sent("POST /api/v2/flows/actions/checkout")) == ["query flow"]


def test_a_missing_required_body_and_one_too_many() -> None:
    assert places(sent("PUT /api/v2/architect/ivrs/1", {"name": "Line", "version": 3})) == []
    assert places(sent("PUT /api/v2/architect/ivrs/1")) == ["body"]
    assert places(sent("POST /api/v2/flows/jobs"), sent("POST /api/v2/flows/jobs", {"createStubs": True})) == []
    assert places(sent("GET /api/v2/flows", {"name": "x"})) == ["body"]


def test_an_unknown_body_field() -> None:
    assert places(sent("PUT /api/v2/architect/ivrs/1", {"name": "Line", "dnises": []})) == ["body dnises"]


@pytest.mark.parametrize(
    "field",
    [
        {"name": 5},
        {"version": "3"},
        {"version": 3.5},
        {"version": True},
        {"dnis": "+4570101010"},
        {"dnis": [70101010]},
        {"openHoursFlow": "Sales"},
        {"dateCreated": 1700000000000},
        {"dateCreated": "2026-11-20T09:00:00"},
        {"dateCreated": "yesterday"},
    ],
)
def test_a_body_field_of_a_wrong_type(field: dict[str, Any]) -> None:
    (place,) = places(sent("PUT /api/v2/architect/ivrs/1", field))
    assert place.startswith(f"body {next(iter(field))}")


def test_dates_are_judged_by_their_kind() -> None:
    def schedule(**fields: Any) -> Exchange:
        return answered("GET /api/v2/architect/schedules/1", fields)

    right = {"start": "2026-11-20T09:00:00.000", "dateCreated": "2026-11-20T09:00:00.000Z"}
    assert places(schedule(**right)) == []
    assert places(schedule(start="2026-11-20T09:00:00.000Z")) == ["answer start"]
    version = {"id": "3.0", "dateCreated": 1_700_000_000_000, "datePublished": "2026-11-20T09:00:00.000Z"}
    assert places(answered("GET /api/v2/flows/1/versions/3.0", version)) == []
    wrong = version | {"dateCreated": "2026-11-20T09:00:00.000Z"}
    assert places(answered("GET /api/v2/flows/1/versions/3.0", wrong)) == ["answer dateCreated"]


def test_a_wrong_enum_value() -> None:
    assert places(listing()) == []
    assert places(listing(type="inboundcall")) == ["answer entities[].type"]
    assert places(sent("PUT /api/v2/architect/ivrs/1", {"state": "asleep"})) == ["body state"]


def test_a_deviation_deep_in_lists_and_models() -> None:
    right = {"publishedVersion": {"id": "1.0", "createdBy": {"id": "7"}, "supportedLanguages": [{"language": "en-us"}]}}
    assert places(listing(**right)) == []
    assert places(listing(publishedVersion={"createdBy": {"nick": "x"}})) == [
        "answer entities[].publishedVersion.createdBy.nick"
    ]
    wrong = {"supportedLanguages": [{"language": "en-us"}, {"language": 1}]}
    assert places(listing(publishedVersion=wrong)) == [
        "answer entities[].publishedVersion.supportedLanguages[].language"
    ]
    schema = {"schema": {"$schema": "x", "properties": {"anything": {"goes": 1}}, "required": "key"}}
    assert places(answered("GET /api/v2/flows/datatables/1", schema)) == ["answer schema.required"]


def mutated(value: Any) -> Iterator[Any]:
    """The value with one key renamed, or one leaf of another type, everywhere in turn."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield {(f"{key}X" if name == key else name): one for name, one in value.items()}
            for inner in mutated(item):
                yield value | {key: inner}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for inner in mutated(item):
                yield [*value[:index], inner, *value[index + 1 :]]
        yield {"list": value}
    elif value is not None:
        yield {"of": "another type"}


def test_whatever_is_wrong_in_a_page_is_caught() -> None:
    version = {"id": "1.0", "type": "PUBLISH", "secure": False, "dateCreated": 1, "createdBy": {"id": "1", "name": "A"}}
    page = {
        "entities": [FLOW | {"publishedVersion": version, "division": {"id": "1", "name": "Home"}}],
        "pageSize": 25,
        "pageNumber": 1,
        "total": 1,
        "pageCount": 1,
        "selfUri": "/api/v2/flows",
    }
    assert places(answered("GET /api/v2/flows", page)) == []
    wrong = list(mutated(page))
    assert len(wrong) > 30
    for one in wrong:
        assert places(answered("GET /api/v2/flows", one)), one


def test_errors_are_judged_by_the_envelope() -> None:
    def refused(**fields: Any) -> Exchange:
        right = {"message": "No.", "code": "not.found", "status": 404, "contextId": "c", "details": [], "errors": []}
        return answered("GET /api/v2/flows/1", right | fields, 404)

    assert places(refused()) == []
    assert places(refused(reason="x")) == ["error reason"]
    assert set(places(refused(status="404"))) == {"error status"}
    assert places(refused(status=400)) == ["error status"]
    assert places(refused(contextId=None)) == ["error contextId"]
    assert places(refused(details=["x"])) == ["error details[]"]
    assert places(answered("GET /api/v2/flows/1", None, 502, content_type="text/html")) != []


def test_what_went_wrong_on_demand_is_judged_where_it_claims_to_be_an_error() -> None:
    spoilt = answered("GET /api/v2/flows/1", {"type": 5}, fault="wrong-types")
    page = answered("GET /api/v2/flows/1", None, 502, content_type="text/html", fault="bad-gateway")
    assert places(spoilt, page) == []
    envelope = {"message": "Busy.", "code": "service.unavailable", "status": "503", "contextId": "c"}
    assert "error status" in places(answered("GET /api/v2/flows/1", envelope, 503, fault="unavailable"))


def test_answers_with_and_without_a_body() -> None:
    assert places(answered("DELETE /api/v2/architect/ivrs/1", None, 204)) == []
    assert places(answered("DELETE /api/v2/tokens/me", {"gone": True})) == ["answer"]
    assert places(answered("GET /api/v2/flows/1", None)) == ["answer"]
    assert places(answered("GET /api/v2/flows/1", FLOW, content_type="text/plain")) == ["answer"]
    assert places(answered("GET /api/v2/flows/1", FLOW, 302)) == ["status"]


def test_the_login_is_what_the_sdk_sends() -> None:
    def login(**what: Any) -> Exchange:
        form = "grant_type=client_credentials"
        given = {"authorization": "Basic", "content_type": "application/x-www-form-urlencoded", "body": form} | what
        return Exchange("client", "POST", "/oauth/token", "", length=9, **given)

    assert places(login()) == []
    assert places(login(body="grant_type=password")) == ["form"]
    assert places(login(authorization="Bearer")) == ["header Authorization"]
    token = {"access_token": "t", "token_type": "bearer", "expires_in": 86400}
    assert places(answered("POST /oauth/token", token)) == []
    assert places(answered("POST /oauth/token", token | {"expires_in": "86400"})) == ["answer expires_in"]
    assert places(answered("POST /oauth/token", {"message": "no", "code": "x"}, 400))


def test_a_file_transfer_carries_no_token() -> None:
    right = Exchange("client", "PUT", "/uploads/1", "signature=x", None, 900, "text/yaml")
    assert places(right) == []
    assert places(sent("GET /downloads/1")) == ["header Authorization"]
    assert places(sent("PUT /downloads/1", authorization="")) == ["body"]
    assert places(sent("DELETE /downloads/1", authorization="")) == ["path"]


def test_requests_of_our_client_carry_a_token() -> None:
    assert places(sent("GET /api/v2/flows", authorization="")) == ["header Authorization"]


def test_limits_of_the_sdk_are_kept() -> None:
    def plan(**fields: Any) -> Exchange:
        return sent("POST /api/v2/casemanagement/caseplans", fields)

    assert places(plan(name="Move", referencePrefix="MV", defaultTtlSeconds=86_400)) == []
    assert places(plan(name="ab")) == ["body name"]
    assert places(plan(referencePrefix="M-")) == ["body referencePrefix"]
    assert places(plan(defaultTtlSeconds=60)) == ["body defaultTtlSeconds"]


def test_an_exception_covers_its_deviation_alone_and_is_stale_without_one() -> None:
    meant = Excepted("client", "PUT /api/v2/architect/ivrs/{ivrId}", "body dnises", "for this test")
    unused = Excepted("sandbox", "GET /api/v2/flows", "answer entities[].type", "for this test")
    wrong = sent("PUT /api/v2/architect/ivrs/1", {"dnises": [], "state": "asleep"})
    verdict = judged([wrong, listing()], SDK, [meant, unused])
    assert [one.place for one in verdict.deviations] == ["body state"]
    assert verdict.excepted == {meant: 1}
    assert verdict.stale == (unused,)
    elsewhere = Excepted("client", meant.operation, meant.place, "for this test", tests="tests/z.py*")
    assert len(judged([wrong], SDK, [elsewhere]).deviations) == 2


def test_what_no_test_sent_is_named() -> None:
    versions, actions = Ask("GET", "/api/v2/flows/*/versions", "x:1"), Ask("POST", "/api/v2/flows/actions/*", "x:2")
    sending = [sent("GET /api/v2/flows/1/versions?pageSize=5"), sent("GET /api/v2/flows/actions/publish")]
    assert judged(sending, SDK, asks=[versions, actions]).never_sent == (actions,)


def test_each_deviation_names_the_tests_and_equal_exchanges_are_all_counted() -> None:
    verdict = judged([listing(type="X"), listing(type="X"), listing()], SDK, ())
    ((deviation, tests),) = verdict.deviations.items()
    assert deviation == Deviation("sandbox", "GET /api/v2/flows", "answer entities[].type", deviation.expected, '"X"')
    assert tests == {TEST: 2}
    assert (verdict.exchanges, verdict.operations) == (3, 1)
    assert verdict.fields == 7
