"""One running sandbox org a test, on real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_support import Client, connect

from reconciler.sandbox import embedded
from reconciler.sandbox.embedded import Running

SEED = """\
organization: {id: 0b8c1d3e-5a57-4a5e-8c4f-2d7d8c6f1a10, name: Test Org, defaultCountryCode: DK}
divisions: [Business]
queues: [Sales, Support, "Sales, North"]
skills: [Billing, Billing Advanced]
users:
  - {name: Ada Larsen, email: ada@example.com}
groups: [Duty]
dataActions:
  - {category: CRM, name: Find Customer}
didPools:
  - {start: "+4570100000", end: "+4570100099"}
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A fresh org with a few objects."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as started:
        yield started


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    """A session with it."""
    connected = connect(running.api_url, running.client_id, running.client_secret)
    with connected:
        yield connected
