"""``make kill-matrix``: runs what is named, or all, and prints its figures, one JSON line a part.

``matrix``: every exchange of every scenario, each position. ``chance``: moments by chance, of runs that do several
things at once. ``race``: two applies at once. ``suspend``: the holder of the lock sleeps until another run has
taken over.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from fork_server import load_everything

from killing.matrix import Outcome, Undisturbed, cases_of, random_cases, run_all, run_case, undisturbed
from killing.rivals import races, suspensions
from killing.scenarios import LEDGERS, SCENARIOS

PARTS = ("matrix", "chance", "race", "suspend")
CONCURRENCY = {"chance": 8, "race": 8}
"""Changes that a run does at once; where it is not one, exchanges come in no fixed order."""


def main() -> int:
    """1 when a case did not converge."""
    options = _options()
    load_everything()
    folder = Path(options.folder or tempfile.mkdtemp(prefix="killing-"))
    parts = PARTS if options.part == "all" else (options.part,)
    # Not a generator: all parts run, also after one that found something.
    return max([_run(part, options, folder / part) for part in parts])


def _run(part: str, options: argparse.Namespace, folder: Path) -> int:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    # A saved plan is bound to be refused once another run has come in between.
    usual = [scenario.name for scenario in SCENARIOS if not scenario.saved or part in ("matrix", "chance")]
    whole = [
        undisturbed(known[name], ledger, folder / f"{name}-{ledger}", concurrency=CONCURRENCY.get(part, 1))
        for name in options.scenario or usual
        for ledger in options.ledger or LEDGERS
    ]
    for item in whole:
        print(f"{part}: {item.title}: {len(item.exchanges)} exchanges", file=sys.stderr)
    figures = run_all(whole, _jobs(part, options, whole), folder, options.workers)
    for failure in figures.failures:
        print(f"\n{failure.case}\n  " + "\n  ".join(failure.problems), file=sys.stderr)
    told = asdict(figures) | {"failures": len(figures.failures), "seconds": round(figures.seconds, 1)}
    print(json.dumps({"part": part} | told), flush=True)
    if figures.failures:
        print(f"Cases that failed are kept in {folder}.", file=sys.stderr)
    return 1 if figures.failures else 0


def _jobs(part: str, options: argparse.Namespace, whole: Sequence[Undisturbed]) -> Sequence[Callable[[Path], Outcome]]:
    match part:
        case "race":
            return list(races(whole, options.count))
        case "suspend":
            return list(suspensions(whole, options.every))
        case "chance":
            cases = list(random_cases(whole, options.count, options.seed))
        case _:
            # A step that has no divisor in common with the number of positions visits them in rotation.
            cases = list(cases_of(whole))[:: options.every]
    return [partial(run_case, whole[case.scenario], case) for case in cases]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="killing", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=("all", *PARTS))
    parser.add_argument("--scenario", action="append", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--ledger", action="append", choices=LEDGERS)
    parser.add_argument("--every", type=int, default=1, help="matrix, suspend: only every n-th case")
    parser.add_argument("--count", type=int, default=200, help="chance, race: how many")
    parser.add_argument("--seed", type=int, default=1, help="chance")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", help="where to work; a new one by default")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
