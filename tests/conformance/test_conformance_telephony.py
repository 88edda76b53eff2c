"""IVRs, schedules, groups and phone numbers with the official SDK: versions, references, what cannot be deleted."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from typing import Any

import pytest
from sdk import Sdk, genesys, refused
from support import flow, module

models = genesys.models
_NUMBERS = count(1)
OPENS, CLOSES = datetime.fromisoformat("2026-01-05T08:00"), datetime.fromisoformat("2026-01-05T17:30")
"""Local times, without a zone."""


def unique(name: str) -> str:
    """A name that no other test uses."""
    return f"{name} {next(_NUMBERS)}"


def ref(object_id: str) -> Any:
    """A reference as the SDK writes it."""
    made = models.DomainEntityRef()
    made.id = object_id
    return made


def schedule(**fields: Any) -> Any:
    """A schedule to create."""
    made = models.Schedule()
    made.name, made.start, made.end = unique("Weekdays"), OPENS, CLOSES
    made.rrule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def group(*open_schedules: str, **fields: Any) -> Any:
    """A schedule group to create."""
    made = models.ScheduleGroup()
    made.name, made.time_zone = unique("Hours"), "Europe/Copenhagen"
    made.open_schedules = [ref(item) for item in open_schedules]
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def line(**fields: Any) -> Any:
    """An IVR to create."""
    made = models.IVR()
    made.name = unique("Line")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.fixture(scope="module")
def call_flow(sdk: Sdk) -> str:
    """A published call flow."""
    return sdk.publish(flow("Answers"))


class Kind:
    """The operations of the SDK for one kind of object with versions."""

    def __init__(self, sdk: Sdk, name: str) -> None:
        api = sdk.architect
        self.create = getattr(api, f"post_architect_{name}s")
        self.get = getattr(api, f"get_architect_{name}")
        self.update = getattr(api, f"put_architect_{name}")
        self.delete = getattr(api, f"delete_architect_{name}")
        self.list = getattr(api, f"get_architect_{name}s")
        self.views = getattr(api, f"get_architect_{name}s_divisionviews")
        emergency = models.EmergencyGroup()
        emergency.name, emergency.enabled = unique("Emergency"), False
        self.body = {"schedule": schedule(), "schedulegroup": group(), "ivr": line(), "emergencygroup": emergency}[name]


@pytest.fixture(params=["schedule", "schedulegroup", "ivr", "emergencygroup"])
def kind(sdk: Sdk, request: pytest.FixtureRequest) -> Kind:
    """Each kind that carries a version."""
    return Kind(sdk, request.param)


class TestVersions:
    """Optimistic locking, the same for every kind (facts §2)."""

    def test_an_object_is_made_read_and_listed(self, sdk, kind):
        made = kind.create(kind.body)

        assert made.version == 1
        assert made.state == "active"
        assert made.created_by == sdk.client_id
        assert made.date_created == made.date_modified
        assert made.division.name == "Home"
        assert kind.get(made.id).to_dict() == made.to_dict()
        assert [found.id for found in kind.list(name=made.name).entities] == [made.id]
        view = kind.views(id=[made.id]).entities[0]
        assert (view.id, view.name, view.division.name) == (made.id, made.name, "Home")

    def test_what_was_read_can_be_written_back_and_counts_as_the_next_version(self, kind):
        read = kind.get(kind.create(kind.body).id)
        read.description = "Changed"

        written = kind.update(read.id, read)

        assert (written.version, written.description) == (2, "Changed")
        assert kind.get(read.id).version == 2
        assert written.date_modified >= written.date_created

    def test_who_read_an_older_version_is_told_of_the_conflict_and_changes_nothing(self, kind):
        made = kind.create(kind.body)
        first, second = kind.get(made.id), kind.get(made.id)
        first.description = "First"
        kind.update(made.id, first)
        second.description = "Second"

        assert refused(kind.update, made.id, second) == (409, "general.conflict")

        assert kind.get(made.id).description == "First"

    def test_a_conflict_is_worded_as_the_provider_expects(self, kind):
        made = kind.create(kind.body)
        made.version = 7
        with pytest.raises(genesys.rest.ApiException, match="does not match the current version"):
            kind.update(made.id, made)

    def test_an_update_without_version_is_refused(self, kind):
        """Whether the platform takes one is unknown; the sandbox is strict (facts §2)."""
        made = kind.create(kind.body)
        made.version = None

        assert refused(kind.update, made.id, made) == (400, "bad.request")

    def test_a_name_is_taken_once(self, kind):
        kind.create(kind.body)

        assert refused(kind.create, kind.body) == (409, "general.conflict")

    def test_a_name_is_needed(self, kind):
        made = kind.create(kind.body)
        made.name = " "

        assert refused(kind.update, made.id, made) == (400, "invalid.value")

    def test_an_object_moves_to_another_division_when_it_is_written(self, sdk, kind):
        made = kind.create(kind.body)
        made.division.id = sdk.authorization.get_authorization_divisions(name="Business").entities[0].id
        made.division.name = None

        assert kind.update(made.id, made).division.name == "Business"

    def test_a_deleted_object_is_gone_from_everywhere_and_its_name_is_free(self, kind):
        made = kind.create(kind.body)

        assert kind.delete(made.id) is None

        assert refused(kind.get, made.id) == (404, "not.found")
        assert refused(kind.delete, made.id) == (404, "not.found")
        assert kind.list(name=made.name).entities == []
        assert kind.create(kind.body).id != made.id

    def test_a_deleted_object_can_also_be_shown_with_its_state(self, alone):
        alone.settings(deleted_objects="state")
        made = alone.architect.post_architect_ivrs(line())

        alone.architect.delete_architect_ivr(made.id)

        assert alone.architect.get_architect_ivr(made.id).state == "deleted"


class TestSchedules:
    """Schedules and their groups."""

    def test_times_are_local_and_come_back_as_they_went(self, sdk):
        made = sdk.architect.post_architect_schedules(schedule())

        assert (made.start, made.end) == (OPENS, CLOSES)
        assert made.rrule == "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"

    @pytest.mark.parametrize(
        "fields",
        [
            {"start": CLOSES, "end": OPENS},
            {"rrule": "every day"},
            {"start": "8 o'clock"},
            {"start": "2026-01-05T08:00:00.000Z"},
        ],
    )
    def test_a_schedule_that_makes_no_sense_is_refused(self, sdk, fields):
        assert refused(sdk.architect.post_architect_schedules, schedule(**fields)) == (400, "invalid.value")

    def test_a_group_names_its_schedules(self, sdk):
        open_one, closed_one, holiday = (sdk.architect.post_architect_schedules(schedule()) for _ in range(3))

        made = sdk.architect.post_architect_schedulegroups(
            group(open_one.id, closed_schedules=[ref(closed_one.id)], holiday_schedules=[ref(holiday.id)])
        )

        assert made.time_zone == "Europe/Copenhagen"
        assert [(item.id, item.name) for item in made.open_schedules] == [(open_one.id, open_one.name)]
        assert [item.id for item in made.closed_schedules] == [closed_one.id]
        assert [item.name for item in made.holiday_schedules] == [holiday.name]

    def test_a_group_is_found_by_any_of_its_schedules(self, sdk):
        first, second = (sdk.architect.post_architect_schedules(schedule()) for _ in range(2))
        one = sdk.architect.post_architect_schedulegroups(group(first.id))
        two = sdk.architect.post_architect_schedulegroups(group(closed_schedules=[ref(second.id)]))

        def found(ids: str) -> set[str]:
            return {item.id for item in sdk.architect.get_architect_schedulegroups(schedule_ids=ids).entities}

        assert found(first.id) == {one.id}
        assert found(f"{first.id},{second.id}") == {one.id, two.id}

    @pytest.mark.parametrize("fields", [{"time_zone": "Mars/Olympus"}, {"open_schedules": None}])
    def test_a_group_that_makes_no_sense_is_refused(self, sdk, fields):
        assert refused(sdk.architect.post_architect_schedulegroups, group(**fields)) == (400, "invalid.value")

    def test_a_group_with_a_schedule_that_is_not_there_is_refused(self, sdk):
        assert refused(sdk.architect.post_architect_schedulegroups, group("nothing")) == (400, "invalid.value")


def test_a_schedule_goes_after_its_group_and_the_group_after_its_line(sdk, call_flow):
    architect = sdk.architect
    made = architect.post_architect_schedules(schedule())
    hours = architect.post_architect_schedulegroups(group(made.id))
    answers = ref(call_flow)
    ivr = architect.post_architect_ivrs(
        line(open_hours_flow=answers, closed_hours_flow=answers, schedule_group=ref(hours.id))
    )

    in_use = (409, "architect.dependency.object.in.use")
    assert refused(architect.delete_architect_schedule, made.id) == in_use
    assert refused(architect.delete_architect_schedulegroup, hours.id) == (409, f"{in_use[1]}.by.ivr.configuration")

    architect.delete_architect_ivr(ivr.id)
    architect.delete_architect_schedulegroup(hours.id)
    architect.delete_architect_schedule(made.id)


def test_an_emergency_group_names_its_flows_and_lines_and_holds_them(sdk, call_flow):
    ivr = sdk.architect.post_architect_ivrs(line(open_hours_flow=ref(call_flow)))
    calls, wanted = models.EmergencyCallFlow(), models.EmergencyGroup()
    calls.emergency_flow, calls.ivrs = ref(call_flow), [ref(ivr.id)]
    wanted.name, wanted.enabled, wanted.emergency_call_flows = unique("Emergency"), True, [calls]

    made = sdk.architect.post_architect_emergencygroups(wanted)

    assert made.enabled
    (shown,) = made.emergency_call_flows
    assert (shown.emergency_flow.name, [item.name for item in shown.ivrs]) == ("Answers", [ivr.name])
    assert refused(sdk.architect.delete_architect_ivr, ivr.id) == (409, "architect.dependency.object.in.use")
    sdk.architect.delete_architect_emergencygroup(made.id)
    sdk.architect.delete_architect_ivr(ivr.id)


def test_ids_win_over_the_other_filters_of_the_views_of_emergency_groups(sdk):
    made = sdk.architect.post_architect_emergencygroups({"name": unique("Emergency")})

    found = sdk.architect.get_architect_emergencygroups_divisionviews(id=[made.id], name="nobody")

    assert [item.id for item in found.entities] == [made.id]


class TestIvrs:
    """IVRs and their numbers."""

    def test_a_line_is_put_on_the_air(self, sdk, call_flow):
        hours = sdk.architect.post_architect_schedulegroups(group())
        numbers = ["+4570100001", "+4570100002"]
        answers = ref(call_flow)

        made = sdk.architect.post_architect_ivrs(
            line(
                dnis=numbers,
                open_hours_flow=answers,
                closed_hours_flow=answers,
                holiday_hours_flow=answers,
                schedule_group=ref(hours.id),
            )
        )

        assert made.dnis == numbers
        for item in (made.open_hours_flow, made.closed_hours_flow, made.holiday_hours_flow):
            assert (item.id, item.name, item.self_uri) == (call_flow, "Answers", f"/api/v2/flows/{call_flow}")
        assert (made.schedule_group.id, made.schedule_group.name) == (hours.id, hours.name)
        assert [item.id for item in sdk.architect.get_architect_ivrs(dnis=numbers[1]).entities] == [made.id]
        assert [item.id for item in sdk.architect.get_architect_ivrs(schedule_group=hours.id).entities] == [made.id]
        sdk.architect.delete_architect_ivr(made.id)

    def test_an_update_replaces_the_whole_line(self, sdk, call_flow):
        made = sdk.architect.post_architect_ivrs(line(dnis=["+4570100003"], open_hours_flow=ref(call_flow)))

        after = sdk.architect.put_architect_ivr(made.id, {"name": made.name, "version": made.version})

        assert (after.dnis, after.open_hours_flow) == ([], None)

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"dnis": ["+4799999999"]}, "bad.request"),
            ({"dnis": ["70 10 00 04"]}, "invalid.value"),
            ({"dnis": ["+4570100005", "+4570100005"]}, "invalid.value"),
            ({"dnis": [f"+457010{number:04}" for number in range(100, 151)]}, "bad.request"),
            ({"open_hours_flow": ref("nothing")}, "invalid.value"),
            ({"schedule_group": ref("nothing")}, "invalid.value"),
        ],
        ids=["in no pool", "no E.164", "twice", "51 at once", "no such flow", "no such group"],
    )
    def test_a_line_that_makes_no_sense_is_refused(self, sdk, fields, code):
        assert refused(sdk.architect.post_architect_ivrs, line(**fields)) == (400, code)

    def test_a_number_in_no_pool_is_refused_in_the_platforms_words(self, sdk):
        with pytest.raises(genesys.rest.ApiException, match="Field 'didPoolId' is required and cannot be empty"):
            sdk.architect.post_architect_ivrs(line(dnis=["+4799999999"]))

    def test_a_number_belongs_to_one_line(self, sdk):
        first = sdk.architect.post_architect_ivrs(line(dnis=["+4570100006"]))

        assert refused(sdk.architect.post_architect_ivrs, line(dnis=["+4570100006"])) == (400, "bad.request")

        sdk.architect.delete_architect_ivr(first.id)
        assert sdk.architect.post_architect_ivrs(line(dnis=["+4570100006"])).dnis == ["+4570100006"]

    def test_a_schedule_group_needs_flows_for_open_and_closed_hours(self, sdk, call_flow):
        hours = ref(sdk.architect.post_architect_schedulegroups(group()).id)
        for fields in ({}, {"open_hours_flow": ref(call_flow)}, {"closed_hours_flow": ref(call_flow)}):
            answer = refused(sdk.architect.post_architect_ivrs, line(schedule_group=hours, **fields))
            assert answer == (400, "invalid.value")

    def test_a_line_is_answered_by_a_call_flow_only(self, sdk):
        other = ref(sdk.publish(module("No call flow")))

        assert refused(sdk.architect.post_architect_ivrs, line(open_hours_flow=other)) == (400, "invalid.value")


class TestNumbers:
    """DID pools and the numbers in them."""

    @pytest.fixture
    def pool(self, sdk: Sdk) -> Any:
        """A pool of ten numbers of its own."""
        start = 4580000000 + 1000 * next(_NUMBERS)
        wanted = models.DIDPool()
        wanted.start_phone_number, wanted.end_phone_number = f"+{start}", f"+{start + 9}"
        return sdk.edges.post_telephony_providers_edges_didpools(wanted)

    def test_a_pool_is_made_and_read(self, sdk, pool):
        assert (pool.version, pool.state, pool.provider) == (1, "active", "PURE_CLOUD")
        read = sdk.edges.get_telephony_providers_edges_didpool(pool.id)
        assert read.to_dict() == pool.to_dict()
        assert [item.id for item in sdk.edges.get_telephony_providers_edges_didpools(id=[pool.id]).entities] == [
            pool.id
        ]

    def test_a_pool_is_written_without_its_version_as_the_provider_does(self, sdk, pool):
        pool.version, pool.comments = None, "Ours"

        after = sdk.edges.put_telephony_providers_edges_didpool(pool.id, pool)

        assert (after.version, after.comments) == (2, "Ours")
        after.version = 1
        answer = refused(sdk.edges.put_telephony_providers_edges_didpool, pool.id, after)
        assert answer == (409, "general.conflict")

    def test_pools_do_not_overlap(self, sdk, pool):
        wanted = {"startPhoneNumber": pool.end_phone_number, "endPhoneNumber": f"{pool.end_phone_number[:-1]}9"}
        assert refused(sdk.edges.post_telephony_providers_edges_didpools, wanted) == (409, "general.conflict")

    def test_the_numbers_of_a_pool_are_listed_with_who_owns_them(self, sdk, pool):
        owned = f"{pool.start_phone_number[:-1]}4"
        ivr = sdk.architect.post_architect_ivrs(line(dnis=[owned]))
        numbers = sdk.edges.get_telephony_providers_edges_didpools_dids

        both = numbers("ASSIGNED_AND_UNASSIGNED", id=[pool.id], page_size=7)
        assert (both.total, both.page_count, len(both.entities)) == (10, 2, 7)
        (assigned,) = numbers("ASSIGNED", id=[pool.id]).entities
        assert (assigned.number, assigned.assigned, assigned.owner_type) == (owned, True, "IVR_CONFIG")
        assert (assigned.owner.id, assigned.owner.name, assigned.did_pool.id) == (ivr.id, ivr.name, pool.id)
        free = numbers("UNASSIGNED", id=[pool.id]).entities
        assert len(free) == 9
        assert not any(item.assigned or item.owner for item in free)
        assert [item.number for item in numbers("ASSIGNED", number_match=owned).entities] == [owned]
        down = numbers("UNASSIGNED", id=[pool.id], sort_order="descending").entities
        assert [item.number for item in down] == [item.number for item in free][::-1]
        assert refused(numbers, "SOME") == (400, "invalid.query.param.value")

    def test_numbers_with_records_are_those_that_are_assigned(self, sdk, pool):
        owned = [f"{pool.start_phone_number[:-1]}{digit}" for digit in (1, 2)]
        ivr = sdk.architect.post_architect_ivrs(line(dnis=owned))
        records = sdk.edges.get_telephony_providers_edges_dids

        first, second = records(owner_id=ivr.id).entities

        assert [first.phone_number, second.phone_number] == owned
        assert (first.owner.name, first.owner_type, first.did_pool.id) == (ivr.name, "IVR_CONFIG", pool.id)
        assert [item.id for item in records(did_pool_id=pool.id).entities] == [first.id, second.id]
        assert [item.id for item in records(id=[second.id]).entities] == [second.id]
        assert [item.id for item in records(phone_number=owned[0]).entities] == [first.id]
        assert records(phone_number=f"{pool.start_phone_number[:-1]}9").entities == []
        down = records(owner_id=ivr.id, sort_order="desc").entities
        assert [item.id for item in down] == [second.id, first.id]

    def test_a_pool_goes_after_the_line_that_owns_a_number_of_it(self, sdk, pool):
        ivr = sdk.architect.post_architect_ivrs(line(dnis=[pool.start_phone_number]))
        delete = sdk.edges.delete_telephony_providers_edges_didpool

        assert refused(delete, pool.id) == (409, "general.conflict")

        sdk.architect.delete_architect_ivr(ivr.id)
        delete(pool.id)
        assert refused(sdk.edges.get_telephony_providers_edges_didpool, pool.id) == (404, "not.found")
