"""The client against the sandbox org, over real HTTP."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import httpx
import pytest

from reconciler.platform import (
    Conflict,
    Connection,
    FlowLocked,
    Gone,
    IvrBody,
    JobFailed,
    NotFound,
    Platform,
    Ref,
    RequestTimedOut,
    ScheduleBody,
    ScheduleGroupBody,
    TrackingIncomplete,
    VersionConflict,
)
from reconciler.platform.directory_kinds import LISTINGS
from reconciler.platform.listings import Key
from reconciler.sandbox.embedded import start
from reconciler.sandbox.settings import Settings

Result = TypeVar("Result")

MODULE = b"""
commonModule:
  name: Authenticate Caller
  supportedLanguages: {en-us: {none: true}}
  startUpTaskActions:
    - endTask: {name: End}
"""
CALLER = b"""
inboundCall:
  name: %s
  defaultLanguage: en-us
  startUpRef: /inboundCall/tasks/task[main]
  initialGreeting: {tts: Hello}
  tasks:
    - task:
        name: Main
        refId: main
        actions:
          - callCommonModule:
              name: Authenticate
              commonModule: {Authenticate Caller: {ver_latestPublished: {none: true}}}
          - disconnect: {name: Bye}
"""
HOURS = ScheduleBody(
    name="Office hours",
    start="2026-01-05T08:00:00.000",
    end="2026-01-05T17:00:00.000",
    rrule="FREQ=WEEKLY;BYDAY=MO",
)
TABLE = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["key"],
    "properties": {
        name: {"$id": f"/properties/{name}", "type": "string", "title": name, "displayOrder": order}
        for order, name in enumerate(("key", "value"))
    },
    "additionalProperties": False,
}


SEED = """
divisions: [North]
queues: [Sales, Sales DK]
skills: [Danish]
languageSkills: [English]
wrapupCodes: [Solved]
contactLists: [Callbacks]
prompts: [Welcome]
dataTables: [{name: Routing, fields: {queue: string}}]
dataActions: [{category: CRM, name: Get Customer}]
schedules: [Office hours]
scheduleGroups: [Hours]
emergencyGroups: [Flood]
users: [{name: Mette Holm, email: mette.holm@example.test}]
groups: [Board]
scripts: [Callback script]
surveyForms: [Satisfaction]
knowledgeBases: [Products]
flowOutcomes: [Resolved]
flowMilestones: [Identified]
worktypes: [Complaint]
ttsEngines: [Genesys TTS]
sttEngines: [Genesys STT]
agenticVirtualAgents: [Ava]
"""
SEEDED: dict[str, Key] = {
    "division": "North",
    "queue": "Sales",
    "skill": "Danish",
    "languageSkill": "English",
    "wrapupCode": "Solved",
    "contactList": "Callbacks",
    "prompt": "Welcome",
    "dataTable": "Routing",
    "dataAction": ("crm", "Get Customer"),
    "schedule": "Office hours",
    "scheduleGroup": "Hours",
    "emergencyGroup": "Flood",
    "user": "Mette.Holm@example.test",
    "group": "Board",
    "script": "Callback script",
    "surveyForm": "Satisfaction",
    "knowledgeBase": "Products",
    "flowOutcome": "Resolved",
    "flowMilestone": "Identified",
    "worktype": "Complaint",
    "ttsEngine": "Genesys TTS",
    "sttEngine": "Genesys STT",
    "agenticVirtualAgent": "Ava",
}


async def hurried(seconds: float) -> None:
    """Long pauses are for real orgs."""
    await asyncio.sleep(min(seconds, 0.05))


def run(
    data: Path,
    work: Callable[[Platform], Awaitable[Result]],
    *,
    seed: Path | None = None,
    faults: Path | None = None,
    limits: Mapping[str, float] = MappingProxyType({}),
    **settings: Any,
) -> Result:
    async def session(connection: Connection) -> Result:
        async with Platform(connection, sleep=hurried) as platform:
            return await work(platform)

    with start(data / "org.sqlite", seed=seed, faults=faults, settings=Settings(**settings)) as org:
        limits = {"poll_initial": 0.01, "poll_max": 0.05, "settle": 0.2, "deadline": 0.3, **limits}
        return asyncio.run(
            session(Connection(org.api_url, org.login_url, org.client_id, org.client_secret, **limits))  # type: ignore[arg-type]
        )


def test_flows_are_deployed_listed_and_exported(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        module = await platform.flows.deploy(MODULE)
        sales = await platform.flows.deploy(CALLER % b"Sales")
        again = await platform.flows.deploy(CALLER % b"Sales")
        assert again.flow_id == sales.flow_id

        flows = {flow.name: flow for flow in await platform.flows.list()}
        assert {flow.type for flow in flows.values()} == {"COMMONMODULE", "INBOUNDCALL"}
        versions = [version.id for version in await platform.flows.versions(sales.flow_id)]
        assert len(versions) == 2
        published = flows["Sales"].published_version
        assert published is not None
        assert published.id in versions
        assert {flow.id for flow in await platform.flows.lookup([sales.flow_id])} == {sales.flow_id}

        single = await platform.flows.export([(sales.flow_id, published.id)])
        assert "name: Sales" in single[sales.flow_id, published.id]
        wanted = [*((sales.flow_id, version) for version in versions), (module.flow_id, "1.0")]
        several = await platform.flows.export(wanted)
        assert several.keys() == set(wanted)
        assert several[sales.flow_id, published.id] == single[sales.flow_id, published.id]

    run(tmp_path, work)


def test_a_request_searches_for_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python does not remember an import that failed, so that each request would pay for it again."""
    searched = []

    class Watching:
        @staticmethod
        def find_spec(name: str, _path: object = None, _target: object = None) -> None:
            searched.append(name)

    async def work(platform: Platform) -> None:
        await platform.flows.list()  # Loads what it needs.
        with monkeypatch.context() as patch:
            patch.setattr("sys.meta_path", [Watching, *sys.meta_path])
            await platform.flows.list()

    run(tmp_path, work)

    assert searched == []


def test_a_flow_goes_through_every_action(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        flows = platform.flows
        module = (await flows.deploy(MODULE)).flow_id
        assert (await flows.checkout(module)).lock_holder is not None
        assert (await flows.revert(module)).saved_version is not None
        await flows.checkout(module)
        assert (await flows.checkin(module)).action_status == "SUCCESS"
        assert (await flows.get(module)).lock_holder is None
        assert (await flows.publish(module, version="1.0")).action_name == "PUBLISH"
        republished = (await flows.get(module)).published_version
        assert republished is not None
        assert republished.id == "2.0"
        await flows.checkout(module)
        assert (await flows.unlock(module)).lock_holder is None
        taken_off = await flows.deactivate(module)
        assert (taken_off.active, taken_off.published_version) == (False, None)

    run(tmp_path, work)


def test_tracking_tells_who_consumes_a_module(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        module = await platform.flows.deploy(MODULE)
        sales = await platform.flows.deploy(CALLER % b"Sales")
        [consumer] = await platform.tracking.consuming(module.flow_id, "COMMONMODULEFLOW")
        assert (consumer.id, consumer.type) == (sales.flow_id, "INBOUNDCALLFLOW")
        consumed = await platform.tracking.consumed(sales.flow_id, "1.0", "INBOUNDCALLFLOW", ("COMMONMODULEFLOW",))
        assert [(used.id, used.updated) for used in consumed] == [(module.flow_id, False)]
        with pytest.raises(Conflict):
            await platform.flows.delete(module.flow_id)

        await platform.flows.delete(sales.flow_id)
        await platform.flows.delete(module.flow_id)
        with pytest.raises(Gone):
            await platform.flows.get(module.flow_id)
        assert await platform.flows.list() == []

    run(tmp_path, work)


def test_tracking_that_is_not_complete_is_not_trusted(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        with pytest.raises(TrackingIncomplete):
            await platform.tracking.consuming("x", "COMMONMODULEFLOW")

    run(tmp_path, work, tracking_complete=False)


def test_a_missing_reference_fails_the_job_with_architects_words(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        with pytest.raises(JobFailed, match="Authenticate Caller") as caught:
            await platform.flows.deploy(CALLER % b"Sales")
        assert caught.value.messages

    run(tmp_path, work)


@pytest.mark.parametrize("deleted", ["not_found", "state"])
def test_versioned_kinds_live_from_create_to_delete(tmp_path: Path, deleted: str) -> None:
    async def work(platform: Platform) -> None:
        hours = await platform.schedules.create(HOURS)
        group = await platform.schedule_groups.create(
            ScheduleGroupBody(name="Hours", time_zone="Europe/Copenhagen", open_schedules=(Ref(id=hours.id),))
        )
        assert group.open_schedules[0].id == hours.id
        changed = await platform.schedules.update(hours.id, hours.model_copy(update={"description": "New"}))
        assert (changed.version, changed.description) == ((hours.version or 0) + 1, "New")
        with pytest.raises(VersionConflict):
            await platform.schedules.update(hours.id, hours)
        with pytest.raises(Conflict):
            await platform.schedules.delete(hours.id)
        await platform.schedule_groups.delete(group.id)
        await platform.schedules.delete(hours.id)
        assert await platform.schedules.list() == []
        with pytest.raises(NotFound):
            await platform.schedules.get(hours.id)

    run(tmp_path, work, deleted_objects=deleted)


def test_an_ivr_takes_more_numbers_than_one_request_may_add(tmp_path: Path) -> None:
    numbers = tuple(f"+4570{number:06}" for number in range(53))

    async def work(platform: Platform) -> None:
        await platform.flows.deploy(MODULE)
        flow = Ref(id=(await platform.flows.deploy(CALLER % b"Sales")).flow_id)
        body = IvrBody(name="Sales Line", dnis=numbers, open_hours_flow=flow, closed_hours_flow=flow)
        assert set((await platform.ivrs.create(body)).dnis) == set(numbers)

    run(tmp_path, work, missing_references="create")


@pytest.mark.parametrize("key", ["plain", "ivr/Sales Line", "..", "a?b#c&d=e", "æøå", "a+b", "%2F", "~lock"])
def test_rows_keep_any_key(tmp_path: Path, key: str) -> None:
    async def work(platform: Platform) -> None:
        table = await platform.data_tables.create("Ledger", "Ours", TABLE)
        found = await platform.data_tables.find("Ledger")
        assert found is not None
        assert found.table_schema is not None
        assert await platform.data_tables.row(table.id, key) is None
        await platform.data_tables.create_row(table.id, {"key": key, "value": "1"})
        with pytest.raises(Conflict):
            await platform.data_tables.create_row(table.id, {"key": key, "value": "2"})
        await platform.data_tables.update_row(table.id, key, {"key": key, "value": "3"})
        assert await platform.data_tables.rows(table.id) == [{"key": key, "value": "3"}]
        await platform.data_tables.delete_row(table.id, key)
        assert await platform.data_tables.row(table.id, key) is None

    run(tmp_path, work)


def test_lists_longer_than_a_page_come_whole(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        for number in range(103):
            await platform.schedules.create(HOURS.model_copy(update={"name": f"Hours {number:03}"}))
        before = platform.requests
        assert len({schedule.name for schedule in await platform.schedules.list()}) == 103
        assert platform.requests == before + 2

    run(tmp_path, work)


def test_an_expired_token_is_replaced(tmp_path: Path) -> None:
    async def work(platform: Platform) -> None:
        await platform.organization()
        await asyncio.sleep(1.1)
        assert await platform.flows.list() == []
        assert platform.logins == 2

    run(tmp_path, work, token_seconds=1)


def test_every_kind_of_object_is_found_in_the_full_list_and_by_filter(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED)

    async def work(platform: Platform) -> None:
        for kind, name in SEEDED.items():
            missing = ("CRM", "None") if isinstance(name, tuple) else "None"
            found: dict[Any, str | None] = await platform.directory.find(kind, [name, missing])
            assert found[name], kind
            assert found[missing] is None, kind
            listing = LISTINGS[kind]
            key = listing.key(name)
            assert (key, found[name]) in await listing.named(platform._session, [key, listing.key(missing)]), kind

    run(tmp_path, work, seed=seed)
    assert SEEDED.keys() == LISTINGS.keys()


def test_a_locked_flow_tells_who_has_it_and_since_when(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("users: [{name: Mette Holm, email: mette.holm@example.test}]")

    async def work(platform: Platform) -> None:
        deployed = await platform.flows.deploy(MODULE)
        async with httpx.AsyncClient(base_url=platform.connection.api_url) as admin:
            answer = await admin.post(f"/sandbox/flows/{deployed.flow_id}/lock", json={"user": "Mette Holm"})
            answer.raise_for_status()
        known = deployed.flow_id
        for attempt in (
            lambda: platform.flows.deploy(MODULE, known=known),
            lambda: platform.flows.delete(known),
            lambda: platform.flows.checkout(known),
        ):
            with pytest.raises(FlowLocked, match=r"locked by Mette Holm since \d{4}-\d\d-\d\d \d\d:\d\d UTC") as caught:
                await attempt()
            assert caught.value.since is not None
            assert abs((datetime.now(UTC) - caught.value.since).total_seconds()) < 60

    run(tmp_path, work, seed=seed)


def test_an_answer_that_drips_on_is_given_up_and_the_host_is_named(tmp_path: Path) -> None:
    rules = tmp_path / "faults.yaml"
    rules.write_text("- {preset: dripping, match: {path: '*/organizations/me'}}\n", encoding="utf-8")

    async def work(platform: Platform) -> None:
        await platform.divisions.list()
        with pytest.raises(RequestTimedOut, match=r"127\.0\.0\.1:\d+ did not answer GET /api/v2/organizations/me"):
            await platform.organization()

    run(tmp_path, work, faults=rules, limits={"exchange": 0.4})
