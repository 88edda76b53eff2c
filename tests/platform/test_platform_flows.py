"""Flows: deploy jobs from upload to outcome, look-ups, locks, deletion."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from platform_support import Org, ok, page, problem

from reconciler.platform import (
    BadRequest,
    Conflict,
    DeployedFlow,
    FlowLocked,
    Gone,
    JobFailed,
    JobTimedOut,
    MalformedResponse,
    NotFound,
    Platform,
    UnsafeAddress,
)

JOBS = "POST /api/v2/flows/jobs"
STATE = "GET /api/v2/flows/jobs/job-1"
UPLOAD = "PUT /upload/1"
JOB = {"id": "job-1", "presignedUrl": "https://files.example.test/upload/1?sig=x", "headers": {"x-amz-acl": "private"}}
YAML = "inboundCall:\n  name: Åbent\n".encode()


def state(status: str, *messages: tuple[str, str], **more: Any) -> httpx.Response:
    wire = [{"type": kind, "text": text, "details": [{"secret": "request"}]} for kind, text in messages]
    return ok({"id": "job-1", "status": status, "messages": wire} | more)


def org_with(*states: httpx.Response) -> Org:
    return Org().on(JOBS, ok(JOB)).on(UPLOAD, httpx.Response(200)).on(STATE, *states)


def deploy(platform: Platform) -> Awaitable[DeployedFlow]:
    return platform.flows.deploy(YAML)


SUCCESS = state("Success", ("Warning", "Unused variable"), flow={"id": "flow-1"})


def test_a_flow_is_registered_uploaded_and_polled() -> None:
    org = org_with(state("Registered"), state("Started"), state("Started"), SUCCESS)
    told: list[str] = []
    done = org.run(lambda platform: platform.flows.deploy(YAML, progress=told.append))
    assert (done.job_id, done.flow_id, [str(message) for message in done.messages]) == (
        "job-1",
        "flow-1",
        ["Unused variable"],
    )
    assert org.bodies(JOBS) == [{}]
    assert org.requests(STATE)[0].url.params["expand"] == "messages"
    assert told == ["Deploy job: registered", "Deploy job: started"]


def test_the_first_look_is_immediate_and_pauses_grow_up_to_the_longest() -> None:
    org = org_with(*[state("Started")] * 30, SUCCESS)
    org.run(deploy)
    pauses = [seconds for seconds in org.time.slept if seconds > 0.1]
    assert sum(pauses[:5]) < 4.0 < pauses[20] < pauses[-1] == max(pauses) == 15.0


def test_the_upload_is_sent_as_given_without_our_token() -> None:
    org = org_with(SUCCESS)
    org.run(deploy)
    upload = org.requests(UPLOAD)[0]
    assert upload.content == YAML
    assert upload.headers["x-amz-acl"] == "private"
    assert "Authorization" not in upload.headers
    assert upload.url.params["sig"] == "x"


def test_every_attempt_uploads_the_whole_file() -> None:
    org = org_with(SUCCESS).on(UPLOAD, httpx.Response(503), httpx.ReadError("cut"), httpx.Response(200))

    async def work(platform: Platform) -> tuple[int, int]:
        await platform.flows.deploy(YAML)
        return platform.requests, platform.transfers

    assert org.run(work) == (2, 3)
    assert [request.content for request in org.requests(UPLOAD)] == [YAML] * 3


def test_registering_a_job_may_be_repeated() -> None:
    org = org_with(SUCCESS).on(JOBS, httpx.ReadTimeout("slow"), problem(500), ok(JOB))
    assert org.run(deploy).flow_id == "flow-1"


def test_stubs_are_asked_for_only_on_demand() -> None:
    org = org_with(SUCCESS)
    org.run(lambda platform: platform.flows.deploy(YAML, create_stubs=True))
    assert org.bodies(JOBS) == [{"createStubs": True}]


def test_a_failed_job_says_why_and_drops_the_details() -> None:
    text = "find 'queue' by value of 'Sales' - no matches"
    org = org_with(state("Failure", ("Warning", "minor"), ("Error", text), ("Error", "also this.")))
    with pytest.raises(JobFailed) as caught:
        org.run(deploy)
    assert f"{text}; also this" in str(caught.value)
    assert [message.type for message in caught.value.messages] == ["Warning", "Error", "Error"]
    assert "request" not in str(caught.value.messages)


@pytest.mark.parametrize("messages", [[], None])
def test_a_failed_job_without_messages_is_still_explained(messages: list[Any] | None) -> None:
    org = org_with(ok({"id": "job-1", "status": "Failure", "messages": messages}))
    with pytest.raises(JobFailed, match="gave no reason") as caught:
        org.run(deploy)
    assert caught.value.messages == ()
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("lock", "user", "holder"),
    [
        ({"lockedUser": {"id": "u", "name": "Mette Holm"}}, None, "Mette Holm"),
        ({"lockedUser": {"id": "u"}}, ok({"id": "u", "name": "Jens Lund"}), "Jens Lund"),
        ({"lockedUser": {"id": "u"}}, problem(403), "user u"),
        ({"lockedClient": {"id": "c"}}, None, "OAuth client c"),
        ({}, None, None),
    ],
)
def test_a_locked_flow_names_its_holder(lock: dict[str, Any], user: httpx.Response | None, holder: str | None) -> None:
    text = "Flow 'Sales' (type: 'inboundcall') is locked by another entity. You can use the --forceUnlock option."
    org = org_with(state("Failure", ("Error", text), flow={"id": "flow-1"}))
    org.on("GET /api/v2/flows/flow-1", ok({"id": "flow-1", "name": "Sales", "type": "INBOUNDCALL"} | lock))
    if user is not None:
        org.on("GET /api/v2/users/u", user)
    with pytest.raises(FlowLocked) as caught:
        org.run(deploy)
    assert caught.value.holder == holder
    assert (holder or "somebody else") in str(caught.value)


class TestLockHistory:
    """A flow says who holds its lock; only its history says since when."""

    HISTORY = "POST /api/v2/flows/flow-1/history"
    ENTRIES = "GET /api/v2/flows/flow-1/history/op-1"
    EARLIER = {"action": "CHECKOUT", "timestamp": "2026-11-20T09:00:00.000Z", "user": {"id": "u"}}  # noqa: RUF012
    LATEST = {"action": "CHECKOUT", "timestamp": "2026-11-24T18:02:59.000Z", "user": {"id": "u"}}  # noqa: RUF012

    def refused(self, *entries: dict[str, Any], **routes: httpx.Response) -> FlowLocked:
        """What a locked check-out is refused with."""
        org = Org().on(self.HISTORY, routes.get("history", ok({"id": "op-1", "complete": False})))
        listing = {"complete": True, "entities": list(entries), "pageNumber": 1, "pageCount": 1}
        org.on(self.ENTRIES, ok({"complete": False}), ok(listing))
        locked = {"id": "flow-1", "name": "Sales", "type": "BOT", "lockedUser": {"id": "u", "name": "Mette Holm"}}
        org.on("GET /api/v2/flows/flow-1", ok(locked))
        org.on("POST /api/v2/flows/actions/checkout", problem(409, "architect.flow.locked.by.user", "Locked"))
        with pytest.raises(FlowLocked) as caught:
            org.run(lambda platform: platform.flows.checkout("flow-1"))
        return caught.value

    def test_the_latest_checkout_of_the_holder_says_since_when(self) -> None:
        refusal = self.refused(self.EARLIER, self.LATEST, {"action": "SAVE", "timestamp": "2026-11-24T19:00:00Z"})
        assert refusal.since == datetime(2026, 11, 24, 18, 2, 59, tzinfo=UTC)
        assert "locked by Mette Holm since 2026-11-24 18:02 UTC" in str(refusal)
        assert (refusal.status, refusal.code) == (409, "architect.flow.locked.by.user")

    @pytest.mark.parametrize(
        "entries",
        [
            (),
            ({"action": "CHECKOUT", "timestamp": "yesterday", "user": {"id": "u"}},),
            (LATEST, LATEST | {"timestamp": "2026-11-24T19:00:00Z", "user": {"id": "somebody-else"}}),
            ({"action": "PUBLISH", "timestamp": "2026-11-24T19:00:00Z", "user": {"id": "u"}},),
        ],
    )
    def test_what_the_history_does_not_tell_is_not_made_up(self, entries: tuple[dict[str, Any], ...]) -> None:
        refusal = self.refused(*entries)
        assert (refusal.holder, refusal.since) == ("Mette Holm", None)
        assert "since" not in str(refusal)

    @pytest.mark.parametrize("answer", [problem(403), problem(500), ok({}), ok([])])
    def test_a_history_that_cannot_be_had_leaves_the_holder(self, answer: httpx.Response) -> None:
        refusal = self.refused(history=answer)
        assert (refusal.holder, refusal.since) == ("Mette Holm", None)


def test_a_job_that_does_not_end_is_given_up() -> None:
    org = org_with(state("Started"))
    with pytest.raises(JobTimedOut, match="job-1"):
        org.run(deploy, job_deadline=100.0)
    assert org.time.now - 1000 == pytest.approx(100)


def test_success_without_a_flow_is_malformed() -> None:
    with pytest.raises(MalformedResponse):
        org_with(state("Success")).run(deploy)


def test_an_expired_upload_address_is_a_refusal_and_nothing_about_flows() -> None:
    org = org_with(SUCCESS).on(UPLOAD, httpx.Response(404, text="<Error/>"))
    with pytest.raises(BadRequest):
        org.run(deploy)


def test_an_unencrypted_upload_address_is_refused() -> None:
    org = org_with(SUCCESS).on(JOBS, ok(JOB | {"presignedUrl": "http://files.example.test/upload/1"}))
    with pytest.raises(UnsafeAddress):
        org.run(deploy)
    assert org.requests(UPLOAD) == []


def test_a_deleted_flow_is_gone_at_once() -> None:
    org = Org().on("GET /api/v2/flows/f", problem(410, "architect.flow.deleted"))
    with pytest.raises(Gone):
        org.run(lambda platform: platform.flows.get("f"))
    assert len(org.requests("GET /api/v2/flows/f")) == 1


def test_lookup_asks_in_batches_for_each_id_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        ids = request.url.params["id"].split(",")
        assert len(str(request.url)) < 2100
        return page([{"id": id, "name": id, "type": "WORKFLOW"} for id in ids])

    org = Org().on("GET /api/v2/flows/lookup", answer)
    ids = [f"{number:036}" for number in range(120)]
    found = org.run(lambda platform: platform.flows.lookup([*ids, ids[0]]))
    assert [flow.id for flow in found] == ids
    assert len(org.seen) == 1 + 3
    assert org.run(lambda platform: platform.flows.lookup([])) == []


def test_actions_name_the_flow_in_the_query() -> None:
    org = Org().on("POST /api/v2/flows/actions/checkout", ok({"id": "f", "name": "F", "type": "BOT"}))
    org.on("POST /api/v2/flows/actions/publish", ok({"id": "op", "actionName": "PUBLISH", "actionStatus": "STARTED"}))

    async def work(platform: Platform) -> None:
        assert (await platform.flows.checkout("f")).id == "f"
        assert (await platform.flows.publish("f", version="3.0")).action_name == "PUBLISH"

    org.run(work)
    assert [str(request.url.query, "ascii") for request in org.seen[1:]] == ["flow=f", "flow=f&version=3.0"]


def test_versions_keep_the_wire_s_units() -> None:
    version = {
        "id": "3.0",
        "dateCreated": 1760000000000,
        "datePublished": "2026-11-20T10:00:00.000Z",
        "type": "PUBLISH",
    }
    org = Org().on("GET /api/v2/flows/f/versions", page([version, version | {"id": 2}]))
    first, second = org.run(lambda platform: platform.flows.versions("f"))
    assert (first.id, first.date_created, first.date_published) == ("3.0", 1760000000000, "2026-11-20T10:00:00.000Z")
    assert second.id == "2"


class TestDelete:
    ROUTE = "DELETE /api/v2/flows/f"
    IN_USE = problem(409, "architect.dependency.object.in.use", "in use by Sales")

    def delete(self, platform: Platform) -> Awaitable[None]:
        return platform.flows.delete("f")

    @pytest.mark.parametrize("answer", [httpx.Response(204), problem(404), problem(410, "architect.flow.deleted")])
    def test_gone_is_gone(self, answer: httpx.Response) -> None:
        org = Org().on(self.ROUTE, answer)
        org.run(self.delete)
        assert len(org.requests(self.ROUTE)) == 1

    def test_a_consumer_that_is_just_gone_is_waited_for(self) -> None:
        org = Org().on(self.ROUTE, self.IN_USE, self.IN_USE, httpx.Response(204))
        org.run(self.delete)
        assert len(org.requests(self.ROUTE)) == 3

    def test_a_flow_in_use_stays_a_conflict(self) -> None:
        org = Org().on(self.ROUTE, self.IN_USE)
        with pytest.raises(Conflict, match="in use by Sales"):
            org.run(self.delete)
        assert org.time.now - 1000 == pytest.approx(30)

    def test_a_lock_is_not_waited_for(self) -> None:
        org = Org().on(self.ROUTE, problem(409, "architect.flow.cannot.delete.locked.by.user"))
        with pytest.raises(FlowLocked):
            org.run(self.delete)
        assert org.time.slept == []


def test_not_found_is_no_conflict() -> None:
    with pytest.raises(NotFound):
        Org().run(lambda platform: platform.flows.get("nowhere"))
