"""Findings as GitHub annotations: lines that GitHub Actions shows at the file and line they are about.

The form is that of GitHub's workflow commands: ``::warning file=…,line=…,col=…,title=…::message``. GitHub shows at
most ten errors, ten warnings and ten notices of a step; the log of the step has them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.problems import Finding, ReconcilerError, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def github_annotations(
    findings: Iterable[Finding], *, prefix: str = "", failure: ReconcilerError | None = None
) -> Iterator[str]:
    """One line for each finding, the heavy ones first; ``prefix`` is put before each file."""
    if failure is not None:
        yield f"::error title=reconciler::{_text(failure.message, failure.remedy)}"
    for finding in sorted(findings, key=lambda each: list(Severity).index(each.severity)):
        title = f"{finding.id}: {finding.address}" if finding.address else finding.id
        properties = {"title": title}
        if finding.file:
            # GitHub knows a column only together with a line, and shows a line only with a file.
            place = {
                "file": prefix + finding.file,
                "line": finding.line,
                "col": finding.column if finding.line else None,
            }
            properties = {key: str(value) for key, value in place.items() if value} | properties
        listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        yield f"::{_COMMANDS[finding.severity]} {listed}::{_text(finding.message, finding.remedy)}"


def _text(message: str, remedy: str | None) -> str:
    return _escaped(f"{message} {remedy}" if remedy else message)


def _property(value: str) -> str:
    return _escaped(value).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
