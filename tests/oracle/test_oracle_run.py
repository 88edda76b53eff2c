"""The whole way: what a run of pytest, and the processes that it starts, send and answer is recorded and judged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from oracle import recording
from reconciler.sandbox import app

TESTS = Path(__file__).parents[1]
CONFTEST = 'pytest_plugins = ["oracle.plugin"]\n'
CLIENT = """\
import asyncio, httpx
from reconciler.platform import Connection, Platform

async def ask(query):
    connection = Connection(api_url="https://api.example.test", login_url="https://api.example.test", access_token="t")
    answer = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
    async with Platform(connection, transport=answer) as platform:
        await platform._session.request("GET", "/api/v2/flows", query=query)

def sends(**query):
    asyncio.run(ask(query))
"""
SANDBOX = """\
import httpx
from reconciler.sandbox import embedded

def answers(folder):
    with embedded.start(folder / "org.sqlite") as running:
        assert httpx.get(running.api_url + "/api/v2/flows").status_code == 401
"""


def run(folder: Path, *tests: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """pytest over these tests, in a folder and with a recording of its own."""
    for name, text in {"conftest.py": CONFTEST, "client.py": CLIENT, "sandbox.py": SANDBOX}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "test_it.py").write_text("from client import *\nfrom sandbox import *\n" + "\n".join(tests))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    path = os.pathsep.join([str(TESTS), str(folder)])
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *options, "test_it.py"],
        cwd=folder,
        env={**inherited, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_run_without_deviations_passes_and_says_what_was_checked(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(tmp_path): sends(pageSize=5); answers(tmp_path)")
    assert done.returncode == 0, done.stdout
    assert "2 exchanges checked" in done.stdout
    assert "1 requests of our client, 1 answers of the sandbox" in done.stdout


@pytest.mark.slow
def test_a_deviation_of_a_worker_fails_the_run_and_names_the_test(tmp_path: Path) -> None:
    done = run(tmp_path, "def test_it(): sends(sise=5)", options=("-n", "1"))
    assert "1 passed" in done.stdout
    assert done.returncode == 1, done.stdout
    assert "query sise: expected one of" in done.stdout
    assert "in test_it.py::test_it (1 times)" in done.stdout


@pytest.mark.slow
def test_a_deviation_of_a_killed_child_process_fails_the_run(tmp_path: Path) -> None:
    child = "import client, os; client.sends(sise=5); os.kill(os.getpid(), 9)"
    done = run(
        tmp_path,
        "import subprocess, sys",
        f"def test_it(): assert subprocess.run([sys.executable, '-c', {child!r}]).returncode == -9",
    )
    assert "1 passed" in done.stdout
    assert done.returncode == 1, done.stdout
    assert "in test_it.py::test_it (1 times)" in done.stdout


def test_the_unfinished_last_line_of_a_killed_process_is_left_out(tmp_path: Path) -> None:
    whole = recording.Exchange("client", "GET", "/api/v2/flows", "", None, 0, "")
    (tmp_path / "1.jsonl").write_bytes(whole.line() + whole.line()[:30])
    (tmp_path / "2.jsonl").write_bytes(whole.line())
    assert list(recording.read(tmp_path)) == [whole, whole]


def test_this_run_is_recorded(pytestconfig: pytest.Config) -> None:
    """Fails when the seams of the product have moved."""
    if pytestconfig.getoption("oracle") == "off":
        pytest.skip("recording was switched off with --oracle=off")
    assert httpx.AsyncClient.send.__module__ == recording.__name__
    assert app.Starlette.__module__ == recording.__name__
