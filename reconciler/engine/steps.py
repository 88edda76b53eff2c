"""One change, from its precondition to its ledger row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.archy.model import Reference
from reconciler.engine.document import Action, Change
from reconciler.engine.drift import by_whom
from reconciler.engine.fields import row_tells, state_digest
from reconciler.engine.history import History
from reconciler.engine.lease import Lease
from reconciler.engine.limits.sizes import Sizes
from reconciler.engine.linkage import resolve_reference
from reconciler.engine.observe import Org, embedded_modules
from reconciler.kinds.base import Desired, Kind, Live, Operations
from reconciler.kinds.registry import kind_of
from reconciler.ledger import ID_KEPT, Earlier, Ledger, LockLostError, Row, Was, extended, mark_of, now_utc
from reconciler.platform import FlowLocked, JobFailed, Platform
from reconciler.problems import ReconcilerError

Waits = Callable[[str, str], None]


class Refused(ReconcilerError):
    """The object is not as the plan saw it; it was left alone."""


@dataclass(frozen=True)
class Signature:
    """Who applies, out of what: goes into every row."""

    holder: str
    run: str
    commit: str | None


@dataclass
class Steps:
    """Acts on the org, one change at a time; knows kinds only through their interface."""

    platform: Platform
    ledger: Ledger
    lease: Lease
    org: Org
    rows: Mapping[str, Row]
    trails: Mapping[str, tuple[Earlier, ...]]
    """What each address was before the last runs; this run adds to them."""
    wanted: Mapping[str, Desired]
    history: History
    signature: Signature
    secret_fingerprints: Mapping[str, str]
    sizes: Sizes
    """Learns how large a flow the org takes."""
    missing_is_made: bool = False
    """A sandbox makes what a flow names, its division included."""
    divisions: dict[str, str] = field(default_factory=dict)

    async def prepare(self, addresses: Iterable[str]) -> None:
        """Renders what will be published, so that it costs no time between the first change and the last."""
        for address in addresses:
            desired = self.wanted.get(address)
            if desired is not None:
                with suppress(Exception):
                    # Whatever is wrong with it is told at the change's own turn.
                    _ = desired.content
                await asyncio.sleep(0)

    async def take(self, change: Change, coming: Iterable[str], waits: Waits) -> str | None:
        """Does one change and records it; returns the version that is live afterwards.

        Raises:
            Refused: the object changed since the plan was made.
            LockLostError: the lock is no longer ours; nothing was done.
            ReconcilerError: the org refused or could not be reached, or the lock was lost in the middle.
        """
        kind = kind_of(change.kind)
        live = await self._check(kind, change)
        if change.action is Action.ADOPT:
            assert live is not None
            await self.lease.confirm()
            await self._record(kind, change, live, await self._modules_in(kind, change, live), self._trail(change))
            return live.version
        await self.lease.announce(change.address, coming)
        operations = Operations(self.platform, self._resolve, lambda text: waits(change.address, text))
        try:
            version = await self._act(kind, change, live, operations)
        except (JobFailed, FlowLocked):
            self.lease.settle(change.address)
            raise
        except LockLostError as error:
            self.lease.lost = error
            raise ReconcilerError(
                f"The lock was lost while {change.address} was being applied; how far that came is not known.",
                remedy="Plan again; what was published is recognised.",
            ) from None
        self.lease.settle(change.address)
        return version

    def id_of(self, change: Change) -> str | None:
        """Id of the object that a change is about, also of one that it has just made."""
        known = self.org.by_address.get(change.address)
        return change.precondition.id or (known.id if known else None)

    async def _act(self, kind: Kind, change: Change, live: Live | None, operations: Operations) -> str | None:
        if change.action is not Action.DELETE:
            return await self._make(kind, change, live, operations)
        assert live is not None
        trail = self._trail(change, live)
        await kind.delete(live, operations)
        self.org.drop(change.address)
        await self._remember_gone(change, trail)
        return None

    async def _remember_gone(self, change: Change, trail: tuple[Earlier, ...]) -> None:
        row = self.rows.get(change.address)
        if row is None:
            await self.ledger.forget(self.lease.lock, change.address)
            return
        await self._write(
            row.model_copy(
                update={
                    "gone": True,
                    "trail": trail,
                    "applied_by": self.signature.holder,
                    "applied_at": now_utc(),
                    "run": self.signature.run,
                }
            )
        )

    async def _make(self, kind: Kind, change: Change, live: Live | None, operations: Operations) -> str | None:
        desired = self.wanted[change.address]
        # Of the object as it is found: afterwards it is another.
        trail = self._trail(change, live)
        if live is not None:
            self.history.remember_fields(live)
        await self._find_division(desired, live)
        if live is None:
            after = await kind.create(desired, operations)
        elif moves_only(change):
            return await self._move(kind, change, live, operations, trail)
        else:
            after = await self._update(kind, change, live, operations)
        self.org.put(after)
        self.sizes.published(desired)
        await self._record(kind, change, after, self._modules_now(desired), trail)
        return after.version

    async def _update(self, kind: Kind, change: Change, live: Live, operations: Operations) -> Live:
        cleared = tuple(item.path for item in change.diff if item.op == "remove")
        return await kind.update(self.wanted[change.address], live, operations, cleared)

    async def _move(
        self, kind: Kind, change: Change, live: Live, operations: Operations, trail: tuple[Earlier, ...]
    ) -> str | None:
        """Publishes nothing, so what the ledger knows of the version stays true; a new object gets its row."""
        desired = self.wanted[change.address]
        after = await kind.move(desired, live, operations)
        self.org.put(after)
        row = self.rows.get(change.address)
        recorded = (row.object_id, row.version, row.spec_digest) if row else None
        if row is None or recorded != (live.id, live.version, desired.digest):
            await self._record(kind, change, after, await self._modules_in(kind, change, live), trail)
        else:
            moved = {"division": after.division, "trail": trail, "commit": self._commit(change, row)}
            await self._write(row.model_copy(update=moved))
        return after.version

    def _commit(self, change: Change, row: Row) -> str | None:
        """The commit with the spec that is applied now."""
        return self.signature.commit

    async def _check(self, kind: Kind, change: Change) -> Live | None:
        """The object as it is at this moment, if it is what the plan saw."""
        expected = change.precondition
        if expected.absent:
            found = await kind.find(self.platform, change.kind, change.name)
            if found is not None:
                raise Refused(
                    f"{change.address} was made in the org since the plan was made{by_whom(found)}.",
                    remedy="Plan again; it will be adopted or updated.",
                )
            return None
        assert expected.id is not None
        known = self.org.by_id.get(expected.id) or Live(change.kind, change.name, expected.id, None, None)
        live = await self._look(kind, known)
        if live is None:
            raise Refused(f"{change.address} was deleted in the org since the plan was made.", remedy="Plan again.")
        if live.address != change.address:
            raise Refused(
                f"{change.address} was renamed in the org since the plan was made; it is {live.address} now.",
                remedy="Plan again.",
            )
        if live.version != expected.version:
            raise Refused(
                f"{change.address} was changed in the org since the plan was made{by_whom(live)}: "
                f"version {live.version} instead of {expected.version}.",
                remedy="Plan again to see what was changed.",
            )
        return live

    async def _look(self, kind: Kind, live: Live) -> Live | None:
        return await kind.read(self.platform, live)

    def _trail(self, change: Change, live: Live | None = None) -> tuple[Earlier, ...]:
        """What the address was before the last runs; with ``live``, the object that this run is about to change, too.

        A run's own step back stays the first one, so that it leads to what was there before the run.
        """
        known = self.trails.get(change.address, ())
        changes = change.action is not Action.ADOPT and (live is not None or change.precondition.absent)
        if not changes or any(step.run == self.signature.run for step in known):
            return known
        return extended(known, step_back(self.signature.run, live, self.rows.get(change.address)))

    async def _record(
        self,
        kind: Kind,
        change: Change,
        live: Live,
        modules: Mapping[str, str] | None,
        trail: tuple[Earlier, ...],
    ) -> None:
        desired = self.wanted[change.address]
        self.history.remember(desired)
        await self._write(self._row(kind, change, live, modules, trail))
        desired.let_go()

    def _row(
        self,
        kind: Kind,
        change: Change,
        live: Live,
        modules: Mapping[str, str] | None,
        trail: tuple[Earlier, ...],
    ) -> Row:
        desired = self.wanted[change.address]
        fields = () if kind.content_in_versions else tuple(sorted(desired.content.canonical))
        return Row(
            address=change.address,
            object_id=live.id,
            version=live.version,
            division=live.division,
            spec_digest=desired.digest,
            fields=fields,
            state_digest=None if kind.content_in_versions else state_digest(live, fields),
            modules=modules if kind.content_in_versions else {},
            secrets={
                name: self.secret_fingerprints[name] for name in desired.secrets if name in self.secret_fingerprints
            },
            commit=self.signature.commit,
            applied_by=self.signature.holder,
            applied_at=now_utc(),
            run=self.signature.run,
            trail=trail,
        )

    async def _write(self, row: Row) -> None:
        self.lease.require()
        await self.ledger.write(self.lease.lock, row)

    def _modules_now(self, desired: Desired) -> dict[str, str]:
        """The modules that were just copied in: the ones that are live now, since they come first."""
        modules = (self.org.by_address[address] for address in embedded_modules(desired, self.org.by_address))
        return {module.id: module.version for module in modules if module.version is not None}

    async def _modules_in(self, kind: Kind, change: Change, live: Live) -> Mapping[str, str]:
        if any(kind.embeds(reference) for reference in self.wanted[change.address].references):
            return await kind.modules_built_with(self.platform, live)
        return {}

    async def _find_division(self, desired: Desired, live: Live | None) -> None:
        name = desired.division
        if not name or name in self.divisions or (live is not None and live.division == name):
            return
        division = await self.platform.divisions.find(name)
        if division is None and self.missing_is_made and any(r.kind == "division" for r in desired.references):
            return
        if division is None:
            raise ReconcilerError(
                f"{desired.address} belongs to the division {name!r}, which does not exist.",
                remedy="Make the division in the org, or correct `division` in the spec or environment.",
            )
        self.divisions[name] = division.id

    def _resolve(self, reference: Reference) -> str:
        known = self.divisions.get(reference.name) if reference.kind == "division" else None
        found = known or resolve_reference(reference, self.org)
        if found is None:
            raise ReconcilerError(f"There is no {reference.kind} {reference.name!r} in the org.", remedy="Plan again.")
        return found


def step_back(run: str, live: Live | None, row: Row | None) -> Earlier:
    """What an object is before a run changes it."""
    if live is None:
        return Earlier(run=run, was=Was.ABSENT)
    if row is None or row.object_id != live.id:
        return Earlier(run=run, was=Was.FOREIGN, object=live.id[:ID_KEPT], version=live.version)
    ours = row_tells(live, row)
    return Earlier(
        run=run,
        was=Was.OURS if ours else Was.DRIFTED,
        object=live.id[:ID_KEPT],
        version=live.version,
        recorded=None if ours else row.version,
        digest=row.spec_digest,
        commit=row.commit,
        secrets=mark_of(row.secrets),
    )


def moves_only(change: Change) -> bool:
    """Nothing but the division of a flow changes; nothing is published."""
    versioned = kind_of(change.kind).content_in_versions
    return versioned and change.action is Action.UPDATE and change.diff_basis == "live fields"
