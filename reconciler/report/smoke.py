"""Smoke tests for people and for programs: a line a test, and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from reconciler.engine.smoke_report import STATUS, Check, SmokeOutcome, SmokeReport, SmokeResult

STYLES = {SmokeOutcome.PASSED: "green", SmokeOutcome.FAILED: "bold red", SmokeOutcome.NOT_RUN: "bold yellow"}
WORDS = {SmokeOutcome.PASSED: "passed", SmokeOutcome.FAILED: "failed", SmokeOutcome.NOT_RUN: "not run"}
SHOWN = 120
"""Characters of a value on a line; JSON has more of it."""
_INDENT = "          "


class SmokeLines:
    """The results of a run as lines for people; a remedy is told once, however many tests need it."""

    def __init__(self) -> None:
        self._remedies: set[str] = set()

    def of(self, result: SmokeResult) -> Iterator[Text]:
        """A line that says what was expected and what came; below it, where to look."""
        line = Text()
        line.append(f"{WORDS[result.outcome]:<8}", style=STYLES[result.outcome])
        line.append(f"  {result.name}", style="bold")
        line.append(f": {expected_and_came(result)}")
        line.append(f"  {result.seconds:.1f} s", style="dim")
        yield line
        if result.outcome is SmokeOutcome.PASSED:
            return
        if result.error:
            yield Text(f"{_INDENT}the execution's error: {result.error}", style="red")
        yield Text(f"{_INDENT}at {result.file}:{result.line} · {ran(result)}", style="dim")
        if result.remedy and result.remedy not in self._remedies:
            self._remedies.add(result.remedy)
            yield Text(f"{_INDENT}{result.remedy}", style="dim")


def expected_and_came(result: SmokeResult) -> str:
    """One sentence: all that was found where the test is passed, else what is not as expected."""
    if result.outcome is SmokeOutcome.PASSED:
        return "; ".join(_found(check) for check in result.checks)
    found = [missed(check) for check in result.checks if not check.met]
    return "; ".join([*found, *([result.message.rstrip(".")] if result.message else [])])


def ran(result: SmokeResult) -> str:
    """Which version of the workflow ran, and as what execution."""
    version = f" version {result.version}" if result.version else ""
    execution = f", execution {result.execution}" if result.execution else ""
    return f"{result.flow}{version}{execution}"


def smoke_head(org: str, count: int, of: int) -> Text:
    """Where the tests run, and how many of them."""
    some = f"{count}" if count == of else f"{count} of {of}"
    return Text(f"Smoke tests in the org {org}: {some}", style="bold")


def smoke_closing(report: SmokeReport) -> Text:
    """The counts."""
    if not report.results:
        none = f"none of the {report.of} is reached by what changed" if report.of else "there are none"
        return Text(f"No smoke test was run: {none}.", style="yellow")
    counts = [f"{count} {WORDS[outcome]}" for outcome in SmokeOutcome if (count := report.count(outcome))]
    tests = f"{len(report.results)} smoke test{'' if len(report.results) == 1 else 's'}"
    return Text(
        f"{tests}: {', '.join(counts)} in {report.seconds:.1f} s.",
        style="green" if report.passed else "bold red",
    )


def smoke_json(report: SmokeReport) -> dict[str, Any]:
    """The document: counts, and each result with every expectation."""
    return {
        "environment": report.environment,
        "org": report.org,
        "summary": {outcome.value: report.count(outcome) for outcome in SmokeOutcome},
        "seconds": round(report.seconds, 3),
        "results": [result.model_dump(mode="json") for result in report.results],
    }


def _found(check: Check) -> str:
    if check.subject == STATUS:
        return str(check.actual)
    return f"{check.subject} {'is not set' if check.actual is None else f'is {_cut(check.actual)}'}"


def missed(check: Check) -> str:
    """What was expected and what came instead."""
    if check.subject == STATUS:
        return f"expected {check.expected}, came {check.actual}"
    verb = "" if check.expected.startswith(("to ", "not to ")) else "to be "
    came = "but it is not set" if check.actual is None else f"came {_cut(check.actual)}"
    return f"expected {check.subject} {verb}{_cut(check.expected)}, {came}"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
