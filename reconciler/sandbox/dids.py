"""DID pools and the numbers in them (facts §3.9; SDK ``DIDPool``, ``DIDNumber``, ``DID``)."""

from __future__ import annotations

import re
import sqlite3
import uuid
from typing import Any

from reconciler.sandbox import crud, objects
from reconciler.sandbox.call import API, Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import bad_request, conflict, invalid_value
from reconciler.sandbox.objects import Edit, Stored
from reconciler.sandbox.shapes import SHAPES, reference, show
from reconciler.sandbox.wire import iso, page, without_none

_PATH = SHAPES["didPool"].path
_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
MAX_LISTED_NUMBERS = 10_000
"""Free numbers of a pool that a list shows; pools may be larger."""


def make_pool(db: sqlite3.Connection, edit: Edit, start: str, end: str, **more: str) -> Stored:
    """A pool from one number to another, both included."""
    body = {"startPhoneNumber": start, "endPhoneNumber": end, "provider": "PURE_CLOUD", **more}
    return objects.insert(db, edit, "didPool", start, body=body)


def pool_of(db: sqlite3.Connection, number: str) -> Stored | None:
    """The pool that a number lies in."""
    for pool in objects.all_active(db, "didPool"):
        start, end = _bounds(pool)
        if len(pool.body["startPhoneNumber"]) == len(number) and start <= int(number) <= end:
            return pool
    return None


def _bounds(pool: Stored) -> tuple[int, int]:
    return int(pool.body["startPhoneNumber"]), int(pool.body["endPhoneNumber"])


def _assigned(db: sqlite3.Connection) -> dict[str, Stored]:
    """Numbers in use → the IVR that owns them."""
    return {number: ivr for ivr in objects.all_active(db, "ivr") for number in ivr.body.get("dnis", [])}


def _read(call: Call) -> tuple[str, str, dict[str, str]]:
    body = call.object()
    start = text_field(body, "startPhoneNumber", required=True)
    end = text_field(body, "endPhoneNumber", required=True)
    for number in (start, end):
        if not _NUMBER.fullmatch(number):
            raise invalid_value(f"'{number}' is not a valid E.164 phone number.")
    if len(start) != len(end) or int(start) > int(end):
        raise invalid_value("'endPhoneNumber' must not be before 'startPhoneNumber' and must be as long.")
    more = {key: text_field(body, key) for key in ("description", "comments") if text_field(body, key)}
    return start, end, more


def _check_overlap(call: Call, start: str, end: str, own_id: str | None = None) -> None:
    for pool in objects.all_active(call.db, "didPool"):
        low, high = _bounds(pool)
        if pool.id != own_id and int(start) <= high and low <= int(end):
            raise conflict(f"The numbers overlap with the DID pool '{pool.name}'.")


def create_pool(call: Call) -> dict[str, Any]:
    """``POST /telephony/providers/edges/didpools``."""
    start, end, more = _read(call)
    _check_overlap(call, start, end)
    return show(call.db, make_pool(call.db, call.edit, start, end, **more))


def update_pool(call: Call) -> dict[str, Any]:
    """``PUT …/didpools/{id}``; the version may be left out, as the Terraform provider does (facts §2)."""
    pool = crud.object_of(call, "didPool", call.params["id"])
    body = call.object()
    if body.get("version") is not None:
        crud.checked_version(body, pool.version)
    start, end, more = _read(call)
    _check_overlap(call, start, end, pool.id)
    kept = {"startPhoneNumber": start, "endPhoneNumber": end, "provider": pool.body["provider"], **more}
    return show(call.db, objects.change(call.db, call.edit, pool, name=start, body=kept))


def delete_pool(call: Call) -> Reply:
    """``DELETE …/didpools/{id}``; 409 while an IVR owns one of its numbers."""
    pool = crud.object_of(call, "didPool", call.params["id"])
    low, high = _bounds(pool)
    for number, ivr in _assigned(call.db).items():
        if low <= int(number) <= high:
            raise conflict(f"The DID pool cannot be deleted: '{number}' is assigned to the IVR '{ivr.name}'.")
    objects.change(call.db, call.edit, pool, state=objects.DELETED)
    return Reply(status=204)


def list_pools(call: Call) -> dict[str, Any]:
    """``GET …/didpools``."""
    return crud.list_objects(call, "didPool", telephony=True)


def get_pool(call: Call) -> dict[str, Any]:
    """``GET …/didpools/{id}``."""
    return show(call.db, crud.object_of(call, "didPool", call.params["id"]))


def list_pool_numbers(call: Call) -> dict[str, Any]:
    """``GET …/didpools/dids?type=…``: numbers of the pools, assigned or not."""
    wanted = call.required("type")
    if wanted not in ("ASSIGNED", "UNASSIGNED", "ASSIGNED_AND_UNASSIGNED"):
        raise bad_request(f"'{wanted}' is not a valid value for 'type'.", "invalid.query.param.value")
    owners, match, ids = _assigned(call.db), call.one("numberMatch"), set(call.many("id"))
    found: list[tuple[str, Stored]] = []
    for pool in objects.all_active(call.db, "didPool"):
        if ids and pool.id not in ids:
            continue
        low, high = _bounds(pool)
        numbers = (f"+{number}" for number in range(low, min(high, low + MAX_LISTED_NUMBERS) + 1))
        found.extend(
            (number, pool)
            for number in numbers
            if (match is None or match in number)
            and (wanted == "ASSIGNED_AND_UNASSIGNED" or (number in owners) == (wanted == "ASSIGNED"))
        )

    def shown(item: tuple[str, Stored]) -> dict[str, Any]:
        number, pool = item
        owner = owners.get(number)
        return without_none(
            {
                "number": number,
                "assigned": owner is not None,
                "didPool": {"id": pool.id, "selfUri": f"{_PATH}/{pool.id}"},
                "owner": reference(call.db, "ivr", owner.id) if owner else None,
                "ownerType": "IVR_CONFIG" if owner else None,
            }
        )

    return page(call, sorted(found, key=lambda item: item[0], reverse=_descending(call)), shown)


def _descending(call: Call) -> bool:
    return (call.one("sortOrder") or "asc").lower().startswith("desc")


def _number_id(number: str, owner: Stored) -> str:
    """Id of the record of an assigned number."""
    return str(uuid.uuid5(uuid.UUID(owner.id), number))


def list_numbers(call: Call) -> dict[str, Any]:
    """``GET …/dids``: only numbers with records, that is assigned ones."""
    match, owner_id, pool_id = call.one("phoneNumber"), call.one("owner.id"), call.one("didPool.id")
    ids = set(call.many("id"))
    owners = [
        (number, ivr)
        for number, ivr in sorted(_assigned(call.db).items(), reverse=_descending(call))
        if match in (None, number)
        and (not ids or _number_id(number, ivr) in ids)
        and owner_id in (None, ivr.id)
        and (pool_id is None or (pool := pool_of(call.db, number)) is None or pool.id == pool_id)
    ]

    def shown(item: tuple[str, Stored]) -> dict[str, Any]:
        number, ivr = item
        pool = pool_of(call.db, number)
        number_id = _number_id(number, ivr)
        return without_none(
            {
                "id": number_id,
                "name": number,
                "phoneNumber": number,
                "state": "active",
                "dateModified": iso(ivr.modified),
                "didPool": reference(call.db, "didPool", pool.id) if pool else None,
                "owner": reference(call.db, "ivr", ivr.id),
                "ownerType": "IVR_CONFIG",
                "selfUri": f"{API}/telephony/providers/edges/dids/{number_id}",
            }
        )

    return page(call, owners, shown, telephony=True)


_PAGING = ("pageNumber", "pageSize", "sortBy", "sortOrder")

ENDPOINTS = (
    Endpoint("GET", _PATH, list_pools, query=("pageNumber", "pageSize", "sortBy", "id")),
    Endpoint("POST", _PATH, create_pool),
    Endpoint(
        "GET",
        f"{_PATH}/dids",
        list_pool_numbers,
        query=("type", "id", "numberMatch", "pageSize", "pageNumber", "sortOrder"),
    ),
    Endpoint("GET", f"{_PATH}/{{id}}", get_pool),
    Endpoint("PUT", f"{_PATH}/{{id}}", update_pool),
    Endpoint("DELETE", f"{_PATH}/{{id}}", delete_pool),
    Endpoint(
        "GET",
        f"{API}/telephony/providers/edges/dids",
        list_numbers,
        query=(*_PAGING, "phoneNumber", "id", "owner.id", "didPool.id"),
    ),
)
