"""Where the environments stand, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text

from reconciler.engine.status import EnvironmentStatus
from reconciler.report.ages import ago
from reconciler.report.words import plural

HEADS = ("environment", "commit", "pending", "drift", "last apply")
_OPEN = "yellow"


def status_text(found: Sequence[EnvironmentStatus], now: datetime) -> Iterator[Text]:
    """One line an environment, in columns; what could not be looked at says why."""
    rows = [_cells(one, now) for one in found if one.problem is None]
    names = max(len(HEADS[0]), *(len(one.environment) for one in found)) if found else len(HEADS[0])
    widths = [
        max([names if column == 0 else len(head), *(row[column].cell_len for row in rows)])
        for column, head in enumerate(HEADS)
    ]
    yield _line([Text(head, style="bold") for head in HEADS], widths)
    lookups = iter(rows)
    for one in found:
        if one.problem is None:
            yield _line(next(lookups), widths)
            continue
        yield Text(f"{one.environment:<{widths[0]}}  could not be looked at: {one.problem}", style="red")
        if one.remedy:
            yield Text(f"{'':<{widths[0]}}  {one.remedy}", style="dim")


def _line(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len + 2))
    line.rstrip()
    return line


def _cells(one: EnvironmentStatus, now: datetime) -> list[Text]:
    return [Text(one.environment), _commit(one), _pending(one), _drift(one), _last(one, now)]


def _commit(one: EnvironmentStatus) -> Text:
    if one.commit is None:
        return Text("not in Git" if one.applied_at else "never applied", style="dim")
    cell = Text(one.commit[:12])
    if one.dirty:
        cell.append(" and uncommitted changes", style=_OPEN)
    if one.behind:
        cell.append(f", {one.behind} behind", style="dim")
    if one.release:
        cell.append(
            " (pinned)" if one.commit.startswith(one.release) else f" (pinned: {one.release[:12]})", style="dim"
        )
    return cell


def _pending(one: EnvironmentStatus) -> Text:
    errors = f", {one.errors} error{'' if one.errors == 1 else 's'}" if one.errors else ""
    if not one.pending:
        return Text(f"none{errors}", style="red" if errors else "green")
    return Text(f"{one.pending} change{'' if one.pending == 1 else 's'}{errors}", style="red" if errors else _OPEN)


def _drift(one: EnvironmentStatus) -> Text:
    return (
        Text(f"{one.drift} object{'' if one.drift == 1 else 's'}", style=_OPEN) if one.drift else Text("none", "green")
    )


def _last(one: EnvironmentStatus, now: datetime) -> Text:
    cell = Text()
    if one.applied_at is not None:
        cell.append(f"{ago(one.applied_at, now)} by {one.applied_by}")
        if one.not_proven:
            cell.append(f", {plural(one.not_proven, 'check')} not proven", style=_OPEN)
        if one.unproven:
            cell.append(f", {plural(one.unproven, 'smoke test')} not passed", style=_OPEN)
        if one.exit_code and not (one.unproven or one.not_proven):
            cell.append(", not completed", style=_OPEN)
    if one.locked_by:
        cell.append(f"{'; ' if cell else ''}{one.locked_by} is applying now", style=_OPEN)
    return cell
