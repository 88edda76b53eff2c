"""Is each object there, is each flow on the air, and does each field point at the very object that the specs name?

By id: an IVR can point at a flow that was deleted while another one of its name exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.archy.model import Reference
from reconciler.engine.verify.report import Check, Proof, What
from reconciler.engine.verify.view import View
from reconciler.kinds.base import Desired, Link, Live
from reconciler.kinds.registry import kind_of
from reconciler.problems import ReconcilerError

NOT_THERE = "not in the org"
NOT_PUBLISHED = "not published"


@dataclass(frozen=True)
class FieldChecks:
    """Compares what lists and reads by id show with the specs."""

    view: View
    environment: str

    async def of(self, desired: Desired) -> list[Check]:
        """All checks of one resource.

        Raises:
            PlatformError: the org could not be read.
        """
        there = self._there(desired)
        if there.outcome is not Proof.PROVEN:
            await self.view.again(desired.address)
            there = self._there(desired)
        live = self.view.live(desired.address)
        if live is None or kind_of(live.kind).content_in_versions:
            return [there]
        if any(check.outcome is not Proof.PROVEN for check in self._targets(desired, live)):
            live = await self._read_again(desired, live) or live
        remains = await self._remains(desired.address, live)
        return [there, *self._targets(desired, live), *([remains] if remains else [])]

    def _there(self, desired: Desired) -> Check:
        live = self.view.live(desired.address)
        flow = kind_of(desired.kind).content_in_versions
        actual = NOT_THERE if live is None else NOT_PUBLISHED if flow and live.version is None else None
        return Check(
            address=desired.address,
            what=What.THERE,
            about="it",
            expected="published" if flow else "in the org",
            actual=actual,
            actual_id=live.id if live else None,
            outcome=Proof.FAILED if actual else Proof.PROVEN,
            remedy=f"`reconciler plan --env {self.environment}` shows what became of it; apply puts it back."
            if actual
            else None,
        )

    def _targets(self, desired: Desired, live: Live) -> list[Check]:
        declared = desired.content.canonical
        named = _by_field(kind_of(desired.kind).field_references(declared))
        links = kind_of(live.kind).links(live)
        return [
            self._target(desired.address, field, named.get(field, []), pointed)
            for field, pointed in links.items()
            if field in declared and (named.get(field) or pointed)
        ]

    def _target(self, address: str, field: str, named: Sequence[Reference], links: Sequence[Link]) -> Check:
        wanted = [self.view.live(target) if (target := self.view.target(each)) else None for each in named]
        ids = [live.id for live in wanted if live is not None]
        off_air = [live.address for live in wanted if live is not None and _is_off_air(live)]
        right = len(ids) == len(named) and sorted(ids) == sorted(link.id for link in links)
        expected = [live.address if live else each.name for live, each in zip(wanted, named, strict=True)]
        check = Check(
            address=address,
            what=What.TARGET,
            about=field,
            expected=", ".join(expected) or "nothing",
            expected_id=" ".join(ids) or None,
            actual_id=" ".join(link.id for link in links) or None,
            outcome=Proof.PROVEN if right and not off_air else Proof.FAILED,
        )
        if check.outcome is Proof.PROVEN:
            return check
        if right:
            flows = " and ".join(off_air)
            remedy = f"Callers reach nothing there: publish it. `reconciler apply --env {self.environment}` does."
            return check.model_copy(update={"actual": f"{flows}, {NOT_PUBLISHED}", "remedy": remedy})
        actual = ", ".join(self._shown(link, set(ids), set(expected)) for link in links) or "nothing"
        return check.model_copy(update={"actual": actual, "remedy": self._remedy(links, set(ids), set(expected))})

    def _shown(self, link: Link, ids: set[str], expected: set[str]) -> str:
        name = self._name(link)
        twin = link.id not in ids and name in expected
        return f"another object of that name ({link.id})" if twin else name

    def _name(self, link: Link) -> str:
        live = self.view.org.by_id.get(link.id)
        return live.address if live else f"{link.kind}/{link.name}" if link.name else link.id

    def _remedy(self, links: Sequence[Link], ids: set[str], expected: set[str]) -> str:
        if any(link.id not in ids and self._name(link) in expected for link in links):
            return (
                "It was deleted and made again under its name. Choose it anew where this is edited in Admin, and save."
            )
        return (
            f"Somebody changed it: `reconciler drift --env {self.environment}` shows who. Apply points it back; "
            "to keep the change, take it over into the spec."
        )

    async def _read_again(self, desired: Desired, live: Live) -> Live | None:
        """Before something is held against an object, it and what it should point at are read by id."""
        for reference in kind_of(desired.kind).field_references(desired.content.canonical):
            if (target := self.view.target(reference)) is not None:
                await self.view.again(target)
        return await self.view.again(live.address)

    async def _remains(self, address: str, live: Live) -> Check | None:
        """Whether all that it points at still exists, also where the specs do not say anything of it."""
        kind = kind_of(live.kind)
        links = [(field, link) for field, found in kind.links(live).items() for link in found]
        if not links:
            return None
        try:
            gone = [f"{link.name or link.id} ({field})" for field, link in links if not await self._exists(link)]
        except ReconcilerError as error:
            unknown = {"outcome": Proof.UNPROVEN, "reason": error.message.rstrip("."), "remedy": error.remedy}
            return deleted_check(address, (), "").model_copy(update=unknown)
        return deleted_check(address, gone, "Choose another one, or clear it.")

    async def _exists(self, link: Link) -> bool:
        if link.id in self.view.org.by_id:
            return True
        unknown = Live(link.kind, link.name or "", link.id, None, None)
        return await kind_of(link.kind).read(self.view.platform, unknown) is not None


def deleted_check(address: str, gone: Iterable[str], remedy: str) -> Check:
    """The check that nothing is used that was deleted; ``gone`` is what was, for people."""
    listed = ", ".join(gone)
    return Check(
        address=address,
        what=What.DELETED,
        about="what it uses",
        expected="still there",
        actual=f"deleted: {listed}" if listed else None,
        outcome=Proof.FAILED if listed else Proof.PROVEN,
        remedy=remedy if listed else None,
    )


def _is_off_air(live: Live) -> bool:
    return kind_of(live.kind).content_in_versions and live.version is None


def _by_field(references: Iterable[Reference]) -> Mapping[str, list[Reference]]:
    found: dict[str, list[Reference]] = {}
    for reference in references:
        found.setdefault(str(reference.path[1]), []).append(reference)
    return found
