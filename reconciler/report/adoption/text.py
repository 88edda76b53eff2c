"""Adoption for a terminal: what matters first, then each flow, then the modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from reconciler.engine.adoption.document import AdoptionReport, Counts, FlowAdoption, ModuleAdoption, Move
from reconciler.engine.adoption.proportions import Comparison, Verdict
from reconciler.report.adoption import figures, overview, words
from reconciler.report.adoption.sparks import ASCII, BLOCKS, Ink, axis, share_line, traffic_line

FULL = 3
"""Flows up to which each is shown in full, also one with nothing to look at."""
_MOVES = {
    Move.MOVED: "green",
    Move.MOVING: "yellow",
    Move.NOT_MOVED: "bold red",
    Move.SUPERSEDED: "yellow",
}
_VERDICTS = {Verdict.MORE: "bold red", Verdict.FEWER: "green", Verdict.TOO_FEW: "dim"}


def adoption_text(report: AdoptionReport, *, blocks: bool = True) -> Iterator[Text]:
    """The document, line by line; without ``blocks`` in ASCII, but for names."""
    ink = BLOCKS if blocks else ASCII
    for line in _lines(report, ink):
        yield line if blocks else _plain(line, ink)


def _plain(line: Text, ink: Ink) -> Text:
    """The line in ASCII; each part keeps its style."""
    plain = Text()
    for part in line.divide(sorted({edge for span in line.spans for edge in (span.start, span.end)})):
        style = part.spans[0].style if part.spans else line.style
        plain.append(part.plain.translate(ink.plain), style=style)
    return plain


def _lines(report: AdoptionReport, ink: Ink) -> Iterator[Text]:
    yield Text(f"Adoption in {report.environment} · org {report.org_name}", style="bold")
    if report.since is not None:
        yield Text(f"  {overview.since_words(report.since, report.time_zone)}", style="dim")
        yield Text(f"  {overview.window_words(report)}", style="dim")
    reason = overview.nothing(report)
    if reason:
        yield Text(reason)
    if len(report.flows) > 1:
        for sentence, bad in overview.summary(report):
            yield Text(f"  {sentence}", style="bold red" if bad else "")
    full = [flow for flow in report.flows if len(report.flows) <= FULL or not flow.settled]
    for flow in full:
        yield Text()
        yield from _flow(flow, report, ink)
    rest = [flow for flow in report.flows if flow not in full]
    if rest:
        yield Text()
        yield from _table(rest)
    for module in report.modules:
        yield Text()
        yield from _module(module)
    untouched = overview.untouched(report)
    if untouched:
        yield Text()
        yield Text(untouched, style="dim")


def _flow(flow: FlowAdoption, report: AdoptionReport, ink: Ink) -> Iterator[Text]:
    head = Text(flow.address, style="bold")
    head.append(f"  {words.versions(flow)}", style="default")
    yield head
    yield Text(f"  {words.moved(flow, report.time_zone)}", style=_MOVES.get(flow.move, "default"))
    for hint in (words.advice(flow), words.open_calls(flow)):
        if hint:
            yield Text(f"  {hint}", style="dim")
    for sentence, verdict in words.compared(flow):
        yield Text(f"  {sentence}", style=_VERDICTS.get(verdict, "default"))
    if flow.before.conversations or flow.after.conversations:
        yield Text()
        yield from _counts(flow)
        yield Text()
        yield from _charts(flow, report.time_zone, ink)


def _counts(flow: FlowAdoption) -> Iterator[Text]:
    found = list(words.rows(flow))
    width = max(len("version"), *(len(version) for version, _, _ in found))
    noun = words.calls(flow)
    column = max(len(noun), 9)
    yield Text(
        f"  {'version':<{width}}  {'':<6}  {noun:>{column}}  {'disconnects':>18}  {'flow errors':>18}", style="dim"
    )
    for version, when, counts in found:
        yield Text(
            f"  {version:<{width}}  {when:<6}  {counts.conversations:>{column},}  "
            f"{_part(counts.disconnects, counts)}  {_part(counts.errors, counts)}"
        )


def _part(count: int, counts: Counts) -> str:
    share = count / counts.ended if counts.ended else None
    return f"{count:>7,}{figures.percent(share):>11}"


def _charts(flow: FlowAdoption, zone: str, ink: Ink) -> Iterator[Text]:
    traffic, most = traffic_line(flow, ink)
    names = (f"on {flow.version}", words.calls(flow))
    width = max(len(name) for name in names)
    latest = "" if flow.latest_share is None else f"  latest {figures.percent(flow.latest_share)}"
    for name, line, note, style in (
        (names[0], share_line(flow, ink), latest, "green"),
        (names[1], traffic, f"  at most {most:,.0f} an hour" if most >= 1 else "", "cyan"),
    ):
        chart = Text(f"  {name:<{width}}  ")
        chart.append(line, style=style)
        chart.append(note, style="dim")
        chart.rstrip()
        yield chart
    yield Text(f"  {'':<{width}}  {axis(flow, zone)}", style="dim")


def _table(flows: Sequence[FlowAdoption]) -> Iterator[Text]:
    """Flows with nothing to look at, one line each."""
    heads = ("flow", "version", f"{words.calls_of(flows)} since", "on it", "disconnects", "flow errors")
    lines = [
        (
            flow.address,
            words.versions(flow),
            f"{flow.after.conversations:,}",
            figures.percent(flow.share),
            _brief(flow, flow.disconnects),
            _brief(flow, flow.errors),
        )
        for flow in flows
    ]
    widths = [max(len(line[column]) for line in (heads, *lines)) for column in range(len(heads))]
    for number, line in enumerate((heads, *lines)):
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        yield Text("  ".join(cells).rstrip(), style="default" if number else "dim")


def _brief(flow: FlowAdoption, found: Comparison) -> str:
    return words.brief(found) if flow.after.conversations else "–"


def _module(module: ModuleAdoption) -> Iterator[Text]:
    yield Text(overview.module_words(module), style="bold")
    yield Text(f"  {overview.ABOUT_MODULES}", style="dim")
    width = max((len(consumer.address) for consumer in module.consumers), default=0)
    for consumer in module.consumers:
        old = consumer.through is None and consumer.holds != module.version
        line = f"  {consumer.address:<{width}}  {overview.holds(consumer, module)}"
        yield Text(line, style="yellow" if old else "default")
    if not module.consumers:
        yield Text("  no flow that was applied holds it")
