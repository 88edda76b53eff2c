"""An org may repeat in an error what it was sent; no error shows a secret."""

from __future__ import annotations

import pytest
from support import environment, flow

SECRET = "hunter2-canary"


@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_an_error_that_repeats_a_secret_is_shown_without_it(repository, cli, org, monkeypatch, command):
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    environment(repository, "variables: {crm_token: {secret: {env: CRM_TOKEN}}}")
    repository.write("flows/sales.yaml", flow("Sales", says="Hello {{ crm_token }}."))
    org.fault(
        match={"method": "GET", "path": "/api/v2/flows"},
        effect={"status": 400, "code": "bad.request", "message": f"Not {SECRET} and not {org.client_secret}."},
    )

    ran = cli(command, *(["--auto-approve"] if command == "apply" else []))

    assert ran.code == 1
    assert "Not (secret crm_token) and not (secret)" in ran.err
    assert SECRET not in ran.out + ran.err
    assert org.client_secret not in ran.out + ran.err


ROWS = "/api/v2/flows/datatables/*"


@pytest.mark.parametrize(
    "refused",
    [
        {"match": {"method": "POST", "path": ROWS, "body_contains": "~run."}},
        # The first write of the head takes the lock, the second one gives it back.
        {"match": {"method": "PUT", "path": f"{ROWS}/rows/~head"}, "after": 1},
    ],
    ids=["the record of the run", "giving the lock back"],
)
def test_a_remark_that_repeats_a_secret_is_shown_without_it(repository, cli, org, monkeypatch, refused):
    monkeypatch.setenv("CRM_TOKEN", SECRET)
    environment(repository, "variables: {crm_token: {secret: {env: CRM_TOKEN}}}")
    repository.write("flows/sales.yaml", flow("Sales", says="Hello {{ crm_token }}."))
    assert cli("apply", "--auto-approve").code == 0
    repository.edit("flows/sales.yaml", "Hello", "Good day")
    message = f"Not {SECRET} and not {org.client_secret}."
    org.fault(**refused, effect={"status": 400, "code": "bad.request", "message": message})

    ran = cli("apply", "--auto-approve")

    assert ran.code == 0
    assert "Not (secret crm_token) and not (secret)" in ran.err
    assert SECRET not in ran.out + ran.err
    assert org.client_secret not in ran.out + ran.err
