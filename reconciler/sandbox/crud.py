"""What the endpoints of all plain kinds do alike: finding, name rules, listing with filters."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from reconciler.sandbox import objects
from reconciler.sandbox.call import Call
from reconciler.sandbox.errors import bad_request, conflict, not_found
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES, show
from reconciler.sandbox.wire import MAX_PAGE_SIZE, page

NameFilter = Callable[[str, str], bool]
"""(name of the object, value of the filter) → whether it is listed."""


def starts_with(name: str, wanted: str) -> bool:
    """Prefix, any case (SDK: "results that start with this value")."""
    return name.casefold().startswith(wanted.casefold())


def wildcard(name: str, wanted: str) -> bool:
    """The whole name, any case, ``*`` for anything."""
    pattern = wanted.casefold().replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(name.casefold(), pattern)


def contains(name: str, wanted: str) -> bool:
    """Anywhere in the name, any case; ``*`` for anything."""
    return wildcard(name, f"*{wanted}*")


def object_of(call: Call, kind: str, object_id: str) -> Stored:
    """An object by id; raises 404."""
    found = objects.get_active(call.db, object_id, kind)
    if found is None:
        raise not_found(f"Could not find the {kind} with id '{object_id}'.")
    return found


def check_name_free(call: Call, kind: str, name: str, *, own_id: str | None = None) -> None:
    """Raises 409 when another object of the kind has the name."""
    if any(item.id != own_id for item in objects.find_by_name(call.db, kind, name)):
        raise conflict(f"A {kind} named '{name}' already exists.")


def list_objects(
    call: Call,
    kind: str,
    *,
    name_filter: NameFilter = contains,
    keep: Callable[[Stored], bool] = lambda _item: True,
    shape: Callable[[Stored], dict[str, Any]] | None = None,
    maximum: int = MAX_PAGE_SIZE,
    telephony: bool = False,
    several_names: bool = False,
    ids_alone: bool = False,
) -> dict[str, Any]:
    """A page of the objects of a kind, filtered by ``name``, ``description``, ``nameOrDescription``, ``id`` and
    ``divisionId`` where given.

    For some kinds the SDK says that the other filters are not looked at where there are ids
    (``ids_alone``) or several names (``several_names``). The division ``*`` is all of them.
    """
    wanted = call.many("name") if several_names else [name for name in [call.one("name")] if name]
    ids, divisions = set(call.many("id")), set(call.many("divisionId"))
    if "*" in divisions:
        divisions = set()

    def listed(item: Stored) -> bool:
        named = not wanted or any(name_filter(item.name, value) for value in wanted)
        if ids_alone and ids:
            return item.id in ids
        if several_names and len(wanted) > 1:
            return named
        return (
            named
            and (not ids or item.id in ids)
            and (not divisions or item.division_id in divisions)
            and _described(call, item)
            and keep(item)
        )

    found = [
        item for item in objects.listed(call.db, kind, now=call.now, lag=call.settings.list_lag_seconds) if listed(item)
    ]
    return page(
        call,
        sort(call, found),
        shape or (lambda item: show(call.db, item)),
        maximum=maximum,
        telephony=telephony,
    )


def _described(call: Call, item: Stored) -> bool:
    """Passes the filters ``description`` and ``nameOrDescription``, which only some kinds have."""
    description, either = call.one("description"), call.one("nameOrDescription")
    text = str(item.body.get("description") or "")
    return (description is None or contains(text, description)) and (
        either is None or contains(item.name, either) or contains(text, either)
    )


def sort(call: Call, items: list[Stored]) -> list[Stored]:
    """By name unless ``sortBy`` says id; ``sortOrder`` may start with ``desc``."""
    by = (call.one("sortBy") or "name").lower()
    descending = (call.one("sortOrder") or "asc").lower().startswith("desc")
    if by == "id":
        return sorted(items, key=lambda item: item.id, reverse=descending)
    return sorted(items, key=lambda item: (item.name.casefold(), item.id), reverse=descending)


def checked_version(body: dict[str, Any], current: int) -> None:
    """Optimistic locking (facts §2): 400 for a PUT without version, 409 for one that is not current."""
    given = body.get("version")
    if given is None:
        raise bad_request("The field 'version' is required.")
    if isinstance(given, bool) or not isinstance(given, int):
        raise bad_request("The field 'version' must be an integer.")
    if given != current:
        raise conflict(f"The version {given} does not match the current version {current}.")


def collection_path(kind: str) -> str:
    """Path of a kind's collection."""
    return SHAPES[kind].path
