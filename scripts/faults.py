"""Runs the fault matrix (``fault_matrix``) and prints it.

Usage: ``make faults`` or ``python scripts/faults.py [--preset P] [--operation TEXT] [--processes N]``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from fault_matrix import Combination, Matrix, Verdict, prepare, try_out
from fault_world import World

from reconciler.sandbox.fault_presets import PRESETS

_world: World | None = None
_matrix: Matrix | None = None


def _begin(matrix: Matrix, folder: Path) -> None:
    global _world, _matrix
    # Client and org take turns in one process: the usual 5 ms would be most of the time.
    sys.setswitchinterval(0.0002)
    _world, _matrix = World(Path(tempfile.mkdtemp(dir=folder))), matrix


def _work(combination: Combination) -> Verdict:
    assert _world is not None
    assert _matrix is not None
    return try_out(_world, _matrix, combination)


def run_all(matrix: Matrix, combinations: Sequence[Combination], folder: Path, processes: int) -> Iterator[Verdict]:
    """Runs combinations side by side."""
    with multiprocessing.get_context("spawn").Pool(processes, _begin, (matrix, folder)) as pool:
        yield from pool.imap_unordered(_work, combinations)


def table(verdicts: Sequence[Verdict]) -> str:
    """A line for each preset, and the counts."""
    outcomes = ("survived", "refused", "failed", "missed")
    lines = [f"{'':22}" + "".join(f"{name:>10}" for name in outcomes)]
    for preset in PRESETS:
        counted = Counter(verdict.outcome for verdict in verdicts if verdict.combination.preset == preset)
        if counted:
            lines.append(f"{preset:22}" + "".join(f"{counted[name]:>10}" for name in outcomes))
    counted = Counter(verdict.outcome for verdict in verdicts)
    lines.append(f"{'all':22}" + "".join(f"{counted[name]:>10}" for name in outcomes))
    return "\n".join(lines)


def main() -> int:
    """Runs the matrix and prints it; exit code 1 when something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", action="append", choices=list(PRESETS), help="only these faults")
    parser.add_argument("--operation", default="", metavar="TEXT", help="only operations with this text in them")
    parser.add_argument("--mode", choices=("once", "always", "both"), default="both", help="how often a fault strikes")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--verbose", action="store_true", help="print what each apply that did not survive said")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        matrix = prepare(Path(folder))
        chosen = [
            combination
            for combination in matrix.combinations
            if combination.preset in (options.preset or PRESETS)
            and options.operation in combination.operation
            and options.mode in ("both", "once" if combination.times else "always")
        ]
        verdicts = []
        for verdict in run_all(matrix, chosen, Path(folder), options.processes):
            verdicts.append(verdict)
            if verdict.outcome in ("failed", "missed") or options.verbose:
                print(f"{verdict.outcome}: {verdict.combination}: {verdict.why}", flush=True)
                if verdict.outcome == "failed" or options.verbose:
                    print("    " + "\n    ".join(verdict.said.splitlines()[-12:]), flush=True)
    operations = {combination.operation for combination in chosen}
    print(table(verdicts))
    print(
        f"{len(verdicts)} combinations of {len({c.preset for c in chosen})} faults and {len(operations)} kinds of "
        f"operation, once and always, in {time.monotonic() - began:.0f} s."
    )
    return 1 if any(verdict.outcome == "failed" for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
