"""Measures what `validate` costs on a generated estate; prints JSON.

Usage: ``make bench-validate`` or ``python scripts/bench_validate.py [--flows 1000] [--runs 3]``. CPU seconds are
those of the command's own process, start-up included; the best of several runs counts, because other work on the
machine only adds to them. The package's bytecode is written first, as it is on the machine of whoever uses it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from estate import Size, write_estate

COLD_LIMIT = 6.0
WARM_LIMIT = 1.0
"""CPU seconds for 1,000 flows that the tool sets itself."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_seconds(repository: Path, cache: Path) -> float:
    """CPU of one run, user and system."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "validate", "--env", "bench", "--format", "json"],
        cwd=repository,
        env=ENVIRONMENT | {"RECONCILER_CACHE_DIR": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"validate ended with {process.returncode}.")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=1000, help="common modules included")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    modules = max(1, options.flows // 20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = Size(modules=modules, flows=options.flows - modules, ivrs=options.flows // 5)
        write_estate(folder / "repository", size, api_url="http://127.0.0.1:1")
        cpu_seconds(folder / "repository", folder / "first")
        cold = [cpu_seconds(folder / "repository", folder / f"cache-{run}") for run in range(options.runs)]
        warm = [cpu_seconds(folder / "repository", folder / "cache-0") for _ in range(options.runs)]
    figures = {
        "flows": options.flows,
        "cold_cpu_seconds": round(min(cold), 2),
        "warm_cpu_seconds": round(min(warm), 2),
        "limits_for_1000": {"cold": COLD_LIMIT, "warm": WARM_LIMIT},
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
