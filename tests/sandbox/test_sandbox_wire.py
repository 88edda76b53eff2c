"""Tokens, envelopes, query rules, paging and the rate limit."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from sandbox_support import Client, call_flow, connect
from starlette.types import Message

from reconciler.sandbox.app import build_app
from reconciler.sandbox.embedded import Running
from reconciler.sandbox.running import open_org
from reconciler.sandbox.settings import Settings


def test_a_token_needs_the_right_secret(running: Running) -> None:
    form = {"grant_type": "client_credentials"}
    right = httpx.post(f"{running.login_url}/oauth/token", auth=(running.client_id, running.client_secret), data=form)
    assert right.json().keys() == {"access_token", "token_type", "expires_in"}
    wrong = httpx.post(f"{running.login_url}/oauth/token", auth=(running.client_id, "guess"), data=form)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    other = httpx.post(
        f"{running.login_url}/oauth/token",
        auth=(running.client_id, running.client_secret),
        data={"grant_type": "password"},
    )
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")


def test_calls_without_a_valid_token_are_refused(client: Client) -> None:
    client.http.headers["Authorization"] = "Bearer nonsense"
    assert client.refused("GET", "/flows") == (401, "bad.credentials")
    del client.http.headers["Authorization"]
    assert client.refused("GET", "/organizations/me") == (401, "authentication.required")


def test_a_token_ends(client: Client, running: Running) -> None:
    assert client.get("/tokens/me")["OAuthClient"]["id"] == running.client_id
    assert client.call("HEAD", "/tokens/me").status_code == 200
    assert client.call("DELETE", "/tokens/me").is_success
    assert client.refused("GET", "/tokens/me") == (401, "bad.credentials")


def test_a_token_expires(client: Client, running: Running) -> None:
    client.settings(token_seconds=1)
    short = connect(running.api_url, running.client_id, running.client_secret)
    client.settings(token_seconds=3600)
    with short:
        assert short.get("/organizations/me")["name"] == "Test Org"
        expiry = short.get("/tokens/me")["dateTokenIdles"]
        assert expiry.endswith("Z")


def test_unknown_things_are_refused_in_the_platforms_shape(client: Client) -> None:
    assert client.refused("GET", "/flows/nonsense/else") == (404, "not.found")
    assert client.refused("PATCH", "/flows") == (405, "method.not.allowed")
    assert client.refused("GET", "/flows", colour="red") == (400, "invalid.query.param.value")
    assert client.refused("GET", "/flows", type="pizza") == (400, "invalid.query.param.value")
    assert client.refused("POST", "/flows/jobs", [1]) == (400, "bad.request")
    client.settings(strict=False)
    assert client.get("/flows", colour="red")["total"] == 0


def test_a_bodyless_post_may_send_nothing_or_null_or_an_empty_object(client: Client) -> None:
    for content in (b"", b"null", b"{}"):
        answer = client.http.post("/api/v2/flows/jobs", content=content)
        assert answer.json()["presignedUrl"]


def test_pages_carry_counts_and_addresses_that_lead_on(client: Client) -> None:
    for number in range(7):
        client.publish(call_flow(f"Flow {number}"))
    first = client.get("/flows", pageSize=3, sortBy="name", name="flow")
    assert (first["total"], first["pageCount"], first["pageNumber"], first["pageSize"]) == (7, 3, 1, 3)
    assert "previousUri" not in first
    names: list[str] = []
    page = first
    while True:
        names += [flow["name"] for flow in page["entities"]]
        if "nextUri" not in page:
            break
        page = client.http.get(page["nextUri"]).json()
    assert names == [f"Flow {number}" for number in range(7)]
    assert client.get("/flows", pageSize=3, pageNumber=9)["entities"] == []
    assert client.get("/flows")["pageSize"] == 25
    assert client.refused("GET", "/flows", pageSize=0) == (400, "invalid.query.param.value")
    assert client.refused("GET", "/flows", pageSize=501) == (400, "invalid.query.param.value")


@pytest.mark.parametrize("types", ["inboundcall,commonmodule", ["INBOUNDCALL", "commonmodule"]])
def test_list_parameters_come_joined_or_repeated(client: Client, types: str | list[str]) -> None:
    client.publish(call_flow("Sales"))
    client.post("/flows", {"name": "Bot", "type": "bot"})
    assert [flow["name"] for flow in client.get("/flows", type=types)["entities"]] == ["Sales"]


def test_the_rate_limit_answers_as_the_platform_does(client: Client, running: Running) -> None:
    client.settings(rate_limit=5)
    answers = [client.call("GET", "/organizations/me") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    refused = answers[-1]
    seconds = int(refused.headers["Retry-After"])
    assert 1 <= seconds <= 61
    assert refused.headers["inin-ratelimit-reset"] == str(seconds)
    assert refused.json()["code"] == "too.many.requests.retry.after"
    assert refused.json()["message"] == f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"
    # The limit is one of the token, not of the client.
    fresh = connect(running.api_url, running.client_id, running.client_secret)
    with fresh:
        assert fresh.call("GET", "/organizations/me").status_code == 200


def test_requests_are_counted_by_method_and_route(client: Client) -> None:
    client.http.delete("/sandbox/requests")
    flow_id = client.publish(call_flow("Sales"))
    client.get(f"/flows/{flow_id}")
    counted = client.http.get("/sandbox/requests").json()
    assert counted == {
        "total": 4,
        "mostInAMinute": 3,
        "routes": {
            "GET /api/v2/flows/jobs/{jobId}": 1,
            "GET /api/v2/flows/{flowId}": 1,
            "POST /api/v2/flows/jobs": 1,
            "PUT /uploads/flows/jobs/{jobId}": 1,
        },
    }


def test_settings_that_make_no_sense_are_refused(client: Client) -> None:
    answer = client.http.put("/sandbox/settings", json={"job_seconds": -1})
    assert answer.status_code == 400
    assert client.http.put("/sandbox/settings", json={"nonsense": 1}).status_code == 400
    assert client.http.get("/sandbox/settings").json()["job_seconds"] == 0


def test_a_request_that_breaks_off_is_refused_and_does_not_fail_the_org(tmp_path: Path) -> None:
    """As the server passes it on: the headers arrived, then the client was gone."""
    store = open_org(tmp_path / "org.sqlite", None, Settings())
    sent: list[Message] = []

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v2/flows/jobs",
        "raw_path": b"/api/v2/flows/jobs",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    try:
        asyncio.run(build_app(store, Settings())(scope, gone, send))
    finally:
        store.close()
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"])["message"] == "The request broke off."
