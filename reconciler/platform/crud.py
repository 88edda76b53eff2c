"""Kinds with versioned PUT and soft delete: IVRs, schedules, schedule groups (facts §2, §3.4, §3.5)."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from reconciler.platform.errors import Conflict, NotFound, VersionConflict
from reconciler.platform.models import Ref, TelephonyBody, TelephonyObject
from reconciler.platform.paging import list_all
from reconciler.platform.session import Session, path_of
from reconciler.platform.waiting import delete_settled

_PAGE = 100
"""Page size that the Terraform provider uses for these kinds (facts §2)."""

Thing = TypeVar("Thing", bound=TelephonyObject)


class CrudApi(Generic[Thing]):
    """Reads and writes one kind below ``/api/v2/architect``."""

    def __init__(self, session: Session, collection: str, thing: type[Thing], body: type[TelephonyBody]) -> None:
        self._session = session
        self._collection = collection
        self._thing = thing
        self._body = body

    async def list(self) -> list[Thing]:
        """All objects of the kind that the token may see, without deleted ones."""
        found = await list_all(self._session, self._path(), self._thing, size=_PAGE)
        return [thing for thing in found if not thing.deleted]

    async def find(self, name: str) -> Thing | None:
        """The object of exactly that name, or None; the list's name filter also finds other names."""
        found = await list_all(self._session, self._path(), self._thing, size=_PAGE, query={"name": name})
        return next((thing for thing in found if thing.name == name and not thing.deleted), None)

    async def get(self, id: str) -> Thing:
        """One object; a deleted one counts as not found.

        Raises:
            NotFound: it does not exist, or its state is ``deleted``.
        """
        reply = await self._session.request("GET", self._path(id))
        thing = reply.read(self._thing)
        if thing.deleted:
            raise NotFound(f"{reply.path} is deleted.", method="GET", path=reply.path, status=reply.status)
        return thing

    async def create(self, body: TelephonyBody) -> Thing:
        """Makes an object; ``body.version`` is not sent.

        Raises:
            Conflict: the name is taken.
        """
        wire = self._wire(body)
        wire.pop("version", None)
        return (await self._session.request("POST", self._path(), body=wire)).read(self._thing)

    async def update(self, id: str, body: TelephonyBody) -> Thing:
        """Replaces the object; what the body leaves out is cleared.

        ``body.version`` is the version that was read. Where it is None, whatever is there is replaced.

        Raises:
            VersionConflict: the object was changed after that version was read.
            NotFound: the object is gone.
        """
        wire = self._wire(body)
        if body.version is None:
            wire["version"] = (await self.get(id)).version
        try:
            return await self._put(id, wire)
        except Conflict as conflict:
            return await self._examine(id, wire, conflict)

    async def delete(self, id: str) -> None:
        """Deletes the object and waits until the org no longer shows it; gone already counts as deleted.

        Raises:
            Conflict: something still uses it.
            JobTimedOut: it is still shown after ``Connection.settle`` seconds.
        """

        async def still_there() -> bool:
            try:
                await self.get(id)
            except NotFound:
                return False
            return True

        await delete_settled(self._session, self._path(id), still_there=still_there)

    async def _put(self, id: str, wire: dict[str, Any]) -> Thing:
        return (await self._session.request("PUT", self._path(id), body=wire)).read(self._thing)

    async def _examine(self, id: str, wire: dict[str, Any], conflict: Conflict) -> Thing:
        """Tells our own earlier attempt, whose answer was lost, and other people's changes from the rest."""
        live = await self.get(id)
        if live.version == wire.get("version"):
            raise conflict
        if conflict.attempts > 1 and _without_version(self._wire(live)) == _without_version(wire):
            return live
        if isinstance(conflict, VersionConflict):
            raise conflict
        raise VersionConflict(
            f"{self._path(id)} is at version {live.version}, not {wire.get('version')} any more: {conflict}",
            method=conflict.method,
            path=conflict.path,
            status=conflict.status,
            code=conflict.code,
            context_id=conflict.context_id,
        ) from conflict

    def _path(self, *segments: str) -> str:
        return path_of("architect", self._collection, *segments)

    def _wire(self, body: TelephonyBody | TelephonyObject) -> dict[str, Any]:
        """The writable fields by their wire names; references as ``{id}`` alone, as the provider does."""
        return {
            field.alias or name: _value(getattr(body, name))
            for name, field in self._body.model_fields.items()
            if getattr(body, name) is not None
        }


def _value(value: Any) -> Any:
    if isinstance(value, Ref):
        return {"id": value.id}
    if isinstance(value, tuple | list):
        return [_value(item) for item in value]
    return value


def _without_version(wire: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wire.items() if name != "version"}
