"""How the command reaches an org: what the environment's variables say, and what is told when they are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import Org, Ran, Repository, flow

from reconciler.platform import RATE_FILE

Cli = Callable[..., Ran]


def test_a_pool_of_a_wrong_size_is_told_before_anything_is_sent(
    repository: Repository, org: Org, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESYSCLOUD_TOKEN_POOL_SIZE", "0")
    org.http.delete("/sandbox/requests")
    ran = cli("plan")
    assert ran.code == 1
    assert "GENESYSCLOUD_TOKEN_POOL_SIZE is '0'" in ran.err
    assert org.http.get("/sandbox/requests").json()["total"] == 0


def test_an_apply_uses_a_second_token_when_the_first_is_spent(
    repository: Repository, org: Org, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a single token this would take a minute."""
    monkeypatch.setenv("GENESYSCLOUD_TOKEN_POOL_SIZE", "50")
    repository.edit("environments/test.yaml", "1000000", "9")
    org.settings(rate_limit=9)
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    org.settings(rate_limit=1000)
    assert set(org.flows()) == {"Sales"}


def test_the_rate_is_kept_in_the_cache_folder_for_the_runs_beside_it(
    repository: Repository, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "cache"))
    assert cli("plan").code == 0
    assert (tmp_path / "cache" / RATE_FILE).exists()


def test_a_gateway_stands_in_for_a_region(
    repository: Repository, org: Org, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("environments/test.yaml", "org: {region: eu-west-1}\n")
    host, _, port = org.url.removeprefix("http://").partition(":")
    for name, value in (("HOST", host), ("PORT", port), ("PROTOCOL", "http")):
        monkeypatch.setenv(f"GENESYSCLOUD_GATEWAY_{name}", value)
    ran = cli("plan")
    assert (ran.code, "Nothing to do" in ran.err or "No changes" in ran.err) == (0, True), ran.err
