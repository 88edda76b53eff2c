"""Dependency tracking endpoints (facts §3.10); 206 while the data is said to be incomplete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.sandbox import flow_store
from reconciler.sandbox.call import API, Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request, not_found
from reconciler.sandbox.tracking_data import ALL_TYPES, VERSIONED_TYPES, Tracker, Use
from reconciler.sandbox.wire import iso, page, without_none

PATH = f"{API}/architect/dependencytracking"
MAX_PAGE_SIZE = 100


def _types(call: Call, name: str) -> set[str]:
    types = {value.upper() for value in call.many(name)}
    unknown = types - set(ALL_TYPES)
    if unknown and call.settings.strict:
        raise bad_request(f"'{min(unknown)}' is not a valid value for '{name}'.", "invalid.query.param.value")
    return types


def _required_type(call: Call) -> str:
    call.required("objectType")
    return next(iter(_types(call, "objectType")))


def _flow_filter(call: Call) -> str | None:
    """Whether published or checked-in versions of flows are asked for; None is both."""
    flow_filter = call.one("flowFilter")
    if flow_filter is not None and flow_filter.lower() not in ("checkedin", "published"):
        raise bad_request(f"'{flow_filter}' is not a valid value for 'flowFilter'.", "invalid.query.param.value")
    return flow_filter


def _page(call: Call, items: Sequence[Any], shape: Callable[[Any], Any]) -> Reply:
    body = page(call, items, shape, maximum=MAX_PAGE_SIZE)
    return Reply(body, status=200 if call.settings.tracking_complete else 206)


def consumed_resources(call: Call) -> Reply:
    """``GET …/consumedresources?id&version&objectType``: what one version of a flow uses."""
    object_type = _required_type(call)
    if object_type not in VERSIONED_TYPES:
        raise bad_request(f"Objects of type '{object_type}' have no versions.", "invalid.query.param.value")
    number = flow_store.version_number(call.required("version"))
    flow = flow_store.get(call.db, call.required("id"), call.now)
    if flow is None or number is None or flow_store.version_of(call.db, flow.id, number) is None:
        raise not_found("Could not find flow with specified ID.", "architect.flow.not.found")
    tracker, types = Tracker(call.db, call.now), _types(call, "resourceType")
    seen = tracker.caught_up(flow.id, number, call.settings.tracking_lag_seconds)
    uses = [use for use in (tracker.consumed(flow.id, seen) if seen else ()) if not types or use.target_type in types]
    shown = sorted((tracker.show_target(use) for use in uses), key=_by_type_and_name)
    return _page(call, shown, _as_it_is)


def consuming_resources(call: Call) -> Reply:
    """``GET …/consumingresources?id&objectType``: who uses an object."""
    object_id, object_type = call.required("id"), _required_type(call)
    flow_filter = _flow_filter(call)
    tracker, types = Tracker(call.db, call.now), _types(call, "resourceType")
    version = flow_store.version_number(call.one("version") or "")
    uses = [
        use
        for use in tracker.consuming(object_id, flow_filter)
        if use.target_type == object_type
        and (not types or use.consumer_type in types)
        and (version is None or use.target_version in (None, version))
    ]
    shown = sorted((tracker.show_consumer(use) for use in uses), key=_by_type_and_name)
    return _page(call, shown, _as_it_is)


def _by_type_and_name(dependency: dict[str, Any]) -> tuple[str, str, str]:
    return dependency["type"], dependency.get("name", ""), dependency["id"]


def _as_it_is(item: Any) -> Any:
    return item


def _with_resources(call: Call, shown: dict[str, Any], *, updated_only: bool = False) -> dict[str, Any]:
    """SDK ``DependencyObject``: an object with what it uses and who uses it, as far as asked for."""
    tracker = Tracker(call.db, call.now)
    number = flow_store.version_number(shown.get("version", ""))
    consumed = tracker.consumed(shown["id"], number if shown["type"] in VERSIONED_TYPES else None)
    consumed_types, consuming_types = _types(call, "consumedResourceType"), _types(call, "consumingResourceType")

    def consumed_ones() -> list[dict[str, Any]]:
        uses = [use for use in consumed if not consumed_types or use.target_type in consumed_types]
        return [tracker.show_target(use) for use in uses if not updated_only or tracker.is_updated(use)]

    def consuming_ones() -> list[dict[str, Any]]:
        uses = tracker.consuming(shown["id"], None)
        return [
            tracker.show_consumer(use) for use in uses if not consuming_types or use.consumer_type in consuming_types
        ]

    return without_none(
        {
            **shown,
            "updated": any(tracker.is_updated(use) for use in consumed),
            "consumedResources": consumed_ones() if call.flag("consumedResources") else None,
            "consumingResources": consuming_ones() if call.flag("consumingResources") else None,
        }
    )


def show_object(call: Call) -> Reply:
    """``GET …/object?id``."""
    object_id, wanted = call.required("id"), _types(call, "objectType")
    tracker = Tracker(call.db, call.now)
    for _name, found_id, tracking_type in tracker.find(None, wanted):
        if found_id == object_id:
            shown = tracker.show_object(object_id, tracking_type, call.one("version"))
            return Reply(_with_resources(call, shown), status=200 if call.settings.tracking_complete else 206)
    raise not_found(f"Could not find the object with id '{object_id}'.")


def search(call: Call) -> Reply:
    """``GET …/dependencytracking?name=…``."""
    tracker = Tracker(call.db, call.now)
    found = tracker.find(call.required("name"), _types(call, "objectType"))
    return _page(
        call,
        found,
        lambda entry: _with_resources(call, tracker.show_object(entry[1], entry[2])),
    )


def updated_resource_consumers(call: Call) -> Reply:
    """``GET …/updatedresourceconsumers``: published consumers of something that changed since."""
    tracker = Tracker(call.db, call.now)
    return _consumers(call, tracker, [use for use in tracker.all_consuming() if tracker.is_updated(use)])


def deleted_resource_consumers(call: Call) -> Reply:
    """``GET …/deletedresourceconsumers``: consumers of something that is gone."""
    tracker = Tracker(call.db, call.now)
    all_uses = tracker.all_consuming(_flow_filter(call) or "published")
    uses = [use for use in all_uses if tracker.show_object(use.target_id, use.target_type)["deleted"]]
    return _consumers(call, tracker, uses)


def _consumers(call: Call, tracker: Tracker, uses: list[Use]) -> Reply:
    types, consumed_types = _types(call, "objectType"), _types(call, "consumedResourceType")
    name = (call.one("name") or "").casefold()
    consumers = {
        use.consumer_id: tracker.show_consumer(use)
        for use in uses
        if (not types or use.consumer_type in types) and (not consumed_types or use.target_type in consumed_types)
    }
    shown = [item for item in consumers.values() if name in item.get("name", "").casefold()]
    return _page(
        call,
        sorted(shown, key=_by_type_and_name),
        lambda item: _with_resources(call, item, updated_only=True),
    )


def list_types(call: Call) -> Reply:
    """``GET …/types``."""
    return _page(call, ALL_TYPES, _show_type)


def get_type(call: Call) -> dict[str, Any]:
    """``GET …/types/{id}``."""
    if call.params["typeId"] not in ALL_TYPES:
        raise not_found(f"There is no type '{call.params['typeId']}'.")
    return _show_type(call.params["typeId"])


def _show_type(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "versioned": name in VERSIONED_TYPES, "selfUri": f"{PATH}/types/{name}"}


def build_status(call: Call) -> dict[str, Any]:
    """``GET …/build`` (SDK ``DependencyStatus``)."""
    complete = "OPERATIONAL" if call.settings.tracking_complete else "BUILDINPROGRESS"
    status = call.settings.tracking_status or complete
    return {"status": status, "dateCompleted": iso(call.now), "failedObjects": []}


def rebuild(_call: Call) -> Reply:
    """``POST …/build``; the data is always right here, so nothing is done."""
    return Reply(status=202)


_PAGING = ("pageNumber", "pageSize")
_RESOURCES = ("consumedResources", "consumingResources", "consumedResourceType", "consumingResourceType")

ENDPOINTS = (
    Endpoint("GET", PATH, search, query=(*_PAGING, "name", "objectType", *_RESOURCES)),
    Endpoint(
        "GET",
        f"{PATH}/consumedresources",
        consumed_resources,
        query=(*_PAGING, "id", "version", "objectType", "resourceType"),
    ),
    Endpoint(
        "GET",
        f"{PATH}/consumingresources",
        consuming_resources,
        query=(*_PAGING, "id", "objectType", "resourceType", "version", "flowFilter"),
    ),
    Endpoint(
        "GET",
        f"{PATH}/object",
        show_object,
        query=("id", "version", "objectType", *_RESOURCES, "consumedResourceRequest"),
    ),
    Endpoint(
        "GET",
        f"{PATH}/updatedresourceconsumers",
        updated_resource_consumers,
        query=(*_PAGING, "name", "objectType", "consumedResources", "consumedResourceType"),
    ),
    Endpoint(
        "GET",
        f"{PATH}/deletedresourceconsumers",
        deleted_resource_consumers,
        query=(*_PAGING, "name", "objectType", "flowFilter", "consumedResources", "consumedResourceType"),
    ),
    Endpoint("GET", f"{PATH}/types", list_types, query=_PAGING),
    Endpoint("GET", f"{PATH}/types/{{typeId}}", get_type),
    Endpoint("GET", f"{PATH}/build", build_status),
    Endpoint("POST", f"{PATH}/build", rebuild),
)
