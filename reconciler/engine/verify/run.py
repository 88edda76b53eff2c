"""One verification: reads the org, runs the checks, and tells what could not be asked as not proven."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from reconciler.engine.concurrency import together
from reconciler.engine.observe import Org, observe_org
from reconciler.engine.verify.copies import CopyChecks
from reconciler.engine.verify.fields import FieldChecks
from reconciler.engine.verify.judging import CopyJudge, modules_of
from reconciler.engine.verify.numbers import HERE, NumberChecks
from reconciler.engine.verify.report import Check, Proof, VerifyReport, What
from reconciler.engine.verify.scope import Subjects, chosen
from reconciler.engine.verify.view import View
from reconciler.engine.verify.waiting import Listener, Waiting
from reconciler.engine.workspace import Workspace
from reconciler.kinds.base import Desired, Kind
from reconciler.kinds.registry import kind_of
from reconciler.platform import Platform, hurrying
from reconciler.problems import ReconcilerError
from reconciler.specs import Masker

REQUEST_SECONDS = 60.0
"""How long one request is tried again at most, unless the timeout is longer: an org may ask for a pause of a minute."""


@dataclass
class Verification:
    """Asks the org whether callers get what the specs say."""

    workspace: Workspace
    platform: Platform
    listener: Listener
    timeout: float
    """Seconds to wait for an org that is behind."""
    stopping: Callable[[], bool] = lambda: False
    """Whether to wait no longer."""

    async def on_demand(self, patterns: Sequence[str]) -> VerifyReport:
        """Verifies what matches, and all around it; the org is read by list calls.

        Raises:
            NothingToVerifyError: nothing matches.
            WrongOrgError: the credentials belong to another org than the environment names.
            PlatformError: the lists of the org could not be read.
        """
        subjects = chosen(self.workspace.catalog, patterns)
        org = await observe_org(self.platform, self.workspace.environment.org.id)
        with self._hurrying():
            return await self._verify(View(self.platform, org), subjects)

    async def after(self, org: Org, subjects: Subjects) -> VerifyReport:
        """Verifies what an apply changed; ``org`` is what the apply knows, of which this reads anew what it needs."""
        view = View(self.platform, Org(org.identity, dict(org.by_address)))
        desired = [self.workspace.catalog.resources[address] for address in subjects.addresses]
        with self._hurrying():
            try:
                await view.refresh(subjects.addresses | set(_needed(desired, view)))
            except ReconcilerError as error:
                return self._report(view, [_unread(each, error) for each in desired], time.monotonic())
            return await self._verify(view, subjects)

    def _hurrying(self) -> AbstractContextManager[None]:
        """The work is done, and others wait for the lock: an org that fails is not asked as long as for a change."""
        return hurrying(max(REQUEST_SECONDS, self.timeout), self.stopping)

    async def _verify(self, view: View, subjects: Subjects) -> VerifyReport:
        started = time.monotonic()
        resources = [self.workspace.catalog.resources[address] for address in sorted(subjects.addresses)]
        self.listener.verify_started(len(resources))
        try:
            checks = await self._checks(view, subjects, resources)
        finally:
            self.listener.verify_ended()
        return self._report(view, checks, started)

    async def _checks(self, view: View, subjects: Subjects, resources: Sequence[Desired]) -> list[Check]:
        name = self.workspace.environment.name
        waiting = Waiting(self.platform, self.timeout, self.stopping, self.listener)
        fields = FieldChecks(view, name)
        found = [check for each in resources for check in await self._guarded(fields, each)]
        there = [each for each in resources if view.live(each.address) is not None]
        found += await self._numbers(NumberChecks(view, name, waiting), there)
        asked = [each for each in there if each.address in subjects.asked and _is_on_air(each, view)]
        asked = [each for each in asked if modules_of(each, view)]
        found += await CopyChecks(CopyJudge(view, name), waiting).of(asked, self._listed(view, subjects, asked))
        return found

    def _listed(self, view: View, subjects: Subjects, asked: Collection[Desired]) -> list[Desired]:
        """Published flows that may use something that was deleted and are not asked for one by one."""
        known = {each.address for each in asked}
        others = (self.workspace.catalog.resources[address] for address in sorted(subjects.after_deletes - known))
        return [each for each in others if _is_on_air(each, view)]

    async def _guarded(self, fields: FieldChecks, desired: Desired) -> list[Check]:
        try:
            return await fields.of(desired)
        except ReconcilerError as error:
            return [_unread(desired, error)]

    async def _numbers(self, numbers: NumberChecks, resources: Iterable[Desired]) -> list[Check]:
        by_kind: dict[Kind, list[Desired]] = defaultdict(list)
        for each in resources:
            if numbers.concern(each):
                by_kind[kind_of(each.kind)].append(each)
        return [
            check
            for found in await together(self._of_kind(numbers, each) for each in by_kind.values())
            for check in found
        ]

    async def _of_kind(self, numbers: NumberChecks, resources: list[Desired]) -> list[Check]:
        try:
            return await numbers.of(resources)
        except ReconcilerError as error:
            return [
                _unproven(each, What.NUMBER, number, HERE, error)
                for each in resources
                for number in sorted(numbers.wanted(each))
            ]

    def _report(self, view: View, checks: Iterable[Check], started: float) -> VerifyReport:
        mask = Masker(self.workspace.secrets).mask
        return VerifyReport(
            environment=self.workspace.environment.name,
            org=view.org.identity.name,
            checks=tuple(sorted((_masked(check, mask) for check in checks), key=lambda check: check.address)),
            seconds=time.monotonic() - started,
        )


def _is_on_air(desired: Desired, view: View) -> bool:
    """Whether it is a flow that is published."""
    live = view.live(desired.address)
    return live is not None and live.version is not None and kind_of(live.kind).content_in_versions


def _needed(resources: Iterable[Desired], view: View) -> Iterable[str]:
    """What resources are compared with: the modules of flows, and what fields point at."""
    for desired in resources:
        yield from modules_of(desired, view)
        if not kind_of(desired.kind).content_in_versions:
            yield from filter(None, map(view.target, desired.references))


def _unread(desired: Desired, error: ReconcilerError) -> Check:
    """The object itself could not be read."""
    expected = "published" if kind_of(desired.kind).content_in_versions else "in the org"
    return _unproven(desired, What.THERE, "it", expected, error)


def _unproven(desired: Desired, what: What, about: str, expected: str, error: ReconcilerError) -> Check:
    return Check(
        address=desired.address,
        what=what,
        about=about,
        expected=expected,
        outcome=Proof.UNPROVEN,
        reason=error.message.rstrip("."),
        remedy=error.remedy,
    )


def _masked(check: Check, mask: Callable[[str], str]) -> Check:
    """The check without secrets: an org may repeat what it was sent."""
    texts = {"actual": check.actual, "reason": check.reason, "remedy": check.remedy}
    return check.model_copy(update={key: mask(text) for key, text in texts.items() if text})
