"""IVRs: what puts flows on the air – numbers, and the flow for open, closed and holiday hours.

Platform facts: shared fact sheet §3.4; wire model ``IVR`` of the official SDK. Dependency tracking knows IVRs
as ``IVRCONFIGURATION``; nothing consumes an IVR that we manage.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import Field

from reconciler.archy.model import Problem, Reference
from reconciler.kinds.base import Consumer, Live, Route
from reconciler.kinds.fields import FieldKind, Spec
from reconciler.platform import CrudApi, Did, Ivr, IvrBody, Platform

E164 = re.compile(r"\+[1-9][0-9]{1,14}")
Number = Annotated[str, Field(examples=["+441632960100"], json_schema_extra={"pattern": f"^{E164.pattern}$"})]
"""The pattern is for editors; ``check`` says in better words what is wrong."""
OWNERS = {"IVR_CONFIG": "IVR", "USER": "user", "PHONE": "phone", "GROUP": "group"}
"""Who may have a number (SDK ``DID.owner_type``), in words."""
ASKED_ONE_BY_ONE = 5
"""More IVRs than this may be cheaper looked up in the list of all numbers, which holds those of users, too."""
FLOW_FIELDS = ("openHoursFlow", "closedHoursFlow", "holidayHoursFlow")


class IvrSpec(Spec):
    """An IVR: the phone numbers and the flow that answers them in open, closed and holiday hours."""

    dnis: list[Number] | None = None
    """Phone numbers in E.164 form, in quotes; each stands on one IVR only."""
    openHoursFlow: str | None = None
    """Name of the inbound call flow for opening hours; without a schedule group, for all hours."""
    closedHoursFlow: str | None = None
    """Name of the inbound call flow outside opening hours; needed with a schedule group."""
    holidayHoursFlow: str | None = None
    """Name of the inbound call flow on holidays."""
    scheduleGroup: str | None = None
    """Name of the schedule group that says when which of the flows answers."""


class IvrKind(FieldKind[Ivr]):
    """See the module."""

    roots = ("ivr",)
    kinds = ("ivr",)
    audited = ("Telephony", "IVR")
    spec = IvrSpec
    body = IvrBody
    references = {field: Reference("flow", "", (), flow_types=("INBOUNDCALL",)) for field in FLOW_FIELDS} | {
        "scheduleGroup": Reference("scheduleGroup", "", ())
    }
    sets = frozenset({"dnis"})

    def api(self, platform: Platform) -> CrudApi[Ivr]:
        """``/architect/ivrs``."""
        return platform.ivrs

    def check(self, spec: Spec) -> list[Problem]:
        """Numbers are E.164 and stand once; a schedule group needs an open and a closed flow (SDK ``IVR``)."""
        assert isinstance(spec, IvrSpec)
        problems = [
            Problem(
                "not-e164",
                f"{number!r} is not a phone number in E.164 form.",
                ("ivr", "dnis", index),
                'Write it with + and country code, without blanks, in quotes, e.g. "+4570101010".',
            )
            for index, number in enumerate(spec.dnis or ())
            if not E164.fullmatch(number)
        ]
        problems += [
            Problem("number-twice", f"{number} stands twice on this IVR.", ("ivr", "dnis", index), "Remove one.")
            for index, number in enumerate(spec.dnis or ())
            if number in (spec.dnis or ())[:index]
        ]
        missing = [field for field in FLOW_FIELDS[:2] if getattr(spec, field) is None]
        if spec.scheduleGroup and missing:
            problems.append(
                Problem(
                    "schedule-group-without-flows",
                    f"An IVR with a schedule group needs an open and a closed flow; {' and '.join(missing)} is missing."
                    if len(missing) == 1
                    else "An IVR with a schedule group needs an open and a closed flow; both are missing.",
                    ("ivr", "scheduleGroup"),
                    f"Add {' and '.join(f'`{field}:`' for field in missing)}, or remove `scheduleGroup`.",
                )
            )
        return problems

    def from_wire(self, model: Ivr) -> dict[str, Any]:
        """See ``FieldKind.from_wire``."""
        named = {
            "openHoursFlow": model.open_hours_flow,
            "closedHoursFlow": model.closed_hours_flow,
            "holidayHoursFlow": model.holiday_hours_flow,
            "scheduleGroup": model.schedule_group,
        }
        return {
            "name": model.name,
            "description": model.description,
            "dnis": list(model.dnis or ()),
        } | {field: reference.name if reference else None for field, reference in named.items()}

    def uses(self, model: Ivr) -> tuple[str, ...]:
        """Its flows and its schedule group."""
        used = (
            model.open_hours_flow,
            model.closed_hours_flow,
            model.holiday_hours_flow,
            model.schedule_group,
        )
        return tuple(reference.id for reference in used if reference)

    def claims(self, fields: Mapping[str, Any]) -> frozenset[str]:
        """Its numbers: no other IVR may hold them at the same time."""
        return frozenset(fields.get("dnis") or ())

    async def unavailable(self, platform: Platform, claims: Collection[str]) -> Mapping[str, str]:
        """Numbers outside every DID pool: the org refuses an IVR with such a number (facts §3.4)."""
        outside = await platform.did_pools.outside(claims)
        return dict.fromkeys(outside, "lies in none of the org's pools of phone numbers (DID pools)")

    async def routes(self, platform: Platform, claims: Mapping[str, Collection[str]]) -> Mapping[str, Route]:
        """Whom the org's records of numbers name as their owner."""
        found = await _all_if_few(platform, len(claims))
        if found is None:
            found = await platform.dids.of_owners(claims)
            known = {did.phone_number for did in found}
            left = sorted({number for numbers in claims.values() for number in numbers} - known)
            everybody = await _all_if_few(platform, len(left))
            found = [*found, *await platform.dids.of_numbers(left)] if everybody is None else everybody
        return {did.phone_number: _route(did) for did in found}

    async def consumers(self, platform: Platform, live: Live) -> list[Consumer]:
        """Nothing that we manage consumes an IVR."""
        return []


async def _all_if_few(platform: Platform, requests: int) -> list[Did] | None:
    """All numbers of the org, where reading them takes no more than so many requests."""
    return await platform.dids.everybodys(most=requests) if requests > ASKED_ONE_BY_ONE else None


def _route(did: Did) -> Route:
    of_ivr = did.owner is not None and did.owner_type in (None, "IVR_CONFIG")
    noun = OWNERS.get(did.owner_type or "", "owner")
    return Route(
        owner_id=did.owner.id if did.owner and of_ivr else None,
        owner=f"{noun} {(did.owner.name or did.owner.id)!r}" if did.owner else "nobody",
        in_pool=did.did_pool is not None,
    )
