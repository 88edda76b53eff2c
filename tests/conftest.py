"""What tests of the whole road share: a sandbox org on real HTTP, and a repository of specs in a folder."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from fork_server import ForkServer, serving
from support import SEED, Org, Ran, Repository, connected

from reconciler.__main__ import NEW_OBJECTS
from reconciler.cli.main import run
from reconciler.platform import Connection
from reconciler.sandbox import embedded

WITHOUT_ENV = ("init", "completion", "show", "schema", "sandbox", "promote", "status", "--help", "--version")
"""First words of command lines to which no environment is added."""

MEMORY = Path("/dev/shm")
"""A file system without a disk, on Linux."""
ROOM = 500_000_000
"""Bytes that must be free there; a run holds some 50 MB at a time, and keeps what failing tests wrote."""

NUMBERS = count()

pytest_plugins = ["oracle.plugin"]

# As the tool itself does.
gc.set_threshold(NEW_OBJECTS)


def pytest_configure(config: pytest.Config) -> None:
    """Puts what tests write where no disk is waited for: databases and journals are flushed all the time."""
    if not config.option.basetemp and _is_fit(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _is_fit(folder: Path) -> bool:
    """Whether there is room, and programs may be started from it, which containers often forbid."""
    if not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free > ROOM and not os.statvfs(folder).f_flag & os.ST_NOEXEC


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test reads or fills the cache of the person who runs it."""
    folder = tmp_path_factory.getbasetemp() / f"cache-{next(NUMBERS)}"
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(folder))
    yield
    if folder.exists():
        shutil.rmtree(folder)


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    """A fresh sandbox org with a few queues and numbers."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as running, connected(running) as made:
        yield made


@pytest.fixture
def repository(tmp_path: Path, org: Org, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository whose environment ``test`` is the org; the working directory is in it."""
    made = Repository(tmp_path / "repository")
    made.write(
        "environments/test.yaml",
        f"""\
        org:
          api_url: {org.url}
          login_url: {org.url}
          requests_per_minute: 1000000
        """,
    )
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", org.client_id)
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", org.client_secret)
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command as a person would; ``--env test`` unless another is named."""

    def call(*arguments: str) -> Ran:
        named = "--env" in arguments or arguments[0] in WITHOUT_ENV
        capsys.readouterr()
        code = run([*arguments, *([] if named else ["--env", "test"])])
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """The tool, loaded once for all who run it as a process and send it no signals."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in this process do not wait half a minute for what is in use to be let go of."""
    monkeypatch.setattr("reconciler.cli.session.Connection", partial(Connection, settle=0.2, poll_initial=0.05))
