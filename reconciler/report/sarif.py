"""Findings as SARIF 2.1.0, which code scanning of GitHub, GitLab, Azure DevOps and editors read.

The format is OASIS's "Static Analysis Results Interchange Format Version 2.1.0"; tests check what is written here
against its schema.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from reconciler.archy.findings import FINDINGS
from reconciler.problems import Finding, ReconcilerError, Severity, Silenced
from reconciler.version import VERSION

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_BASE = "%SRCROOT%"
"""Stands for the root of the repository, wherever that is on the reader's machine."""


def sarif(
    findings: Iterable[Finding],
    silenced: Iterable[Silenced] = (),
    *,
    prefix: str = "",
    failure: ReconcilerError | None = None,
) -> dict[str, Any]:
    """The SARIF log of one run.

    ``prefix`` is put before each file, for a repository of specs that lies in a folder of the repository that is
    scanned. ``failure`` is what kept the specs from being read, where that is no finding.
    """
    results = [_result(finding, prefix) for finding in findings]
    results += [
        {**_result(each.finding, prefix), "suppressions": [{"kind": "external", "justification": each.reason}]}
        for each in silenced
    ]
    ids = dict.fromkeys([*FINDINGS, *(result["ruleId"] for result in results)])
    positions = {id_: position for position, id_ in enumerate(ids)}
    for result in results:
        result["ruleIndex"] = positions[result["ruleId"]]
    run = {
        "tool": {"driver": {"name": "reconciler", "version": VERSION, "rules": [_rule(id_) for id_ in ids]}},
        "invocations": [_invocation(failure)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(id_: str) -> dict[str, Any]:
    known = FINDINGS.get(id_)
    if known is None:
        return {"id": id_}
    return {
        "id": id_,
        "shortDescription": {"text": f"{known.title}."},
        "help": {"text": f"See docs/findings.md, {id_}."},
        "defaultConfiguration": {"level": _LEVELS[Severity(known.severity)]},
    }


def _result(finding: Finding, prefix: str) -> dict[str, Any]:
    text = finding.message + (f" {finding.remedy}" if finding.remedy else "")
    return {
        "ruleId": finding.id,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [_location(finding, prefix)] if finding.file or finding.address else [],
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }


def _location(finding: Finding, prefix: str) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.file:
        place = {"artifactLocation": {"uri": quote(prefix + finding.file, errors="surrogatepass"), "uriBaseId": _BASE}}
        region = {"startLine": finding.line, "startColumn": finding.column if finding.line else None}
        known = {key: value for key, value in region.items() if value}
        location["physicalLocation"] = {**place, "region": known} if known else place
    if finding.address:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.address, "kind": "resource"}]
    return location


def _fingerprint(finding: Finding) -> str:
    """The same finding when lines above it come and go, so that readers know it again."""
    parts = "\n".join((finding.id, finding.address or "", finding.file or "", finding.message))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _invocation(failure: ReconcilerError | None) -> dict[str, Any]:
    if failure is None:
        return {"executionSuccessful": True}
    text = failure.message + (f" {failure.remedy}" if failure.remedy else "")
    return {
        "executionSuccessful": False,
        "toolExecutionNotifications": [{"level": "error", "message": {"text": text}}],
    }
