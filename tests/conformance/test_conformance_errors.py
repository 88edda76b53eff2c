"""Every refusal of the sandbox as the official SDK raises it: status, ``code`` and a whole envelope.

A code without a source of its own is one of the generic list (facts §2, "Generic codes"); that it is used at
this place is then an assumption, SANDBOX-11 of ``docs/fidelity.md``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flow_driver import content, doing, new_flow, transferring, waiting
from sdk import ApiException, Client, Sdk, another, connect, genesys, refused
from support import flow

import reconciler.sandbox

GENERIC = "generic code, facts §2; the place is SANDBOX-11"
FLOW = "code of facts §3.1, status guessed there"
LIST = "list of codes, facts §3.1"


@dataclass(frozen=True)
class World:
    """An org in which everything can go wrong."""

    sdk: Sdk
    other: Sdk
    """A colleague's session."""
    flow: str
    """Published, in use by ``line``."""
    held: str
    """Checked out by the colleague."""
    deleted: str
    line: str
    schedule: str
    group: str
    table: str
    queue: str


@pytest.fixture(scope="module")
def world(sdk: Sdk) -> Iterator[World]:
    api, other = sdk.architect, another(sdk, name="Colleague")
    published, held, deleted = sdk.publish(flow("Main")), new_flow(sdk), new_flow(sdk)
    other.architect.post_flows_actions_checkout(held)
    api.delete_flow(deleted)
    times = {"start": "2026-01-05T08:00:00.000", "end": "2026-01-05T17:00:00.000"}
    schedule = api.post_architect_schedules({"name": "Schedule", **times}).id
    group = api.post_architect_schedulegroups({"name": "Group", "openSchedules": [{"id": schedule}]}).id
    answers = {"openHoursFlow": {"id": published}, "closedHoursFlow": {"id": published}}
    line = api.post_architect_ivrs({"name": "Line", **answers, "scheduleGroup": {"id": group}}).id
    table = api.post_flows_datatables({"name": "Table", "schema": {"properties": {"key": {"type": "string"}}}}).id
    queue = sdk.routing.get_routing_queues(name="Sales").entities[0].id
    yield World(sdk, other, published, held, deleted, line, schedule, group, table, queue)
    other.close()


def drafted(world: World) -> str:
    """A flow whose draft was never checked in."""
    flow_id = new_flow(world.sdk)
    world.sdk.architect.post_flows_actions_checkout(flow_id)
    world.sdk.architect.post_flow_versions(flow_id, content())
    return flow_id


def mine(world: World) -> str:
    """A flow without content that is checked out."""
    flow_id = new_flow(world.sdk)
    world.sdk.architect.post_flows_actions_checkout(flow_id)
    return flow_id


def in_use_by(world: World, where: str) -> str:
    """A flow that an emergency group, a queue or another flow uses."""
    sdk, name = world.sdk, f"Used in {where}"
    found = sdk.architect.get_flows(name=name).entities
    if found:
        return str(found[0].id)
    flow_id = sdk.publish(waiting(name) if where == "queues" else flow(name))
    match where:
        case "queues":
            sdk.routing.post_routing_queues({"name": name, "queueFlow": {"id": flow_id}})
        case "emergency.groups":
            calls = [{"emergencyFlow": {"id": flow_id}, "ivrs": []}]
            sdk.architect.post_architect_emergencygroups({"name": name, "emergencyCallFlows": calls})
        case _:
            sdk.publish(transferring("Transfers", name))
    return flow_id


def used_table(world: World) -> str:
    """A data table that a flow looks something up in."""
    looks_up = {"name": "Look up", "lookupValue": {"lit": "x"}, "dataTable": {"Table": {}}}
    world.sdk.publish(doing("Looks up", {"dataTableLookup": looks_up}))
    return world.table


def prompt_with_resources(world: World) -> str:
    """A prompt that speaks."""
    made = world.sdk.architect.post_architect_prompts({"name": "Spoken"}).id
    world.sdk.architect.post_architect_prompt_resources(made, {"language": "en-us", "ttsString": "Hello."})
    return str(made)


Attempt = Callable[[World], Any]
"""Something that must be refused."""


@dataclass(frozen=True)
class Refusal:
    """One refusal, and where its code comes from."""

    what: str
    status: int
    code: str
    source: str
    attempt: Attempt


def _api(world: World) -> Any:
    return world.sdk.architect


REFUSALS = (
    Refusal("no token", 401, "authentication.required", GENERIC, lambda w: anonymous(w, "").get_organizations_me()),
    Refusal("a wrong token", 401, "bad.credentials", GENERIC, lambda w: anonymous(w, "wrong").get_organizations_me()),
    Refusal(
        "an address that is nothing",
        404,
        "not.found",
        GENERIC,
        lambda w: w.sdk.follow("/api/v2/nothing", "Flow"),
    ),
    Refusal(
        "a method that an address does not take",
        405,
        "method.not.allowed",
        "no source",
        lambda w: genesys.ApiClient.call_api(w.sdk.client, "/api/v2/flows", "PATCH", auth_settings=["PureCloud OAuth"]),
    ),
    Refusal("a body that is no object", 400, "bad.request", GENERIC, lambda w: _api(w).post_flows([])),
    Refusal(
        "a page size of none",
        400,
        "invalid.query.param.value",
        "swagger, facts §2",
        lambda w: _api(w).get_flows(page_size=0),
    ),
    Refusal("no date", 400, "invalid.date", GENERIC, lambda w: _api(w).get_flows(published_after="soon")),
    Refusal(
        "a division that is not there",
        400,
        "invalid.value",
        GENERIC,
        lambda w: _api(w).post_architect_ivrs({"name": "X", "division": {"id": "nothing"}}),
    ),
    Refusal("an IVR that is not there", 404, "not.found", GENERIC, lambda w: _api(w).get_architect_ivr("nothing")),
    Refusal(
        "a flow that is not there",
        404,
        "architect.flow.not.found",
        "seen on a real org, facts §3.1",
        lambda w: _api(w).get_flow("nothing"),
    ),
    Refusal(
        "a flow that was deleted",
        410,
        "architect.flow.deleted",
        "provider, facts §2",
        lambda w: _api(w).get_flow(w.deleted),
    ),
    Refusal(
        "a name that is taken",
        409,
        "architect.flow.already.exists",
        FLOW,
        lambda w: _api(w).post_flows({"name": "Main", "type": "inboundcall"}),
    ),
    Refusal(
        "a name that another IVR has",
        409,
        "general.conflict",
        "no source, SANDBOX-11",
        lambda w: _api(w).post_architect_ivrs({"name": "Line"}),
    ),
    Refusal(
        "a flow without a name",
        400,
        "architect.flow.validate.failed.missing.name",
        LIST,
        lambda w: _api(w).post_flows({"type": "inboundcall"}),
    ),
    Refusal(
        "a flow without a type",
        400,
        "architect.flow.validate.failed.missing.type",
        LIST,
        lambda w: _api(w).post_flows({"name": "X"}),
    ),
    Refusal(
        "a flow with a slash in its name",
        400,
        "architect.flow.validate.failed.invalid.name",
        LIST,
        lambda w: _api(w).put_flow(w.flow, {"name": "a/b"}),
    ),
    Refusal(
        "a flow of an unknown type",
        400,
        "architect.flow.invalid.type",
        LIST,
        lambda w: _api(w).post_flows({"name": "X", "type": "pizza"}),
    ),
    Refusal(
        "a configuration of another type",
        400,
        "architect.flow.invalid.type",
        LIST,
        lambda w: _api(w).post_flow_versions(mine(w), {"workflow": {"name": "X"}}),
    ),
    Refusal(
        "a configuration that holds no flow",
        400,
        "architect.flow.data.missing",
        LIST,
        lambda w: _api(w).post_flow_versions(mine(w), {}),
    ),
    Refusal(
        "checking out what another holds",
        409,
        "architect.flow.locked.by.user",
        "status: provider, facts §3.1",
        lambda w: _api(w).post_flows_actions_checkout(w.held),
    ),
    Refusal(
        "saving what is not checked out",
        409,
        "architect.flow.not.locked.by.user",
        FLOW,
        lambda w: _api(w).post_flow_versions(w.flow, content()),
    ),
    Refusal(
        "checking in without content",
        409,
        "architect.flow.cannot.checkin.missing.config",
        FLOW,
        lambda w: _api(w).post_flows_actions_checkin(mine(w)),
    ),
    Refusal(
        "publishing a draft",
        409,
        "architect.flow.not.checked.in",
        FLOW,
        lambda w: _api(w).post_flows_actions_publish(drafted(w)),
    ),
    Refusal(
        "publishing a version that is not there",
        409,
        "architect.flow.not.checked.in",
        FLOW,
        lambda w: _api(w).post_flows_actions_publish(w.flow, version="9.0"),
    ),
    *(
        Refusal(
            f"deleting a flow used in {where}",
            409,
            f"architect.flow.cannot.delete.used.in.{where}",
            LIST,
            lambda w, where=where: _api(w).delete_flow(in_use_by(w, where)),
        )
        for where in ("flows", "queues", "emergency.groups")
    ),
    Refusal(
        "deleting a flow on a line",
        409,
        "architect.flow.cannot.delete.used.in.ivr.configs",
        LIST,
        lambda w: _api(w).delete_flow(w.flow),
    ),
    *(
        Refusal(
            f"taking down a flow used in {where}",
            409,
            f"architect.flow.cannot.deactivate.used.in.{where}",
            LIST,
            lambda w, where=where: _api(w).post_flows_actions_deactivate(in_use_by(w, where)),
        )
        for where in ("queues", "emergency.groups")
    ),
    Refusal(
        "taking down a flow on a line",
        409,
        "architect.flow.cannot.deactivate.used.in.ivr.configs",
        LIST,
        lambda w: _api(w).post_flows_actions_deactivate(w.flow),
    ),
    Refusal(
        "deleting a schedule of a group",
        409,
        "architect.dependency.object.in.use",
        "status: provider, facts §5; code: list",
        lambda w: _api(w).delete_architect_schedule(w.schedule),
    ),
    Refusal(
        "deleting the group of a line",
        409,
        "architect.dependency.object.in.use.by.ivr.configuration",
        "status: provider, facts §5; code: list",
        lambda w: _api(w).delete_architect_schedulegroup(w.group),
    ),
    Refusal(
        "deleting a table that a flow reads",
        409,
        "architect.dependency.object.in.use.by.flow",
        LIST,
        lambda w: _api(w).delete_flows_datatable(used_table(w)),
    ),
    Refusal(
        "deleting a prompt that still speaks",
        409,
        "architect.prompt.has.resources",
        "facts §3.7",
        lambda w: _api(w).delete_architect_prompt(prompt_with_resources(w)),
    ),
    Refusal(
        "a division that holds objects",
        400,
        "bad.request",
        "status: provider, facts §3.9",
        lambda w: w.sdk.authorization.delete_authorization_division(full_division(w)),
    ),
)


def anonymous(world: World, token: str) -> Any:
    """The organisation, asked with another token."""
    client = Client(host=world.sdk.running.api_url)
    client.access_token = token
    return genesys.OrganizationApi(client)


def full_division(world: World) -> str:
    """A division with a queue in it."""
    division = world.sdk.authorization.get_authorization_divisions(name="Business").entities[0].id
    world.sdk.authorization.post_authorization_division_object(division, "QUEUE", [world.queue])
    return str(division)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.what)
def test_a_refusal_has_its_status_and_its_code(world, refusal):
    assert refused(refusal.attempt, world) == (refusal.status, refusal.code)


def test_a_refusal_because_of_use_names_who_uses_it(world):
    with pytest.raises(ApiException) as caught:
        world.sdk.architect.delete_flow(world.flow)

    (detail,) = json.loads(caught.value.body)["details"]
    assert (detail["fieldName"], detail["entityId"], detail["entityName"]) == ("IVRCONFIGURATION", world.line, "Line")


def test_a_refusal_because_of_a_lock_names_who_holds_it(world):
    with pytest.raises(ApiException) as caught:
        world.sdk.architect.delete_flow(world.held)

    (detail,) = json.loads(caught.value.body)["details"]
    assert detail["entityId"] == world.other.client_id


def test_a_running_operation_is_in_the_way_of_the_next(alone):
    alone.settings(operation_seconds=60)
    flow_id = new_flow(alone)
    alone.architect.post_flows_actions_checkout(flow_id)
    alone.architect.post_flow_versions(flow_id, content())
    alone.architect.post_flows_actions_checkin(flow_id)

    answer = refused(alone.architect.post_flows_actions_publish, flow_id)

    assert answer == (409, "architect.operation.already.in.progress")


def test_an_expired_token_is_told_from_a_wrong_one(alone):
    alone.settings(token_seconds=1)
    session = connect(alone.running)
    # Time passes: the org's clock is the machine's, so the token's end is moved instead of waiting for it.
    with alone.running._store.transaction(write=True) as db:
        db.execute("UPDATE tokens SET expires = 0 WHERE token = ?", (session.client.access_token,))

    assert refused(session.organization.get_organizations_me) == (401, "credentials.expired")
    session.close()


def test_too_many_requests_are_refused_in_the_form_of_2021(alone):
    alone.settings(rate_limit=3)
    session = connect(alone.running)
    for _request in range(3):
        session.organization.get_organizations_me()

    # Past the SDK, which would wait by itself for as long as it is told to.
    answer = alone.admin.get(
        "/api/v2/organizations/me",
        headers={"Authorization": f"Bearer {session.client.access_token}"},
    )

    seconds = answer.headers["Retry-After"]
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (429, 429, "too.many.requests.retry.after")
    assert body["message"] == f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"
    assert 1 <= int(seconds) <= 61
    assert answer.headers["inin-ratelimit-reset"] == seconds
    session.close()


@pytest.mark.parametrize("status", [429, 503])
def test_the_sdk_waits_as_the_answer_says_and_goes_on_by_itself(alone, status):
    alone.admin.post(
        "/sandbox/faults",
        json={
            "match": {"path": "/api/v2/organizations/me"},
            "times": 2,
            "effect": {"status": status, "headers": {"Retry-After": "0"}},
        },
    ).raise_for_status()

    assert alone.organization.get_organizations_me().name == "Conformance Org"
    assert alone.admin.get("/sandbox/requests").json()["routes"]["GET /api/v2/organizations/me"] == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "too.many.requests.retry.after"), (500, "internal.server.error"), (504, "request.timeout")],
)
def test_what_the_sdk_does_not_wait_for_is_raised_with_its_code(alone, status, code):
    alone.admin.post("/sandbox/faults", json={"effect": {"status": status, "code": code}}).raise_for_status()

    assert refused(alone.organization.get_organizations_me) == (status, code)


RAISES = {"ApiError": None, "bad_request": "bad.request", "not_found": "not.found", "conflict": "general.conflict"}
"""Function that makes a refusal → its code where none is given; the code is its second argument."""
AREAS = (
    *("app", "auth", "call", "crud", "datatable_rows", "datatables", "dids", "directory", "directory_queries"),
    *("divisions", "export_jobs", "flow_actions", "flow_locks", "flow_versions", "flows", "ivrs", "prompts"),
    *("schedules", "shapes", "telephony", "tracking", "usage", "validate_jobs"),
)
"""Modules of the sandbox whose refusals this table is about; later areas have tables of their own."""


def codes_in(source: str) -> Iterator[str]:
    """Patterns of the codes that a module refuses with."""
    for node in ast.walk(ast.parse(source)):
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
        if name == "invalid_value":
            yield re.escape("invalid.value")
        if name in RAISES:
            given = node.args[1] if len(node.args) > 1 else None
            match given:
                case ast.Constant(value=str(code)):
                    yield re.escape(code)
                case ast.JoinedStr(values=parts):
                    yield "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ".*" for part in parts)
                case None if RAISES[name]:
                    yield re.escape(RAISES[name])


def test_the_table_has_every_code_that_the_sandbox_refuses_with():
    folder = Path(reconciler.sandbox.__file__).parent
    patterns = {pattern for area in AREAS for pattern in codes_in((folder / f"{area}.py").read_text("utf-8"))}
    elsewhere = {
        "architect.operation.already.in.progress",
        "credentials.expired",
        # Uploads and downloads have no operation in the SDK: test_conformance_jobs.
        "not.authorized",
        # The last resort, when the sandbox itself breaks.
        "internal.server.error",
    }
    known = {refusal.code for refusal in REFUSALS} | elsewhere

    missing = {pattern for pattern in patterns if not any(re.fullmatch(pattern, code) for code in known)}

    assert len(patterns) > 20
    assert missing == set()
