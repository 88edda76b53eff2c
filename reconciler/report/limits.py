"""How full an org is, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from reconciler.engine.limits.findings import NEAR
from reconciler.engine.limits.report import LimitLine, LimitsReport


def limits_text(report: LimitsReport) -> Iterator[Text]:
    """A line each limit, those that are counted first; then sizes, and what could not be read."""
    yield Text(f"Limits of {report.org} ({report.environment})", style="bold")
    namespaces = dict.fromkeys(line.namespace or "" for line in report.limits)
    for namespace in namespaces:
        yield Text()
        yield Text(namespace, style="bold")
        lines = [line for line in report.limits if line.namespace == namespace]
        yield from _table(
            sorted(lines, key=lambda line: (line.now is None, line.counts is None, -(line.share or 0), line.key))
        )
    if not report.limits and not report.unread:
        yield Text("The org tells no limits.", style="dim")
    if report.documented:
        yield Text()
        yield Text("Documented for all orgs; this one may have others", style="bold")
        yield from _table(report.documented)
    yield from _sizes(report)
    for name, why in report.unread.items():
        yield Text(f"Could not be read: {name}: {why}", style="yellow")
    if report.missing:
        yield Text(f"The org does not tell {', '.join(report.missing)}.", style="dim")
    if any(line.counts is None for line in report.limits):
        yield Text(
            "A limit that stands alone is compared with nothing: nobody documents what it counts. If you know, say so "
            "in the environment, below `limits: counts:`.",
            style="dim",
        )


def _table(lines: Sequence[LimitLine]) -> Iterator[Text]:
    width = max((len(_name(line)) for line in lines), default=0)
    for line in lines:
        text = Text(f"  {_name(line):<{width}}  {line.value:>9,}")
        if line.now is not None:
            share = line.share or 0.0
            style = "red" if share > 1 else "yellow" if share >= NEAR else "default"
            beside = f"  {line.counts}" if line.key else ""
            text.append(f"  {line.now:>7,} now  {share:>4.0%}{beside}", style=style)
        elif line.counts:
            text.append(f"  {line.counts}", style="dim")
        yield text


def _name(line: LimitLine) -> str:
    return line.key or line.counts or ""


def _sizes(report: LimitsReport) -> Iterator[Text]:
    yield Text()
    yield Text("Largest that are known to have been published", style="bold")
    for size in report.sizes:
        here = f"{size.here / 1000:,.1f} KB here" if size.here else "none noted here yet"
        yield Text(f"  {size.sort:<13}  {here}; a plan warns above {max(size.public, size.here or 0) / 1000:,.0f} KB")
    yield Text()
