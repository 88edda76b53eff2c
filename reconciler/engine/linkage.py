"""Does everything exist that the changed resources name? Asked before anything is applied.

Resources that do not change were published with what they name; asking for them again would cost requests
and tell nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from reconciler.archy.model import Certainty, Reference
from reconciler.archy.references import OBJECT_KINDS
from reconciler.engine.observe import Org, candidate_addresses
from reconciler.engine.verdict import Verdict
from reconciler.kinds.base import Desired
from reconciler.kinds.registry import all_kinds, kind_of
from reconciler.platform import Platform
from reconciler.problems import Finding, Severity
from reconciler.suggest import near

LookUp = tuple[str, ...]
"""One name, or (integration, action) for data actions."""


@dataclass(frozen=True)
class Linkage:
    """Checks references against the plan, the org, and the org's directory of other objects."""

    platform: Platform
    org: Org
    wanted: Collection[str]
    """Addresses that exist after the plan: managed ones in its scope."""
    missing_is_made: bool
    """The sandbox makes what is missing; then a missing object is no error."""

    async def check(self, verdicts: Iterable[Verdict]) -> list[Finding]:
        """Findings on what is missing, on names that cannot be checked, and on secrets out of place."""
        publishing = [
            verdict for verdict in verdicts if verdict.desired is not None and (verdict.publishes or verdict.moves_only)
        ]
        named: list[tuple[Desired, Reference]] = [
            (verdict.desired, reference)
            for verdict in publishing
            if verdict.desired is not None
            for reference in (*verdict.desired.references, *_new_division(verdict))
        ]
        found = await self._look_up(reference for _, reference in named)
        findings = [
            finding for desired, reference in named if (finding := self._finding(desired, reference, found)) is not None
        ]
        return _unique(findings)

    async def _look_up(self, references: Iterable[Reference]) -> dict[tuple[str, LookUp], bool]:
        names: dict[str, set[LookUp]] = defaultdict(set)
        for reference in references:
            if reference.certainty is Certainty.DYNAMIC or candidate_addresses(reference):
                continue
            if self.platform.directory.supports(reference.kind):
                names[reference.kind].add(_look_up_name(reference))
        found: dict[tuple[str, LookUp], bool] = {}
        for kind, wanted in sorted(names.items()):
            found |= {(kind, name): exists for name, exists in (await self._exist(kind, wanted)).items()}
        return found

    async def _exist(self, kind: str, wanted: Collection[LookUp]) -> dict[LookUp, bool]:
        pairs = {name: (name[0], name[1]) for name in wanted if len(name) > 1}
        plain = {name: name[0] for name in wanted if len(name) == 1}
        by_pair = await self.platform.directory.find(kind, set(pairs.values())) if pairs else {}
        by_name = await self.platform.directory.find(kind, set(plain.values())) if plain else {}
        return {name: by_pair.get(pair) is not None for name, pair in pairs.items()} | {
            name: by_name.get(text) is not None for name, text in plain.items()
        }

    def _finding(
        self, desired: Desired, reference: Reference, found: Mapping[tuple[str, LookUp], bool]
    ) -> Finding | None:
        if reference.certainty is Certainty.DYNAMIC:
            return _not_checkable(desired, reference, "is computed when a call runs")
        candidates = candidate_addresses(reference)
        if candidates:
            return self._own_kind_finding(desired, reference, candidates)
        exists = found.get((reference.kind, _look_up_name(reference)))
        if exists is None:
            return _not_checkable(desired, reference, "cannot be looked up through the API")
        return None if exists else self._missing(desired, reference)

    def _own_kind_finding(self, desired: Desired, reference: Reference, candidates: list[str]) -> Finding | None:
        for address in candidates:
            if address in self.wanted:
                return None
            live = self.org.by_address.get(address)
            if live is None:
                continue
            if kind_of(live.kind).content_in_versions and live.version is None:
                return _finding(
                    desired,
                    reference,
                    "never-published",
                    f"{address} exists in the org but was never published.",
                    "Publish it, or bring it into the specs.",
                )
            return None
        other = self._other_type(reference)
        if other:
            return _finding(
                desired,
                reference,
                "not-a-common-module" if kind_of(desired.kind).embeds(reference) else "wrong-flow-type",
                f"{other} is not of the type that is needed here ({' or '.join(_kinds(candidates))}).",
                "Name a flow of that type.",
            )
        return self._missing(desired, reference)

    def _other_type(self, reference: Reference) -> str | None:
        if reference.kind != "flow":
            return None
        anywhere = candidate_addresses(Reference("flow", reference.name, ()))
        return next((a for a in anywhere if a in self.wanted or a in self.org.by_address), None)

    def _missing(self, desired: Desired, reference: Reference) -> Finding:
        noun = _noun(reference)
        name = f"{reference.category} / {reference.name}" if reference.category else reference.name
        candidates = candidate_addresses(reference)
        severity, consequence = Severity.ERROR, "Make it in the org first, or correct the name."
        if candidates:
            kinds = {address.partition("/")[0] for address in candidates}
            known = [a.partition("/")[2] for a in (*self.wanted, *self.org.by_address) if a.partition("/")[0] in kinds]
            consequence = f"{near(reference.name, known)}Add a spec for it, or correct the name."
        if reference.certainty is Certainty.RUNTIME:
            severity, consequence = (
                Severity.WARNING,
                "It is looked up when a call runs, which will not find it.",
            )
        if self.missing_is_made and reference in desired.references:
            severity, consequence = Severity.INFO, "The sandbox makes it when the flow is published."
        return _finding(
            desired,
            reference,
            "missing-reference",
            f"{desired.address} names the {noun} {name!r}, which does not exist.",
            consequence,
            severity,
        )


def resolve_reference(reference: Reference, org: Org) -> str | None:
    """Id of a reference to one of our own kinds as the org is now, or None."""
    for address in candidate_addresses(reference):
        live = org.by_address.get(address)
        if live is not None:
            return live.id
    return None


def _new_division(verdict: Verdict) -> list[Reference]:
    """The division that the resource comes to live in, where the environment and not the document names it."""
    desired, live = verdict.desired, verdict.live
    if desired is None or not desired.division or (live is not None and live.division == desired.division):
        return []
    if any(reference.kind == "division" for reference in desired.references):
        return []
    return [Reference("division", desired.division, (desired.root,))]


def _look_up_name(reference: Reference) -> LookUp:
    return (reference.category, reference.name) if reference.category else (reference.name,)


def _noun(reference: Reference) -> str:
    if any(kind.embeds(reference) for kind in all_kinds()):
        return "common module"
    return OBJECT_KINDS.get(reference.kind, reference.kind)


def _kinds(addresses: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(address.partition("/")[0] for address in addresses))


def _not_checkable(desired: Desired, reference: Reference, why: str) -> Finding:
    return _finding(
        desired,
        reference,
        "not-checkable",
        f"{desired.address}: the {_noun(reference)} {reference.name!r} {why} and was not checked.",
        None,
        Severity.INFO,
    )


def _finding(
    desired: Desired,
    reference: Reference,
    finding_id: str,
    message: str,
    remedy: str | None,
    severity: Severity = Severity.ERROR,
) -> Finding:
    where = desired.locate(reference.path)
    return Finding(
        id=finding_id,
        severity=severity,
        message=message,
        address=desired.address,
        file=where.file,
        line=where.line,
        column=where.column,
        remedy=remedy,
    )


def _unique(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a message and address: a flow that names a queue ten times needs telling once."""
    return list({(f.id, f.address, f.message): f for f in reversed(list(findings))}.values())[::-1]
