"""Limits of the organisation: effective values, defaults, documentation (SDK ``OrganizationApi``, ``Limit``).

Defaults are those that a source documents, see ``limit_defaults``. Effective values are the defaults,
overlaid with the seed file's ``limits`` and, where the sandbox enforces one itself, with what it enforces.
"""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.call import API, Call, Endpoint
from reconciler.sandbox.errors import not_found
from reconciler.sandbox.limit_defaults import DOCUMENTED, NAMESPACES
from reconciler.sandbox.store import get_meta_json
from reconciler.sandbox.wire import page

SEEDED = "limits"
"""Key of ``meta`` under which the seed's limits are kept: namespace → key → value."""
DOCS_URL = "https://developer.genesys.cloud/api/rest/v2/organization/limits"

_PATH = f"{API}/organizations/limits"


def _namespace(call: Call) -> str:
    name = call.params["namespaceName"]
    if name not in NAMESPACES:
        raise not_found(f"There is no namespace of limits named '{name}'.")
    return name


def _defaults(namespace: str) -> dict[str, int]:
    return {limit.key: limit.value for limit in DOCUMENTED if limit.namespace == namespace}


def _effective(call: Call, namespace: str) -> dict[str, int]:
    seeded = (get_meta_json(call.db, SEEDED) or {}).get(namespace, {})
    enforced = call.settings.rate_limit
    own = (
        {}
        if enforced is None
        else {limit.key: enforced for limit in DOCUMENTED if limit.namespace == namespace and limit.per_token}
    )
    return {**_defaults(namespace), **seeded, **own}


def _listing(namespace: str, limits: dict[str, int]) -> dict[str, Any]:
    entities = [{"key": key, "namespace": namespace, "value": value} for key, value in sorted(limits.items())]
    return {"entities": entities}


def list_namespaces(call: Call) -> dict[str, Any]:
    """``GET …/namespaces``: names, page by page."""
    return page(call, sorted(NAMESPACES), str)


def show_limits(call: Call) -> dict[str, Any]:
    """``GET …/namespaces/{namespace}``: effective values (SDK ``LimitsEntityListing``)."""
    namespace = _namespace(call)
    return _listing(namespace, _effective(call, namespace))


def show_defaults(call: Call) -> dict[str, Any]:
    """``GET …/namespaces/{namespace}/defaults``."""
    namespace = _namespace(call)
    return _listing(namespace, _defaults(namespace))


def show_docs(_call: Call) -> dict[str, Any]:
    """``GET …/docs``: what is documented, and by whom (SDK ``LimitDocumentation``)."""
    namespaces: dict[str, list[dict[str, Any]]] = {}
    for limit in DOCUMENTED:
        namespaces.setdefault(limit.namespace, []).append(
            {"key": limit.key, "defaultValue": limit.value, "description": limit.description}
        )
    return {
        "url": DOCS_URL,
        "namespaces": [{"name": name, "limits": limits} for name, limits in sorted(namespaces.items())],
    }


ENDPOINTS = (
    Endpoint("GET", f"{_PATH}/namespaces", list_namespaces, query=("pageSize", "pageNumber")),
    Endpoint("GET", f"{_PATH}/namespaces/{{namespaceName}}", show_limits),
    Endpoint("GET", f"{_PATH}/namespaces/{{namespaceName}}/defaults", show_defaults),
    Endpoint("GET", f"{_PATH}/docs", show_docs),
)
