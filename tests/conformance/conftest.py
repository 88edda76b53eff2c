"""A running sandbox org for the official SDK, and what of the SDK was exercised."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sdk import EXERCISED, Sdk, connect

from reconciler.sandbox import embedded
from reconciler.sandbox.areas import ENDPOINTS
from reconciler.sandbox.call import API
from reconciler.sandbox.embedded import Running

SEED = """\
organization: {id: 0b8c1d3e-5a57-4a5e-8c4f-2d7d8c6f1a10, name: Conformance Org, defaultCountryCode: DK}
divisions: [Business]
queues: [Sales, Support]
users:
  - {name: Ada Larsen, email: ada@example.com}
didPools:
  - {start: "+4570100000", end: "+4570100199"}
"""

_PROPERTY = "sdk_operation"


@pytest.fixture(scope="module")
def seed() -> str:
    """What the org of a file of tests holds; a file may have a seed of its own."""
    return SEED


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, seed: str) -> Iterator[Running]:
    """One org for a file of tests that do not get in each other's way."""
    folder = tmp_path_factory.mktemp("org")
    (folder / "seed.yaml").write_text(seed, encoding="utf-8")
    with embedded.start(folder / "org.sqlite", seed=folder / "seed.yaml") as started:
        yield started


@pytest.fixture(scope="module")
def sdk(running: Running) -> Iterator[Sdk]:
    """The SDK, logged in to that org."""
    session = connect(running)
    yield session
    session.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Sdk]:
    """The SDK, logged in to an org that no other test sees."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as started:
        session = connect(started)
        yield session
        session.close()


_reported: set[str] = set()


@pytest.fixture(autouse=True)
def _operations(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Tells which operations of the SDK were called first by a test or its set-up; xdist's workers report so."""
    yield
    for operation in sorted(EXERCISED - _reported):
        record_property(_PROPERTY, operation)
    _reported.update(EXERCISED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many operations of the official SDK were exercised, and which that the sandbox serves were not."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    operations = {
        value for report in reports for name, value in getattr(report, "user_properties", ()) if name == _PROPERTY
    }
    if not operations:
        return
    called = {_without_names(operation) for operation in operations}
    served = {_without_names(f"{item.method} {item.path}") for item in ENDPOINTS if item.path.startswith(API)}
    left = sorted(served - called)
    terminalreporter.write_line(
        f"conformance: {len(called)} operations of the official SDK exercised, "
        f"{len(served) - len(left)} of the {len(served)} that the sandbox serves"
    )
    if 0 < len(left) <= 10:
        terminalreporter.write_line(f"  not exercised: {', '.join(left)}")


def _without_names(operation: str) -> str:
    """An operation without the names of its parameters, which differ from the SDK's."""
    return re.sub(r"\{[^}]*\}", "{}", operation)
