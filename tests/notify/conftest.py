"""What tests of notifications share: a receiver, and a repository whose environment tells it everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from receiver import Receiver, receiving
from support import Repository, environment, flow

from reconciler.notify import delivery

NOTIFY = """\
notify:
  pager:
    url: {env: PAGER_URL}
    secret: {env: PAGER_KEY}
    events: [planned, started, applied, failed, drift, rolled-back]
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def _variables(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER_URL", receiver.url)
    monkeypatch.setenv("PAGER_KEY", "key-canary-81c2-long-enough")


@pytest.fixture
def estate(repository: Repository, _variables: None) -> Repository:
    """A flow, an IVR, and a hook ``pager`` for all events at an address that is a secret."""
    environment(repository, NOTIFY)
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    return repository


@pytest.fixture
def desk(tmp_path: Path, _variables: None, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The same hook in an environment whose org nobody needs to ask."""
    made = Repository(tmp_path / "repository")
    made.write("environments/test.yaml", f"org: {{region: eu-west-2}}\n{NOTIFY}")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests of receivers that never answer need not take as long as it may last for people."""
    monkeypatch.setattr(delivery, "GRACE", 0.4)
