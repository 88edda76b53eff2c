"""Error answers become one exception tree that keeps what the org said."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platform_support import Org, ok, problem

from reconciler.platform import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    FlowLocked,
    Gone,
    NotFound,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RequestAbandoned,
    RequestTimedOut,
    ServerError,
    VersionConflict,
)
from reconciler.platform.responses import Reply, error_of
from reconciler.problems import ReconcilerError


def error(answer: httpx.Response) -> PlatformError:
    return error_of(Reply("PUT", "/api/v2/x", answer.status_code, answer.headers, answer.content))


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (400, "bad.request", "no", BadRequest),
        (400, None, "Version 3 does not match the current version 4", VersionConflict),
        (401, "bad.credentials", "no", AuthenticationFailed),
        (403, "not.authorized", "no", PermissionDenied),
        (404, "architect.flow.not.found", "Could not find flow with specified ID.", NotFound),
        (408, "request.timeout", "slow", RequestTimedOut),
        (409, "architect.dependency.object.in.use", "in use", Conflict),
        (409, "general.conflict", "The version does not match the current version.", VersionConflict),
        (409, "version.conflict", "Somebody was faster", VersionConflict),
        (409, "architect.flow.locked.by.user", "locked", FlowLocked),
        (410, "architect.flow.deleted", "deleted", Gone),
        (413, None, "", BadRequest),
        (415, "unsupported.media.type", "", BadRequest),
        (429, "too.many.requests.retry.after", "", RateLimited),
        (500, "internal.server.error", "", ServerError),
        (503, "architect.database.throughput.exceeded", "", ServerError),
        (504, "request.timeout", "", ServerError),
    ],
)
def test_status_and_code_choose_the_class(
    status: int, code: str | None, message: str, expected: type[PlatformError]
) -> None:
    raised = error(problem(status, code, message))
    assert type(raised) is expected
    assert (raised.status, raised.code, raised.context_id) == (status, code, "ctx-1")
    assert (raised.method, raised.path) == ("PUT", "/api/v2/x")
    assert isinstance(raised, ReconcilerError)
    assert message.rstrip(".") in str(raised)


def test_a_deleted_flow_is_also_not_found() -> None:
    assert isinstance(error(problem(410, "architect.flow.deleted")), NotFound)


@pytest.mark.parametrize(
    ("message", "permission"),
    [
        (
            "Unable to perform the requested action. You are missing the following permission(s): "
            "architect:flow:publish",
            "architect:flow:publish",
        ),
        (
            "You must have at least one of the following permissions assigned: [routing:callRoute:view]",
            "routing:callRoute:view",
        ),
        ("No.", None),
    ],
)
def test_the_missing_permission_is_named(message: str, permission: str | None) -> None:
    denied = error(problem(403, "missing.permissions", message))
    assert isinstance(denied, PermissionDenied)
    assert denied.permission == permission
    assert (permission or "role") in str(denied.remedy)


def test_the_permission_may_stand_in_the_parameters_only() -> None:
    denied = error(problem(403, "missing.permissions", "No", messageParams={"permissions": "architect:flow:add"}))
    assert isinstance(denied, PermissionDenied)
    assert denied.permission == "architect:flow:add"


def test_one_of_several_permissions_and_the_division_are_asked_for() -> None:
    denied = error(
        problem(
            403,
            "missing.any.division.permissions",
            "You must have at least one of the following permissions assigned: architect:flow:add, architect:flow:edit",
            messageParams={"divisionName": "North"},
        )
    )
    assert isinstance(denied, PermissionDenied)
    assert denied.division == "North"
    assert "one of architect:flow:add, architect:flow:edit, in the division North" in str(denied.remedy)


def test_a_pause_that_is_too_long_is_told_in_seconds() -> None:
    limited = error(problem(429, "too.many.requests.retry.after", "", headers={"Retry-After": "400"}))
    assert "400 seconds" in str(limited.remedy)
    assert "after that" not in str(error(problem(429)).remedy)


def test_a_date_in_retry_after_is_read_by_the_clock_of_the_org() -> None:
    headers = {"Retry-After": "Tue, 24 Nov 2015 18:00:42 GMT", "Date": "Tue, 24 Nov 2015 18:00:00 GMT"}
    assert error(problem(429, headers=headers)).retry_after == 42


@pytest.mark.parametrize("value", ["nan", "inf", "-5", "1e9", "soon", "²", "9" * 400])
def test_a_retry_after_that_is_no_number_is_none(value: str) -> None:
    headers = httpx.Headers({"Retry-After": value.encode("latin-1")})
    assert error_of(Reply("GET", "/x", 429, headers, b"")).retry_after is None


def test_the_holder_of_a_lock_is_named() -> None:
    locked = error(problem(409, "architect.flow.locked.by.user", "Locked", messageParams={"userName": "Mette Holm"}))
    assert isinstance(locked, FlowLocked)
    assert locked.holder == "Mette Holm"


def test_details_reach_the_message() -> None:
    answer = problem(
        400,
        "invalid.value",
        "Invalid",
        details=[{"errorCode": "required", "fieldName": "dnis"}, "an old client's plain text"],
        errors=[{"code": "inner", "message": "the real reason"}],
    )
    raised = error(answer)
    for part in ("dnis", "required", "plain text", "the real reason"):
        assert part in str(raised)
    assert raised.details[0].field == "dnis"


def test_the_correlation_header_stands_in_for_a_missing_context_id() -> None:
    assert error(httpx.Response(502, headers={"ININ-Correlation-Id": "abc"}, text="Bad gateway")).context_id == "abc"


def test_login_errors_have_their_own_shape() -> None:
    refused = error(ok({"error": "invalid_client", "error_description": "Unknown client"}, status=401))
    assert refused.code == "invalid_client"
    assert "Unknown client" in str(refused)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ENVELOPE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("message", "code", "contextId", "details", "errors", "messageParams", "error", "description"), JSON
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    status=st.integers(300, 599),
    body=st.one_of(st.binary(max_size=30), ENVELOPE.map(lambda value: json.dumps(value).encode())),
    header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
)
def test_no_answer_whatever_breaks_the_reading_of_errors(status: int, body: bytes, header: str) -> None:
    headers = httpx.Headers({"retry-after": header, "inin-ratelimit-reset": header})
    raised = error_of(Reply("GET", "/api/v2/x", status, headers, body))
    assert raised.status == status
    assert raised.retry_after is None or raised.retry_after >= 0
    assert str(raised)


@settings(max_examples=60, deadline=None)
@given(body=st.one_of(st.binary(max_size=30), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_answer_whatever_escapes_the_exception_tree(body: bytes) -> None:
    org = Org()
    for route in ("GET /api/v2/flows", "GET /api/v2/flows/datatables/t/rows", "GET /api/v2/routing/queues"):
        org.on(route, httpx.Response(200, content=body))
    for read in (
        lambda platform: platform.flows.list(),
        lambda platform: platform.data_tables.rows("t"),
        lambda platform: platform.directory.find("queue", ["a", "b"]),
    ):
        try:
            org.run(read)
        except PlatformError:
            continue


def test_a_host_that_is_too_slow_may_be_asked_again_and_a_stopped_run_is_not_told_so() -> None:
    assert "Run the command again" in (error(problem(408, "request.timeout", "slow")).remedy or "")
    assert RequestAbandoned("The org had not answered when the run was stopped.").remedy is None
