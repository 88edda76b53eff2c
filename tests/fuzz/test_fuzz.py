"""Some 2,000 spoilt inputs on each run of the tests, always the same ones; ``make fuzz`` runs as many as one likes."""

from __future__ import annotations

import math

import pytest
from fuzz.harness import run_one
from fuzz.targets import TARGETS
from fuzzing import SHARES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INPUTS = 2000


def test_every_target_is_run() -> None:
    assert set(SHARES) == set(TARGETS)


@pytest.mark.parametrize("name", SHARES)
def test_spoilt_input_ends_well_or_with_a_message(name: str) -> None:
    @settings(
        max_examples=math.ceil(INPUTS * SHARES[name] / sum(SHARES.values())),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=300))
    def check(data: bytes) -> None:
        run_one(TARGETS[name], data)

    run_one(TARGETS[name], b"")
    check()
