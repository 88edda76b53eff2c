"""The estate that the fault matrix applies: every kind created, changed, moved, republished and deleted at once."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

ORG_ID = "3b7d1c52-0f5e-4d0a-9a86-0d5f6f6a4f01"
SEED = f"""\
organization: {{id: {ORG_ID}, name: Test Org}}
divisions: [Business]
queues: [Sales]
users: [Ann Smith]
didPools:
  - {{start: "+4570100000", end: "+4570109999"}}
"""
DRIFTED = "Support"
"""The flow that somebody edits by hand between the two states."""


def flow(
    name: str, *, says: str = "Hello.", module: str | None = None, queue: str | None = None, division: str | None = None
) -> str:
    """A small call flow."""
    actions = []
    if module:
        actions.append(
            f"callCommonModule: {{name: Call, commonModule: {{{module}: {{ver_latestPublished: {{none: true}}}}}}}}"
        )
    if queue:
        actions.append(f"transferToAcd: {{name: Transfer, targetQueue: {{lit: {{name: {queue}}}}}}}")
    actions.append("disconnect: {name: Disconnect}")
    listed = "".join(f"          - {action}\n" for action in actions)
    return f"""\
inboundCall:
  name: {name}
{f"  division: {division}" if division else "  description: A flow"}
  defaultLanguage: en-us
  startUpRef: "/inboundCall/tasks/task[Main_10]"
  supportedLanguages: {{en-us: {{defaultLanguageSkill: {{noValue: true}}}}}}
  initialGreeting: {{tts: "{says}"}}
  tasks:
    - task:
        name: Main
        refId: Main_10
        actions:
{listed}"""


def module(name: str, says: str = "One moment.") -> str:
    """A small common module."""
    return f"""\
commonModule:
  name: {name}
  supportedLanguages: {{en-us: {{none: true}}}}
  settingsCommonModule: {{compatibleFlowTypes: [{{flowType: inboundcall}}]}}
  startUpTaskActions:
    - playAudio: {{name: Play Audio, audio: {{tts: "{says}"}}}}
    - endTask: {{name: End Task}}
"""


def _schedule(name: str, hour: int) -> str:
    return (
        f'schedule: {{name: {name}, start: "2026-01-05T{hour:02}:00:00.000", end: "2026-01-05T20:00:00.000", '
        'rrule: "FREQ=WEEKLY;BYDAY=MO,TU"}\n'
    )


def _group(name: str, schedule: str, zone: str) -> str:
    return f"scheduleGroup: {{name: {name}, timeZone: {zone}, openSchedules: [{schedule}]}}\n"


def _ivr(name: str, number: int, flow: str, group: str, description: str = "A line") -> str:
    return (
        f'ivr: {{name: {name}, description: {description}, dnis: ["+457010000{number}"], openHoursFlow: {flow}, '
        f"closedHoursFlow: {flow}, scheduleGroup: {group}}}\n"
    )


BEFORE: Mapping[str, str] = {
    "shared/greeter.yaml": module("Greeter"),
    "flows/sales.yaml": flow("Sales", module="Greeter", queue="Sales"),
    "flows/support.yaml": flow(DRIFTED),
    "flows/old.yaml": flow("Old"),
    "flows/day.yaml": _schedule("Day", 8),
    "flows/old-day.yaml": _schedule("Old Day", 8),
    "flows/hours.yaml": _group("Hours", "Day", "Europe/Copenhagen"),
    "flows/old-hours.yaml": _group("Old Hours", "Old Day", "Europe/Copenhagen"),
    "flows/line.yaml": _ivr("Line", 1, "Sales", "Hours"),
    "flows/old-line.yaml": _ivr("Old Line", 2, "Old", "Old Hours"),
}
AFTER: Mapping[str, str] = {
    "shared/greeter.yaml": module("Greeter", says="One moment, please."),
    "shared/closer.yaml": module("Closer"),
    "flows/sales.yaml": BEFORE["flows/sales.yaml"],
    "flows/support.yaml": flow(DRIFTED, division="Business"),
    "flows/late.yaml": flow("Late", module="Closer"),
    "flows/day.yaml": _schedule("Day", 9),
    "flows/night.yaml": _schedule("Night", 18),
    "flows/hours.yaml": _group("Hours", "Day", "Europe/London"),
    "flows/night-hours.yaml": _group("Night Hours", "Night", "Europe/London"),
    "flows/line.yaml": _ivr("Line", 1, "Sales", "Hours", "The line"),
    "flows/night-line.yaml": _ivr("Night Line", 3, "Late", "Night Hours"),
}


def write(root: Path, specs: Mapping[str, str], url: str) -> None:
    """Writes a repository of these specs alone, with an environment ``test`` for the org."""
    for folder in ("shared", "flows", "environments"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for old in (root / folder).iterdir():
            old.unlink()
    for path, text in specs.items():
        (root / path).write_text(text, encoding="utf-8")
    (root / "environments/test.yaml").write_text(
        textwrap.dedent(f"""\
        org: {{api_url: "{url}", login_url: "{url}", requests_per_minute: 1000000}}
        """),
        encoding="utf-8",
    )
