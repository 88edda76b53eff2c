"""Plans and applies a large estate through random faults and under the platform's rate limit, in sped-up time.

Usage: ``make soak`` or ``python scripts/soak.py [--flows 2000] [--speed 15] [--faults 0.1] [--seed 1]``. A sandbox
in a process of its own enforces 300 requests a minute and token and measures the most that arrive in any minute;
its clock (``Settings.clock_speed``) and the client's (``Platform``'s ``clock`` and ``sleep``) run equally fast.
Apply is repeated until it is done. Prints JSON; exit code 1 unless all converged within the limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from estate import Size, seed, write_estate

from reconciler.cli.main import run
from reconciler.platform import Platform
from reconciler.sandbox.server import serve
from reconciler.sandbox.settings import Settings

LIMIT = 300
"""Requests a minute and token, as the platform allows."""
ROUNDS = 40
"""Applies until which everything must be done."""
ANYWHERE = (
    "rate-limited",
    "error-500",
    "error-503",
    "gateway-502",
    "gateway-504",
    "dropped",
    "answer-lost",
    "reset",
    "token-expired",
    "token-revoked",
    "short",
)
"""Faults that may strike any request and are worth a retry; together as often as asked for.

Answers that are no JSON are not: a plan of a thousand requests would hardly ever come to its end.
"""
IN_JOBS = ("job-failed-silently", "job-failed-null", "export-throttled")


@dataclass(frozen=True)
class Soak:
    """What is to be soaked, and in what."""

    flows: int
    speed: float
    faults: float
    """Part of all requests that a fault strikes."""
    seed: int

    def rules(self) -> list[dict[str, Any]]:
        """Rules are tried one after another, so that each must strike a little more often than the one before."""
        share = self.faults / len(ANYWHERE)
        spread = [share / (1 - number * share) for number in range(len(ANYWHERE))]
        rules: list[dict[str, Any]] = [
            {"preset": preset, "chance": chance, "seed": self.seed * 100 + number}
            for number, (preset, chance) in enumerate(zip(ANYWHERE, spread, strict=True))
        ]
        return rules + [{"preset": preset, "chance": self.faults / 5, "seed": self.seed} for preset in IN_JOBS]


def soak(plan: Soak, folder: Path) -> dict[str, Any]:
    """Runs it; returns the figures."""
    modules = max(1, plan.flows // 20)
    ivrs = plan.flows // 5
    size = Size(modules=modules, flows=plan.flows - modules, ivrs=ivrs)
    root = folder / "repository"
    with sandbox(folder, plan.speed) as org:
        write_estate(root, size, api_url=org["api_url"])
        text = (root / "environments/bench.yaml").read_text(encoding="utf-8")
        environment = text.replace("requests_per_minute: 1000000", f"requests_per_minute: {LIMIT}")
        (root / "environments/bench.yaml").write_text(environment, encoding="utf-8")
        os.environ |= {
            "RECONCILER_CACHE_DIR": str(folder / "cache"),
            "GENESYSCLOUD_OAUTHCLIENT_ID": org["client_id"],
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": org["client_secret"],
        }
        os.chdir(root)
        with httpx.Client(base_url=org["api_url"], timeout=60) as http, sped_up(plan.speed):
            http.post("/sandbox/faults", json=plan.rules()).raise_for_status()
            began = time.monotonic()
            codes = applied(folder / "said.txt")
            seconds = time.monotonic() - began
            counted = http.get("/sandbox/requests").json()
            seen = {rule["preset"]: rule["seen"] for rule in http.get("/sandbox/faults").json()}
            http.delete("/sandbox/faults").raise_for_status()
            left = command("plan", "--detailed-exitcode", said=folder / "said.txt")
    return {
        "flows": plan.flows,
        "ivrs": ivrs,
        "applies": len(codes),
        "exit_codes": {str(code): count for code, count in sorted(Counter(codes).items())},
        "converged": codes[-1] == 0 and left == 0,
        "requests": counted["total"],
        # A request that a rule has struck is not seen by the next one; what the last rule has struck is not in it.
        "struck_by_faults": seen[ANYWHERE[0]] - seen[ANYWHERE[-1]],
        "limit_a_minute": LIMIT,
        "most_in_a_minute": counted["mostInAMinute"],
        "faults_share": plan.faults,
        "simulated_minutes": round(seconds * plan.speed / 60, 1),
        "real_seconds": round(seconds, 1),
    }


def applied(said: Path) -> list[int]:
    """Applies until it is done; the exit codes."""
    codes: list[int] = []
    while (not codes or codes[-1] != 0) and len(codes) < ROUNDS:
        codes.append(command("apply", "--auto-approve", said=said))
        print(f"apply {len(codes)}: exit code {codes[-1]}", file=sys.stderr)
        if codes[-1] == 1 and "expires by itself" in said.read_text(encoding="utf-8")[-3000:]:
            command("unlock", "--yes", said=said)
    return codes


def command(*arguments: str, said: Path) -> int:
    """Runs a command in this process; what it says goes to a file."""
    with said.open("a", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        return run([*arguments, "--env", "bench"])


@contextmanager
def sped_up(speed: float) -> Iterator[None]:
    """The client's time passes that fast."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / speed)

    quick = partial(Platform, sleep=sleep, clock=lambda: time.monotonic() * speed)
    with mock.patch("reconciler.cli.session.Platform", quick):
        yield


@contextmanager
def sandbox(folder: Path, speed: float) -> Iterator[Mapping[str, str]]:
    """A sandbox in a process of its own, whose time passes that fast."""
    seed_file = folder / "seed.yaml"
    seed_file.write_text(seed(), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder), "--speed", str(speed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    """Runs the soak, or its sandbox."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flows", type=int, default=2000, help="common modules included")
    parser.add_argument("--speed", type=float, default=15.0, help="how fast time passes")
    parser.add_argument("--faults", type=float, default=0.1, help="part of the requests that a fault strikes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        settings = Settings(clock_speed=options.speed, rate_limit=LIMIT)
        serve(data=options.serve / "org.sqlite", seed=options.serve / "seed.yaml", settings=settings)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        figures = soak(Soak(options.flows, options.speed, options.faults, options.seed), Path(folder))
    print(json.dumps(figures, indent=2))
    return 0 if figures["converged"] and figures["most_in_a_minute"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
