"""Drives one target for a number of inputs, by chance or guided by coverage; prints its figures as JSON lines.

``scripts/fuzzing.py`` starts one process a target. Run one by hand::

    PYTHONPATH=tests .venv/bin/python -m fuzz.engine spec_text --seed 1 --inputs 1000
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import logging
import random
import sys
import time
from pathlib import Path

OFTEN = 100
"""Inputs between two lines of figures; the last line counts."""
MOST_BYTES = 400
"""Bytes of one input: decisions, not text."""


def main() -> None:
    """See the module."""
    options = _options()
    logging.disable(logging.CRITICAL)
    guided = options.engine == "atheris"
    if guided:
        import atheris

        with atheris.instrument_imports(include=["reconciler"]):
            from fuzz import targets
    else:
        from fuzz import targets
    from fuzz import harness

    target = targets.TARGETS[options.target]
    if not options.replay:
        # What is made once is made before anything is measured.
        with contextlib.suppress(harness.Crash):
            harness.run_one(target, b"")
        harness.seen = harness.Seen()
    started = time.monotonic()

    def one(data: bytes) -> None:
        try:
            harness.run_one(target, data)
        except harness.Crash as crash:
            harness.seen.inputs += 1
            harness.seen.crashes += 1
            _keep(options.crashes, target.name, data, crash)
        # The guided engine leaves the process without coming back.
        if guided and (harness.seen.inputs >= options.inputs or harness.seen.inputs % OFTEN == 0):
            report()

    def report() -> None:
        print(
            json.dumps(
                {
                    "target": target.name,
                    "inputs": harness.seen.inputs,
                    "refused": harness.seen.refused,
                    "crashes": harness.seen.crashes,
                    "slowest_seconds": round(harness.seen.slowest, 3),
                    "slowest_input": harness.seen.slowest_input.hex(),
                    "peak_mb": harness.peak_memory() // 2**20,
                    "seconds": round(time.monotonic() - started, 1),
                }
            ),
            flush=True,
        )

    if options.replay:
        harness.run_one(target, Path(options.replay).read_bytes())
        return
    if guided:
        arguments = [f"-runs={options.inputs}", f"-seed={options.seed}", f"-max_len={MOST_BYTES}", "-timeout=120"]
        arguments += [f"-max_total_time={options.seconds}", "-rss_limit_mb=4000", "-print_final_stats=1"]
        arguments += ["-len_control=0"]
        atheris.Setup([sys.argv[0], *arguments], one)
        atheris.Fuzz()
        return
    chance = random.Random(options.seed)
    while harness.seen.inputs < options.inputs and time.monotonic() - started < (options.seconds or 1e9):
        one(chance.randbytes(chance.randrange(MOST_BYTES)))
    report()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=0, help="0: no limit")
    parser.add_argument("--crashes", type=Path, default=Path(".fuzz/crashes"), help="folder for inputs that crash")
    parser.add_argument("--replay", help="run one kept input and show what happens")
    guided = "atheris" if importlib.util.find_spec("atheris") else "chance"
    parser.add_argument("--engine", choices=("atheris", "chance"), default=guided)
    return parser.parse_args()


def _keep(folder: Path, name: str, data: bytes, crash: BaseException) -> None:
    """Keeps one input for each kind of crash, by where it came from."""
    import hashlib
    import traceback

    text = "".join(traceback.format_exception(crash))
    cause = crash.__cause__ or crash
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(cause.__traceback__)]
    own = [place for place in places if "/reconciler/" in place] or places or [str(crash)[:60]]
    key = hashlib.sha256(f"{type(cause).__name__} {own[-1]}".encode()).hexdigest()[:10]
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{name}-{key}"
    if not kept.exists():
        kept.write_bytes(data)
        kept.with_suffix(".txt").write_text(text, encoding="utf-8", errors="backslashreplace")
        print(f"crash {kept}: {str(crash)[:300]!r}", file=sys.__stderr__, flush=True)


if __name__ == "__main__":
    main()
