"""What is applied: prepared orgs and repositories, so that together every kind of request occurs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import SEED, Org, Repository, connected, flow, module

from killing.processes import Commands, Serving, serving

LEDGERS = ("org", "file")
ORG_DATA = "org.sqlite"
THE_RUN = "run-to-undo"
"""Stands for the id of the run that a rollback is about; a file of that name holds it."""
HOURS = """\
schedule: {{name: Weekdays, start: "2026-01-05T{opens}:00:00.000", end: "2026-01-05T17:00:00.000"}}
---
scheduleGroup: {{name: Hours, timeZone: Europe/Copenhagen, openSchedules: [Weekdays]}}
"""
LINE = """\
ivr:
  name: Line
  description: {about}
  dnis: ["+4570100001"]
  openHoursFlow: Sales
  closedHoursFlow: Support
  scheduleGroup: Hours
"""


@dataclass(frozen=True)
class Scenario:
    """One apply, and what came before it."""

    name: str
    before: Callable[[Repository], None] | None
    """Writes the specs that were applied before; None for an org that was never applied to."""
    meanwhile: Callable[[Org], None]
    """What other people did in the org since."""
    now: Callable[[Repository], None]
    """Writes the specs that the apply in question is about."""
    saved: bool = False
    """The apply is of a saved plan."""
    undone: Callable[[Repository], None] | None = None
    """Writes the specs of a second apply before the one in question, which is a rollback of it."""
    policy: str = ""

    @property
    def commands(self) -> list[list[str]]:
        """The apply that is killed; of a saved plan, it was planned before."""
        return [["apply", "plan.json"]] if self.saved else [self.again]

    @property
    def again(self) -> list[str]:
        """The apply that must reach the end state."""
        if self.undone is not None:
            return ["rollback", THE_RUN, "--auto-approve"]
        return ["apply", "--auto-approve", "--prune"]


def _common(repository: Repository, *, says: str, opens: str, about: str, sales: str = "Hello.") -> None:
    repository.write("shared/greeter.yaml", module("Greeter", says))
    repository.write("shared/hours.yaml", HOURS.format(opens=opens))
    repository.write("flows/sales.yaml", flow("Sales", says=sales, modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter",)))
    repository.write("flows/line.yaml", LINE.format(about=about))


def _first(repository: Repository) -> None:
    _common(repository, says="One moment.", opens="08", about="Sales line")
    repository.write("flows/legacy.yaml", flow("Legacy"))
    repository.write("flows/north.yaml", _in_north(flow("North")))


def _made_by_hand(org: Org) -> None:
    org.make_division("North")
    org.publish(flow("Legacy"))


def _before_update(repository: Repository) -> None:
    _common(repository, says="One moment.", opens="08", about="Sales line")
    for name in ("Edited", "Mover", "Old"):
        repository.write(f"flows/{name.lower()}.yaml", flow(name))
    repository.write("flows/old-line.yaml", 'ivr: {name: Old Line, dnis: ["+4570100002"], openHoursFlow: Old}\n')


def _edited_by_hand(org: Org) -> None:
    _made_by_hand(org)
    org.publish(flow("Edited", says="Changed by hand."))
    (schedule,) = org.get("/architect/schedules", pageSize=100)["entities"]
    changed = {**schedule, "end": "2026-01-05T12:00:00.000"}
    org.send("PUT", f"/architect/schedules/{schedule['id']}", changed).raise_for_status()


def _update(repository: Repository) -> None:
    _common(repository, says="Two moments.", opens="09", about="Sales and support", sales="Good day.")
    repository.write("flows/mover.yaml", _in_north(flow("Mover")))
    repository.write("flows/legacy.yaml", flow("Legacy"))
    repository.write("flows/new.yaml", flow("New"))
    repository.write("flows/new-line.yaml", 'ivr: {name: New Line, dnis: ["+4570100002"], openHoursFlow: New}\n')
    repository.remove("flows/old.yaml")
    repository.remove("flows/old-line.yaml")


def _undone(repository: Repository) -> None:
    _common(repository, says="Two moments.", opens="09", about="Sales and support", sales="Good day.")
    repository.write("flows/edited.yaml", flow("Edited", says="Another word."))
    repository.write("flows/new.yaml", flow("New"))


def _again_as_before(repository: Repository) -> None:
    _before_update(repository)
    repository.remove("flows/new.yaml")


def _division(repository: Repository) -> None:
    with (repository.root / "environments/_base.yaml").open("a", encoding="utf-8") as file:
        file.write("division: North\n")


def _in_north(text: str) -> str:
    return text.replace("  defaultLanguage:", "  division: North\n  defaultLanguage:", 1)


SCENARIOS = (
    Scenario("first", None, _made_by_hand, _first),
    Scenario("update", _before_update, _edited_by_hand, _update),
    Scenario("strict", _before_update, _made_by_hand, _update, policy="policy: {on_drift: fail}\n"),
    Scenario("move", _first, lambda org: None, _division),
    Scenario("rollback", _before_update, _made_by_hand, _again_as_before, undone=_undone),
    Scenario("saved", _before_update, _edited_by_hand, _update, saved=True),
)


@dataclass(frozen=True)
class Prepared:
    """A scenario just before its apply, to be copied for each case."""

    scenario: Scenario
    ledger: str
    template: Path

    def copy(self, to: Path) -> Path:
        """A fresh case: the org's data, the repository with its state, the cache."""
        shutil.copytree(self.template, to)
        return to


def prepare(scenario: Scenario, ledger: str, folder: Path, *, concurrency: int = 1) -> Prepared:
    """Replays what came before once."""
    folder.mkdir(parents=True)
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    repository = Repository(folder / "repository")
    base = f"concurrency: {concurrency}\nledger: {{type: {ledger}}}\n{scenario.policy}"
    repository.write("environments/_base.yaml", base)
    with serving(folder / ORG_DATA, folder / "seed.yaml") as org:
        if scenario.before is not None:
            scenario.before(repository)
            if scenario.before is _first:
                with _client(org) as client:
                    _made_by_hand(client)
            run_commands(folder, org, [["apply", "--auto-approve"]])
        with _client(org) as client:
            scenario.meanwhile(client)
            if scenario.undone is not None:
                scenario.undone(repository)
                run_commands(folder, org, [["apply", "--auto-approve"]])
                (folder / THE_RUN).write_text(_newest_run(repository), encoding="utf-8")
        scenario.now(repository)
    return Prepared(scenario, ledger, folder)


def _newest_run(repository: Repository) -> str:
    journals = (repository.root / ".reconciler/runs/test").glob("*.jsonl")
    return max(journals, key=lambda path: path.stat().st_mtime_ns).stem


def run_commands(folder: Path, org: Serving, commands: list[list[str]], expected: int = 0) -> None:
    """Runs commands that must all end as expected."""
    ended = start_commands(folder, org, commands).wait()
    assert set(ended.codes) == {expected}, ended.said


def start_commands(folder: Path, org: Serving, commands: list[list[str]], **options: object) -> Commands:
    """Starts commands in the repository of a case, against the org that serves its data."""
    repository = folder / "repository"
    if (folder / THE_RUN).exists():
        run = (folder / THE_RUN).read_text(encoding="utf-8")
        commands = [[run if word == THE_RUN else word for word in command] for command in commands]
    (repository / "environments/test.yaml").write_text(
        f"extends: _base\norg: {{api_url: {org.api_url}, login_url: {org.api_url}, requests_per_minute: 1000000}}\n",
        encoding="utf-8",
    )
    variables = {
        "GENESYSCLOUD_OAUTHCLIENT_ID": org.client_id,
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": org.client_secret,
        "RECONCILER_CACHE_DIR": str(folder / "cache"),
    }
    return Commands(repository, commands, variables, **options)


def _client(org: Serving) -> connected:
    return connected(org)
