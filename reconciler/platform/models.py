"""The wire, as far as we read it: one frozen model a JSON object, aliases are the wire's names.

Source: the official SDK's models of the same names. Unknown fields are ignored; a field that is null counts
as absent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """Base of all wire models."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        coerce_numbers_to_str=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: value for key, value in data.items() if value is not None}
        return data


def utc(text: str | None) -> datetime | None:
    """A moment in UTC, None where the text is none; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


class Ref(Wire):
    """A reference to another object (SDK ``DomainEntityRef``, ``WritableDivision``, ``User``)."""

    id: str
    name: str | None = None


class Address(Wire):
    """A reference without a name (SDK ``AddressableEntityRef``)."""

    id: str


class Organization(Wire):
    """The org that the token belongs to (SDK ``Organization``)."""

    id: str
    name: str = ""
    default_language: str | None = None
    default_country_code: str | None = None
    third_party_org_name: str | None = None
    domain: str | None = None
    state: str | None = None


class Division(Wire):
    """A division (SDK ``AuthzDivision``)."""

    id: str
    name: str
    description: str | None = None
    home_division: bool = False


class FlowVersion(Wire):
    """One version of a flow (SDK ``FlowVersion``); ``date_*`` integers are epoch milliseconds."""

    id: str
    name: str | None = None
    commit_version: str | None = None
    configuration_version: str | None = None
    type: str | None = None
    secure: bool = False
    debug: bool = False
    created_by: Ref | None = None
    created_by_client: Ref | None = None
    date_created: int | None = None
    date_checked_in: int | None = None
    date_saved: int | None = None
    date_published: str | None = None
    """ISO 8601."""
    date_published_end: str | None = None
    compatible_flow_types: tuple[str, ...] = ()

    @property
    def published_at(self) -> datetime | None:
        """When it was published in UTC, None where it was not, or not at a time that can be read."""
        return utc(self.date_published)


class Operation(Wire):
    """Something that Architect is doing to a flow (SDK ``Operation``)."""

    id: str | None = None
    complete: bool = False
    action_name: str | None = None
    action_status: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    user: Ref | None = None
    client: Ref | None = None


class HistoryState(Wire):
    """Whether a flow's history is generated yet (SDK ``HistoryListing``)."""

    complete: bool = False


class HistoryEntry(Wire):
    """Something that was done to a flow (SDK ``HistoryEntry``)."""

    action: str = ""
    """E.g. ``CHECKOUT``."""
    timestamp: str | None = None
    """ISO 8601."""
    user: Ref | None = None
    client: Ref | None = None

    @property
    def moment(self) -> datetime | None:
        """The timestamp in UTC, None where there is none that can be read."""
        return utc(self.timestamp)


class Flow(Wire):
    """A flow without its content (SDK ``Flow``); ``type`` is upper case, e.g. ``INBOUNDCALL``."""

    id: str
    name: str
    type: str
    description: str | None = None
    division: Ref | None = None
    locked_user: Ref | None = None
    locked_client: Ref | None = None
    active: bool = False
    system: bool = False
    deleted: bool = False
    published_version: FlowVersion | None = None
    saved_version: FlowVersion | None = None
    checked_in_version: FlowVersion | None = None
    published_by: Ref | None = None
    current_operation: Operation | None = None
    compatible_flow_types: tuple[str, ...] = ()

    @property
    def lock_holder(self) -> Ref | None:
        """The person or OAuth client that has the flow checked out."""
        return self.locked_user or self.locked_client


class JobMessage(Wire):
    """One message of a deploy or export job (SDK ``ArchitectJobMessage``).

    ``details`` are left out on purpose: they hold requests unredacted (facts §3.3).
    """

    type: str = "Unknown"
    """``Error``, ``Warning`` or ``Unknown``."""
    text: str = ""
    date_time: str | None = None

    def __str__(self) -> str:
        return self.text


class DeployJob(Wire):
    """A registered deploy job (SDK ``RegisterArchitectJobResponse``)."""

    id: str
    presigned_url: str
    headers: dict[str, str] = Field(default_factory=dict)


class JobState(Wire):
    """State of a deploy or export job (SDK ``ArchitectJobStateResponse``, ``ArchitectExportJobState…``)."""

    id: str
    status: str
    """``Registered``, ``Started``, ``Success`` or ``Failure``."""
    flow: Address | None = None
    download_url: str | None = None
    messages: tuple[JobMessage, ...] = ()


class ExportJob(Wire):
    """A registered export job (SDK ``RegisterArchitectExportJobResponse``)."""

    id: str


class TelephonyObject(Wire):
    """What IVRs, schedules and schedule groups share: version counter and soft delete."""

    id: str
    name: str
    version: int | None = None
    state: str | None = None
    """``active``, ``inactive`` or ``deleted``."""
    date_modified: str | None = None
    modified_by: str | None = None
    modified_by_app: str | None = None
    created_by: str | None = None

    @property
    def deleted(self) -> bool:
        """Deleted, though the org still shows it."""
        return self.state == "deleted"


class TelephonyBody(Wire):
    """What may be written on an IVR, a schedule or a schedule group.

    None is left out, and a PUT that leaves a reference out clears it (facts §3.4).
    """

    name: str
    description: str | None = None
    division: Ref | None = None
    version: int | None = None
    """The version that was read; None on create."""


class IvrBody(TelephonyBody):
    """Writable fields of SDK ``IVR``."""

    dnis: tuple[str, ...] = ()
    """E.164 numbers."""
    open_hours_flow: Ref | None = None
    closed_hours_flow: Ref | None = None
    holiday_hours_flow: Ref | None = None
    schedule_group: Ref | None = None


class ScheduleBody(TelephonyBody):
    """Writable fields of SDK ``Schedule``."""

    start: str
    """Local time without a zone, ``yyyy-MM-ddTHH:mm:ss.SSS``."""
    end: str
    rrule: str | None = None
    """RFC 5545 recurrence, e.g. ``FREQ=WEEKLY;BYDAY=MO,TU``; None for a single event."""


class ScheduleGroupBody(TelephonyBody):
    """Writable fields of SDK ``ScheduleGroup``."""

    time_zone: str | None = None
    """IANA name, e.g. ``Europe/Copenhagen``."""
    open_schedules: tuple[Ref, ...] = ()
    closed_schedules: tuple[Ref, ...] = ()
    holiday_schedules: tuple[Ref, ...] = ()


class Ivr(IvrBody, TelephonyObject):
    """An IVR as the org has it (SDK ``IVR``)."""


class Schedule(ScheduleBody, TelephonyObject):
    """A schedule as the org has it (SDK ``Schedule``)."""


class ScheduleGroup(ScheduleGroupBody, TelephonyObject):
    """A schedule group as the org has it (SDK ``ScheduleGroup``)."""


class DataTable(Wire):
    """A data table (SDK ``DataTable``); ``table_schema`` is there where it was asked for."""

    id: str
    name: str
    description: str | None = None
    division: Ref | None = None
    table_schema: dict[str, Any] | None = Field(default=None, alias="schema")


class Dependency(Wire):
    """A consumed or consuming object (SDK ``Dependency``)."""

    id: str
    name: str = ""
    type: str
    """Tracking's own name, e.g. ``INBOUNDCALLFLOW``, ``WORKFLOW``."""
    version: str | None = None
    deleted: bool = False
    updated: bool = False
    """The consumed object changed since the consumer's version was made (guess, facts §3.10)."""
    state_unknown: bool = False


class TrackingStatus(Wire):
    """State of dependency tracking (SDK ``DependencyStatus``)."""

    status: str
    """``OPERATIONAL``, ``OPERATIONALNEEDSREBUILD``, ``BUILD…`` or ``NOTBUILT``."""
    date_started: str | None = None
    date_completed: str | None = None
    user: Ref | None = None
    client: Ref | None = None

    @property
    def operational(self) -> bool:
        """Whether answers are complete."""
        return self.status == "OPERATIONAL"

    @property
    def being_built(self) -> bool:
        """Whether it may become complete by itself."""
        return self.status.startswith("BUILD")
