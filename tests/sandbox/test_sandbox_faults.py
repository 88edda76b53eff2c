"""Faults on demand."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from sandbox_support import Client, call_flow


def test_a_rule_strikes_as_often_as_it_says(client: Client) -> None:
    client.fault(
        match={"method": "GET", "path": "/api/v2/flows"},
        times=2,
        effect={"status": 503, "code": "service.unavailable", "message": "Later", "headers": {"Retry-After": "7"}},
    )
    client.get("/organizations/me")
    for _ in range(2):
        answer = client.call("GET", "/flows")
        assert (answer.status_code, answer.json()["message"], answer.headers["Retry-After"]) == (503, "Later", "7")
    assert client.get("/flows")["total"] == 0
    assert client.http.get("/sandbox/faults").json() == []


def test_a_rule_may_let_some_requests_pass_first_and_last_until_it_is_cleared(client: Client) -> None:
    client.fault(match={"path": "^/api/v2/flows/jobs$"}, after=1, effect={"status": 500})
    assert client.call("POST", "/flows/jobs").status_code == 200
    assert [client.call("POST", "/flows/jobs").status_code for _ in range(3)] == [500] * 3
    client.http.delete("/sandbox/faults")
    assert client.call("POST", "/flows/jobs").status_code == 200


def test_a_rule_may_name_a_route_as_requests_are_counted(client: Client) -> None:
    client.fault(match={"route": "GET /api/v2/flows/{flowId}"}, effect={"status": 500})
    assert client.call("GET", "/flows/lookup", id="x").status_code == 200
    assert client.call("GET", "/flows/x").status_code == 500


def test_the_token_endpoint_refuses_in_its_own_form_whatever_the_rule_says(client: Client) -> None:
    client.fault(match={"path": "/oauth/*"}, effect={"status": 400, "code": "invalid_scope", "message": "Not you"})
    answer = client.http.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "invalid_scope", "description": "Not you", "error_description": "Not you"},
    )


def test_a_rule_may_look_into_the_body(client: Client) -> None:
    client.fault(match={"path": "/uploads/*", "body_contains": "Sales"}, times=1, effect={"status": 500})
    job = client.post("/flows/jobs")
    content = call_flow("Sales").encode()
    assert client.http.put(job["presignedUrl"], headers=job["headers"], content=content).status_code == 500
    assert client.get(f"/flows/jobs/{job['id']}")["status"] == "Registered"
    assert client.http.put(job["presignedUrl"], headers=job["headers"], content=content).status_code == 200


def test_a_deploy_job_fails_by_the_name_of_its_flow(client: Client) -> None:
    client.fault(
        match={"job_flow": "Sales"},
        times=1,
        effect={"job": {"status": "Failure", "messages": ["The Lambda ran out of memory."]}},
    )
    client.publish(call_flow("Support"))
    assert client.failure(call_flow("Sales")) == ["The Lambda ran out of memory."]
    client.fault(match={"job_flow": "Sales"}, times=1, effect={"job": {}})
    assert client.failure(call_flow("Sales")) == []
    assert client.version(client.publish(call_flow("Sales"))) == "1.0"


def test_a_connection_is_cut_before_or_after_the_work(client: Client) -> None:
    client.fault(match={"method": "POST", "path": "*/skills"}, times=1, effect={"drop_connection": True})
    with pytest.raises(httpx.TransportError):
        client.call("POST", "/routing/skills", {"name": "Lost request"})
    assert client.get("/routing/skills", name="Lost")["total"] == 0
    client.fault(match={"method": "POST", "path": "*/skills"}, times=1, effect={"drop_connection": "after"})
    with pytest.raises(httpx.TransportError):
        client.call("POST", "/routing/skills", {"name": "Lost answer"})
    assert client.get("/routing/skills", name="Lost")["total"] == 1


def test_a_request_can_be_slow_and_does_not_hold_up_others(client: Client) -> None:
    client.fault(match={"path": "*/organizations/me"}, times=1, effect={"delay": 0.3})
    began = time.monotonic()
    client.get("/organizations/me")
    assert time.monotonic() - began >= 0.3


def test_a_request_may_succeed_with_another_status(client: Client) -> None:
    client.fault(match={"path": "*/flows"}, times=1, effect={"status": 206})
    answer = client.call("GET", "/flows")
    assert (answer.status_code, answer.json()["total"]) == (206, 0)


@pytest.mark.parametrize(
    "rule",
    [
        {"effect": {"status": 99}},
        {"match": {"colour": "red"}, "effect": {"status": 500}},
        {"match": {"job_flow": "X"}, "effect": {"status": 500}},
        {"match": {}, "effect": {"job": {}}},
        {"match": {"execution_flow": "X"}, "effect": {"status": 500}},
        {"match": {"execution_flow": "X"}, "effect": {"job": {}}},
        {"match": {}, "effect": {"execution": {}}},
        {"match": {"path": "^("}, "effect": {"status": 500}},
        {"match": {}},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(client: Client, rule: dict[str, Any]) -> None:
    assert client.http.post("/sandbox/faults", json=rule).status_code == 400
    assert client.http.get("/sandbox/faults").json() == []
