"""The words of a notification, the same in every chat; how they are dressed up is the chat's own matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.engine.document import Action
from reconciler.engine.outcome import Outcome
from reconciler.notify.document import Notification, ToldChange, ToldRollback
from reconciler.report.words import plural, utc

LINE = 300
"""Characters of a line, so that one name cannot push out all the others."""
NUMBERS_SHOWN = 3
GOOD, BAD, PLAIN = "good", "attention", "default"
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPUBLISH: "republished",
    Action.ADOPT: "adopted",
    Action.DELETE: "deleted",
}


@dataclass(frozen=True)
class Section:
    """A list below its title."""

    title: str
    lines: tuple[str, ...]
    left_out: int
    """How many more the document does not hold."""


@dataclass(frozen=True)
class Message:
    """What a chat shows. Every text may hold what others wrote, so a chat must take none of it for markup."""

    headline: str
    tone: str
    facts: tuple[tuple[str, str], ...]
    """Label, which is ours, and value."""
    sections: tuple[Section, ...]
    link: str | None


def message_of(told: Notification) -> Message:
    """The words for one notification."""
    return Message(
        headline=_line(headline(told)),
        tone={"applied": GOOD, "failed": BAD, "rolled-back": BAD, "drift": BAD}.get(told.event, PLAIN),
        facts=tuple((label, _line(value)) for label, value in _facts(told) if value),
        sections=tuple(section for section in _sections(told) if section.lines),
        link=told.link,
    )


def headline(told: Notification) -> str:
    """What happened and where, in a line."""
    where, changes = told.environment, plural(told.planned.pending if told.planned else 0, "change")
    match told.event:
        case "planned":
            return f"{where}: {'a rollback of ' if told.rollback else ''}{changes} planned"
        case "started":
            return f"{where}: {'rolling back' if told.rollback else 'applying'} {changes}"
        case "applied":
            return f"{where}: {plural(told.outcome.applied if told.outcome else 0, 'change')} applied"
        case "failed":
            return f"{where}: {_failed(told)}"
        case "rolled-back":
            undone = plural(told.outcome.applied if told.outcome else 0, "change")
            rest = ", but not everything" if told.failures or (told.rollback and told.rollback.left) else ""
            return f"{where}: rolled back, {undone} taken back{rest}"
        case "drift":
            count = len(told.drift) + told.left_out.drift
            return f"{where}: {plural(count, 'object')} changed by hand in the org"
        case "test":
            return f"{where}: a test, nothing has happened"


def _failed(told: Notification) -> str:
    counts = told.outcome
    if counts is None:
        return "a run did not come to its end"
    ended = [
        f"{number} {word}"
        for number, word in (
            (counts.applied, "applied"),
            (counts.failed, "failed"),
            (counts.skipped, "skipped"),
            (counts.not_started, "not started"),
        )
        if number
    ]
    what = ", ".join(ended) or "nothing applied"
    done = not (counts.failed or counts.skipped or counts.not_started)
    return f"{what}, but not proven" if done and told.failures else what


def _facts(told: Notification) -> Iterator[tuple[str, str]]:
    yield "Org", told.org.name if told.org else ""
    yield "Who", told.who
    yield "When", utc(told.at)
    if told.source and told.source.commit:
        release = f"release {told.source.release}, " if told.source.release else ""
        yield (
            "Specs",
            f"{release}commit {told.source.commit[:12]}{' and uncommitted changes' if told.source.dirty else ''}",
        )
    yield "Run", told.run or ""
    if told.rollback:
        yield "Took back" if told.rollback.run else "Went back to", _back(told.rollback)
    yield "Outside of windows because", told.override or ""
    yield "Why", told.reason or ""
    if told.seconds is not None:
        yield "Took", f"{told.seconds:.0f} s"


def _back(rollback: ToldRollback) -> str:
    what = f"run {rollback.run}" if rollback.run else f"commit {(rollback.commit or '')[:12]}"
    return f"{what}, only {', '.join(rollback.addresses)}" if rollback.addresses else what


def _sections(told: Notification) -> Iterator[Section]:
    yield Section("Failed", tuple(_lines(_with(f.name, f.message) for f in told.failures)), told.left_out.failures)
    yield Section("Not as it was", tuple(_lines(told.rollback.left if told.rollback else ())), 0)
    if told.event != "drift":
        yield Section("Changes", tuple(_lines(map(_change, told.changes))), told.left_out.changes)
        ivrs = (f"{ivr.address}: {_numbers(ivr.numbers)}" for ivr in told.ivrs)
        yield Section("Callers reach this through", tuple(_lines(ivrs)), told.left_out.ivrs)
    drift = (
        f"{each.address}: version {each.recorded_version or 'unknown'} was applied, "
        f"{each.live_version or 'none'} is live{f', by {each.published_by}' if each.published_by else ''}"
        for each in told.drift
    )
    yield Section("Changed by hand", tuple(_lines(drift)), told.left_out.drift)


def _change(change: ToldChange) -> str:
    match change.outcome:
        case None:
            return f"{change.action.value} {change.address}"
        case Outcome.APPLIED:
            versions = [version for version in (change.version_before, change.version_after) if version]
            shown = f" ({' → '.join(versions)})" if versions and change.action is not Action.DELETE else ""
            return f"{_DONE[change.action]} {change.address}{shown}"
        case other:
            return f"{other.value.replace('-', ' ')}: {change.action.value} {change.address}"


def _numbers(numbers: tuple[str, ...]) -> str:
    more = len(numbers) - NUMBERS_SHOWN
    return ", ".join(numbers[:NUMBERS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _with(name: str, message: str | None) -> str:
    return f"{name}: {message}" if message else name


def _lines(texts: Iterable[str]) -> Iterator[str]:
    return map(_line, texts)


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"
