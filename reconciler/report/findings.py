"""Findings as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.text import Text

from reconciler.problems import Finding, ReconcilerError, Severity, Silenced

SEVERITY_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "remark"}


def findings_text(findings: Iterable[Finding]) -> Iterator[Text]:
    """Findings, the heavy ones first."""
    for finding in sorted(findings, key=lambda f: list(Severity).index(f.severity)):
        yield from finding_text(finding)


def finding_text(finding: Finding) -> Iterator[Text]:
    """One finding: where, what, and what to do."""
    line = Text()
    line.append(finding.severity.value, style=SEVERITY_STYLES[finding.severity])
    line.append(f" {finding.id}: {finding.message}")
    yield line
    if finding.location:
        yield Text(f"    at {finding.location}", style="dim")
    if finding.remedy:
        yield Text(f"    {finding.remedy}", style="dim")


def findings_json(
    findings: Sequence[Finding], silenced: Sequence[Silenced], failure: ReconcilerError | None = None
) -> dict[str, Any]:
    """The document: findings, silenced ones with the reason, how many of each, and what made the command fail."""
    failed = {"error": failure.message, "remedy": failure.remedy} if failure is not None else {}
    counts = {severity.value: count for severity, count in _counted(findings).items()}
    return failed | {
        "findings": [finding.model_dump(mode="json") for finding in findings],
        "silenced": [{**each.finding.model_dump(mode="json"), "reason": each.reason} for each in silenced],
        "summary": counts | {"silenced": len(silenced)},
    }


def summary(findings: Iterable[Finding], silenced: Sequence[Silenced]) -> str:
    """``2 warnings, 1 remark, 3 silenced``; what there is none of is left out."""
    counted = [(count, _NAMES[severity]) for severity, count in _counted(findings).items() if count]
    counts = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in counted]
    if silenced:
        counts.append(f"{len(silenced)} silenced")
    return ", ".join(counts) or "no findings"


def _counted(findings: Iterable[Finding]) -> dict[Severity, int]:
    counted = Counter(finding.severity for finding in findings)
    return {severity: counted[severity] for severity in Severity}
