"""Asks the org what was counted of the flows, and puts the document together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from reconciler.engine.adoption.counting import flow_adoption
from reconciler.engine.adoption.document import AdoptionReport, Window, Windows
from reconciler.engine.adoption.moments import LONGEST, read_since, read_zone, windows
from reconciler.engine.adoption.subjects import subjects_of
from reconciler.engine.concurrency import together
from reconciler.engine.observe import check_org
from reconciler.engine.workspace import Workspace
from reconciler.ledger import Ledger
from reconciler.platform import FlowCount, Platform


async def measure_adoption(
    workspace: Workspace,
    platform: Platform,
    ledger: Ledger,
    *,
    addresses: Sequence[str] = (),
    since: str | None = None,
    length: timedelta | None = None,
    time_zone: str = "UTC",
) -> AdoptionReport:
    """What callers of the flows met before and after an apply.

    Args:
        workspace: The environment.
        platform: Its org.
        ledger: What was applied to it.
        addresses: Flows or modules, also as globs; empty for all that was applied since.
        since: A run, a moment or a duration, see ``moments.read_since``; None for the last apply.
        length: How long the windows are at most; None for up to now, or ``LONGEST`` after the last apply.
        time_zone: Of moments without an offset, of days, and of what is shown.

    Raises:
        ReconcilerError: something asked for does not exist, or the org refuses.
    """
    zone = read_zone(time_zone)
    org = await platform.organization()
    check_org(org, workspace.environment.org.id)
    known = await ledger.read()
    now, name = platform.now(), workspace.environment.name
    wanted = subjects_of(
        known, addresses, None if since is None else lambda: read_since(since, now, zone, known.runs), name
    )
    report = AdoptionReport(
        environment=name,
        org_id=org.id,
        org_name=org.name,
        time_zone=time_zone,
        since=wanted.since,
        windows=windows(wanted.since, now, length or _usual(since)) if wanted.since else None,
        modules=wanted.modules,
        untouched=wanted.untouched,
    )
    if wanted.since is None or report.windows is None or not wanted.flows:
        return report
    rows = [known.rows[address] for address in wanted.flows]
    before, after = await _counted(platform, [row.object_id for row in rows], report.windows, time_zone)
    flows = [
        flow_adoption(row, wanted.since, report.windows, before[row.object_id], after[row.object_id]) for row in rows
    ]
    flows.sort(key=lambda flow: (not flow.worse, flow.settled, flow.address))
    return report.model_copy(update={"flows": tuple(flows)})


def _usual(since: str | None) -> timedelta | None:
    """Who says since when wants to see it up to now."""
    return LONGEST if since is None else None


async def _counted(
    platform: Platform, ids: Sequence[str], both: Windows, time_zone: str
) -> tuple[dict[str, list[FlowCount]], ...]:
    """What was counted on each side, by the flow's id."""

    async def side(window: Window) -> dict[str, list[FlowCount]]:
        return _by_flow(
            await platform.analytics.flow_counts(
                ids, window.start, window.end, granularity=both.granularity, time_zone=time_zone
            )
        )

    return tuple(await together([side(both.before), side(both.after)]))


def _by_flow(counts: Iterable[FlowCount]) -> dict[str, list[FlowCount]]:
    found: dict[str, list[FlowCount]] = defaultdict(list)
    for count in counts:
        found[count.flow_id].append(count)
    return found
