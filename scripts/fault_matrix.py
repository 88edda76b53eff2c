"""The fault matrix: each fault that the sandbox knows × each kind of operation that the client uses.

A combination begins with an org and a repository that are to be brought together, lets one fault strike one
kind of operation (once, or always) while ``apply --prune`` runs, then mends the org and applies again. It is

- **survived** when the apply ended with 0 and the org is as after an undisturbed run;
- **refused** when it ended with 1, 3 or 4, said why and what to do, and left nothing behind but, where it said
  so, its lock;
- **failed** otherwise, and whenever the apply after mending does not reach the undisturbed end state, or the
  plan after that is not empty.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fault_estate
import httpx
from fault_world import Ran, Scene, World

from reconciler.sandbox import embedded
from reconciler.sandbox.fault_presets import PRESETS
from reconciler.sandbox.fault_rules import Rule

IMPATIENT = 0.25
"""Real seconds that the client waits for an answer where none comes."""
ENDLESS = ("hanging", "dripping")
OUTAGE = 0.1
"""Real seconds without connections; 100 of the client's."""
LONGEST = 60.0
"""Real seconds for one apply."""
DEPLOY, EXPORT = "deploy job of ", "export job of "
JOBS = (DEPLOY + "Greeter", DEPLOY + "Sales", DEPLOY + "Late", EXPORT + fault_estate.DRIFTED)
"""Outcomes of jobs, which are no requests: a module's update, a republish, a create, and the drifted flow's."""


@dataclass(frozen=True)
class Combination:
    """One cell of the matrix."""

    preset: str
    operation: str
    scene: str
    times: int | None

    def __str__(self) -> str:
        return f"{self.preset} × {self.operation} ({'once' if self.times else 'always'})"

    @property
    def rule(self) -> dict[str, Any]:
        """The fault rule."""
        match: dict[str, Any] = {"route": self.operation}
        for prefix, key in ((DEPLOY, "job_flow"), (EXPORT, "export_flow")):
            if self.operation.startswith(prefix):
                match = {key: self.operation.removeprefix(prefix)}
        rule: dict[str, Any] = {"preset": self.preset, "match": match}
        if self.preset == "refused":
            # The client's time runs fast: it must be over within a deadline.
            rule["effect"] = {"refuse_seconds": OUTAGE}
        return rule | ({"times": self.times} if self.times else {})


@dataclass(frozen=True)
class Verdict:
    """How a combination ended."""

    combination: Combination
    outcome: str
    """survived, refused, failed, or missed where the operation did not happen."""
    why: str = ""
    said: str = ""


@dataclass(frozen=True)
class Undisturbed:
    """What a scene ends in when nothing goes wrong."""

    state: Mapping[str, Any]
    versions: Mapping[str, float]
    routes: Mapping[str, int]


@dataclass(frozen=True)
class Matrix:
    """Scenes, how they end undisturbed, and all combinations."""

    scenes: Mapping[str, Scene]
    ends: Mapping[str, Undisturbed]
    combinations: tuple[Combination, ...]


def prepare(folder: Path) -> Matrix:
    """Makes the scenes: an org that holds an earlier state with an edit by hand, and one that is new."""
    folder.mkdir(parents=True, exist_ok=True)
    seed = folder / "seed.yaml"
    seed.write_text(fault_estate.SEED, encoding="utf-8")
    empty, changed = folder / "new.sqlite", folder / "changed.sqlite"
    with embedded.start(empty, seed=seed):
        pass
    world = World(folder / "preparing")
    world.folder.mkdir()
    before = Scene("before", empty, fault_estate.BEFORE)
    with world.org(before):
        _succeed(world.cli("apply", "--auto-approve"))
        world.mend()
        world.publish(fault_estate.flow(fault_estate.DRIFTED, says="Edited by hand."))
        source = world.folder / "org.sqlite"
    shutil.copyfile(source, changed)
    scenes = {
        "change": Scene("change", changed, fault_estate.AFTER),
        "new": Scene("new", empty, fault_estate.AFTER),
    }
    ends = {name: _undisturbed(world, scene) for name, scene in scenes.items()}
    return Matrix(scenes, ends, tuple(_combinations(ends)))


def _undisturbed(world: World, scene: Scene) -> Undisturbed:
    with world.org(scene):
        _succeed(world.cli("apply", "--auto-approve", "--prune"))
        routes = world.routes()
        _succeed(world.cli("plan", "--detailed-exitcode"))
        world.mend()
        return Undisturbed(world.state(), world.versions(), routes)


def _succeed(ran: Ran) -> None:
    if ran.code:
        raise RuntimeError(f"exit code {ran.code}:\n{ran.said}")


def _combinations(ends: Mapping[str, Undisturbed]) -> Iterator[Combination]:
    scene_of = {**dict.fromkeys(ends["new"].routes, "new"), **dict.fromkeys(ends["change"].routes, "change")}
    for preset in PRESETS:
        for operation in (*sorted(scene_of), *JOBS):
            if _applies(preset, operation):
                for times in (1, None):
                    yield Combination(preset, operation, scene_of.get(operation, "change"), times)


def _applies(preset: str, operation: str) -> bool:
    match = Rule.model_validate({"preset": preset}).match
    if operation.startswith(DEPLOY) or operation.startswith(EXPORT):
        return (match.job_flow if operation.startswith(DEPLOY) else match.export_flow) is not None
    return match.fits(operation, re.sub(r"\{\w+\}", "x", operation.partition(" ")[2]))


def sample(matrix: Matrix) -> list[Combination]:
    """A small part in which each fault strikes at least once, and each kind of operation is struck at least once.

    Which operation meets which fault follows from their order; once and always take turns.
    """
    left = list(dict.fromkeys(combination.operation for combination in matrix.combinations))
    chosen: list[Combination] = []

    def choose(candidates: Sequence[Combination]) -> None:
        operation = next((name for name in left if any(c.operation == name for c in candidates)), None)
        pair = [c for c in candidates if operation in (None, c.operation)][:2]
        chosen.append(pair[len(chosen) % len(pair)])
        if operation is not None:
            left.remove(operation)

    for preset in PRESETS:
        choose([combination for combination in matrix.combinations if combination.preset == preset])
    presets = iter([name for name in PRESETS if not PRESETS[name].match])
    while left:
        preset = next(presets)
        choose([combination for combination in matrix.combinations if combination.preset == preset])
    return chosen


def try_out(world: World, matrix: Matrix, combination: Combination) -> Verdict:
    """Runs one combination."""
    scene, end = matrix.scenes[combination.scene], matrix.ends[combination.scene]
    with world.org(scene):
        world.fault(combination.rule)
        began = time.monotonic()
        patience = {"patience": IMPATIENT} if combination.preset in ENDLESS else {}
        ran = world.cli("apply", "--auto-approve", "--prune", **patience)
        seconds = time.monotonic() - began
        try:
            return _judge(world, end, combination, ran, seconds)
        except httpx.HTTPError as error:
            return Verdict(combination, "failed", f"the org cannot be asked any more: {error!r}", ran.said)


def _judge(world: World, end: Undisturbed, combination: Combination, ran: Ran, seconds: float) -> Verdict:
    def failed(why: str, after: Ran | None = None) -> Verdict:
        return Verdict(combination, "failed", why, ran.said + (f"\n--- then:\n{after.said}" if after else ""))

    struck = world.struck()
    world.mend()
    if not struck:
        return Verdict(combination, "missed", "the operation did not happen", ran.said)
    if problem := unclean(ran, combination.preset, world.url):
        return failed(problem)
    if seconds > LONGEST:
        return failed(f"it took {seconds:.0f} s")
    again = ran
    if ran.code:
        if "expires by itself" in ran.said:
            _succeed(world.cli("unlock", "--yes"))
        again = world.cli("apply", "--auto-approve", "--prune")
        if again.code:
            return failed(f"the next apply ended with {again.code}", again)
    if (found := world.state()) != end.state:
        return failed(f"another end state: {_first_difference(end.state, found)}", again)
    plan = world.cli("plan", "--detailed-exitcode", "--prune")
    if plan.code:
        return failed(f"the plan after that ended with {plan.code}", plan)
    superfluous = {name: made for name, made in world.versions().items() if made > end.versions[name] + 1}
    if superfluous:
        return failed(f"more than one superfluous version: {superfluous}", again)
    return Verdict(combination, "refused" if ran.code else "survived", "", ran.said)


def _first_difference(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    key = next(key for key in wanted if wanted[key] != found[key])
    surplus = [item for item in found[key] if item not in wanted[key]] or "something is missing"
    return f"{key}: {str(surplus)[:300]}"


SAYS: Mapping[str, str] = {
    "rate-limited": r"HTTP 429|requests_per_minute",
    "login-rate-limited": r"rate limit exceeded",
    "login-refused": r"OAuth client's id and secret",
    "forbidden": r"Give the OAuth client a role with \w+:\w+:\w+",
    "token-expired": r"credentials|token",
    "token-revoked": r"credentials|token",
    "version-conflict": r"Plan again",
    "version-conflict-400": r"Plan again",
    "error-500": r"HTTP 500",
    "error-503": r"HTTP 503",
    "error-504": r"HTTP 504",
    "gateway-502": r"HTTP 502",
    "gateway-503": r"HTTP 503",
    "gateway-504": r"HTTP 504",
    "refused": r"{host}",
    "dropped": r"{host}",
    "answer-lost": r"{host}",
    "reset": r"{host}",
    "short": r"{host}",
    "hanging": r"{host} did not answer",
    "dripping": r"{host} did not answer",
    "portal-page": r"is a web page",
    "half-json": r"is not JSON",
    "wrong-types": r"is not what the API promises|is not a page|is not a data table row",
    "huge": r"larger than",
    "job-failed": r"The flow has validation errors",
    "job-failed-silently": r"gave no reason",
    "job-failed-null": r"gave no reason",
    "job-stuck": r"did not finish within",
    "export-failed": r"The export failed",
    "export-throttled": r"rate limit",
    "export-stuck": r"did not finish within",
    "address-expired": r"expire",
    "locked": r"Somebody Else",
    "locked-with-draft": r"Somebody Else",
    "lists-lag": r"Run|Plan again|plan again",
    "tracking-incomplete": r"rebuilt its dependency tracking|dependency tracking (is not up to date|answers in part)",
}
"""What a refusal must say, by preset; ``{host}`` is the org's host and port."""


def unclean(ran: Ran, preset: str, url: str) -> str | None:
    """What is wrong with how a command ended and what it said; None when nothing is."""
    if ran.code not in (0, 1, 3, 4):
        return f"exit code {ran.code}"
    for bad in (
        "Traceback",
        "Internal error",
        "Unexpected:",
        "signature=",
        os.environ["GENESYSCLOUD_OAUTHCLIENT_SECRET"],
    ):
        if bad in ran.said:
            return f"it says {bad!r}"
    if ran.code == 0:
        return None
    wanted = SAYS[preset].replace("{host}", re.escape(url.removeprefix("http://")))
    return None if re.search(wanted, ran.said) else f"the message does not say {wanted!r}"
