"""The table that is derived from the SDK says what the SDK says."""

from __future__ import annotations

import inspect

import pytest

from oracle.sdk import Sdk
from oracle.table import PRIMITIVES, Parameter, Type


@pytest.fixture(scope="module")
def sdk() -> Sdk:
    return Sdk()


def test_an_operation_has_its_parameters_body_and_response(sdk: Sdk) -> None:
    listing = sdk.operation("GET", "/api/v2/flows")
    assert listing is not None
    assert listing.name == "ArchitectApi.get_flows"
    assert listing.query["divisionId"] == Parameter("divisionId", Type("list", Type("str")), False)
    assert listing.query["pageSize"] == Parameter("pageSize", Type("int"), False)
    assert (listing.body, listing.response) == (None, Type("FlowEntityListing"))
    publish = sdk.operation("POST", "/api/v2/flows/actions/publish")
    assert publish is not None
    assert publish.query["flow"].required
    assert not publish.query["version"].required
    change = sdk.operation("PUT", "/api/v2/architect/ivrs/some-id")
    assert change is not None
    assert change.path == (Parameter("ivrId", Type("str"), True),)
    assert change.body == Parameter("body", Type("IVR"), True)


def test_a_literal_segment_wins_over_a_parameter(sdk: Sdk) -> None:
    lookup, one = sdk.operation("GET", "/api/v2/flows/lookup"), sdk.operation("GET", "/api/v2/flows/lookup-1")
    assert lookup is not None
    assert one is not None
    assert (lookup.template, one.template) == ("/api/v2/flows/lookup", "/api/v2/flows/{flowId}")


def test_what_the_sdk_does_not_have_is_no_operation(sdk: Sdk) -> None:
    assert sdk.operation("GET", "/api/v2/architect/flows") is None
    assert sdk.operation("PATCH", "/api/v2/flows") is None
    assert sdk.operation("GET", "/api/v2/flows/") is None
    assert sdk.count > 3000


def test_a_model_has_its_fields_types_and_enums(sdk: Sdk) -> None:
    flow = sdk.model("Flow")
    values = flow.fields["type"].values
    assert values is not None
    assert "INBOUNDCALL" in values
    assert flow.fields["lockedUser"].type == Type("User")
    assert sdk.model("FlowVersion").fields["dateCreated"].type == Type("int")
    assert sdk.model("JsonSchemaDocument").fields["$schema"].type == Type("str")
    assert sdk.model("Schedule").fields["start"].type == Type("LocalDateTime")
    assert sdk.model("ErrorBody").fields["details"].type == Type("list", Type("Detail"))


def test_the_last_parameter_may_hold_slashes_as_the_sdk_sends_them(sdk: Sdk) -> None:
    row = sdk.spanning("GET", "/api/v2/flows/datatables/1/rows/a/b")
    assert row is not None
    assert row.template.endswith("/rows/{rowId}")
    assert sdk.operation("GET", "/api/v2/flows/datatables/1/rows/a/b") is None
    assert sdk.spanning("GET", "/api/v2/flows/datatables/1/columns/a") is None


@pytest.mark.slow
def test_the_text_says_what_the_imported_sdk_says(sdk: Sdk) -> None:
    """A sample of models and operations, once as read and once as Python sees them."""
    import PureCloudPlatformClientV2 as imported

    for name in ("Flow", "IVR", "Schedule", "DataTable", "Dependency", "Queue", "ErrorBody", "User", "Operation"):
        there, read = getattr(imported.models, name)(), sdk.model(name)
        assert list(read.fields) == [there.attribute_map[attribute] for attribute in there.swagger_types]
    listing = sdk.operation("GET", "/api/v2/architect/dependencytracking/consumedresources")
    assert listing is not None
    owner, _, method = listing.name.partition(".")
    signature = inspect.signature(getattr(getattr(imported, owner), method))
    required = [name for name in signature.parameters if name not in ("self", "kwargs")]
    assert len(required) == sum(parameter.required for parameter in listing.query.values())


def test_every_type_that_a_model_names_is_known(sdk: Sdk) -> None:
    pending, seen = ["FlowEntityListing", "IVREntityListing", "ArchitectJobStateResponse"], set(PRIMITIVES)
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for field in sdk.model(name).fields.values():
            kind = field.type
            while kind.items is not None:
                kind = kind.items
            pending.append(kind.name)
    assert len(seen) > 50
