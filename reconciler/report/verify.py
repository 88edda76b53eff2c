"""A verification for people and for programs: what is proven in counts, what is not line by line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from rich.text import Text

from reconciler.engine.verify.report import Check, Proof, VerifyReport, What
from reconciler.report.markdown.escaping import code, quiet
from reconciler.report.words import plural

STYLES = {Proof.PROVEN: "green", Proof.FAILED: "bold red", Proof.UNPROVEN: "bold yellow"}
PROVEN = {
    What.THERE: ("object is in the org; flows are published", "objects are in the org; flows are published"),
    What.TARGET: ("field points at what the specs name", "fields point at what the specs name"),
    What.NUMBER: ("phone number is routed to its IVR", "phone numbers are routed to their IVR"),
    What.COPY: ("copy of a common module is the published one", "copies of common modules are the published ones"),
    What.DELETED: ("object uses nothing that was deleted", "objects use nothing that was deleted"),
}
FAILED_SHOWN = 20
ROWS_SHOWN = 100
NAMED = 5
_INDENT = "          "


def verify_text(report: VerifyReport) -> Iterator[Text]:
    """The whole verification: counts of what is proven, everything else, and the closing line."""
    resources = plural(len({check.address for check in report.checks}), "resource")
    yield Text(f"Linkage in {report.environment} · org {report.org}: {resources}", style="bold")
    for text in _proven(report):
        yield _line(Proof.PROVEN, text)
    yield from not_proven_text(report)
    yield Text(counts(report), style="green" if report.proven else "bold red")


def not_proven_text(report: VerifyReport) -> Iterator[Text]:
    """What failed, each with its remedy, told once; and what could not be proven, by reason."""
    failed = [check for check in report.checks if check.outcome is Proof.FAILED]
    told: set[str] = set()
    for check in failed[:FAILED_SHOWN]:
        yield _line(Proof.FAILED, sentence(check))
        if check.remedy and check.remedy not in told:
            told.add(check.remedy)
            yield Text(f"{_INDENT}{check.remedy}", style="dim")
    if len(failed) > FAILED_SHOWN:
        yield Text(f"{_INDENT}… and {len(failed) - FAILED_SHOWN} more (all of them in --format json)", style="dim")
    for (reason, remedy), checks in _by_reason(report).items():
        yield _line(Proof.UNPROVEN, f"{plural(len(checks), 'check')}: {reason}")
        yield Text(f"{_INDENT}{_named(checks)}", style="dim")
        if remedy and remedy not in told:
            told.add(remedy)
            yield Text(f"{_INDENT}{remedy}", style="dim")


def verified_text(report: VerifyReport, *, complete: bool) -> Iterator[Text]:
    """The end of an apply: one line, and what is not proven."""
    if report.proven:
        checks = plural(len(report.checks), "check")
        yield Text(f"Verified in the org: {checks}, all proven, in {report.seconds:.1f} s.", style="green")
        return
    yield Text(f"Verified in the org: {counts(report)}", style="bold red")
    yield from not_proven_text(report)
    applied = "All changes were applied" if complete else "What was applied stays applied"
    yield Text(f"{applied}, but not all of it is proven.", style="bold red")
    yield Text(f"To check again: reconciler verify --env {report.environment}", style="dim")


def counts(report: VerifyReport) -> str:
    """How many checks ended how, as a sentence."""
    ended = [f"{count} {outcome.value}" for outcome in Proof if (count := report.count(outcome))]
    return f"{plural(len(report.checks), 'check')}: {', '.join(ended)} in {report.seconds:.1f} s."


def sentence(check: Check) -> str:
    """What should be and what is."""
    match check.what:
        case What.THERE:
            return f"{check.address} should be {check.expected}, is {check.actual}"
        case What.DELETED:
            return f"{check.address} uses what was {check.actual}"
        case _:
            return f"{check.address}: {check.about} should be {check.expected}, is {check.actual}"


def verify_json(report: VerifyReport) -> dict[str, Any]:
    """The document: counts, and each check."""
    return {
        "environment": report.environment,
        "org": report.org,
        "summary": {outcome.value: report.count(outcome) for outcome in Proof},
        "seconds": round(report.seconds, 3),
        "checks": [check.model_dump(mode="json") for check in report.checks],
    }


def verify_markdown(report: VerifyReport) -> str:
    """For a job summary or a ticket: the verdict, what failed, what is not known, and counts of the rest."""
    lines = [f"## Linkage in {code(report.environment)} · org {quiet(report.org)}", "", f"**{counts(report)}**"]
    failed = [check for check in report.checks if check.outcome is Proof.FAILED]
    if failed:
        lines += ["", "| Failed | What | Should be | Is | What to do |", "|---|---|---|---|---|"]
        lines += [_row(check) for check in failed[:ROWS_SHOWN]]
    if len(failed) > ROWS_SHOWN:
        lines += ["", f"… and {len(failed) - ROWS_SHOWN} more failed; `--format json` has them all."]
    for (reason, remedy), checks in _by_reason(report).items():
        lines += ["", f"**{plural(len(checks), 'check')} unproven:** {quiet(reason)}. {quiet(remedy or '')}".rstrip()]
        lines += ["", f"- {quiet(_named(checks))}"]
    lines += ["", "Proven:", "", *(f"- {text}" for text in _proven(report))]
    return "\n".join(lines) + "\n"


def _proven(report: VerifyReport) -> Iterator[str]:
    """What is proven, in counts."""
    proven = Counter(check.what for check in report.checks if check.outcome is Proof.PROVEN)
    for what, (one, many) in PROVEN.items():
        if proven[what]:
            yield f"{proven[what]} {one if proven[what] == 1 else many}"


def _row(check: Check) -> str:
    about = "" if check.what is What.THERE else check.about
    cells = (about, check.expected, check.actual or "", check.remedy or "")
    return f"| {code(check.address)} | {' | '.join(quiet(text) for text in cells)} |"


def _line(outcome: Proof, text: str) -> Text:
    line = Text()
    line.append(f"{outcome.value:<8}  ", style=STYLES[outcome])
    return line.append(text)


def _by_reason(report: VerifyReport) -> dict[tuple[str, str | None], list[Check]]:
    found: dict[tuple[str, str | None], list[Check]] = defaultdict(list)
    for check in report.checks:
        if check.outcome is Proof.UNPROVEN:
            found[check.reason or "", check.remedy].append(check)
    return found


def _named(checks: Iterable[Check]) -> str:
    named = [check.address if check.what is What.THERE else f"{check.address}: {check.about}" for check in checks]
    more = len(named) - NAMED
    return "; ".join(named[:NAMED]) + (f"; and {more} more" if more > 0 else "")
