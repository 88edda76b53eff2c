"""Sets the platform's audit beside the trail and the ledger, object by object."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.engine.audit.attributing import Attribution
from reconciler.engine.audit.comparison import BY_LEDGER, OURS, OUTSIDE, Comparison, Entry, Missing, Who
from reconciler.engine.audit.deeds import Deed, recorded, remembered
from reconciler.engine.audit.numbering import PUBLISH, by_counting, by_publication, succeeded
from reconciler.engine.audit.reading import TrailRun
from reconciler.engine.concurrency import together
from reconciler.engine.observe import Observation, observe
from reconciler.engine.workspace import Workspace
from reconciler.kinds.base import Kind
from reconciler.kinds.registry import all_kinds
from reconciler.ledger import Ledger, stamp
from reconciler.platform import AuditEvent, Platform
from reconciler.problems import ReconcilerError

AT_ONCE = 8
"""Flows whose versions are read side by side."""
CLOCK = timedelta(seconds=2)
"""What our knowledge of the org's clock may be late by."""
DRAFTING = frozenset({"Checkout", "Checkin", "Save", "Revert", "Debug", "View", "Read", "Download", "Export"})
"""Actions that change nothing of what is live."""


@dataclass(frozen=True)
class _Subject:
    """One object, as far as events name it."""

    kind: Kind
    address: str
    id: str | None


@dataclass
class _Estate:
    """Which objects are ours to look after, by id and by name."""

    observation: Observation
    deeds: Sequence[Deed]
    managed: set[str]
    ids: dict[str, str] = field(default_factory=dict)
    """Id → address."""

    def subject(self, kind: Kind, event: AuditEvent) -> _Subject | None:
        """The object that an event is about; None where nobody manages it here."""
        id = event.entity_id
        if id in self.ids:
            address = self.ids[id]
        elif id in self.observation.org.by_id:
            address = self.observation.org.by_id[id].address
        else:
            names = [f"{name}/{event.name}" for name in kind.kinds]
            address = next((name for name in names if name in self.managed), "")
        return _Subject(kind, address, id) if address in self.managed else None


async def compare(
    workspace: Workspace,
    platform: Platform,
    ledger: Ledger,
    runs: Sequence[TrailRun],
    *,
    since: datetime,
) -> Comparison:
    """The platform's events on what is managed since then, each with whether it is ours.

    Args:
        workspace: The environment and its specs.
        platform: The org.
        ledger: What we know of it.
        runs: Of the trails that are here.
        since: With a time zone.

    Raises:
        PermissionDenied: the client may not read the audit.
        ReconcilerError: the org keeps no audit of our objects, or ``since`` lies ahead of its clock.
    """
    observation = await observe(platform, ledger, workspace.environment.org.id)
    # Heard to the second, so it is a little later than that.
    until = platform.now() + CLOCK
    if since >= until:
        raise ReconcilerError(f"Nothing was done since then: it is {stamp(until)} in the org.")
    estate = _estate(workspace, platform, observation, runs)
    events, notices = await _events(platform, since, until)
    entries: list[Entry] = []
    accounted: set[int] = set()
    subjects: dict[tuple[str, str | None], list[AuditEvent]] = defaultdict(list)
    kinds: dict[tuple[str, str | None], _Subject] = {}
    others = 0
    for kind, event in events:
        subject = estate.subject(kind, event)
        if subject is None:
            others += 1
            continue
        key = (subject.address, subject.id)
        kinds[key] = subject
        subjects[key].append(event)
    gate = asyncio.Semaphore(AT_ONCE)

    async def judged(key: tuple[str, str | None]) -> list[Entry]:
        async with gate:
            return await _judged(platform, estate, kinds[key], subjects[key], accounted)

    parts = await together(judged(key) for key in subjects)
    entries = sorted((entry for part in parts for entry in part), key=lambda entry: entry.at)
    return Comparison(
        environment=workspace.environment.name,
        org=observation.org.identity.name,
        since=since,
        until=until,
        entries=tuple(entries),
        missing=tuple(_missing(estate.deeds, accounted, since)),
        others=others,
        notices=(*notices, *_unproven(entries)),
    )


def _estate(workspace: Workspace, platform: Platform, observation: Observation, runs: Sequence[TrailRun]) -> _Estate:
    snapshot = observation.ledger
    own = recorded(runs)
    client = platform.connection.client_id or None
    deeds = [*own, *remembered(snapshot.rows, snapshot.runs, [run.run for run in runs], client)]
    managed = {*snapshot.rows, *workspace.catalog.resources, *(deed.address for deed in own if deed.address)}
    ids = {row.object_id: address for address, row in snapshot.rows.items()}
    ids |= {deed.object_id: deed.address for deed in own if deed.object_id and deed.address}
    return _Estate(observation, deeds, managed, ids)


async def _events(
    platform: Platform, since: datetime, until: datetime
) -> tuple[list[tuple[Kind, AuditEvent]], list[str]]:
    kept = await platform.audits.entities()
    asked = {kind.audited: kind for kind in all_kinds()}
    notices = [
        f"The org keeps no audit of {entity} under {service}: changes of those are not seen."
        for service, entity in asked
        if (service, entity) not in kept
    ]
    there = [(kind, pair) for pair, kind in asked.items() if pair in kept]
    if not there:
        raise ReconcilerError("The org keeps no audit of flows, IVRs, schedules or schedule groups.")
    found = await together(platform.audits.events(*pair, since, until) for _kind, pair in there)
    return [(kind, event) for (kind, _pair), events in zip(there, found, strict=True) for event in events], notices


async def _judged(
    platform: Platform, estate: _Estate, subject: _Subject, events: Sequence[AuditEvent], accounted: set[int]
) -> list[Entry]:
    places = [place for place, deed in enumerate(estate.deeds) if _concerns(deed, subject)]
    deeds = [estate.deeds[place] for place in places]
    versions = await _versions(platform, estate, subject, events, deeds)
    attribution = Attribution(deeds, versions, subject.kind.content_in_versions)
    found = attribution.attribute(events)
    accounted |= {places[place] for place in attribution.accounted}
    ours = tuple({deed.client for deed in estate.deeds if deed.client} | {platform.connection.client_id or "none"})
    return [_entry(subject, event, found.get(event.id), versions.get(event.id), ours) for event in events]


def _concerns(deed: Deed, subject: _Subject) -> bool:
    if deed.object_id is not None and subject.id is not None:
        return deed.object_id == subject.id
    return deed.address in (None, subject.address)


async def _versions(
    platform: Platform,
    estate: _Estate,
    subject: _Subject,
    events: Sequence[AuditEvent],
    deeds: Sequence[Deed],
) -> Mapping[str, int]:
    if subject.id is None:
        return {}
    live = estate.observation.org.by_id.get(subject.id)
    if not subject.kind.content_in_versions:
        return by_counting(events, live.version if live else None, deeds)
    if not any(event.action == PUBLISH for event in events):
        return {}
    return by_publication(events, await subject.kind.published(platform, subject.id))


def _entry(subject: _Subject, event: AuditEvent, deed: Deed | None, number: int | None, ours: tuple[str, ...]) -> Entry:
    client = event.client_id
    return Entry(
        id=event.id,
        at=event.at,
        address=subject.address,
        object_id=subject.id,
        action=event.action,
        version=None if number is None else f"{number}.0" if subject.kind.content_in_versions else str(number),
        properties=event.properties,
        who=Who(
            user=(event.user.name or event.user.id) if event.user else None,
            client=client,
            our_client=client is not None and client.startswith(ours),
        ),
        origin=OURS if deed else OUTSIDE,
        run=deed.run if deed else None,
        basis=deed.basis if deed else None,
        change=succeeded(event) and event.action not in DRAFTING,
        refused=not succeeded(event),
    )


def _missing(deeds: Sequence[Deed], accounted: set[int], since: datetime) -> Iterable[Missing]:
    for place, deed in enumerate(deeds):
        expected = deed.sure and deed.basis != BY_LEDGER and (deed.deletes or deed.makes_version)
        if expected and place not in accounted and deed.start >= since and deed.address:
            yield Missing(at=deed.end, run=deed.run, address=deed.address, action=deed.action, version=deed.version)


def _unproven(entries: Sequence[Entry]) -> list[str]:
    runs = sorted({entry.run for entry in entries if entry.basis == BY_LEDGER and entry.run})
    if not runs:
        return []
    named = ", ".join(runs[:5]) + (f" and {len(runs) - 5} more" if len(runs) > 5 else "")
    events = sum(1 for entry in entries if entry.basis == BY_LEDGER)
    return [
        f"{events} event{'' if events == 1 else 's'} taken for ours by what the ledger remembers of "
        f"{'run' if len(runs) == 1 else 'runs'} {named}, whose trail is not here; name the trail's file to be sure."
    ]
