"""Runs smoke tests: launches workflows in the org, waits for their end, and compares it with what is expected."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.engine.concurrency import together
from reconciler.engine.expectations import compare
from reconciler.engine.observe import check_org
from reconciler.engine.smoke_report import STATUS, Check, SmokeOutcome, SmokeReport, SmokeResult
from reconciler.engine.workspace import Workspace
from reconciler.globs import matches
from reconciler.kinds.base import Live
from reconciler.kinds.registry import kind_of
from reconciler.platform import AuthenticationFailed, Execution, Platform
from reconciler.problems import ReconcilerError
from reconciler.specs import Masker, SmokeTest, with_secrets
from reconciler.suggest import near

NAME = "Smoke test: {name}"
"""What people see an execution called in the org."""
LOST = "Not started, because the org does not let us in any more."
STOPPED = "Not started, because the run was stopped."
LEFT = "The run was stopped before it ended; it goes on in the org."
STOP_SECONDS = 0.5
"""How soon somebody who stops the run is heard."""


class Listener(Protocol):
    """Told about the tests as they go."""

    def smoke_started(self, org: str, count: int, of: int) -> None:
        """So many of all tests are going to be run."""

    def smoke_ended(self, result: SmokeResult) -> None:
        """A test has its outcome."""


class NoSmokeTestError(ReconcilerError):
    """No test is there to be run, or none of the name that was asked for."""


class SecretsMissingError(ReconcilerError):
    """Tests that are to be run use secrets that are not set here; nothing was launched."""


def chosen_tests(workspace: Workspace, names: Sequence[str]) -> tuple[SmokeTest, ...]:
    """The tests whose names match one of the globs; all of them where there are no globs.

    Raises:
        NoSmokeTestError: there are no tests, or a glob matches none of them.
    """
    tests = workspace.catalog.smoke_tests
    if not tests:
        raise NoSmokeTestError(
            "There are no smoke tests beside the specs.",
            remedy="Write some below tests/, each with the root key `smokeTest:`; see docs/smoke-tests.md.",
        )
    known = [test.name for test in tests]
    for pattern in names:
        if not any(matches(name, (pattern,)) for name in known):
            listed = f"There are: {', '.join(known[:20])}."
            raise NoSmokeTestError(f"No smoke test is named {pattern!r}.", remedy=f"{near(pattern, known)}{listed}")
    return tuple(test for test in tests if not names or matches(test.name, names))


def refuse_missing_secrets(workspace: Workspace, tests: Iterable[SmokeTest]) -> None:
    """Makes sure that every secret of these tests has a value here.

    Raises:
        SecretsMissingError: the findings name each variable to be set.
    """
    used = {name for test in tests for name in test.secrets}
    findings = workspace.missing_secrets(used)
    if findings:
        raise SecretsMissingError("Secrets that the smoke tests use are not set here.", findings=findings)


AT_ONCE = 4
"""Workflows that run in the org at the same time; unlike publishing, they reach into other systems."""


@dataclass
class SmokeRun:
    """One run over some tests, several at a time (``AT_ONCE``, fewer where ``concurrency`` of the environment is)."""

    workspace: Workspace
    platform: Platform
    tests: Sequence[SmokeTest]
    listener: Listener
    stopping: Callable[[], bool] = lambda: False
    """Whether to start nothing more."""
    _flows: dict[str, asyncio.Future[Live | None]] = field(default_factory=dict)
    _lost: bool = False

    def __post_init__(self) -> None:
        self._mask = Masker(self.workspace.secrets)

    async def run(self) -> SmokeReport:
        """Runs the tests; what goes wrong with one of them is its result and does not keep the others.

        Raises:
            WrongOrgError: the credentials belong to another org than the environment names.
            SecretsMissingError: a test uses a secret that is not set here.
        """
        refuse_missing_secrets(self.workspace, self.tests)
        started = time.monotonic()
        identity = await self.platform.organization()
        check_org(identity, self.workspace.environment.org.id)
        if self.tests:
            self.listener.smoke_started(identity.name, len(self.tests), len(self.workspace.catalog.smoke_tests))
        gate = asyncio.Semaphore(min(AT_ONCE, self.workspace.environment.concurrency))
        results = await together(self._in_turn(gate, test) for test in self.tests)
        return SmokeReport(
            environment=self.workspace.environment.name,
            org=identity.name,
            results=tuple(results),
            of=len(self.workspace.catalog.smoke_tests),
            seconds=time.monotonic() - started,
        )

    async def _in_turn(self, gate: asyncio.Semaphore, test: SmokeTest) -> SmokeResult:
        async with gate:
            started = time.monotonic()
            result = await self._one(test)
            result = result.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
        self.listener.smoke_ended(result)
        return result

    async def _one(self, test: SmokeTest) -> SmokeResult:
        if self._lost or self.stopping():
            return self._not_run(test, LOST if self._lost else STOPPED, None)
        execution: str | None = None
        try:
            flow = await self._flow(test.flow)
            if flow is None or flow.version is None:
                return self._absent(test, flow)
            inputs = self._filled(test, test.inputs)
            execution = await self.platform.executions.launch(flow.id, inputs, name=NAME.format(name=test.name))
            ended = await self._ended(execution, test.timeout)
            return self._judged(test, ended) if ended else self._not_run(test, LEFT, None, execution)
        except ReconcilerError as error:
            self._lost = self._lost or isinstance(error, AuthenticationFailed)
            return self._not_run(test, error.message, error.remedy, execution)
        except Exception as error:  # noqa: BLE001 - whatever befell one test, the others are run and reported
            return self._not_run(test, f"Unexpected: {type(error).__name__}: {error}", None, execution)

    async def _ended(self, execution: str, within: float) -> Execution | None:
        """The execution once it has ended or its time is over; None where the run is stopped before."""
        waiting = asyncio.ensure_future(self.platform.executions.ended(execution, within=within))
        try:
            while not self.stopping():
                if (await asyncio.wait({waiting}, timeout=STOP_SECONDS))[0]:
                    return waiting.result()
            return None
        finally:
            waiting.cancel()

    async def _flow(self, address: str) -> Live | None:
        """The workflow as it is in the org; asked once for all its tests."""
        if address not in self._flows:
            kind, _, name = address.partition("/")
            self._flows[address] = asyncio.ensure_future(kind_of(kind).find(self.platform, kind, name))
        return await self._flows[address]

    def _filled(self, test: SmokeTest, tree: Any) -> Any:
        """The tree with the values of secrets in place of their placeholders."""
        values = {name: self.workspace.secrets.get(name) for name in test.secrets}
        return with_secrets(tree, {name: value for name, value in values.items() if value is not None})

    def _judged(self, test: SmokeTest, execution: Execution) -> SmokeResult:
        ended_so = test.status == execution.status
        checks = [Check(subject=STATUS, expected=test.status, actual=execution.status, met=ended_so)]
        if ended_so:
            outputs = execution.output_data or {}
            wanted = [(expectation, self._filled(test, expectation.value)) for expectation in test.outputs]
            checks += [compare(expectation, value, outputs, self._mask) for expectation, value in wanted]
        late = None if execution.has_ended else f"It did not end within {test.timeout} seconds."
        info = execution.flow_error_info
        return self._result(
            test,
            SmokeOutcome.PASSED if all(check.met for check in checks) else SmokeOutcome.FAILED,
            checks=tuple(checks),
            execution=execution.id,
            version=execution.flow_version.id if execution.flow_version else None,
            error=self._mask.mask(str(info)) if info else None,
            message=late,
            remedy="Give it more time with `timeout:`, or see in Architect what it waits for." if late else None,
        )

    def _absent(self, test: SmokeTest, flow: Live | None) -> SmokeResult:
        environment = self.workspace.environment.name
        what = "is not in the org" if flow is None else "is in the org, but not published"
        return self._not_run(test, f"{test.flow} {what}.", f"Run `reconciler apply --env {environment}` first.")

    def _not_run(self, test: SmokeTest, message: str, remedy: str | None, execution: str | None = None) -> SmokeResult:
        message = self._mask.mask(message)
        return self._result(test, SmokeOutcome.NOT_RUN, message=message, remedy=remedy, execution=execution)

    def _result(self, test: SmokeTest, outcome: SmokeOutcome, **more: Any) -> SmokeResult:
        return SmokeResult(name=test.name, flow=test.flow, file=test.file, line=test.line, outcome=outcome, **more)
