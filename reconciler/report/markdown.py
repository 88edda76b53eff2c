"""A plan as Markdown: counts, then one section a change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from reconciler.engine.document import Action, Difference, Plan, Reach
from reconciler.report.text import ivr_text

_SIGNS = {"add": "+", "remove": "-", "change": "!", "move": "!", "rename": "!"}
"""First characters that forges colour in a ``diff`` block."""


def plan_markdown(plan: Plan) -> str:
    """The whole plan as one Markdown document."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"## Plan for `{plan.environment}` (org {_plain(plan.org.name)})"
    yield ""
    yield "| " + " | ".join(action.value for action in Action) + " | unchanged | drifted |"
    yield "|" + "---|" * (len(Action) + 2)
    counts = [str(getattr(plan.summary, action.value)) for action in Action]
    yield f"| {' | '.join(counts)} | {plan.summary.unchanged} | {len(plan.drift)} |"
    ivrs = list(plan.reached_ivrs.values())
    if ivrs:
        yield ""
        yield f"Reaches {len(ivrs)} IVR{'s' if len(ivrs) > 1 else ''}:"
        yield from (f"- {_plain(ivr_text(ivr))}" for ivr in ivrs)
    if plan.findings:
        yield ""
        yield "### Findings"
        for finding in plan.findings:
            where = f" (`{finding.location}`)" if finding.location else ""
            remedy = f" {_plain(finding.remedy)}" if finding.remedy else ""
            yield f"- **{finding.severity.value}** {_plain(finding.message)}{where}{remedy}"
    reach = {one.address: one for one in plan.reach}
    for change in plan.changes:
        yield ""
        yield f"### {change.action.value} `{change.address}`"
        yield from (f"- {_plain(reason)}" for reason in change.reasons)
        if change.depends_on:
            yield f"- after {', '.join(f'`{address}`' for address in change.depends_on)}"
        if change.address in reach and change.action not in (Action.CREATE, Action.ADOPT):
            yield from _reach(reach[change.address])
        yield from _differences(change.diff)
    if plan.drift:
        yield ""
        yield "### Changed in the org since it was applied"
        yield from _drift(plan)


def _reach(reach: Reach) -> Iterator[str]:
    if reach.ivrs:
        yield f"- reaches {'; '.join(_plain(ivr_text(ivr)) for ivr in reach.ivrs)}"
    if reach.unmanaged:
        left = ", ".join(f"`{consumer.address}`" for consumer in reach.unmanaged)
        yield f"- **leaves the old copy** in {left}, which no spec manages"


def drift_markdown(plan: Plan) -> str:
    """Drift alone as a Markdown document."""
    lines = [f"## Drift in `{plan.environment}` (org {_plain(plan.org.name)})", ""]
    lines += _drift(plan) if plan.drift else ["No drift: the org is as it was applied last."]
    return "\n".join(lines) + "\n"


def _drift(plan: Plan) -> Iterator[str]:
    for drift in plan.drift:
        by = f", by {_plain(drift.published_by)}" if drift.published_by else ""
        when = f" at {drift.published_at}" if drift.published_at else ""
        yield f"- `{drift.address}`: {drift.recorded_version} → {drift.live_version}{by}{when}"
        yield from _differences(drift.diff)


def _differences(differences: Iterable[Difference]) -> Iterator[str]:
    listed = list(differences)
    if not listed:
        return
    yield ""
    yield "```diff"
    for difference in listed:
        if difference.text:
            yield f"{_SIGNS[difference.op]} {_one_line(difference.text)}"
            if difference.detail:
                yield f"      {_one_line(difference.detail)}"
            continue
        yield f"  {_one_line(difference.path)}"
        if difference.op != "add":
            yield f"- {_one_line(difference.before)}"
        if difference.op != "remove":
            yield f"+ {_one_line(difference.after)}"
    yield "```"


def _one_line(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\r", "").replace("\n", " ⏎ ").replace("```", "'''")


def _plain(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|").replace("<", "&lt;")
