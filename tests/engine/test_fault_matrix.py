"""A sample of the fault matrix: each fault once, each kind of operation once. All of it: ``make faults``."""

from __future__ import annotations

import os
from pathlib import Path

import fault_matrix
import pytest
from fault_world import World

from reconciler.sandbox.fault_presets import PRESETS


@pytest.fixture(scope="session")
def matrix(tmp_path_factory):
    """The scenes and their undisturbed ends; one a test process."""
    before, environment = Path.cwd(), dict(os.environ)
    made = fault_matrix.prepare(tmp_path_factory.mktemp("matrix"))
    os.chdir(before)
    os.environ.clear()
    os.environ.update(environment)
    return made


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder to work in; what commands read from the process is put back afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in ("GENESYSCLOUD_OAUTHCLIENT_ID", "GENESYSCLOUD_OAUTHCLIENT_SECRET"):
        monkeypatch.setenv(name, "")
    return World(tmp_path)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_fault_is_survived_or_cleanly_refused_and_the_next_apply_heals(matrix, world, preset):
    for combination in fault_matrix.sample(matrix):
        if combination.preset == preset:
            verdict = fault_matrix.try_out(world, matrix, combination)
            assert verdict.outcome in ("survived", "refused"), f"{combination}: {verdict.why}\n{verdict.said}"


def test_the_sample_leaves_no_fault_and_no_operation_out(matrix):
    sample = fault_matrix.sample(matrix)
    assert {combination.preset for combination in sample} == set(PRESETS)
    assert {c.operation for c in sample} == {c.operation for c in matrix.combinations}
