"""An access token is never shown, however it came to be broken."""

from __future__ import annotations

import pytest
from support import flow

TOKEN = "tok-4711-never-shown"


@pytest.mark.parametrize("broken", [f"{TOKEN}\n", f"{TOKEN}\nx", f"{TOKEN} x", f"{TOKEN}é"])
def test_a_broken_token_is_explained_without_being_shown(repository, cli, monkeypatch, broken):
    repository.write("flows/sales.yaml", flow("Sales"))
    monkeypatch.setenv("GENESYSCLOUD_ACCESS_TOKEN", broken)

    planned = cli("plan")

    assert planned.code == 1
    assert "4711" not in planned.out + planned.err
    assert "token" in planned.err
