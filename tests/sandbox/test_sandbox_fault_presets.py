"""Faults by name, by file and by chance."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_support import Client, call_flow, connect

from reconciler.sandbox import embedded
from reconciler.sandbox.embedded import Running
from reconciler.sandbox.fault_presets import PRESETS
from reconciler.sandbox.faults import FaultFileError
from reconciler.sandbox.settings import Settings

FAULT = "x-sandbox-fault"


def strike(client: Client, preset: str, **more: Any) -> None:
    client.fault(preset=preset, times=1, **more)


@pytest.fixture
def impatient(running: Running, client: Client) -> Iterator[Client]:
    """A client that gives up soon."""
    with connect(running.api_url, running.client_id, running.client_secret) as connected:
        connected.http.timeout = httpx.Timeout(0.3)
        yield connected


@pytest.mark.parametrize(
    ("preset", "status", "says"),
    [
        ("rate-limited", 429, "Rate limit exceeded the maximum. Retry the request in [3] seconds"),
        ("forbidden", 403, "You are missing the following permission(s): routing:callRoute:view"),
        ("error-500", 500, "An error occurred."),
        ("error-503", 503, "The service is not available."),
        ("error-504", 504, "The request timed out."),
    ],
)
def test_the_platform_refuses_in_its_own_form(client: Client, preset: str, status: int, says: str) -> None:
    strike(client, preset)
    answer = client.call("GET", "/architect/ivrs")
    body = answer.json()
    assert (answer.status_code, body["status"], answer.headers[FAULT]) == (status, status, preset)
    assert says in body["message"]
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert (body["details"], body["errors"]) == ([], [])
    if status in (429, 503):
        assert answer.headers["Retry-After"] == "3"
    assert FAULT not in client.call("GET", "/architect/ivrs").headers


@pytest.mark.parametrize(("preset", "status"), [("gateway-502", 502), ("gateway-503", 503), ("portal-page", 200)])
def test_a_gateway_answers_in_html(client: Client, preset: str, status: int) -> None:
    strike(client, preset)
    answer = client.call("GET", "/flows")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert answer.text.startswith("<html>")


@pytest.mark.parametrize(
    ("preset", "status", "error"),
    [("login-rate-limited", 400, "invalid_request"), ("login-refused", 401, "invalid_client")],
)
def test_the_token_endpoint_has_a_form_of_its_own(client: Client, preset: str, status: int, error: str) -> None:
    strike(client, preset)
    client.get("/flows")
    answer = client.http.post("/oauth/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["description"] == answer.json()["error_description"]


@pytest.mark.parametrize(
    ("preset", "code"), [("token-expired", "credentials.expired"), ("token-revoked", "bad.credentials")]
)
def test_a_token_ends_in_mid_run(running: Running, client: Client, preset: str, code: str) -> None:
    strike(client, preset, after=1)
    client.get("/flows")
    assert [client.refused("GET", "/flows") for _ in range(2)] == [(401, code)] * 2
    with connect(running.api_url, running.client_id, running.client_secret) as again:
        again.get("/flows")


@pytest.mark.parametrize(("preset", "status"), [("version-conflict", 409), ("version-conflict-400", 400)])
def test_a_version_conflict_strikes_a_put(client: Client, preset: str, status: int) -> None:
    strike(client, preset)
    made = client.post("/architect/schedules", {"name": "Day", "start": "2026-01-05T08:00:00.000",
                                                "end": "2026-01-05T16:00:00.000"})  # fmt: skip
    answer = client.call("PUT", f"/architect/schedules/{made['id']}", {**made, "description": "Changed"})
    assert (answer.status_code, "does not match the current version" in answer.text) == (status, True)


def test_connections_are_refused_for_a_while_and_the_address_stays(running: Running, client: Client) -> None:
    client.fault(preset="refused", times=1, match={"path": "*/flows"}, effect={"refuse_seconds": 0.3})
    with pytest.raises(httpx.TransportError):
        client.call("GET", "/flows")
    with pytest.raises(httpx.ConnectError):
        client.call("GET", "/flows")
    deadline = time.monotonic() + 10
    while True:
        try:
            answer = client.call("GET", "/flows")
            break
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert answer.json()["total"] == 0


def test_an_org_may_stop_while_it_refuses_connections(tmp_path: Path) -> None:
    with (
        embedded.start(tmp_path / "org.sqlite") as running,
        connect(running.api_url, running.client_id, running.client_secret) as client,
    ):
        client.fault(preset="refused", times=1, effect={"refuse_seconds": 60})
        with pytest.raises(httpx.TransportError):
            client.call("GET", "/flows")
        began = time.monotonic()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("preset", ["reset", "short"])
def test_an_answer_breaks_off(client: Client, preset: str) -> None:
    strike(client, preset, match={"method": "POST", "path": "*/skills"})
    with pytest.raises(httpx.TransportError):
        client.call("POST", "/routing/skills", {"name": "Broken off"})
    assert client.get("/routing/skills", name="Broken off")["total"] == 1


@pytest.mark.parametrize("preset", ["hanging", "dripping"])
def test_an_answer_does_not_come_to_an_end(impatient: Client, client: Client, preset: str) -> None:
    strike(impatient, preset, match={"path": "*/flows"})
    began = time.monotonic()
    received = 0
    with suppress(httpx.ReadTimeout), impatient.http.stream("GET", "/api/v2/flows") as answer:
        for chunk in answer.iter_raw():
            received += len(chunk)
            if time.monotonic() - began > 0.5:
                break
    assert received < 20
    assert client.get("/flows")["total"] == 0


def test_an_answer_may_be_huge(client: Client) -> None:
    strike(client, "huge", match={"path": "*/flows"})
    received = 0
    with client.http.stream("GET", "/api/v2/flows") as answer:
        assert answer.status_code == 200
        for chunk in answer.iter_raw():
            received += len(chunk)
            if received > 8 * 2**20:
                break
    assert client.get("/flows")["total"] == 0


def test_json_breaks_off_or_has_other_types(client: Client) -> None:
    strike(client, "half-json", match={"path": "*/flows"})
    with pytest.raises(json.JSONDecodeError):
        client.call("GET", "/flows").json()
    strike(client, "wrong-types", match={"path": "*/flows"})
    answer = client.call("GET", "/flows")
    assert (answer.status_code, answer.json()["entities"]) == (200, "a list")
    assert answer.json()["total"] == {"number": 0}


@pytest.mark.parametrize(
    ("preset", "status", "messages"),
    [
        ("job-failed", "Failure", ["The flow has validation errors."]),
        ("job-failed-silently", "Failure", []),
        ("job-failed-null", "Failure", None),
        ("job-stuck", "Started", []),
    ],
)
def test_a_deploy_job_ends_as_told(client: Client, preset: str, status: str, messages: list[str] | None) -> None:
    strike(client, preset)
    state = client.deploy(call_flow("Sales"))
    texts = None if state["messages"] is None else [message["text"] for message in state["messages"]]
    assert (state["status"], texts) == (status, messages)
    assert client.get("/flows")["total"] == 0
    assert client.deploy(call_flow("Sales"))["status"] == "Success"


@pytest.mark.parametrize(
    ("preset", "status"), [("export-failed", "Failure"), ("export-throttled", "Failure"), ("export-stuck", "Started")]
)
def test_an_export_job_ends_as_told(client: Client, preset: str, status: str) -> None:
    flow = client.publish(call_flow("Sales"))
    strike(client, preset)
    job = client.post("/flows/export/jobs", {"flows": [{"flow": {"id": flow}}]})
    state = client.get(f"/flows/export/jobs/{job['id']}", expand="messages")
    assert (state["status"], "downloadUrl" in state) == (status, False)
    if preset == "export-throttled":
        assert state["messages"][0]["text"] == f"could not find the flow with id '{flow}'; exit code: 107"
    assert "inboundCall" in client.export(flow)


def test_an_address_for_a_transfer_expires(client: Client) -> None:
    job = client.post("/flows/jobs")
    strike(client, "address-expired")
    content = call_flow("Sales").encode()
    answer = client.http.put(job["presignedUrl"], headers=job["headers"], content=content)
    assert (answer.status_code, answer.headers[FAULT]) == (403, "address-expired")
    assert "<Message>Request has expired</Message>" in answer.text
    client.settings(address_seconds=0)
    assert client.http.put(job["presignedUrl"], headers=job["headers"], content=content).status_code == 403
    client.settings(address_seconds=60)
    assert client.http.put(job["presignedUrl"], headers=job["headers"], content=content).status_code == 200


@pytest.mark.parametrize(("preset", "draft"), [("locked", False), ("locked-with-draft", True)])
def test_a_person_checks_flows_out(client: Client, preset: str, draft: bool) -> None:
    flow = client.publish(call_flow("Sales"))
    strike(client, preset)
    client.get("/organizations/me")
    seen = client.get(f"/flows/{flow}")
    assert seen["lockedUser"]["name"] == "Somebody Else"
    assert (seen["savedVersion"]["id"] != seen["publishedVersion"]["id"]) == draft
    assert "is locked by another entity" in client.failure(call_flow("Sales"))[0]


def test_lists_lag_from_then_on(client: Client) -> None:
    strike(client, "lists-lag")
    client.get("/flows")
    flow = client.publish(call_flow("Sales"))
    assert client.get("/flows")["total"] == 0
    assert client.get(f"/flows/{flow}")["name"] == "Sales"


def test_chance_strikes_the_same_requests_for_the_same_seed(client: Client) -> None:
    def struck(seed: int) -> list[bool]:
        client.http.delete("/sandbox/faults")
        client.fault(preset="error-500", chance=0.3, seed=seed, match={"path": "*/flows"})
        return [client.call("GET", "/flows").status_code == 500 for _ in range(60)]

    first = struck(7)
    assert 8 <= sum(first) <= 30
    assert struck(7) == first
    assert struck(8) != first


def test_rules_come_from_a_file_and_replace_those_in_force(tmp_path: Path) -> None:
    rules = tmp_path / "faults.yaml"
    rules.write_text("- {preset: error-500, times: 1, match: {path: '*/flows'}}\n", encoding="utf-8")
    for _ in range(2):
        with (
            embedded.start(tmp_path / "org.sqlite", faults=rules) as running,
            connect(running.api_url, running.client_id, running.client_secret) as client,
        ):
            assert [client.call("GET", "/flows").status_code for _ in range(2)] == [500, 200]
            client.fault(preset="error-504")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {preset: error-5000}\n", ":1:3: 0: Value error, there is no preset 'error-5000'; known: rate-limited"),
        ("- {effect: {status: 99}}\n", ":1:13: 0.effect.status:"),
        ("- preset: [\n", ":2:1:"),
    ],
)
def test_a_bad_file_of_rules_says_what_and_where(tmp_path: Path, text: str, says: str) -> None:
    rules = tmp_path / "faults.yaml"
    rules.write_text(text, encoding="utf-8")
    with pytest.raises(FaultFileError) as caught:
        embedded.start(tmp_path / "org.sqlite", faults=rules)
    assert f"{rules}{says}" in str(caught.value)


def test_every_preset_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")
    assert [name for name in PRESETS if f"| `{name}` |" not in page] == []


def test_the_most_requests_in_a_minute_are_measured_in_the_orgs_own_time(tmp_path: Path) -> None:
    with (
        embedded.start(tmp_path / "org.sqlite", settings=Settings(clock_speed=600.0)) as running,
        connect(running.api_url, running.client_id, running.client_secret) as client,
    ):
        for _ in range(5):
            client.get("/organizations/me")
            time.sleep(0.11)
        assert client.http.get("/sandbox/requests").json()["mostInAMinute"] == 1
