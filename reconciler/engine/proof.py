"""After an apply: runs the smoke tests that the environment asks for.

All of it happens while the run still holds the lock, so that nobody else changes what is being tested.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.engine.circles import reference_edges
from reconciler.engine.document import Action, Plan
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.smoke import Listener, SmokeRun, refuse_missing_secrets
from reconciler.engine.smoke_report import SmokeReport
from reconciler.engine.workspace import Workspace
from reconciler.platform import Platform
from reconciler.specs import Catalog, SmokeTest


@dataclass(frozen=True)
class Proof:
    """The smoke tests of one apply."""

    workspace: Workspace
    platform: Platform
    listener: Listener
    stopping: Callable[[], bool]

    def check(self, plan: Plan) -> None:
        """Refuses a plan whose tests could not be run; better known before anything is applied.

        Raises:
            SecretsMissingError: a test that the plan reaches uses a secret that is not set here.
        """
        refuse_missing_secrets(self.workspace, tests_after(self.workspace, plan.changes))

    async def run(self, results: tuple[Result, ...]) -> SmokeReport | None:
        """What came of the tests; None where the environment asks for no tests."""
        if self.workspace.environment.smoke.after_apply == "off":
            return None
        applied = [result for result in results if result.outcome is Outcome.APPLIED]
        tests = tests_after(self.workspace, applied)
        return await SmokeRun(self.workspace, self.platform, tests, self.listener, self.stopping).run()


class Acting(Protocol):
    """A change of a plan, or its result."""

    @property
    def address(self) -> str: ...

    @property
    def action(self) -> Action: ...


def tests_after(workspace: Workspace, acting: Iterable[Acting]) -> tuple[SmokeTest, ...]:
    """The tests that the environment wants to be run after these changes."""
    catalog = workspace.catalog
    match workspace.environment.smoke.after_apply:
        case "off":
            return ()
        case "all":
            return catalog.smoke_tests
        case "reached":
            # An adopted object stays what it was.
            return _reached(catalog, {each.address for each in acting if each.action is not Action.ADOPT})


def _reached(catalog: Catalog, changed: Collection[str]) -> tuple[SmokeTest, ...]:
    """The tests whose workflow is among the changed addresses, or uses one of them, directly or through others."""
    if not changed or not catalog.smoke_tests:
        return ()
    edges = reference_edges(catalog)
    return tuple(test for test in catalog.smoke_tests if not _needs(test.flow, edges).isdisjoint(changed))


def _needs(address: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    """The address and everything that it uses."""
    found: set[str] = set()
    pending = [address]
    while pending:
        current = pending.pop()
        if current not in found:
            found.add(current)
            pending += edges.get(current, ())
    return found
