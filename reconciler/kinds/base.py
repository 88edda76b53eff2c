"""What the engine knows about a kind of resource: one interface, and nothing else.

A kind is one module beside this one that registers itself (see ``registry``). The engine never asks
which kind it has in hand; it asks what the kind can do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from reconciler.archy.contracts import Interface
from reconciler.archy.model import Path, Problem, Reference
from reconciler.problems import Location, ReconcilerError

if TYPE_CHECKING:
    from reconciler.platform import Platform


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that one look at one rendered document tells."""

    kind: str
    """The kind as it stands in addresses (aliases of root keys are folded)."""
    name: str
    """Empty when the document has none; then ``problems`` says so."""
    division: str | None
    """As written in the document; None leaves it to the environment."""
    references: tuple[Reference, ...]
    canonical: Any
    """JSON-able canonical form: two documents that mean the same have equal ones."""
    digest: str
    """SHA-256 (hex) of ``canonical``."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """The heavy part of a desired resource; made when somebody needs it."""

    body: Any
    """The parsed document below its root key, secrets replaced by placeholders."""
    text: str
    """The rendered text of the document, secrets replaced by placeholders."""
    canonical: Any
    upload: str | None = field(default=None, repr=False)
    """The rendered text with the real secrets; None where one of them is not set on this machine."""


@dataclass(frozen=True)
class Desired:
    """One resource as the specs want it, in one environment."""

    kind: str
    root: str
    """The root key as written (an alias stays an alias)."""
    name: str
    file: str
    line: int
    """First line of the document in ``file``."""
    digest: str
    division: str | None
    """The division it belongs to: its own, else the environment's default; None for the org's home."""
    references: tuple[Reference, ...]
    secrets: tuple[str, ...]
    """Names of the secrets that its text uses."""
    interface: Interface
    """Contract of a common module, and calls of modules."""
    load: Callable[[], Content] = field(repr=False, compare=False)
    locate: Callable[[Path], Location] = field(repr=False, compare=False)
    size: int = 0
    """Bytes of its rendered text, with placeholders for secrets."""

    @property
    def address(self) -> str:
        """``<kind>/<name>``."""
        return f"{self.kind}/{self.name}"

    @cached_property
    def content(self) -> Content:
        """The parsed and rendered document, made once."""
        return self.load()

    def let_go(self) -> None:
        """Frees the content's memory; whoever asks again has it made again."""
        self.__dict__.pop("content", None)


@dataclass(frozen=True, slots=True)
class Live:
    """One resource as the org has it."""

    kind: str
    name: str
    id: str
    version: str | None
    """Published version of a flow, version counter of other kinds; None for a flow never published."""
    division: str | None
    """Name of its division where the list tells it."""
    fields: Mapping[str, Any] | None = None
    """Canonical fields, references as names; None for kinds whose content lies in versions."""
    uses: tuple[str, ...] = ()
    """Ids of the objects that it is known to refer to, as far as the list tells."""
    published_by: str | None = None
    published_at: str | None = None
    locked_by: str | None = None
    """Who holds the edit lock, by name."""
    system: bool = False
    """Made by Genesys; never managed, never listed as unmanaged."""
    raw: Any = field(default=None, repr=False)
    """The wire model, for the kind's own operations."""

    @property
    def address(self) -> str:
        """``<kind>/<name>``."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Consumer:
    """An object that dependency tracking says uses another one."""

    id: str
    name: str
    type: str
    """Dependency tracking's own type name, e.g. ``INBOUNDCALLFLOW``."""
    version: str | None
    kind: str | None
    """Our kind for that type; None for types that we do not manage."""

    @property
    def address(self) -> str:
        """``<kind>/<name>``, with the tracking type where the kind is not ours."""
        return f"{self.kind or self.type}/{self.name}"


@dataclass(frozen=True, slots=True)
class Consumed:
    """An object that dependency tracking says the published version of another one uses."""

    id: str
    name: str
    noun: str
    """What it is, for people: ``queue``, ``common module``."""
    version: str | None
    """Of a common module: the version that was copied in."""
    deleted: bool
    state_unknown: bool
    """Tracking does not know whether it is still there."""


@dataclass(frozen=True, slots=True)
class Link:
    """An object that a field of another one points at, as the org has it."""

    id: str
    name: str | None
    kind: str
    """Our kind of it; of flows any, since the org does not say which."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the org leads what only one object may have at a time, such as a phone number."""

    owner_id: str | None
    """None where nobody has it."""
    owner: str
    """For people: ``IVR 'Sales Line'``, ``user 'Ann Smith'``, ``nobody``."""
    in_pool: bool = True
    """Whether the org has it to give at all."""


@dataclass(frozen=True, slots=True)
class Operations:
    """What a kind may use while it acts on the org."""

    platform: Platform
    resolve: Callable[[Reference], str]
    """Id of a referenced object as of now; raises ``ReconcilerError`` when it does not exist."""
    progress: Callable[[str], None] = lambda _text: None
    """Says what the operation is waiting for, in a few words."""


class Kind(ABC):
    """One kind of resource (or one family that differs only in its root key, like flows)."""

    roots: ClassVar[tuple[str, ...]]
    """Root keys of documents, aliases included."""
    kinds: ClassVar[tuple[str, ...]]
    """Kinds as they stand in addresses."""
    content_in_versions: ClassVar[bool] = False
    """Content lies in published versions that only an export shows (flows), not in fields of a list."""
    audited: ClassVar[tuple[str, str]]
    """Service and entity type under which the platform's own audit has what was done to these kinds."""

    @abstractmethod
    def inspect(self, root: str, body: Any) -> Inspection:
        """Reads one rendered, parsed document; never raises for bad input, reports ``problems``."""

    def analyse(self, root: str, body: Any) -> tuple[Problem, ...]:
        """What is wrong with a document on closer reading than ``inspect``; done once a document, when specs load."""
        return ()

    def interface(self, root: str, body: Any) -> Interface:
        """How a document and the common modules around it fit together; empty for kinds that call none."""
        return Interface()

    def body_schema(self, root: str) -> dict[str, Any]:
        """JSON Schema of what stands below the root key, for editors; accepts every valid document.

        Also one that holds ``{{ … }}`` in place of values, as ``reconciler.schemas`` has it. What is shared between
        roots stands below ``$defs``.
        """
        return {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "minLength": 1}}}

    @abstractmethod
    async def list_live(self, platform: Platform) -> list[Live]:
        """All objects of these kinds in the org, by list calls only."""

    @abstractmethod
    async def read(self, platform: Platform, live: Live) -> Live | None:
        """The object as it is now, read by id; None when it is gone."""

    async def look(self, platform: Platform, live: Live) -> Live | None:
        """As ``read``, but many that look at about the same time share a request, and it may lag behind a little."""
        return await self.read(platform, live)

    async def find(self, platform: Platform, kind: str, name: str) -> Live | None:
        """The object of that name as it is now, or None; by list calls where there is nothing better."""
        listed = await self.list_live(platform)
        return next((live for live in listed if live.kind == kind and live.name == name), None)

    async def read_many(self, platform: Platform, lives: Sequence[Live], of: int) -> list[Live]:
        """The objects as they are now, without those that are gone, by as few requests as it takes.

        ``of`` is how many objects of these kinds the org is known to have.
        """
        known = {live.id for live in lives}
        return [live for live in await self.list_live(platform) if live.id in known]

    @abstractmethod
    async def create(self, desired: Desired, operations: Operations) -> Live:
        """Makes the object; returns it as the org has it afterwards."""

    @abstractmethod
    async def update(self, desired: Desired, live: Live, operations: Operations, clear: tuple[str, ...] = ()) -> Live:
        """Makes the object as desired (publishes again where content lies in versions).

        ``clear`` names fields that the specs held when they were last applied and hold no longer.
        """

    async def move(self, desired: Desired, live: Live, operations: Operations) -> Live:
        """Moves the object to the division that the specs want and changes nothing else."""
        return await self.update(desired, live, operations)

    async def publish_again(self, live: Live, version: str | None, operations: Operations) -> Live:
        """Publishes an object again as it is, without a spec; only where content lies in versions.

        Raises:
            ReconcilerError: it is not at ``version`` any more, is being edited, or has an unpublished draft.
        """
        raise ReconcilerError(f"{live.address} has no versions that could be published again.")

    async def publish_earlier(self, desired: Desired, live: Live, version: str, operations: Operations) -> Live:
        """Publishes an earlier version again, by its number; only where content lies in versions.

        Raises:
            NoSuchVersion: the org has it no longer.
            ReconcilerError: it could not be published.
        """
        raise ReconcilerError(f"{live.address} has no versions that could be published again.")

    @abstractmethod
    async def delete(self, live: Live, operations: Operations) -> None:
        """Deletes the object; returns when it is gone."""

    @abstractmethod
    def reference(self, live: Live) -> Reference:
        """The reference by which other documents name this object."""

    def addresses(self, reference: Reference) -> tuple[str, ...]:
        """Addresses that a reference may mean if it is to one of these kinds, most likely first."""
        return (f"{reference.kind}/{reference.name}",) if reference.kind in self.kinds else ()

    def claims(self, fields: Mapping[str, Any]) -> frozenset[str]:
        """What only one object may have at a time, such as phone numbers, out of canonical fields."""
        return frozenset()

    async def unavailable(self, platform: Platform, claims: Collection[str]) -> Mapping[str, str]:
        """Those of the claims that the org cannot give to anybody, with the reason."""
        return {}

    def field_references(self, fields: Mapping[str, Any]) -> tuple[Reference, ...]:
        """References in canonical fields; none for kinds whose content lies in versions."""
        return ()

    def embeds(self, reference: Reference) -> bool:
        """Whether the target is copied into the referring object when that is published."""
        return False

    @abstractmethod
    async def consumers(self, platform: Platform, live: Live) -> list[Consumer]:
        """What uses this object according to the org; empty where the org does not track it."""

    async def published(self, platform: Platform, id: str) -> Mapping[str, datetime]:
        """When each version was published, also of a deleted object; empty but for ``content_in_versions``."""
        return {}

    async def modules_built_with(self, platform: Platform, live: Live) -> Mapping[str, str]:
        """Common modules (id → version) that the published version was built with."""
        return {}

    async def consumed(self, platform: Platform, live: Live) -> list[Consumed]:
        """What the published version uses, according to the org; empty where the org does not track it.

        Raises:
            TrackingIncomplete: the org cannot tell all of it just now; it is not waited for.
        """
        return []

    def links(self, live: Live) -> Mapping[str, tuple[Link, ...]]:
        """What each field of the object points at; empty for kinds whose content lies in versions."""
        return {}

    async def routes(self, platform: Platform, claims: Mapping[str, Collection[str]]) -> Mapping[str, Route]:
        """Where the org leads each claim; asked by the ids of the objects that ought to have them."""
        return {}

    async def exports(self, platform: Platform, wanted: Sequence[tuple[Live, str]]) -> Mapping[tuple[str, str], str]:
        """Text of published versions, (id, version) → YAML; empty but for ``content_in_versions``."""
        return {}
