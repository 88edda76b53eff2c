"""The routes of the sandbox, whether a test asks for them or not, are operations of the platform."""

from __future__ import annotations

import re

import pytest

from oracle.sdk import Sdk
from reconciler.sandbox import areas
from reconciler.sandbox.call import API, Endpoint

SDK = Sdk()
ENDPOINTS = [endpoint for endpoint in areas.ENDPOINTS if endpoint.path.startswith(API)]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_a_route_is_an_operation_and_knows_no_more_parameters(endpoint: Endpoint) -> None:
    path = re.sub(r"\{[^}]*\}", "x", endpoint.path)
    operation = SDK.operation(endpoint.method, path)
    assert operation is not None
    assert operation.template.count("{") == endpoint.path.count("{")
    assert set(endpoint.query) <= set(operation.query)
