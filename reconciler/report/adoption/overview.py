"""The whole report, its times and its modules in words."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.engine.adoption.document import AdoptionReport, Consumer, ModuleAdoption, Move, Since
from reconciler.engine.adoption.proportions import Verdict
from reconciler.report.adoption.figures import counted, length, listed, moment
from reconciler.report.adoption.words import DISCONNECTS, ERRORS

ABOUT_MODULES = (
    "A common module is copied into the flows that call it and has no calls of its own. These flows stand for it:"
)
_SHORT = {
    Move.MOVED: "moved to the new version",
    Move.MOVING: "still moving",
    Move.NOT_MOVED: "not moved",
    Move.NO_TRAFFIC: "without calls since",
    Move.SUPERSEDED: "on a newer version that somebody else published",
    Move.UNCHANGED: "on the same version as before",
    Move.LATER: "applied only after the time that is compared",
}


def summary(report: AdoptionReport) -> Iterator[tuple[str, bool]]:
    """The whole in a few sentences, each with whether it is bad news."""
    for what, found in (
        (DISCONNECTS, [flow for flow in report.flows if flow.disconnects.verdict is Verdict.MORE]),
        (ERRORS, [flow for flow in report.flows if flow.errors.verdict is Verdict.MORE]),
    ):
        if found:
            yield f"{_flows(len(found))} with clearly more {what}: {listed(flow.address for flow in found)}", True
    of = len(report.flows)
    if of == 1:
        yield f"{report.flows[0].address}: {_SHORT[report.flows[0].move]}", False
        return
    parts: list[str] = []
    for move, words in _SHORT.items():
        count = sum(flow.move is move for flow in report.flows)
        if count:
            parts.append(f"{count} of {_flows(of)} {words}" if not parts else f"{count} {words}")
    if parts:
        yield ", ".join(parts), False


def nothing(report: AdoptionReport) -> str | None:
    """Why there is no flow to tell of."""
    if report.since is None:
        return f"No flow was ever applied to {report.environment}; there is nothing to compare."
    if report.flows:
        return None
    if report.modules:
        return "No flow that was applied holds these modules, so that nobody can hear them."
    return f"No flow was applied to {report.environment} since; `reconciler history` lists the applies."


def untouched(report: AdoptionReport) -> str | None:
    """How much is left out."""
    if not report.untouched:
        return None
    it, was = ("it", "was") if report.untouched == 1 else ("one", "were")
    return f"{counted(report.untouched, 'other flows')} {was} not applied since; name {it} to see it."


def since_words(since: Since, zone: str) -> str:
    """What the comparison turns on."""
    if since.run is None:
        return f"since {moment(since.start, zone)}"
    by = f" by {since.by}" if since.by else ""
    return f"since run {since.run}{by}, which ended {moment(since.end, zone)}"


def window_words(report: AdoptionReport) -> str:
    """Which times are held against each other."""
    if report.windows is None:
        return ""
    after = report.windows.after
    end = moment(after.end, report.time_zone)
    until = f"until now ({end})" if report.windows.cut_at_now else f"until {end}"
    return f"{length(after)} before against {length(after)} since, {until}; times in {report.time_zone}"


def module_words(module: ModuleAdoption) -> str:
    """A module with its version."""
    return f"{module.address} {module.version or ''}".rstrip()


def holds(consumer: Consumer, module: ModuleAdoption) -> str:
    """Which copy of a module a flow holds."""
    if consumer.through:
        return f"holds it through {consumer.through}"
    if consumer.holds == module.version:
        return f"holds {consumer.holds}"
    return f"still holds {consumer.holds}: it was not published since, `reconciler plan` shows why"


def _flows(count: int) -> str:
    return counted(count, "flows")
