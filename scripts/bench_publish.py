"""Measures how long a publish takes from its first change to its last, against what cannot be done faster; prints JSON.

Usage: ``make bench-publish`` or ``python scripts/bench_publish.py [--flows 50] [--job-seconds 5] [--rate 300]``. The
org is a sandbox in a process of its own, on HTTP, whose deploy jobs take that long and which answers 429 beyond so
many requests a minute and token; the client is a process of its own, as people run it.

Real orgs do not run on this machine: what the sandbox takes of its processors and disk is in the figures, so leave it
alone meanwhile, and put the sandbox's file where it is quick, for instance with TMPDIR=/dev/shm.

The bound is the larger of two: the graph's longest chain of flows, each of which needs a job; and the time before
which the rate limit does not let the requests pass that cannot be done without (see ``NEEDED_A_FLOW``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.platform import RATE_FILE

NEEDED_A_FLOW = 4
"""Requests: is it still as planned, a job for it, has the job ended, a row of the ledger. The upload counts nowhere."""
WINDOW = 60.0
"""Seconds over which the rate limit counts."""


@dataclass(frozen=True)
class Shape:
    """An estate: which flows there are, and which common modules each of them calls."""

    name: str
    modules: int
    calls: Mapping[str, tuple[str, ...]]
    """Flow → flows that must be published before it."""

    @property
    def longest(self) -> int:
        """How many flows the longest chain has."""
        depths: dict[str, int] = {}

        def depth(flow: str) -> int:
            if flow not in depths:
                depths[flow] = 1 + max((depth(needed) for needed in self.calls.get(flow, ())), default=0)
            return depths[flow]

        return max(map(depth, self.calls))


def fan(flows: int) -> Shape:
    """A tenth of the flows are common modules, the others call one or two of them."""
    modules = max(1, flows // 10)
    names = [f"Module {number:02}" for number in range(modules)]
    calls: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
    for number in range(flows - modules):
        calls[f"Flow {number:02}"] = tuple({names[number % modules], names[(number + 1) % modules]})
    return Shape("modules and their callers", modules, calls)


def chain(flows: int, length: int = 5) -> Shape:
    """Chains of call flows that transfer to one another, so many long; the other flows stand alone."""
    calls: dict[str, tuple[str, ...]] = {}
    for number in range(flows):
        first = number % length == 0 or number >= length * 2
        calls[f"Flow {number:02}"] = () if first else (f"Flow {number - 1:02}",)
    return Shape("two chains of five among single flows", 0, calls)


def write_repository(root: Path, shape: Shape, api_url: str, greeting: str, rate: int) -> None:
    """Writes the specs; another greeting changes every flow."""
    for folder in ("shared", "flows", "environments"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, needs in shape.calls.items():
        module = name.startswith("Module")
        text = _module(name, greeting) if module else _flow(name, needs, greeting)
        (root / ("shared" if module else "flows") / f"{name.lower().replace(' ', '-')}.yaml").write_text(text)
    (root / "environments/bench.yaml").write_text(
        f"org: {{api_url: {api_url}, login_url: {api_url}, requests_per_minute: {rate}}}\n"
    )


def _module(name: str, greeting: str) -> str:
    return f"""\
commonModule:
  name: {name}
  supportedLanguages: {{en-us: {{none: true}}}}
  settingsCommonModule: {{compatibleFlowTypes: [{{flowType: inboundcall}}]}}
  startUpTaskActions:
    - playAudio: {{name: Play Audio, audio: {{tts: {greeting}}}}}
    - endTask: {{name: End Task}}
"""


def _flow(name: str, needs: tuple[str, ...], greeting: str) -> str:
    actions = "".join(
        f"          - callCommonModule:\n              name: Call {needed}\n              commonModule:\n"
        f"                {needed}: {{ver_latestPublished: {{none: true}}}}\n"
        if needed.startswith("Module")
        else f"          - transferToFlow:\n              name: Go to {needed}\n"
        f"              targetFlow: {{name: {needed}}}\n"
        for needed in needs
    )
    return f"""\
inboundCall:
  name: {name}
  defaultLanguage: en-us
  startUpRef: "/inboundCall/tasks/task[Main_10]"
  supportedLanguages: {{en-us: {{defaultLanguageSkill: {{noValue: true}}}}}}
  initialGreeting: {{tts: {greeting}}}
  tasks:
    - task:
        name: Main
        refId: Main_10
        actions:
{actions}          - disconnect: {{name: Disconnect}}
"""


@contextmanager
def sandbox(folder: Path) -> Iterator[dict[str, str]]:
    """A sandbox in its own process."""
    seed = folder / "seed.yaml"
    seed.write_text("organization: {id: 6b9d3c5e-8f0b-4a56-9a39-2f1c8f4f7b10, name: Bench}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "serve", "--data", folder / "org.sqlite", "--seed", seed],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def apply(repository: Path, environment: Mapping[str, str], api_url: str) -> dict[str, Any]:
    """Applies everything; what the run says of itself, and what the org counted."""
    httpx.delete(f"{api_url}/sandbox/requests").raise_for_status()
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve", "--env", "bench"],
        cwd=repository,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    runs = sorted((repository / ".reconciler/runs/bench").glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    ended = json.loads(runs[-1].read_text().splitlines()[-1])
    return {"run": ended, "counted": httpx.get(f"{api_url}/sandbox/requests").json()}


def measure(shape: Shape, job_seconds: float, rate: int, *, update: bool) -> dict[str, Any]:
    """The figures of one estate; ``update`` applies it first without delays and measures the change of every flow."""
    with tempfile.TemporaryDirectory() as name, sandbox(Path(name)) as org:
        folder, api_url = Path(name), org["api_url"]
        environment = os.environ | {
            "RECONCILER_CACHE_DIR": str(folder / "cache"),
            "GENESYSCLOUD_OAUTHCLIENT_ID": org["client_id"],
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": org["client_secret"],
        }
        repository = folder / "repository"
        if update:
            write_repository(repository, shape, api_url, "Hello.", 1_000_000)
            apply(repository, environment, api_url)
            # The measured run begins with nothing sent in the last minute: with a token of its own, as it is.
            for file in (folder / "cache").glob(f"{RATE_FILE}*"):
                file.unlink()
        write_repository(repository, shape, api_url, "Good day.", rate)
        settings = {"job_seconds": job_seconds, "rate_limit": rate}
        httpx.put(f"{api_url}/sandbox/settings", json=settings).raise_for_status()
        applied = apply(repository, environment, api_url)
    return _figures(shape, applied, job_seconds, rate) | {"what": "update" if update else "create"}


def _figures(shape: Shape, applied: Mapping[str, Any], job_seconds: float, rate: int) -> dict[str, Any]:
    flows = len(shape.calls)
    routes = applied["counted"]["routes"]
    polls = routes.get("GET /api/v2/flows/jobs/{jobId}", 0)
    by_graph = shape.longest * job_seconds
    # A whole window may be sent at once; the next request after it waits for the window to pass.
    by_rate = WINDOW * ((flows * NEEDED_A_FLOW - 1) // rate)
    bound, took = max(by_graph, by_rate), applied["run"]["publish_seconds"]
    return {
        "estate": shape.name,
        "flows": flows,
        "longest_chain": shape.longest,
        "bound_seconds": bound,
        "bound_by_graph": by_graph,
        "bound_by_rate": by_rate,
        "requests_needed_by_rate": round(WINDOW * flows * NEEDED_A_FLOW / rate, 1),
        "seconds": round(took, 2),
        "ratio": round(took / bound, 3),
        "requests": sum(count for route, count in routes.items() if "/api/v2/" in route),
        "looks_at_jobs": polls,
        "most_in_a_minute": applied["counted"]["mostInAMinute"],
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=50)
    parser.add_argument("--job-seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=int, default=300, help="requests a minute and token")
    options = parser.parse_args()
    shapes = (fan(options.flows), chain(options.flows))
    measured = [
        measure(shape, options.job_seconds, options.rate, update=update) for shape in shapes for update in (False, True)
    ]
    figures = {"cores": os.cpu_count(), "job_seconds": options.job_seconds, "rate": options.rate, "measured": measured}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
