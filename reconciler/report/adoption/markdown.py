"""Adoption as Markdown, for a ticket, a wiki or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.engine.adoption.document import AdoptionReport, Counts, FlowAdoption, ModuleAdoption
from reconciler.engine.adoption.proportions import Verdict
from reconciler.report.adoption import figures, overview, words
from reconciler.report.adoption.sparks import BLOCKS, axis, share_line, traffic_line

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


def adoption_markdown(report: AdoptionReport) -> str:
    """The document as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: AdoptionReport) -> Iterator[str]:
    yield f"## Adoption in {_safe(report.environment)} (org {_safe(report.org_name)})"
    yield ""
    if report.since is not None:
        since = overview.since_words(report.since, report.time_zone)
        yield f"{_safe(since[:1].upper() + since[1:])}; {overview.window_words(report)}."
        yield ""
    reason = overview.nothing(report)
    if reason:
        yield _safe(reason)
    for sentence, bad in overview.summary(report):
        yield f"- **{_safe(sentence)}**" if bad else f"- {_safe(sentence)}"
    if report.flows:
        yield ""
        noun = words.calls_of(report.flows).capitalize()
        yield f"| Flow | Version | {noun} since | On it | Disconnects | Flow errors |"
        yield "|---|---|--:|--:|---|---|"
        yield from (_row(flow) for flow in report.flows)
    for flow in report.flows:
        yield from _flow(flow, report.time_zone)
    for module in report.modules:
        yield from _module(module)
    untouched = overview.untouched(report)
    if untouched:
        yield ""
        yield untouched


def _row(flow: FlowAdoption) -> str:
    told = flow.after.conversations > 0
    cells = (
        _safe(flow.address),
        _safe(words.versions(flow)),
        f"{flow.after.conversations:,}",
        figures.percent(flow.share),
        words.brief(flow.disconnects) if told else "–",
        words.brief(flow.errors) if told else "–",
    )
    return f"| {' | '.join(cells)} |"


def _flow(flow: FlowAdoption, zone: str) -> Iterator[str]:
    yield ""
    yield f"### {_safe(flow.address)} {_safe(words.versions(flow))}"
    yield ""
    yield f"- {_safe(words.moved(flow, zone))}"
    hints = (words.advice(flow), words.open_calls(flow))
    yield from (f"- {hint}" for hint in hints if hint)
    for sentence, verdict in words.compared(flow):
        yield f"- **{sentence}**" if verdict is Verdict.MORE else f"- {sentence}"
    if not (flow.before.conversations or flow.after.conversations):
        return
    yield ""
    yield f"| Version | | {words.calls(flow).capitalize()} | Disconnects | Flow errors |"
    yield "|---|---|--:|--:|--:|"
    for version, when, counts in words.rows(flow):
        yield (
            f"| {_safe(version)} | {when} | {counts.conversations:,} | {_part(counts.disconnects, counts)} "
            f"| {_part(counts.errors, counts)} |"
        )
    traffic, most = traffic_line(flow, BLOCKS)
    names = (f"on {flow.version}", words.calls(flow))
    width = max(len(name) for name in names)
    yield ""
    yield "```text"
    yield f"{names[0]:<{width}}  {share_line(flow, BLOCKS)}".rstrip()
    yield f"{names[1]:<{width}}  {traffic}  {f'at most {most:,.0f} an hour' if most >= 1 else ''}".rstrip()
    yield f"{'':<{width}}  {axis(flow, zone)}"
    yield "```"


def _part(count: int, counts: Counts) -> str:
    return f"{count:,} ({figures.percent(count / counts.ended if counts.ended else None)})"


def _module(module: ModuleAdoption) -> Iterator[str]:
    yield ""
    yield f"### {_safe(overview.module_words(module))}"
    yield ""
    yield overview.ABOUT_MODULES
    yield ""
    if not module.consumers:
        yield "- no flow that was applied holds it"
    for consumer in module.consumers:
        yield f"- {_safe(consumer.address)} {_safe(overview.holds(consumer, module))}"


def _safe(text: str) -> str:
    """Names as they are, whatever characters they hold; nobody's name makes a link, a mention or a table."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split())).replace("@", "@&#8203;")
