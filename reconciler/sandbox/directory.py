"""Plain kinds that flows name: queues, skills, scripts and so on; lists, reading, and making where the SDK
has it (facts §3.8, §3.9). What is listed by search, query or cursor is in ``directory_queries``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reconciler.sandbox import crud, flow_store, objects, supply
from reconciler.sandbox.call import Call, Endpoint, Reply, text_field
from reconciler.sandbox.errors import ApiError, invalid_value
from reconciler.sandbox.objects import Stored
from reconciler.sandbox.shapes import SHAPES, division_of_body, reference, show
from reconciler.sandbox.telephony import dependencies_of, read_reference
from reconciler.sandbox.wire import MAX_PAGE_SIZE

PAGING = ("pageSize", "pageNumber", "sortBy", "sortOrder")
CURSORS = ("nextPage", "previousPage")
_SCRIPTS = ("expand", "name", "feature", "flowId", "scriptDataVersion", "divisionIds")

BodyReader = Callable[[Call, dict[str, Any]], dict[str, Any]]
"""(call, request body) → what to keep besides name, division and description; raises 400."""


def _nothing_more(_call: Call, _body: dict[str, Any]) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class PlainKind:
    """One kind and which operations it has."""

    kind: str
    query: tuple[str, ...] = ()
    """Query parameters of the list (SDK)."""
    name_filter: crud.NameFilter = crud.wildcard
    maximum: int = MAX_PAGE_SIZE
    create: bool = False
    update: bool = False
    delete: bool = False
    starred: bool = False
    """The division may be ``*``, all divisions."""
    get_query: tuple[str, ...] = ()
    delete_query: tuple[str, ...] = ()
    read: BodyReader = _nothing_more
    references: tuple[tuple[str, str], ...] = ()
    """(field, kind) of references that the body may hold."""
    list_paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Further paths below the collection that list the same, and their query parameters."""
    keep: Callable[[Call, Stored], bool] = lambda _call, _item: True
    ids_alone: bool = False
    """Whether the list looks at no other filter where there are ids (SDK)."""
    page_addresses: bool = True
    """Whether a page carries ``firstUri`` and the like."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The operations of this kind."""
        path = SHAPES[self.kind].path
        one = f"{path}/{{id}}"
        made = [
            Endpoint("GET", path, self._list, query=self.query),
            Endpoint("GET", one, self._get, query=self.get_query),
            *(Endpoint("GET", f"{path}/{extra}", self._list, query=query) for extra, query in self.list_paths),
        ]
        if self.create:
            made.append(Endpoint("POST", path, self._create))
        if self.update:
            made.append(Endpoint("PUT", one, self._update))
        if self.delete:
            made.append(Endpoint("DELETE", one, self._delete, query=self.delete_query))
        return tuple(made)

    def shown(self, call: Call, item: Stored) -> dict[str, Any]:
        """The wire shape, references under their current names."""
        shown = show(call.db, item)
        for name, kind in self.references:
            if name in item.body:
                shown[name] = reference(call.db, kind, item.body[name]["id"])
        return shown

    def _list(self, call: Call) -> dict[str, Any]:
        listed = crud.list_objects(
            call,
            self.kind,
            name_filter=self.name_filter,
            keep=lambda item: self.keep(call, item),
            shape=lambda item: self.shown(call, item),
            maximum=self.maximum,
            ids_alone=self.ids_alone,
        )
        if not self.page_addresses:
            listed = {key: value for key, value in listed.items() if not key.endswith("Uri")}
        return listed

    def _get(self, call: Call) -> dict[str, Any]:
        return self.shown(call, crud.object_of(call, self.kind, call.params["id"]))

    def _create(self, call: Call) -> dict[str, Any]:
        body = call.object()
        name = text_field(body, "name", required=True)
        crud.check_name_free(call, self.kind, name)
        kept = {**supply.DEFAULT_BODIES.get(self.kind, {}), **self._body(call, body)}
        made = objects.insert(call.db, call.edit, self.kind, name, division_id=self._division(call, body), body=kept)
        self._track(call, made)
        return self.shown(call, made)

    def _division(self, call: Call, body: dict[str, Any]) -> str | None:
        if "division" not in SHAPES[self.kind].fields:
            return None
        if self.kind == "skill" and body.get("divisionId") is not None:
            body = {"division": {"id": body["divisionId"]}}
        return division_of_body(call, body, starred=self.starred) or objects.home_division(call.db).id

    def _body(self, call: Call, body: dict[str, Any]) -> dict[str, Any]:
        kept = self.read(call, body)
        for name, kind in self.references:
            if body.get(name) is not None:
                kept[name] = read_reference(call, body[name], name, kind)
        if "description" in SHAPES[self.kind].fields:
            kept["description"] = text_field(body, "description")
        return kept

    def _update(self, call: Call) -> dict[str, Any]:
        item = crud.object_of(call, self.kind, call.params["id"])
        body = call.object()
        name = text_field(body, "name", required=True)
        crud.check_name_free(call, self.kind, name, own_id=item.id)
        replaced = {name for name, _kind in self.references}
        kept = {key: value for key, value in item.body.items() if key not in replaced}
        after = objects.change(
            call.db,
            call.edit,
            item,
            name=name,
            division_id=division_of_body(call, body, starred=self.starred),
            body={**kept, **self._body(call, body)},
        )
        self._track(call, after)
        return self.shown(call, after)

    def _delete(self, call: Call) -> Reply:
        item = crud.object_of(call, self.kind, call.params["id"])
        objects.change(call.db, call.edit, item, state=objects.DELETED)
        flow_store.drop_dependencies(call.db, item.id)
        return Reply(status=204)

    def _track(self, call: Call, item: Stored) -> None:
        tracking_type = SHAPES[self.kind].tracking_type
        if self.references and tracking_type is not None:
            used = [(kind, item.body[name]["id"]) for name, kind in self.references if name in item.body]
            flow_store.drop_dependencies(call.db, item.id)
            flow_store.set_dependencies(call.db, item.id, item.version, tracking_type, dependencies_of(call.db, used))


def _read_contact_list(_call: Call, body: dict[str, Any]) -> dict[str, Any]:
    columns = body.get("columnNames")
    if not isinstance(columns, list) or not columns:
        raise invalid_value("The field 'columnNames' is required and must be a list.")
    return {"columnNames": columns, "phoneColumns": body.get("phoneColumns") or []}


def _read_action(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    integration = crud.object_of(call, "integration", text_field(body, "integrationId", required=True))
    return {
        "category": text_field(body, "category", required=True),
        "integrationId": integration.id,
        "secure": bool(body.get("secure", False)),
    }


def _read_user(_call: Call, body: dict[str, Any]) -> dict[str, Any]:
    email = text_field(body, "email", required=True)
    return {"email": email, "username": email}


def _action_asked_for(call: Call, item: Stored) -> bool:
    category, secure, ids = call.one("category"), call.one("secure"), call.many("ids")
    return (
        (category is None or item.body.get("category") == category)
        and (secure is None or bool(item.body.get("secure")) == (secure.lower() == "true"))
        and (not ids or item.id in ids)
    )


def _of_named_ids(call: Call, item: Stored) -> bool:
    return not call.many("ids") or item.id in call.many("ids")


def list_everything_of_queues(call: Call) -> dict[str, Any]:
    """``GET /routing/queues/divisionviews``: at most 100 a page and 5 pages (SDK)."""
    if (call.one("pageNumber") or "1").isdigit() and int(call.one("pageNumber") or "1") > 5:
        raise ApiError(400, "invalid.query.param.value", "The page number must not be greater than 5.")
    return crud.list_objects(call, "queue", maximum=100)


_QUEUE_FLOWS = (("queueFlow", "flow"), ("emailInQueueFlow", "flow"), ("messageInQueueFlow", "flow"))

KINDS = (
    PlainKind(
        "queue",
        (
            "pageSize",
            "pageNumber",
            "sortOrder",
            "name",
            "id",
            "divisionId",
            "peerId",
            "cannedResponseLibraryId",
            "hasPeer",
            "expand",
        ),
        create=True,
        update=True,
        delete=True,
        get_query=("expand",),
        delete_query=("forceDelete",),
        references=_QUEUE_FLOWS,
    ),
    PlainKind(
        "skill", ("pageSize", "pageNumber", "name", "id"), name_filter=crud.starts_with, create=True, delete=True
    ),
    PlainKind(
        "languageSkill",
        ("pageSize", "pageNumber", "sortOrder", "name", "id"),
        name_filter=crud.contains,
        create=True,
        delete=True,
    ),
    PlainKind(
        "wrapupCode",
        (*PAGING, "name", "id", "divisionId"),
        name_filter=crud.contains,
        create=True,
        update=True,
        delete=True,
        starred=True,
    ),
    PlainKind(
        "contactList",
        (
            *(*PAGING, "name", "id", "divisionId", "includeImportStatus", "includeSize", "allowEmptyResult"),
            *("filterType", "timeZone", "dateExpiration"),
        ),
        maximum=100,
        create=True,
        delete=True,
        get_query=("includeImportStatus", "includeSize"),
        read=_read_contact_list,
    ),
    PlainKind(
        "integration",
        (*(*PAGING[:3], *CURSORS, "expand", "ids", "integrationType", "reportedState", "credentialId"),),
        get_query=("pageSize", "pageNumber", "sortBy", "expand", *CURSORS),
        keep=_of_named_ids,
    ),
    PlainKind(
        "dataAction",
        (*PAGING, *CURSORS, "category", "name", "ids", "secure", "includeAuthActions", "includeConfig"),
        name_filter=crud.contains,
        create=True,
        delete=True,
        get_query=("expand", "flatten", "includeConfig"),
        read=_read_action,
        keep=_action_asked_for,
    ),
    PlainKind("group", ("pageSize", "pageNumber", "id", "jabberId", "sortOrder"), create=True, delete=True),
    PlainKind(
        "user",
        (
            *("pageSize", "pageNumber", "id", "jabberId", "sortOrder", "expand", "integrationPresenceSource"),
            *("userCustomAttributeSchemaIds", "state"),
        ),
        create=True,
        get_query=("expand", "integrationPresenceSource", "userCustomAttributeSchemaIds", "state"),
        read=_read_user,
    ),
    PlainKind(
        "script",
        (*PAGING, *_SCRIPTS),
        name_filter=crud.contains,
        list_paths=(("published", (*PAGING[:2], *_SCRIPTS)), ("divisionviews", (*PAGING, *_SCRIPTS))),
    ),
    PlainKind(
        "surveyForm",
        (*PAGING, *CURSORS, "expand", "name"),
        name_filter=crud.contains,
    ),
    PlainKind(
        "ttsEngine",
        get_query=("includeVoices",),
        query=("pageNumber", "pageSize", "includeVoices", "name", "language"),
        name_filter=crud.contains,
    ),
    PlainKind("sttEngine", ("pageNumber", "pageSize", "name"), name_filter=crud.contains),
    PlainKind(
        "agenticVirtualAgent",
        ("name", "nameContains", "status", "sortBy", "sortOrder", "pageNumber", "pageSize"),
        maximum=100,
        page_addresses=False,
        keep=lambda call, item: crud.contains(item.name, call.one("nameContains") or ""),
    ),
    PlainKind(
        "flowOutcome",
        (*PAGING, "id", "name", "description", "nameOrDescription", "divisionId"),
        name_filter=crud.contains,
        ids_alone=True,
        create=True,
    ),
    PlainKind(
        "flowMilestone",
        (*PAGING, "id", "name", "description", "nameOrDescription", "divisionId"),
        name_filter=crud.contains,
        ids_alone=True,
        create=True,
        update=True,
        delete=True,
    ),
)

ENDPOINTS = (
    *(endpoint for kind in KINDS for endpoint in kind.endpoints()),
    Endpoint(
        "GET",
        f"{SHAPES['queue'].path}/divisionviews",
        list_everything_of_queues,
        query=(*PAGING, "name", "id", "divisionId"),
    ),
)
