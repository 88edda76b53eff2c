"""What only one object may have at a time, such as phone numbers: who has it, who wants it, can it be had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.archy.model import Path
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Desired, Kind
from reconciler.platform import PermissionDenied, Platform
from reconciler.problems import Finding, Severity


def held(verdict: Verdict) -> frozenset[str]:
    """What the live object has."""
    if verdict.live is None or verdict.live.fields is None:
        return frozenset()
    return verdict.kind.claims(verdict.live.fields)


def wanted(verdict: Verdict) -> frozenset[str]:
    """What the object will have after the plan."""
    return verdict.kind.claims(verdict.fields_after) if verdict.desired is not None else frozenset()


def taken_findings(changes: Mapping[str, Verdict], lives: Mapping[str, Verdict]) -> list[Finding]:
    """Errors for what a change wants and an object that stays as it is has."""
    holders = {claim: other for address, other in lives.items() if address not in changes for claim in held(other)}
    for verdict in changes.values():
        if verdict.desired is not None:
            holders |= dict.fromkeys(held(verdict) & wanted(verdict), verdict)
    return [
        _finding(verdict.desired, claim, "number-in-use", f"is on {holders[claim].address} in the org")
        for verdict in changes.values()
        if verdict.desired is not None
        for claim in sorted(wanted(verdict) - held(verdict))
        if claim in holders
    ]


async def unavailable_findings(platform: Platform, changes: Iterable[Verdict]) -> list[Finding]:
    """Errors for what a change wants and the org has not to give."""
    asking: dict[Kind, list[Verdict]] = defaultdict(list)
    for verdict in changes:
        if wanted(verdict) - held(verdict):
            asking[verdict.kind].append(verdict)
    findings = []
    for kind, verdicts in asking.items():
        claims = {claim for verdict in verdicts for claim in wanted(verdict) - held(verdict)}
        try:
            reasons = await kind.unavailable(platform, claims)
        except PermissionDenied as error:
            findings.append(
                Finding(
                    id="not-checkable",
                    severity=Severity.INFO,
                    message=f"Whether the org can give {', '.join(sorted(claims))} was not checked: {error.message}",
                    remedy=error.remedy,
                )
            )
            continue
        findings += [
            _finding(verdict.desired, claim, "number-unavailable", reasons[claim])
            for verdict in verdicts
            if verdict.desired is not None
            for claim in sorted(wanted(verdict) - held(verdict))
            if claim in reasons
        ]
    return findings


def _finding(desired: Desired, claim: str, finding_id: str, reason: str) -> Finding:
    place = next(_places(desired.content.body, claim, (desired.root,)), (desired.root,))
    where = desired.locate(place)
    return Finding(
        id=finding_id,
        message=f"{desired.address} wants {claim}, which {reason}.",
        address=desired.address,
        file=where.file,
        line=where.line,
        column=where.column,
        remedy="Correct the number, or make it free in the org first.",
    )


def _places(value: Any, wanted_text: str, path: Path) -> Iterator[Path]:
    if value == wanted_text:
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _places(item, wanted_text, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, wanted_text, (*path, index))
