"""What a check of audit trails found, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from reconciler.engine.audit.checking import FileCheck, LedgerCheck, Verification
from reconciler.report.words import plural


def verification_text(found: Verification) -> Iterator[Text]:
    """File by file, then the ledger, then the verdict."""
    for file in found.files:
        yield from _file(file)
    if found.ledger is not None:
        yield from _ledger(found.ledger, found.environment)
    if not found.intact:
        yield Text("NOT INTACT: keep the files as they are, and find out why.", style="bold red")
    elif not found.complete:
        yield Text(
            "NOT COMPLETE: what is here is intact, but runs are missing whose files are elsewhere, or gone.",
            style="bold red",
        )
    elif found.ledger is None:
        yield Text(
            "Intact as far as it goes. Only the ledger proves that nothing is missing at the end.", style="yellow"
        )
    else:
        yield Text("Intact.", style="bold green")


def _file(file: FileCheck) -> Iterator[Text]:
    line = Text(file.file, style="bold")
    line.append(f"  {plural(file.records, 'record')} of {plural(file.runs, 'run')}", style="default")
    yield line
    yield from _said(file.problems, file.notices)


def _ledger(ledger: LedgerCheck, environment: str) -> Iterator[Text]:
    line = Text(f"Ledger of {environment}", style="bold")
    line.append(f"  {ledger.found} of {plural(ledger.runs, 'run')} found in the trail", style="default")
    yield line
    yield from _said((*ledger.problems, *ledger.elsewhere), ledger.notices)


def _said(problems: tuple[str, ...], notices: tuple[str, ...]) -> Iterator[Text]:
    for problem in problems:
        yield Text(f"  {problem}", style="red")
    for notice in notices:
        yield Text(f"  {notice}", style="dim")
