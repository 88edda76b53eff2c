"""The kill matrix: every exchange of every scenario, each position, and what comes of it.

For each case a fresh copy of a prepared org is served by a process of its own. A first process applies and is
killed; a second one applies again, after ``unlock`` or, in every other case, when the lock has run out. The end
must be that of an undisturbed run.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partialmethod
from pathlib import Path

from killing import endstate
from killing.endstate import EndState
from killing.exchanges import Death, Position
from killing.processes import Serving, serving
from killing.scenarios import ORG_DATA, Prepared, Scenario, prepare, start_commands
from reconciler.ledger import FileLedger, Ledger, OrgLedger

SAVED_ENDS = {0, 1, 3, 4}
"""How a saved plan may end that is applied once more: refused, in part or whole, but never without an answer."""


@dataclass(frozen=True)
class Case:
    """One death, and how the lock that it left is dealt with."""

    scenario: int
    death: Death
    unlock: bool
    """Whether the lock is dropped; else the next apply comes when it has run out."""


@dataclass
class Undisturbed:
    """A scenario and how it ends when nobody dies."""

    prepared: Prepared
    end: EndState
    exchanges: tuple[str, ...]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.prepared.scenario.name}, {self.prepared.ledger} ledger"


@dataclass
class Outcome:
    """What came of one case."""

    case: str
    struck: bool
    """The process was killed or suspended where it should be."""
    problems: list[str] = field(default_factory=list)
    superfluous: int = 0
    """Most versions that one flow has more than after an undisturbed run."""


@dataclass(frozen=True)
class Figures:
    """The whole matrix."""

    exchanges: int
    cases: int
    struck: int
    converged: int
    superfluous: int
    seconds: float
    failures: list[Outcome]


def undisturbed(scenario: Scenario, ledger: str, folder: Path, *, concurrency: int = 1) -> Undisturbed:
    """Prepares a scenario and runs it once without harm."""
    prepared = prepare(scenario, ledger, folder / "prepared", concurrency=concurrency)
    case = prepared.copy(folder / "undisturbed")
    with serving(case / ORG_DATA) as org:
        plan_if_saved(prepared, case, org)
        ended = start_commands(case, org, scenario.commands).wait()
        assert ended.codes == (0,), ended.said
        after = start_commands(case, org, [["plan", "--detailed-exitcode"], ["drift"]]).wait()
        assert after.codes == (0, 0), after.said
    end = endstate.read(case / ORG_DATA, ledger_file(prepared, case))
    assert not end.problems, end.problems
    return Undisturbed(prepared, end, ended.exchanges)


def cases_of(whole: Sequence[Undisturbed]) -> Iterator[Case]:
    """Every exchange, each position; the way out of the lock alternates."""
    for number, item in enumerate(whole):
        for exchange in range(1, len(item.exchanges) + 1):
            for turn, position in enumerate(Position):
                yield Case(number, Death(exchange, position), unlock=(exchange + turn) % 2 == 0)


def random_cases(whole: Sequence[Undisturbed], count: int, seed: int) -> Iterator[Case]:
    """Moments by chance, for runs whose exchanges come in no fixed order."""
    pick = random.Random(seed)
    for _ in range(count):
        number = pick.randrange(len(whole))
        exchange = pick.randint(1, len(whole[number].exchanges))
        yield Case(number, Death(exchange, pick.choice(list(Position))), unlock=pick.random() < 0.5)


def run_case(item: Undisturbed, case: Case, folder: Path) -> Outcome:
    """Kills, applies again, and compares."""
    prepared, scenario, death = item.prepared, item.prepared.scenario, case.death
    route = item.exchanges[death.exchange - 1]
    way = "unlock" if case.unlock else "expiry"
    outcome = Outcome(f"{item.title}: {death.position} exchange {death.exchange} ({route}), {way}", struck=False)
    copy = prepared.copy(folder)
    with serving(copy / ORG_DATA) as org:
        plan_if_saved(prepared, copy, org)
        first = start_commands(copy, org, scenario.commands, death=death).wait()
        outcome.struck = first.killed
        if not first.killed:
            outcome.problems.append(f"was not killed: {first.codes}\n{first.said}")
        outcome.problems += journal_problems(copy / "repository/.reconciler/runs/test")
        saved = [scenario.commands[0]] if scenario.saved else []
        unlock = [["unlock", "--yes"]] if case.unlock else []
        later = start_commands(
            copy, org, [*unlock, *saved, scenario.again], beforehand=do_nothing if case.unlock else an_hour_later
        ).wait()
        codes = list(later.codes)
        if unlock and codes.pop(0) != 0:
            outcome.problems.append(f"unlock failed:\n{later.said}")
        if saved and codes.pop(0) not in SAVED_ENDS:
            outcome.problems.append(f"the saved plan failed:\n{later.said}")
        if codes != [0]:
            outcome.problems.append(f"the second apply ended with {codes}:\n{later.said}")
        outcome.problems += unsettled(copy, org)
    judge(item, copy, outcome, allowed=1)
    return outcome


def unsettled(case: Path, org: Serving) -> list[str]:
    """What plan, drift and unlock find where all should be done."""
    after = start_commands(case, org, [["plan", "--detailed-exitcode"], ["drift"], ["unlock"]]).wait()
    return [] if after.codes == (0, 0, 0) else [f"plan, drift and unlock ended with {after.codes}:\n{after.said}"]


def judge(item: Undisturbed, case: Path, outcome: Outcome, *, allowed: int) -> None:
    """Compares the end with the undisturbed one; a case without problems is cleared away."""
    end = endstate.read(case / ORG_DATA, ledger_file(item.prepared, case))
    outcome.problems += [*end.problems, *differences(item.end, end)]
    outcome.superfluous = max(
        (count - item.end.versions.get(flow, 0) for flow, count in end.versions.items()), default=0
    )
    if outcome.superfluous > allowed:
        outcome.problems.append(f"superfluous versions: {end.versions} instead of {item.end.versions}")
    if not outcome.problems:
        shutil.rmtree(case)


def run_all(
    whole: Sequence[Undisturbed], jobs: Sequence[Callable[[Path], Outcome]], folder: Path, workers: int
) -> Figures:
    """Runs all cases, each in a folder of its own, shared out among forked workers."""
    started = time.monotonic()
    reports = [folder / f"worker-{number}.jsonl" for number in range(workers)]
    pids = []
    for number, report in enumerate(reports):
        pid = os.fork()
        if pid == 0:
            _work(jobs[number::workers], folder / f"cases-{number}", report)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    outcomes = [Outcome(**json.loads(line)) for report in reports for line in report.read_text().splitlines()]
    return Figures(
        exchanges=sum(len(item.exchanges) for item in whole),
        cases=len(jobs),
        struck=sum(outcome.struck for outcome in outcomes),
        converged=sum(not outcome.problems for outcome in outcomes),
        superfluous=max((outcome.superfluous for outcome in outcomes), default=0),
        seconds=time.monotonic() - started,
        failures=[outcome for outcome in outcomes if outcome.problems],
    )


def _work(jobs: Sequence[Callable[[Path], Outcome]], folder: Path, report: Path) -> None:
    """One worker's share, in a process that ends here."""
    with report.open("a", encoding="utf-8") as file:
        for number, job in enumerate(jobs):
            try:
                outcome = job(folder / str(number))
            except BaseException:  # noqa: BLE001 - a case that breaks the harness is a case that failed
                outcome = Outcome(f"case {number} of a worker", struck=False, problems=[traceback.format_exc()])
            file.write(json.dumps(asdict(outcome)) + "\n")
            file.flush()
    os._exit(0)


def journal_problems(folder: Path) -> list[str]:
    """Journals of which more than the last line cannot be read."""
    found = []
    for path in sorted(folder.glob("*.jsonl")) if folder.exists() else []:
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            try:
                json.loads(line)
            except ValueError:
                found.append(f"{path.name} holds the line {line!r}")
    return found


def do_nothing() -> None:
    """Nothing is different in the new process."""


def an_hour_later() -> None:
    """The new process lives in a time when every lock left behind has run out."""
    for ledger in (FileLedger, OrgLedger):
        ledger.now = partialmethod(_later, ledger.now)


def _later(ledger: Ledger, now: Callable[[Ledger], datetime]) -> datetime:
    return now(ledger) + timedelta(hours=1)


def plan_if_saved(prepared: Prepared, case: Path, org: Serving) -> None:
    """Saves the plan that the scenario applies."""
    if prepared.scenario.saved:
        planned = start_commands(case, org, [["plan", "--prune", "--out", "plan.json"]]).wait()
        assert planned.codes == (0,), planned.said


def ledger_file(prepared: Prepared, case: Path) -> Path | None:
    """Where the ledger is, None for one in the org."""
    return case / "repository/.reconciler/ledger/test.json" if prepared.ledger == "file" else None


def differences(wanted: EndState, found: EndState) -> list[str]:
    """What is not as it should be."""
    return [
        f"{part}: {found.told[part]} instead of {expected}"
        for part, expected in wanted.told.items()
        if found.told[part] != expected
    ]
