"""Kinds that are listed by search, by query or by cursor, and operations that fit no table."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from reconciler.sandbox import crud, objects
from reconciler.sandbox.call import API, Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import bad_request, invalid_value
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES, show
from reconciler.sandbox.wire import without_none

MAX_CURSOR_PAGE = 100
SEARCH_TYPES = ("EXACT", "STARTS_WITH", "CONTAINS", "TERM", "TERMS")


def _size(value: Any, name: str = "pageSize", *, default: int = 25) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CURSOR_PAGE:
        raise invalid_value(f"The field '{name}' must be between 1 and {MAX_CURSOR_PAGE}.")
    return value


def search(call: Call, kind: str) -> dict[str, Any]:
    """``POST /users/search`` and ``/groups/search`` (SDK ``UserSearchRequest``)."""
    body = call.object()
    size, number = _size(body.get("pageSize")), body.get("pageNumber") or 1
    if not isinstance(number, int) or number < 1:
        raise invalid_value("The field 'pageNumber' must be a positive integer.")
    criteria = body.get("query") or []
    if not isinstance(criteria, list):
        raise invalid_value("The field 'query' must be a list of criteria.")
    found = [
        item for item in objects.all_active(call.db, kind) if all(_meets(item, criterion) for criterion in criteria)
    ]
    start = (number - 1) * size
    return {
        "total": len(found),
        "pageCount": -(-len(found) // size),
        "pageSize": size,
        "pageNumber": number,
        "types": [f"{kind}s"],
        "results": [show(call.db, item) for item in found[start : start + size]],
    }


def _meets(item: Stored, criterion: Any) -> bool:
    if not isinstance(criterion, dict) or criterion.get("type") not in SEARCH_TYPES:
        raise invalid_value(f"A criterion of 'query' must have one of the types {', '.join(SEARCH_TYPES)}.")
    given = criterion.get("values") or [criterion.get("value")]
    values = [str(value).casefold() for value in given if value is not None]
    shown = {"name": item.name, "id": item.id, "state": item.state, **item.body}
    texts = [str(shown.get(name, "")).casefold() for name in criterion.get("fields") or ["name"]]
    match criterion["type"]:
        case "STARTS_WITH":
            return any(text.startswith(value) for text in texts for value in values)
        case "CONTAINS":
            return any(value in text for text in texts for value in values)
        case _:
            return any(text == value for text in texts for value in values)


def search_users(call: Call) -> dict[str, Any]:
    """``POST /users/search``."""
    return search(call, "user")


def search_groups(call: Call) -> dict[str, Any]:
    """``POST /groups/search``."""
    return search(call, "group")


def _after(items: list[Stored], cursor: str | None) -> list[Stored]:
    """What follows the object that a cursor names."""
    if cursor is None:
        return items
    places = [place for place, item in enumerate(items) if item.id == cursor]
    if not places:
        raise bad_request(f"'{cursor}' is not a valid cursor.", "invalid.query.param.value")
    return items[places[0] + 1 :]


def list_knowledge_bases(call: Call) -> dict[str, Any]:
    """``GET /knowledge/knowledgebases``: pages of at most 100, followed through ``nextUri``."""
    size = call.number("pageSize", call.number("limit", 25, maximum=MAX_CURSOR_PAGE), maximum=MAX_CURSOR_PAGE)
    wanted = call.one("name")
    found = [
        item
        for item in objects.all_active(call.db, "knowledgeBase")
        if wanted is None or crud.contains(item.name, wanted)
    ]
    before = call.one("before")
    if before is not None:
        earlier = _after(found[::-1], before)
        shown, start = earlier[:size][::-1], max(len(earlier) - size, 0)
    else:
        rest = _after(found, call.one("after"))
        shown, start = rest[:size], len(found) - len(rest)
    uri = f"{SHAPES['knowledgeBase'].path}?pageSize={size}" + (f"&{urlencode({'name': wanted})}" if wanted else "")
    return without_none(
        {
            "entities": [show(call.db, item) for item in shown],
            "nextUri": f"{uri}&after={shown[-1].id}" if shown and start + len(shown) < len(found) else None,
            "previousUri": f"{uri}&before={shown[0].id}" if shown and start > 0 else None,
            "selfUri": uri,
        }
    )


def get_knowledge_base(call: Call) -> dict[str, Any]:
    """``GET /knowledge/knowledgebases/{id}``."""
    return show(call.db, crud.object_of(call, "knowledgeBase", call.params["id"]))


def query_worktypes(call: Call) -> dict[str, Any]:
    """``POST /taskmanagement/worktypes/query`` (SDK ``WorktypeQueryRequest``, ``WorkitemFilter``)."""
    body = call.object()
    size = _size(body.get("pageSize"))
    filters = body.get("filters") or []
    found = [
        item
        for item in objects.all_active(call.db, "worktype")
        if all(_passes(item, condition) for condition in filters)
    ]
    rest = _after(found, body.get("after"))
    return without_none(
        {
            "entities": [show(call.db, item) for item in rest[:size]],
            "after": rest[size - 1].id if len(rest) > size else None,
            "selfUri": f"{SHAPES['worktype'].path}/query",
        }
    )


def _passes(item: Stored, condition: Any) -> bool:
    if not isinstance(condition, dict) or condition.get("name") not in ("name", "id"):
        raise invalid_value("A filter must be on 'name' or 'id'.")
    value = item.name if condition["name"] == "name" else item.id
    values = [str(wanted) for wanted in condition.get("values") or []]
    match condition.get("operator"):
        case "EQ" | "IN":
            return value in values
        case "NEQ":
            return value not in values
        case "CONTAINS":
            return any(wanted in value for wanted in values)
        case "BEGINS_WITH":
            return any(value.startswith(wanted) for wanted in values)
        case operator:
            raise invalid_value(f"The operator '{operator}' cannot be used here.")


def get_worktype(call: Call) -> dict[str, Any]:
    """``GET /taskmanagement/worktypes/{id}``."""
    return show(call.db, crud.object_of(call, "worktype", call.params["id"]))


def list_action_categories(call: Call) -> dict[str, Any]:
    """``GET /integrations/actions/categories``."""
    names = sorted({str(item.body["category"]) for item in objects.all_active(call.db, "dataAction")})
    size, number = call.number("pageSize", 25, maximum=500), call.number("pageNumber", 1, maximum=1_000_000)
    return {
        "entities": [{"name": name} for name in names[(number - 1) * size : number * size]],
        "pageSize": size,
        "pageNumber": number,
        "total": len(names),
        "pageCount": -(-len(names) // size),
    }


def move_skill(call: Call) -> dict[str, Any]:
    """``PATCH /routing/skills/{id} {divisionId}`` (SDK ``UpdateSkillDivisionRequest``)."""
    skill = crud.object_of(call, "skill", call.params["id"])
    division = crud.object_of(call, "division", text_field(call.object(), "divisionId", required=True))
    return show(call.db, objects.change(call.db, call.edit, skill, division_id=division.id))


def update_outcome(call: Call) -> Reply:
    """``PUT /flows/outcomes/{id}``: answers with an operation, complete at once."""
    outcome = crud.object_of(call, "flowOutcome", call.params["id"])
    body = call.object()
    name = text_field(body, "name", required=True)
    crud.check_name_free(call, "flowOutcome", name, own_id=outcome.id)
    # The API turns an empty description into a blank (facts §3.8).
    description = text_field(body, "description") or " "
    objects.change(call.db, call.edit, outcome, name=name, body={**outcome.body, "description": description})
    return Reply(
        {"id": str(uuid.uuid4()), "complete": True, "actionName": "UPDATE", "actionStatus": "SUCCESS"}, status=202
    )


_SEARCHES = (("users", search_users), ("groups", search_groups))
_KNOWLEDGE = SHAPES["knowledgeBase"].path
_WORKTYPES = SHAPES["worktype"].path

ENDPOINTS = (
    *(Endpoint("POST", f"{API}/{path}/search", handler, writes=False) for path, handler in _SEARCHES),
    Endpoint(
        "GET",
        _KNOWLEDGE,
        list_knowledge_bases,
        query=("before", "after", "limit", "pageSize", "name", "coreLanguage", "published", "sortBy", "sortOrder"),
    ),
    Endpoint("GET", f"{_KNOWLEDGE}/{{id}}", get_knowledge_base),
    Endpoint("POST", f"{_WORKTYPES}/query", query_worktypes, writes=False),
    Endpoint("GET", f"{_WORKTYPES}/{{id}}", get_worktype, query=("expands",)),
    Endpoint(
        "GET",
        f"{API}/integrations/actions/categories",
        list_action_categories,
        query=("pageSize", "pageNumber", "nextPage", "previousPage", "sortBy", "sortOrder", "secure"),
    ),
    Endpoint("PATCH", f"{SHAPES['skill'].path}/{{id}}", move_skill),
    Endpoint("PUT", f"{SHAPES['flowOutcome'].path}/{{id}}", update_outcome),
)
