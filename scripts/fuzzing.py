"""Fuzzes every way into the tool for as long as one likes and prints a table of figures; exit code 1 on a crash.

    make fuzz ARGS='--inputs 100000 --seed 1'

Each target (tests/fuzz/) runs in a process of its own, guided by coverage (atheris) where that is installed and
by chance elsewhere. Inputs that crash are kept below .fuzz/crashes; run one again with

    PYTHONPATH=tests .venv/bin/python -m fuzz.engine TARGET --replay FILE
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARES = {
    "spec_text": 240,
    "spec_files": 75,
    "environment_files": 100,
    "smoke_tests": 60,
    "answers_to_plan": 50,
    "answers_to_apply": 30,
    "ledger_rows": 30,
    "exports": 200,
    "exports_in_plan": 25,
    "plan_file": 20,
    "ledger_file": 50,
    "cache_entries": 40,
    "sandbox_seed": 30,
    "sandbox_requests": 30,
    "arguments": 20,
}
"""Inputs of each target among a thousand, by what one costs and how much there is to find."""


def main() -> int:
    """See the module."""
    options = _options()
    wanted = {name: max(1, options.inputs * share // sum(SHARES.values())) for name, share in SHARES.items()}
    wanted["spec_text"] += options.inputs - sum(wanted.values())
    chosen = options.target or list(SHARES)
    started = time.monotonic()
    print(f"{sum(wanted[name] for name in chosen)} inputs, seed {options.seed}, engine {options.engine}", flush=True)
    print(
        f"{'target':18} {'inputs':>7} {'refused':>8} {'edges':>6} {'crashes':>7} {'slowest':>8} {'peak':>7} {'time':>8}"
    )
    with ThreadPoolExecutor(options.workers) as pool:
        results = list(pool.map(lambda name: _run(name, wanted[name], options), chosen))
    inputs, crashes = (sum(result[key] for result in results) for key in ("inputs", "crashes"))
    print(f"{inputs} inputs, {crashes} crashes, {time.monotonic() - started:.0f} s")
    return 1 if crashes else 0


def _run(name: str, inputs: int, options: argparse.Namespace) -> dict[str, int]:
    command = [sys.executable, "-m", "fuzz.engine", name, "--engine", options.engine, "--seed", str(options.seed)]
    command += ["--inputs", str(inputs), "--seconds", str(options.seconds), "--crashes", str(options.crashes)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, errors="replace")
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"target"')]
    if done.returncode or not lines:
        print(f"{name}: the process ended with {done.returncode}\n{done.stderr[-4000:]}", flush=True)
        return {"inputs": 0, "crashes": 1}
    result: dict[str, int] = json.loads(lines[-1])
    edges = re.findall(r"cov: (\d+)", done.stderr)
    print(
        f"{name:18} {result['inputs']:7} {result['refused']:8} {edges[-1] if edges else '-':>6} {result['crashes']:7} "
        f"{result['slowest_seconds']:6.2f} s {result['peak_mb']:4} MB {result['seconds']:6} s",
        flush=True,
    )
    for crash in re.findall(r"^crash .*", done.stderr, re.MULTILINE):
        print(f"    {crash}", flush=True)
    return result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000, help="of all targets together")
    parser.add_argument("--seconds", type=int, default=0, help="at most, for each target; 0: no limit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", choices=list(SHARES), help="only this one; repeatable")
    parser.add_argument("--workers", type=int, default=2, help="targets at the same time")
    parser.add_argument("--crashes", type=Path, default=ROOT / ".fuzz/crashes", help="folder for inputs that crash")
    parser.add_argument("--engine", choices=("atheris", "chance"), default=_guided())
    return parser.parse_args()


def _guided() -> str:
    import importlib.util

    return "atheris" if importlib.util.find_spec("atheris") else "chance"


if __name__ == "__main__":
    sys.exit(main())
