"""The platform's audit beside ours, for people: what did not come from us in full, what did in short."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from rich.text import Text

from reconciler.engine.audit.comparison import OUTSIDE, Comparison, Entry, Missing
from reconciler.ledger import stamp
from reconciler.report.words import plural

WORDS = {
    "Create": "created",
    "Update": "changed",
    "Delete": "deleted",
    "Publish": "published",
    "Deactivate": "unpublished",
    "Checkout": "checked out",
    "Checkin": "checked in",
    "Save": "saved a draft",
    "Revert": "dropped a draft or lock",
    "Debug": "debugged",
}
"""The platform's actions in plain words; others are shown as they are."""
PROPERTIES_SHOWN = 6


def comparison_text(found: Comparison) -> Iterator[Text]:
    """Counts first, then both sides in the order of time."""
    yield Text(
        f"Platform audit of {found.environment} · org {found.org} · {stamp(found.since)} to {stamp(found.until)}",
        style="bold",
    )
    yield _counts(found)
    for notice in found.notices:
        yield Text(f"  {notice}", style="yellow")
    if found.entries:
        yield Text()
    for run, entries in groupby(found.entries, key=lambda entry: (entry.origin, entry.run)):
        if run[0] == OUTSIDE:
            for entry in entries:
                yield from _outside(entry)
        else:
            yield _ours(list(entries))
    if found.missing:
        yield Text()
        yield Text(
            "Ours, without an event in the platform's audit (events may come some minutes late):", style="yellow"
        )
    for gone in found.missing:
        yield _missing(gone)
    if found.others:
        yield Text(f"{plural(found.others, 'event')} on objects that nobody manages here left out.", style="dim")


def _counts(found: Comparison) -> Text:
    outside = found.outside
    changes = sum(1 for entry in outside if entry.change)
    ours = len(found.entries) - len(outside)
    line = Text(f"  {plural(len(found.entries), 'event')} on managed objects: {ours} ours, ")
    line.append(f"{len(outside)} not ours", style="bold red" if changes else "yellow" if outside else "green")
    if outside:
        line.append(f", of which {changes} changed something")
    if found.missing:
        line.append(f"; {len(found.missing)} of ours without an event", style="yellow")
    return line


def _ours(entries: list[Entry]) -> Text:
    objects = len({entry.address for entry in entries})
    line = Text(f"{_time(entries[0].at)}  ours      ", style="green")
    guess = "" if entries[0].basis == "record" else ", by the ledger alone"
    words = f"run {entries[0].run}: {plural(len(entries), 'event')} on {plural(objects, 'object')}{guess}"
    line.append(words, style="default")
    return line


def _outside(entry: Entry) -> Iterator[Text]:
    style = "bold red" if entry.change else "yellow"
    line = Text(f"{_time(entry.at)}  ", style=style)
    line.append("NOT OURS  ", style=style)
    line.append(f"{entry.address}  {_did(entry)}", style="default")
    yield line
    yield Text(f"{'':31}by {_who(entry)}", style="dim")


def _did(entry: Entry) -> str:
    said = WORDS.get(entry.action, entry.action)
    if entry.version and entry.action == "Publish":
        said = f"{said} version {entry.version}"
    if entry.action == "Update" and entry.properties:
        shown = ", ".join(entry.properties[:PROPERTIES_SHOWN])
        more = len(entry.properties) - PROPERTIES_SHOWN
        said = f"{said}: {shown}{f' and {more} more' if more > 0 else ''}"
    return f"{said} (tried, and was refused)" if entry.refused else said


def _who(entry: Entry) -> str:
    who = entry.who
    parts = [who.user] if who.user else []
    if who.client:
        parts.append(f"OAuth client {who.client}" + (", ours, in no run of ours" if who.our_client else ""))
    return " through ".join(parts) or "somebody whom the platform does not name"


def _missing(gone: Missing) -> Text:
    version = f" version {gone.version}" if gone.version else ""
    return Text(f"{_time(gone.at)}  run {gone.run}: {gone.action} {gone.address}{version}")


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
