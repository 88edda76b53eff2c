"""Measures a plan and an apply on a generated estate against a sandbox of its own; prints JSON.

Usage: ``make bench`` or ``python scripts/bench.py [--flows 1000] [--large 10000] [--changed 100]``. The client
runs as its own process, as people run it, so that CPU and memory are its own and not the sandbox's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from estate import Size, seed, write_estate

MODULE_SHARE = 0.05
IVR_SHARE = 0.2


@dataclass
class Measured:
    """What one command cost its process, and the org."""

    seconds: float
    cpu_seconds: float
    memory_mb: float
    requests: int
    uploads_and_downloads: int
    exit_code: int
    routes: Mapping[str, int] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Rounded, for people to read."""
        return {
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "memory_mb": round(self.memory_mb),
            "requests": self.requests,
            "uploads_and_downloads": self.uploads_and_downloads,
            "exit_code": self.exit_code,
        }


@dataclass
class Bench:
    """One sandbox, one repository, one cache."""

    folder: Path
    url: str
    environment: dict[str, str]

    def run(self, *arguments: str, cold: bool = False) -> Measured:
        """Runs a command and measures it; ``cold`` with a cache that holds nothing."""
        httpx.delete(f"{self.url}/sandbox/requests").raise_for_status()
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments, "--env", "bench"],
            cwd=self.folder / "repository",
            env=self.environment | ({"RECONCILER_CACHE_DIR": str(self.folder / "cold")} if cold else {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        started = time.monotonic()
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 2):
            raise SystemExit(f"{' '.join(arguments)} failed:\n{said[-2000:]}")
        requests, transfers, routes = self._counted()
        return Measured(
            time.monotonic() - started,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024,
            requests,
            transfers,
            process.returncode,
            routes,
        )

    def _counted(self) -> tuple[int, int, dict[str, int]]:
        routes = httpx.get(f"{self.url}/sandbox/requests").json()["routes"]
        transfers = sum(count for route, count in routes.items() if "/api/v2/" not in route and "/oauth/" not in route)
        return sum(routes.values()) - transfers, transfers, routes


@contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, str]]:
    """A sandbox in its own process, without a rate limit."""
    seed_file = folder / "seed.yaml"
    seed_file.write_text(seed(), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "serve", "--data", folder / "org.sqlite", "--seed", seed_file],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def measure(flows: int, changed: int | None) -> dict[str, Any]:
    """All figures for an estate of that many flows, common modules included."""
    modules = max(1, round(flows * MODULE_SHARE))
    size = Size(modules=modules, flows=flows - modules, ivrs=round(flows * IVR_SHARE))
    with tempfile.TemporaryDirectory() as name, sandbox(Path(name)) as org:
        folder = Path(name)
        write_estate(folder / "repository", size, api_url=org["api_url"])
        bench = Bench(folder, org["api_url"], _environment(folder, org))
        figures: dict[str, Any] = {"flows": flows, "ivrs": size.ivrs}
        figures["first_apply"] = bench.run("apply", "--auto-approve").figures()
        figures["plan_cold_cache"] = bench.run("plan", "--detailed-exitcode", cold=True).figures()
        figures["plan_no_changes"] = bench.run("plan", "--detailed-exitcode").figures()
        if changed:
            figures["apply_changed"] = _apply_changed(bench, size, changed)
        return figures


def _apply_changed(bench: Bench, size: Size, changed: int) -> dict[str, Any]:
    chosen = {f"Inbound {number:05}" for number in range(size.flows) if number % 4 == 0}
    chosen = set(sorted(chosen)[:changed])
    write_estate(
        bench.folder / "repository",
        size,
        api_url=bench.url,
        wording=lambda name: f"{name}, good day" if name in chosen else name,
    )
    measured = bench.run("apply", "--auto-approve")
    per_flow = round(measured.requests / len(chosen), 2)
    return {"changed_flows": len(chosen), "requests_per_flow": per_flow} | measured.figures()


def _environment(folder: Path, org: Mapping[str, str]) -> dict[str, str]:
    return os.environ | {
        "RECONCILER_CACHE_DIR": str(folder / "cache"),
        "GENESYSCLOUD_OAUTHCLIENT_ID": org["client_id"],
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": org["client_secret"],
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=1000)
    parser.add_argument("--large", type=int, default=10_000, help="0 leaves the large estate out")
    parser.add_argument("--changed", type=int, default=100)
    options = parser.parse_args()
    figures: dict[str, Any] = {"cores": os.cpu_count(), "estate": measure(options.flows, options.changed)}
    if options.large:
        large = measure(options.large, None)
        small = figures["estate"]["plan_no_changes"]
        figures["large_estate"] = large
        figures["large_to_small"] = {
            key: round(large["plan_no_changes"][key] / small[key], 2) for key in ("seconds", "cpu_seconds")
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
