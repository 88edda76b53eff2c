"""`reconciler … | head -1`: who stops reading changes neither what is done nor the exit code."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support import flow, module


@pytest.fixture
def estate(repository):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    return repository


def unread(repository, *arguments, stderr=True):
    """Runs a command whose output goes to a pipe that nobody reads any more; what it printed elsewhere, and its end."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments, "--env", "test"],
            cwd=repository.root,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing if stderr else subprocess.PIPE,
            text=True,
            timeout=60,
        )
    finally:
        os.close(writing)


def test_a_plan_is_saved_and_ends_as_it_would(estate, cli):
    ran = unread(estate, "plan", "--detailed-exitcode", "--out", "plan.json")

    assert ran.returncode == 2
    assert cli("apply", "plan.json").code == 0


def test_a_document_that_nobody_reads_is_no_error(estate):
    ran = unread(estate, "plan", "--detailed-exitcode", "--format", "json", stderr=False)

    assert (ran.returncode, ran.stderr) == (2, "")


def test_an_apply_is_not_cut_off(estate, cli, org):
    assert cli("plan", "--out", "plan.json").code == 0

    ran = unread(estate, "apply", "plan.json")

    assert ran.returncode == 0
    assert set(org.flows()) == {"Greeter", "Sales"}
    assert cli("plan", "--detailed-exitcode").code == 0
