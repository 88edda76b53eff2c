"""What only shows when all documents are seen together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.archy.contracts import MODULE_ROOT
from reconciler.archy.findings.modules import check_call
from reconciler.archy.model import Certainty, Path, Problem, Reference
from reconciler.kinds.base import Desired, Kind
from reconciler.kinds.registry import all_kinds, kind_of
from reconciler.problems import Finding, Location, Severity
from reconciler.specs.origins import VariableOrigins

MOST_FINDINGS = 200
"""Of numbers on two IVRs: nobody reads more."""
SHARED = "shared/"
FLOWS = "flows/"


@dataclass(frozen=True, slots=True)
class Entry:
    """One document as the checks see it; several entries may have the same address."""

    desired: Desired
    claims: tuple[str, ...]
    """What only one object may have at a time, e.g. phone numbers."""


def check_documents(entries: Sequence[Entry], origins: VariableOrigins) -> list[Finding]:
    """All checks of this module, in the order of the entries; ``origins`` tells where wrong values come from."""
    resources = {entry.desired.address: entry.desired for entry in reversed(entries)}
    return [
        *duplicate_addresses(entries),
        *claimed_twice(entries, origins),
        *shared_refers_to_flows(resources),
        *not_embeddable(resources),
        *module_calls(resources),
    ]


def duplicate_addresses(entries: Iterable[Entry]) -> list[Finding]:
    """Kind and name together identify an object, so each pair may be described once."""
    first: dict[str, Desired] = {}
    findings = []
    for entry in entries:
        desired = entry.desired
        other = first.setdefault(desired.address, desired)
        if other is not desired:
            findings.append(
                _finding(
                    "duplicate-address",
                    desired,
                    desired.locate((desired.root, "name")),
                    f"{desired.address} is described twice: here and in {_place(other)}.",
                    "Remove one of the two, or give it another name.",
                )
            )
    return findings


def claimed_twice(entries: Iterable[Entry], origins: VariableOrigins) -> list[Finding]:
    """A phone number stands on one IVR only (SDK ``IVR.dnis``: unique across owners, facts §3.4)."""
    first: dict[tuple[str, str], Desired] = {}
    findings: list[Finding] = []
    for entry in entries:
        desired = entry.desired
        for claim in entry.claims:
            if len(findings) >= MOST_FINDINGS:
                return findings
            other = first.setdefault((desired.kind, claim), desired)
            if other is desired or other.address == desired.address:
                continue
            ivrs = desired.kind == "ivr"
            place = _place_of_value(desired, claim)
            what = f"The number {claim} stands on two IVRs" if ivrs else f"{claim} is used twice"
            findings.append(
                _finding(
                    "number-on-two-ivrs" if ivrs else "claimed-twice",
                    desired,
                    place,
                    f"{what}: {desired.name!r} and {other.name!r} ({_place_of_value(other, claim)}).",
                    f"Remove it from one of them.{origins.note(place, claim)}",
                )
            )
    return findings


def shared_refers_to_flows(resources: Mapping[str, Desired]) -> list[Finding]:
    """What is shared must not depend on one line of business (design §3)."""
    findings = []
    for desired in resources.values():
        if not desired.file.startswith(SHARED):
            continue
        for reference in desired.references:
            target = _target(reference, resources)
            if target is not None and target.file.startswith(FLOWS):
                findings.append(
                    _finding(
                        "shared-refers-to-flows",
                        desired,
                        desired.locate(reference.path),
                        f"{desired.address} lies in shared/ but refers to {target.address} in {_place(target)}.",
                        f"Move {target.file} to shared/, or {desired.file} to flows/.",
                    )
                )
    return findings


def not_embeddable(resources: Mapping[str, Desired]) -> list[Finding]:
    """A flow called as a common module must be one; checked where the repository defines the name."""
    by_name: dict[str, list[Desired]] = defaultdict(list)
    for desired in resources.values():
        by_name[desired.name].append(desired)
    findings = []
    for desired in resources.values():
        for reference in desired.references:
            kind = _embedding_kind(reference)
            if kind is None or _target(reference, resources) is not None:
                continue
            others = [other for other in by_name.get(reference.name, ()) if kind_of(other.kind) is kind]
            if others:
                wanted = kind.addresses(reference)[0].partition("/")[0]
                findings.append(
                    _finding(
                        "not-a-common-module",
                        desired,
                        desired.locate(reference.path),
                        f"{desired.address} calls {reference.name!r} as a {wanted}, "
                        f"but it is {others[0].address} in {_place(others[0])}.",
                        f"Call a {wanted}, or make {reference.name!r} one.",
                    )
                )
    return findings


def module_calls(resources: Mapping[str, Desired]) -> list[Finding]:
    """Calls that do not fit the module as the repository defines it; both places are named."""
    return [
        call_finding(desired, problem, f" The module is in {_place(module)}.")
        for desired in resources.values()
        for call in desired.interface.calls
        if (module := resources.get(f"{MODULE_ROOT}/{call.module}")) is not None
        if module.interface.contract is not None
        for problem in check_call(desired.root, call, module.interface.contract)
    ]


def call_finding(desired: Desired, problem: Problem, where: str = "") -> Finding:
    """What is wrong with a call in a flow of the specs; ``where`` says where the module is."""
    return _finding(
        problem.id,
        desired,
        desired.locate(problem.path),
        problem.message + where,
        problem.remedy or "",
        Severity(problem.severity),
    )


def _target(reference: Reference, resources: Mapping[str, Desired]) -> Desired | None:
    """The resource of the repository that a reference means; None for objects that only the org has."""
    if reference.certainty is Certainty.DYNAMIC:
        return None
    candidates = (address for kind in all_kinds() for address in kind.addresses(reference))
    return next((resources[address] for address in candidates if address in resources), None)


def _embedding_kind(reference: Reference) -> Kind | None:
    if reference.kind != "flow" or reference.certainty is not Certainty.STATIC:
        return None
    return next((kind for kind in all_kinds() if kind.embeds(reference)), None)


def _place(desired: Desired) -> str:
    return f"{desired.file}:{desired.line}"


def _place_of_value(desired: Desired, value: str) -> Location:
    return desired.locate((desired.root, *(_path_to(desired.content.body, value) or ())))


def _path_to(node: Any, value: str) -> Path | None:
    """Path of the first scalar that equals ``value``."""
    if node == value:
        return ()
    children: Iterable[tuple[str | int, Any]] = ()
    if isinstance(node, Mapping):
        children = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    for step, child in children:
        path = _path_to(child, value)
        if path is not None:
            return (step, *path)
    return None


def _finding(
    id_: str,
    desired: Desired,
    place: Location,
    message: str,
    remedy: str,
    severity: Severity = Severity.ERROR,
) -> Finding:
    return Finding(
        id=id_,
        severity=severity,
        message=message,
        address=desired.address,
        file=place.file,
        line=place.line,
        column=place.column,
        remedy=remedy,
    )
