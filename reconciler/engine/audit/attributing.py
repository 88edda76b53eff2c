"""Says of each event on one object which deed of ours it belongs to, if any.

The OAuth client alone proves nothing, because other tools may use it too. An event is ours where a deed of ours made
exactly the version that the event made, or took exactly that object away. Only where no version can be told does the
time decide: the event lies within a deed on the same object, by the same client, and each deed accounts for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.engine.audit.comparison import BY_LEDGER, BY_RECORD
from reconciler.engine.audit.deeds import Deed
from reconciler.engine.audit.numbering import CREATE, DELETE, PLAUSIBLE, PUBLISH, UPDATE
from reconciler.platform import AuditEvent

BESIDE = timedelta(seconds=5)
"""How far events may lie outside of a deed: the org's clock, by which we record, is told to the second, a busy
machine hears it late, and it writes its record a little later still."""
DRAFTS = frozenset({"Checkout", "Save", "Checkin"})
"""What a publish may enter besides and before itself (AUDIT-4)."""
DROPPED = "Revert"
"""The end of a draft that came to nothing."""


@dataclass
class Attribution:
    """Of the events of one object."""

    deeds: Sequence[Deed]
    """Ours on this object, and those that may be on any."""
    versions: Mapping[str, int]
    """Event → number of the version that it made, where that is known."""
    in_versions: bool
    """The object's content lies in published versions: creating and updating it enter a publish."""
    done: dict[int, int] = field(default_factory=dict)
    """Deed (by its place) → how many events it accounts for."""
    found: dict[str, Deed] = field(default_factory=dict)
    """Event → deed."""
    _moved: set[int] = field(default_factory=set)

    def attribute(self, events: Sequence[AuditEvent]) -> dict[str, Deed]:
        """Event → deed, for those that are ours."""
        for event in events:
            self._take(event, self._exact(event))
        for event in events:
            if event.id not in self.found:
                self._take(event, self._by_time(event))
        if self.in_versions:
            self._take_drafts(events)
            for event in events:
                if event.id not in self.found:
                    self._take(event, self._beside(event))
        for event in events:
            if event.id not in self.found:
                self._take(event, self._remembered(event))
        return self.found

    @property
    def accounted(self) -> set[int]:
        """Places of the deeds that the platform's audit has."""
        return set(self.done)

    def _take(self, event: AuditEvent, place: int | None) -> None:
        if place is not None:
            self.found[event.id] = self.deeds[place]
            self.done[place] = self.done.get(place, 0) + 1

    def _makes(self, event: AuditEvent) -> bool:
        return event.action == PUBLISH if self.in_versions else event.action in (CREATE, UPDATE)

    def _exact(self, event: AuditEvent) -> int | None:
        """The deed that surely did it."""
        number = self.versions.get(event.id)
        for place, deed in self._candidates(event):
            if not deed.sure or not _within(event, deed, PLAUSIBLE):
                continue
            if event.action == DELETE and deed.deletes:
                return place
            if self.in_versions and event.action == CREATE and deed.action == "create":
                return place
            if number is None or not self._makes(event) or not deed.makes_version:
                continue
            assert deed.after is not None
            # Setting many numbers on an IVR takes several updates.
            first = deed.after if self.in_versions or deed.basis == BY_LEDGER else (deed.before or 0) + 1
            if first <= number <= deed.after:
                return place
        return None

    def _by_time(self, event: AuditEvent) -> int | None:
        """The deed in whose time it lies, where no version tells: the one that ended nearest."""
        if event.id in self.versions:
            # Its version is known and was none of ours; but a deed that failed, or was cut off, knows no version.
            allowed = [(place, deed) for place, deed in self._candidates(event) if not deed.sure or deed.after is None]
        else:
            allowed = list(self._candidates(event))
        fitting = [
            (abs(event.at - deed.end), place)
            for place, deed in allowed
            if deed.basis == BY_RECORD and _within(event, deed, BESIDE) and self._fits(event, deed)
            if self.done.get(place, 0) < self._most(event, deed)
        ]
        return min(fitting)[1] if fitting else None

    def _fits(self, event: AuditEvent, deed: Deed) -> bool:
        if deed.deletes or event.action == DELETE:
            return deed.deletes and event.action == DELETE
        return self._makes(event) or (event.action == CREATE and deed.action == "create")

    def _most(self, event: AuditEvent, deed: Deed) -> int:
        """How many events a deed accounts for by its time alone."""
        creation = 1 if self.in_versions and deed.action == "create" else 0
        if not deed.sure:
            return 1 + creation if self.in_versions else 3
        made = 1 if self.in_versions or deed.after is None else max(1, deed.after - (deed.before or 0))
        return made + creation

    def _take_drafts(self, events: Sequence[AuditEvent]) -> None:
        """What led to our publishes without a break; a draft that was dropped before was somebody else's."""
        for number, event in enumerate(events):
            deed = self.found.get(event.id)
            if deed is None or not self._makes(event):
                continue
            for draft in reversed(events[:number]):
                place = next((place for place, known in self._candidates(draft) if known is deed), None)
                fits = draft.action in DRAFTS and deed.basis == BY_RECORD and _within(draft, deed, BESIDE)
                if place is None or not fits or draft.id in self.found:
                    break
                self._take(draft, place)

    def _beside(self, event: AuditEvent) -> int | None:
        """The deed that it belongs to although it made no version: a move, or something that failed."""
        for place, deed in self._candidates(event):
            if deed.basis != BY_RECORD or deed.deletes or not _within(event, deed, BESIDE):
                continue
            if event.action in (*DRAFTS, DROPPED) and not deed.sure:
                return place
            if event.action == UPDATE and deed.moves and place not in self._moved:
                self._moved.add(place)
                return place
        return None

    def _remembered(self, event: AuditEvent) -> int | None:
        """The run in whose time it lies, of a run of which only the ledger knows."""
        number = self.versions.get(event.id, 0)
        for place, deed in self._candidates(event):
            if number > deed.newest.get(event.entity_id or "", number):
                # It made a version that the object did not have yet when a run of ours was through with it.
                continue
            if deed.basis == BY_LEDGER and not deed.sure and _within(event, deed, BESIDE):
                return place
        return None

    def _candidates(self, event: AuditEvent) -> Iterable[tuple[int, Deed]]:
        """Deeds whose client it may be, on an object that it may be."""
        client, person = event.client_id, event.user is not None
        for place, deed in enumerate(self.deeds):
            # An event that names nobody at all may be ours.
            theirs = deed.client is not None and not (client or "").startswith(deed.client)
            theirs = theirs and (client is not None or person)
            other = deed.object_id is not None and event.entity_id not in (None, deed.object_id)
            if not theirs and not other:
                yield place, deed


def _within(event: AuditEvent, deed: Deed, beside: timedelta) -> bool:
    return deed.start - beside <= event.at <= deed.end + beside
