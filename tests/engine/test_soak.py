"""A small soak, in processes of its own; the whole one: ``make soak``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "scripts/soak.py"


@pytest.mark.slow
def test_an_estate_converges_through_random_faults_within_the_rate_limit(tmp_path):
    done = subprocess.run(
        [sys.executable, SOAK, "--flows", "30", "--speed", "40"], cwd=tmp_path, capture_output=True, text=True
    )
    figures = json.loads(done.stdout)
    assert figures["converged"], done.stderr
    assert figures["struck_by_faults"] > 10
    assert figures["most_in_a_minute"] <= figures["limit_a_minute"]
    assert done.returncode == 0
