"""Versions of a flow: lists, content, and saving a draft (facts §3.1).

A configuration is the flow's document as JSON, ``{"inboundCall": {…}}``: what the platform's own format
looks like is not public, and the SDK calls it an object.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.archy.flowtypes import by_root
from reconciler.archy.yaml import load
from reconciler.sandbox import audit_trail, exports, flow_store
from reconciler.sandbox.call import Call, Endpoint
from reconciler.sandbox.errors import bad_request, not_found
from reconciler.sandbox.flow_locks import check_own_lock
from reconciler.sandbox.flow_shapes import FLOWS, show_version
from reconciler.sandbox.flow_store import Content, Flow, Version
from reconciler.sandbox.flow_traits import traits_of
from reconciler.sandbox.flows import flow_of, flow_to_change
from reconciler.sandbox.wire import page
from reconciler.sandbox.yaml_writer import write_yaml


def list_versions(call: Call) -> dict[str, Any]:
    """``GET /flows/{id}/versions``, newest first."""
    flow = flow_of(call, call.params["flowId"], deleted=call.flag("deleted"))
    versions = [version for version in flow_store.versions_of(call.db, flow.id) if exports.is_there(flow, version)]
    return page(call, versions, lambda version: show_version(call.db, version))


def _version(call: Call, flow: Flow) -> Version:
    number = flow_store.version_number(call.params["versionId"])
    version = None if number is None else flow_store.version_of(call.db, flow.id, number)
    if version is None or not exports.is_there(flow, version):
        raise not_found(f"The flow '{flow.name}' has no version '{call.params['versionId']}'.")
    return version


def get_version(call: Call) -> dict[str, Any]:
    """``GET /flows/{id}/versions/{version}``."""
    flow = flow_of(call, call.params["flowId"], deleted=call.flag("deleted"))
    return show_version(call.db, _version(call, flow), schemas=True)


def get_configuration(call: Call) -> Any:
    """``GET /flows/{id}/versions/{version}/configuration``."""
    flow = flow_of(call, call.params["flowId"], deleted=call.flag("deleted"))
    return load(flow_store.content_of(call.db, flow.id, _version(call, flow).number).text)


def get_latest_configuration(call: Call) -> Any:
    """``GET /flows/{id}/latestconfiguration``: of the latest saved version."""
    flow = flow_of(call, call.params["flowId"], deleted=call.flag("deleted"))
    number = exports.latest_version(flow)
    if number is None:
        raise not_found(f"The flow '{flow.name}' has no configuration yet.")
    return load(flow_store.content_of(call.db, flow.id, number).text)


def save_version(call: Call) -> dict[str, Any]:
    """``POST /flows/{id}/versions``: saves a draft; the flow must be checked out by the caller."""
    flow = flow_to_change(call, call.params["flowId"])
    check_own_lock(call, flow)
    configuration = call.object()
    root, body = next(iter(configuration.items()), ("", None))
    flow_type = by_root(root)
    if len(configuration) != 1 or flow_type is None or not isinstance(body, dict):
        raise bad_request("The configuration must hold a flow under its type.", "architect.flow.data.missing")
    if flow_type.api_type != flow.type:
        raise bad_request(
            f"The configuration is of type {flow_type.api_type}, the flow of type {flow.type}.",
            "architect.flow.invalid.type",
        )
    version = Version(
        flow_id=flow.id,
        number=flow_store.next_number(call.db, flow.id),
        type="SAVE",
        name=flow.name,
        traits=traits_of(flow_type, body),
        created=call.now,
        client_id=call.caller.client_id,
        user_id=call.caller.user_id,
    )
    # Names are resolved when it is published.
    flow_store.add_version(call.db, version, Content(write_yaml(configuration), []))
    flow_store.keep(call.db, call.edit, flow, replace(flow, saved_version=version.number))
    audit_trail.record_flow(call.db, call.edit, flow, "Save", version.number)
    return show_version(call.db, version)


_ONE = f"{FLOWS}/{{flowId}}"
_VERSION = f"{_ONE}/versions/{{versionId}}"

ENDPOINTS = (
    Endpoint("GET", f"{_ONE}/versions", list_versions, query=("pageNumber", "pageSize", "deleted")),
    Endpoint("POST", f"{_ONE}/versions", save_version),
    Endpoint("GET", _VERSION, get_version, query=("deleted",)),
    Endpoint("GET", f"{_VERSION}/configuration", get_configuration, query=("deleted",)),
    Endpoint("GET", f"{_ONE}/latestconfiguration", get_latest_configuration, query=("deleted",)),
)
