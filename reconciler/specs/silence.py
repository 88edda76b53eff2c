"""Findings that somebody decided to live with: `findings: silence:` of an environment.

A silence names the id of a finding, the addresses it counts for and the reason. One that matches nothing is a
finding itself, so that silences do not outlive what they were made for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from reconciler.archy.findings import FINDINGS
from reconciler.globs import matches
from reconciler.problems import Finding, Severity, Silenced
from reconciler.specs.environment_files import Layers
from reconciler.suggest import near


class Silence(BaseModel):
    """One entry of ``findings.silence``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    """Id of the findings, as ``validate`` tells it."""
    address: Annotated[str, Field(min_length=1)]
    """Address or glob, e.g. ``inboundCall/Sales*``."""
    reason: Annotated[str, Field(min_length=1, pattern=r"\S")]
    """Why nobody needs to mend it."""

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        return finding.id == self.id and finding.address is not None and matches(finding.address, (self.address,))


def apply_silences(
    findings: Iterable[Finding], silences: tuple[Silence, ...]
) -> tuple[list[Finding], list[Silenced], list[int]]:
    """What still counts, what is silenced, and the positions of the silences that matched nothing.

    Where several match, the first one's reason is told, and all of them count as used.
    """
    left: list[Finding] = []
    silenced: list[Silenced] = []
    used: set[int] = set()
    for finding in findings:
        covering = [index for index, silence in enumerate(silences) if silence.covers(finding)]
        used.update(covering)
        if covering:
            silenced.append(Silenced(finding=finding, reason=silences[covering[0]].reason))
        else:
            left.append(finding)
    return left, silenced, [index for index in range(len(silences)) if index not in used]


def silence_problems(data: Mapping[str, Any], layers: Layers) -> list[Finding]:
    """Silences of what does not exist, or of what nobody can mean."""
    settings = data.get("findings")
    entries = settings.get("silence") if isinstance(settings, Mapping) else None
    problems = []
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        id_ = entry.get("id") if isinstance(entry, Mapping) else None
        path = ("findings", "silence", index, "id")
        if not isinstance(id_, str):
            continue
        if id_ not in FINDINGS:
            remedy = f"{near(id_, FINDINGS)}docs/findings.md lists all findings that can be silenced."
            problems.append(layers.finding("unknown-finding", path, f"There is no finding {id_!r}.", remedy))
        elif not FINDINGS[id_].can_be_silenced:
            message = f"The finding {id_!r} cannot be silenced: Architect refuses such a flow."
            problems.append(
                layers.finding("cannot-be-silenced", path, message, "Mend the flow, and remove this entry.")
            )
    return problems


def unused_silences(positions: Iterable[int], silences: tuple[Silence, ...], layers: Layers | None) -> list[Finding]:
    """One remark for each silence that matched nothing; ``layers`` tells where it is written, if known."""
    found = []
    for index in positions:
        silence = silences[index]
        place = layers.origin(("findings", "silence", index)) if layers else None
        found.append(
            Finding(
                id="unused-silence",
                severity=Severity.INFO,
                message=f"Nothing is silenced by {silence.id} for {silence.address}: there is no such finding.",
                file=place.file if place else None,
                line=place.line if place else None,
                column=place.column if place else None,
                remedy="Remove the entry from `findings: silence:`.",
            )
        )
    return found
