"""The data file outlives its processes, and several of them may serve it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_support import Client, call_flow, connect, module

SERVE = """\
import sys
from pathlib import Path
from reconciler.sandbox.server import serve
serve(0, Path(sys.argv[1]) if sys.argv[1] else None, None, strict=sys.argv[2] == "strict")
"""


@contextmanager
def serving(data: Path | None, mode: str = "lenient") -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox in a process of its own, and the line that it prints."""
    command = [sys.executable, "-c", SERVE, str(data or ""), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def session(line: dict[str, Any]) -> Client:
    """A session with a serving process."""
    return connect(line["api_url"], line["client_id"], line["client_secret"])


def test_it_says_where_it_is_and_stops_when_asked(tmp_path: Path) -> None:
    with serving(None, "strict") as (process, line):
        assert list(line) == ["api_url", "login_url", "client_id", "client_secret"]
        with session(line) as client:
            assert client.http.get("/sandbox/settings").json()["rate_limit"] == 300
            assert client.refused("GET", "/flows", colour="red")[0] == 400
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "org.sqlite"
    published: dict[str, str] = {}
    for turn in range(2):
        with serving(data) as (process, line), session(line) as client:
            with ThreadPoolExecutor(1) as background:
                done = background.submit(_publish_until_it_dies, client, turn, published)
                while len(published) < 5 * (turn + 1) and not done.done():
                    pass
                process.kill()
                done.result(30)
            process.wait(10)
    with serving(data) as (_process, line), session(line) as client:
        flows = {flow["id"]: flow for flow in client.get("/flows", pageSize=500)["entities"]}
        assert len(published) >= 10
        for flow_id, name in published.items():
            assert flows[flow_id]["name"] == name
            assert flows[flow_id]["publishedVersion"]["id"] == "1.0"
            assert name in client.export(flow_id)
        # Whatever else is there is whole.
        assert all(flow["publishedVersion"] for flow in flows.values())


def _publish_until_it_dies(client: Client, turn: int, published: dict[str, str]) -> None:
    try:
        for number in range(1000):
            name = f"Flow {turn}-{number}"
            published[client.publish(call_flow(name))] = name
    except httpx.TransportError:
        return


def test_two_processes_serve_one_file(tmp_path: Path) -> None:
    data = tmp_path / "org.sqlite"
    with serving(data) as (_first, one), serving(data) as (_second, two):
        assert one["client_secret"] == two["client_secret"]
        with session(one) as left, session(two) as right:
            left.http.headers["Authorization"] = right.http.headers["Authorization"]
            shared = left.publish(module("Shared"))

            def publish(client: Client) -> list[str]:
                return [client.publish(module("Shared", f"Text {number}.")) for number in range(10)]

            with ThreadPoolExecutor(2) as pool:
                ids = {flow_id for made in pool.map(publish, (left, right)) for flow_id in made}
            assert ids == {shared}
            assert left.version(shared) == right.version(shared) == "21.0"
            numbers = [version["id"] for version in left.get(f"/flows/{shared}/versions", pageSize=100)["entities"]]
            assert numbers == [f"{number}.0" for number in range(21, 0, -1)]
            left.settings(rate_limit=3)
            right.call("GET", "/organizations/me")
            left.call("GET", "/organizations/me")
            right.call("GET", "/organizations/me")
            assert left.refused("GET", "/organizations/me")[0] == 429


@pytest.mark.parametrize("step", ["lost upload answer", "lost registration answer"])
def test_a_job_that_lost_its_answer_can_be_repeated(client: Client, step: str) -> None:
    path = "/uploads/*" if step == "lost upload answer" else "*/flows/jobs"
    client.fault(match={"path": path}, times=1, effect={"drop_connection": "after"})
    if step == "lost registration answer":
        with pytest.raises(httpx.TransportError):
            client.post("/flows/jobs")
        assert client.version(client.publish(call_flow("Sales"))) == "1.0"
        return
    job = client.post("/flows/jobs")
    content = call_flow("Sales").encode()
    with pytest.raises(httpx.TransportError):
        client.http.put(job["presignedUrl"], headers=job["headers"], content=content)
    assert client.http.put(job["presignedUrl"], headers=job["headers"], content=content).status_code == 200
    assert client.version(client.get(f"/flows/jobs/{job['id']}")["flow"]["id"]) == "1.0"
