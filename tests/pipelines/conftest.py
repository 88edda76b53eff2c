"""A repository of specs with a bare origin, as a forge holds it, and the forge itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fork_server import ForkServer
from support import SEED, Org, Repository, connected, flow, module

from pipelines.forge import FakeForge, served
from pipelines.github_runner import Runner
from reconciler.sandbox import embedded

WELCOME = "One moment, please."


@pytest.fixture
def forge() -> Iterator[FakeForge]:
    """A forge on loopback."""
    with served() as made:
        yield made


@pytest.fixture
def team(repository: Repository, tmp_path: Path) -> Repository:
    """A small estate, committed to ``main`` and pushed to a bare repository: a module and a flow that calls it."""
    repository.write("shared/greeter.yaml", module("Greeter", WELCOME))
    repository.write("flows/main line.yaml", flow("Main Line", modules=("Greeter",)))
    repository.write("environments/local.yaml", "org: {sandbox: {missing_references: create}}\n")
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.git("init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    repository.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Begin")
    repository.git("push", "--quiet", "--set-upstream", "origin", "main")
    return repository


@pytest.fixture
def prod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Org]:
    """Another org, whose credentials are in variables of their own."""
    seed = tmp_path / "prod-seed.yaml"
    seed.write_text(SEED.replace("3b7d1c52", "99999999").replace("Test Org", "Live Org"), encoding="utf-8")
    with embedded.start(tmp_path / "prod.sqlite", seed=seed) as running, connected(running) as made:
        monkeypatch.setenv("PROD_ID", made.client_id)
        monkeypatch.setenv("PROD_SECRET", made.client_secret)
        yield made


@pytest.fixture
def github(team: Repository, forge: FakeForge, org: Org, fork_server: ForkServer, tmp_path: Path) -> Runner:
    """GitHub, with the team's repository in it and the credentials of the org as secrets."""
    checkout = tmp_path / "checkout"
    team.git("clone", "--quiet", str(tmp_path / "origin.git"), str(checkout))
    secrets = {"GENESYSCLOUD_OAUTHCLIENT_ID": org.client_id, "GENESYSCLOUD_OAUTHCLIENT_SECRET": org.client_secret}
    return Runner(checkout, forge, tmp_path / "github", fork_server, secrets)
