"""A slice of the kill matrix, of the races and of the suspensions; ``make kill-matrix`` runs all of them.

They run in processes of their own: pytest has threads, and to fork a process with threads is asking for trouble.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from killing import PROGRAM

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def figures(tmp_path):
    """Runs a part of the harness that must find nothing wrong; returns its figures."""

    def run(*arguments):
        done = subprocess.run([*PROGRAM, *arguments, "--folder", str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["converged"] == found["cases"] > 0
        return found

    return run


@pytest.mark.parametrize(("ledger", "every"), [("org", 67), ("file", 83)])
def test_killed_at_any_exchange_the_next_apply_reaches_the_same_end(figures, ledger, every):
    found = figures("matrix", "--scenario", "update", "--ledger", ledger, "--every", str(every))

    assert found["struck"] == found["cases"]
    assert found["superfluous"] <= 1


def test_of_two_applies_at_once_one_works_and_the_other_names_it(figures):
    figures("race", "--scenario", "update", "--ledger", "org", "--count", "2", "--workers", "1")


def test_a_run_that_slept_until_its_lock_was_taken_over_writes_nothing_more(figures):
    found = figures("suspend", "--scenario", "update", "--ledger", "org", "--every", "37")

    assert found["struck"] == found["cases"]
