"""The organisation itself and its products (SDK ``Organization``, ``OrganizationProductEntityListing``)."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.call import API, Call, Endpoint
from reconciler.sandbox.store import get_meta_json


def show_organization(call: Call) -> dict[str, Any]:
    """``GET /organizations/me``; the Terraform provider needs ``defaultCountryCode``."""
    organization: dict[str, Any] = get_meta_json(call.db, "organization")
    return organization


def list_products(_call: Call) -> dict[str, Any]:
    """``GET /authorization/products``; the Terraform provider reads ``total`` and the ids."""
    products = [{"id": "architect"}, {"id": "routing"}]
    return {"entities": products, "pageSize": 25, "pageNumber": 1, "total": len(products), "pageCount": 1}


ENDPOINTS = (
    Endpoint("GET", f"{API}/organizations/me", show_organization),
    Endpoint("GET", f"{API}/authorization/products", list_products),
)
