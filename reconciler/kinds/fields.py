"""Kinds whose whole content lies in fields that a list call shows: IVRs, schedules, schedule groups.

Declared fields only are compared: what a spec does not mention is left as the org has it, ``null`` clears it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_snake

from reconciler.archy.canonical import digest
from reconciler.archy.flowtypes import by_api_type
from reconciler.archy.model import Problem, Reference
from reconciler.kinds.base import Desired, Inspection, Kind, Link, Live, Operations
from reconciler.platform import CrudApi, NotFound, Platform, Ref, TelephonyBody, TelephonyObject
from reconciler.suggest import near

Wire = TypeVar("Wire", bound=TelephonyObject)
_ON_A_PAGE = 100
"""Objects that one request for a list gives."""


class Spec(BaseModel):
    """Base of the spec models: unknown keys are errors, and text is not turned into numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    """What it is called in the org, and what other documents name it by."""
    description: str | None = None
    """A line for people who see it in the org."""
    division: str | None = None
    """Name of its division; the environment's ``division`` if left out."""


class FieldKind(Kind, Generic[Wire]):
    """One kind with one spec model and one wire model."""

    spec: ClassVar[type[Spec]]
    body: ClassVar[type[TelephonyBody]]
    """What may be written; its wire names are the spec's keys."""
    references: ClassVar[Mapping[str, Reference]] = {}
    """Fields that hold the name (or a list of names) of another object → what kind of object."""
    sets: ClassVar[frozenset[str]] = frozenset()
    """List fields whose order means nothing."""

    @abstractmethod
    def api(self, platform: Platform) -> CrudApi[Wire]:
        """The endpoints of this kind."""

    @abstractmethod
    def from_wire(self, model: Wire) -> dict[str, Any]:
        """The model's canonical fields, references as names."""

    @abstractmethod
    def uses(self, model: Wire) -> tuple[str, ...]:
        """Ids of the objects that it refers to."""

    def check(self, spec: Spec) -> list[Problem]:
        """What the spec model cannot say by itself."""
        return []

    def normalise(self, field: str, value: Any) -> Any:
        """One field in canonical form; both sides of a comparison pass through here."""
        if value == "" and (field == "description" or field in self.references):
            return None
        if field in self.sets and isinstance(value, list):
            return sorted(value)
        return value

    def inspect(self, root: str, body: Any) -> Inspection:
        """See ``Kind.inspect``."""
        problems = []
        fields: dict[str, Any] = {}
        try:
            spec = self.spec.model_validate(body)
        except ValidationError as error:
            problems = [_problem(root, self.spec, detail) for detail in error.errors(include_url=False)]
        else:
            problems = [*self.check(spec), *_name_problems(root, spec.name)]
            fields = {
                field: self.normalise(field, value) for field, value in spec.model_dump(exclude_unset=True).items()
            }
        name = body.get("name") if isinstance(body, Mapping) else None
        return Inspection(
            kind=root,
            name=name if isinstance(name, str) else "",
            division=fields.pop("division", None),
            references=self.field_references(fields),
            canonical=fields,
            digest=digest(fields),
            problems=tuple(problems),
        )

    def body_schema(self, root: str) -> dict[str, Any]:
        """See ``Kind.body_schema``."""
        # Only the schema pays for the reading of docstrings.
        from reconciler.schemas import model_schema, with_templates

        return with_templates(model_schema(self.spec))

    async def list_live(self, platform: Platform) -> list[Live]:
        """See ``Kind.list_live``."""
        return [self._live(model) for model in await self.api(platform).list()]

    async def read(self, platform: Platform, live: Live) -> Live | None:
        """See ``Kind.read``."""
        try:
            model = await self.api(platform).get(live.id)
        except NotFound:
            return None
        return None if model.deleted else self._live(model)

    async def read_many(self, platform: Platform, lives: Sequence[Live], of: int) -> list[Live]:
        """By id where that takes fewer requests than the list; a deleted object is left out."""
        if len(lives) * _ON_A_PAGE > max(of, _ON_A_PAGE):
            return await super().read_many(platform, lives, of)
        read = [await self.read(platform, live) for live in lives]
        return [live for live in read if live is not None]

    async def find(self, platform: Platform, kind: str, name: str) -> Live | None:
        """Asks for that one name."""
        model = await self.api(platform).find(name)
        return self._live(model) if model else None

    async def create(self, desired: Desired, operations: Operations) -> Live:
        """See ``Kind.create``."""
        fields = {key: value for key, value in desired.content.canonical.items() if value is not None}
        return self._live(await self.api(operations.platform).create(self._body(desired, fields, operations)))

    async def update(self, desired: Desired, live: Live, operations: Operations, clear: tuple[str, ...] = ()) -> Live:
        """Sends the whole object, because a PUT replaces it: live fields, then the declared ones."""
        declared = desired.content.canonical
        kept = {key: value for key, value in (live.fields or {}).items() if key not in clear}
        fields = {key: value for key, value in (kept | dict(declared)).items() if value is not None}
        body = self._body(desired, fields, operations, live)
        return self._live(await self.api(operations.platform).update(live.id, body))

    async def delete(self, live: Live, operations: Operations) -> None:
        """See ``Kind.delete``."""
        await self.api(operations.platform).delete(live.id)

    def reference(self, live: Live) -> Reference:
        """How other documents name this object."""
        return Reference(live.kind, live.name, ())

    def _body(
        self, desired: Desired, fields: Mapping[str, Any], operations: Operations, live: Live | None = None
    ) -> TelephonyBody:
        resolved = {field: self._with_ids(field, value, operations) for field, value in fields.items()}
        body = dict(resolved)
        if desired.division and (live is None or live.division != desired.division):
            body["division"] = {"id": operations.resolve(Reference("division", desired.division, ()))}
        elif live is not None and getattr(live.raw, "division", None):
            body["division"] = {"id": live.raw.division.id}
        if live is not None:
            body["version"] = live.raw.version
        return self.body.model_validate(body)

    def _with_ids(self, field: str, value: Any, operations: Operations) -> Any:
        reference = self.references.get(field)
        if reference is None:
            return value
        names = value if isinstance(value, list) else [value]
        ids = [
            {"id": operations.resolve(Reference(reference.kind, name, (), flow_types=reference.flow_types))}
            for name in names
        ]
        return ids if isinstance(value, list) else ids[0]

    def field_references(self, fields: Mapping[str, Any]) -> tuple[Reference, ...]:
        """See ``Kind.field_references``."""
        root, found = self.roots[0], []
        for field, reference in self.references.items():
            value = fields.get(field)
            names = value if isinstance(value, list) else [value]
            for index, name in enumerate(names):
                if isinstance(name, str) and name:
                    path = (root, field, index) if isinstance(value, list) else (root, field)
                    found.append(Reference(reference.kind, name, path, flow_types=reference.flow_types))
        return tuple(found)

    def links(self, live: Live) -> Mapping[str, tuple[Link, ...]]:
        """See ``Kind.links``."""
        return {field: self._links(live.raw, field, reference) for field, reference in self.references.items()}

    def _links(self, model: Wire, field: str, reference: Reference) -> tuple[Link, ...]:
        value: Ref | Sequence[Ref] | None = getattr(model, to_snake(field))
        found = [] if value is None else [value] if isinstance(value, Ref) else value
        # Our kind of a schedule or a group is the reference's own; of a flow, the type that may stand there.
        flow_types = [flow_type.root for name in reference.flow_types if (flow_type := by_api_type(name))]
        return tuple(Link(each.id, each.name, [*flow_types, reference.kind][0]) for each in found)

    def _live(self, model: Wire) -> Live:
        raw: Any = model
        fields = {key: self.normalise(key, value) for key, value in self.from_wire(model).items()}
        return Live(
            kind=self.kinds[0],
            name=raw.name,
            id=raw.id,
            version=None if raw.version is None else str(raw.version),
            division=raw.division.name if raw.division else None,
            fields=fields,
            uses=self.uses(model),
            published_by=_changer(model),
            published_at=raw.date_modified,
            raw=model,
        )


def _changer(model: TelephonyObject) -> str | None:
    """Who changed the object last; the wire gives ids only."""
    if model.modified_by:
        return f"user {model.modified_by}"
    return f"OAuth client {model.modified_by_app}" if model.modified_by_app else None


def _name_problems(root: str, name: str) -> list[Problem]:
    if name.strip() and name == name.strip():
        return []
    return [Problem("bad-name", f"The name {name!r} is empty or has blanks around it.", (root, "name"), "Correct it.")]


def _problem(root: str, model: type[Spec], detail: Any) -> Problem:
    """A validation error of pydantic in words of ours."""
    path = (root, *detail["loc"])
    where = ".".join(str(part) for part in detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            remedy = f"{near(where, model.model_fields)}Known keys: {', '.join(model.model_fields)}."
            return Problem("unknown-key", f"`{root}` has no key `{where}`.", path, remedy)
        case "missing":
            return Problem("missing-key", f"`{root}` needs `{where}`.", (root,), f"Add `{where}:`.")
        case "model_type" | "dict_type":
            return Problem("not-a-mapping", f"`{root}:` must be a mapping.", path, "Indent its keys below it.")
        case _:
            given = detail.get("input")
            shown = f", not {given!r}" if isinstance(given, str | int | float | bool) or given is None else ""
            message = detail["msg"].removeprefix("Value error, ")
            return Problem("bad-value", f"`{root}.{where}`: {message}{shown}.", path, "Correct the value.")
