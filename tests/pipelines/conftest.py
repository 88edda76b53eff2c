"""A repository of specs with a bare origin, as a forge holds it, and the forge itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Org, Repository, flow, module

from pipelines.forge import FakeForge, served
from pipelines.github_runner import Runner

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
def github(team: Repository, forge: FakeForge, org: Org, tmp_path: Path) -> Runner:
    """GitHub, with the team's repository in it and the credentials of the org as secrets."""
    checkout = tmp_path / "checkout"
    team.git("clone", "--quiet", str(tmp_path / "origin.git"), str(checkout))
    secrets = {"GENESYSCLOUD_OAUTHCLIENT_ID": org.client_id, "GENESYSCLOUD_OAUTHCLIENT_SECRET": org.client_secret}
    return Runner(checkout, forge, tmp_path / "github", secrets)
