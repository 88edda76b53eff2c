"""Every Archy flow type: content lies in published versions, made by deploy jobs and read by exports.

Platform facts: shared fact sheet §3.1 (flows), §3.2 (common modules are copied into their consumers at
publish), §3.3 (deploy and export jobs), §3.10 (dependency tracking); wire models from the official SDK.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.archy.canonical import canonical, digest
from reconciler.archy.contracts import Interface, interface_of
from reconciler.archy.findings import check_flow
from reconciler.archy.flowtypes import FLOW_TYPES, by_api_type, by_root
from reconciler.archy.model import Problem, Reference
from reconciler.archy.references import extract_references
from reconciler.kinds.base import Consumed, Consumer, Desired, Inspection, Kind, Live, Operations
from reconciler.kinds.tracked import noun_of, tracked_consumers
from reconciler.platform import Flow, FlowLocked, NotFound, Platform, PlatformError

COMMON_MODULE = "COMMONMODULE"
NAME_LENGTH = 200
VISIBLE_ATTEMPTS = 20
"""Architect's own client asks up to 20 times, a second apart, until a publish shows (facts §3.1)."""


class FlowKind(Kind):
    """Inbound calls, common modules, workflows, bots, … – one kind each, handled alike."""

    roots = tuple(root for flow_type in FLOW_TYPES for root in (flow_type.root, *flow_type.aliases))
    kinds = tuple(flow_type.root for flow_type in FLOW_TYPES)
    content_in_versions = True
    audited = ("Architect", "Flow")

    def inspect(self, root: str, body: Any) -> Inspection:
        """See ``Kind.inspect``; the name rules are those of Architect (facts §3.1)."""
        flow_type = by_root(root)
        kind = flow_type.root if flow_type else root
        if not isinstance(body, Mapping):
            problem = Problem(
                "not-a-flow",
                f"`{root}:` must be a mapping with at least a name.",
                (root,),
                "Indent its settings below it.",
            )
            return Inspection(kind, "", None, (), None, digest(None), (problem,))
        name = body.get("name")
        problems = _name_problems(root, name)
        division = body.get("division")
        form = canonical(root, body)
        return Inspection(
            kind=kind,
            name=name if isinstance(name, str) else "",
            division=division if isinstance(division, str) and division else None,
            references=extract_references(root, body),
            canonical=form,
            digest=digest(form),
            problems=problems,
        )

    def analyse(self, root: str, body: Any) -> tuple[Problem, ...]:
        """What a caller would run into: see ``archy.findings``."""
        return check_flow(root, body)

    def interface(self, root: str, body: Any) -> Interface:
        """See ``archy.contracts``."""
        return interface_of(root, body)

    def body_schema(self, root: str) -> dict[str, Any]:
        """See ``archy.editor``."""
        # Only the schema pays for loading the tables of keys.
        from reconciler.archy.editor import flow_schema

        return flow_schema(root)

    async def list_live(self, platform: Platform) -> list[Live]:
        """All flows of types that Archy can write."""
        flows = await platform.flows.list()
        return [_live(flow) for flow in flows if by_api_type(flow.type)]

    async def read(self, platform: Platform, live: Live) -> Live | None:
        """A deleted flow answers 410 (facts §2), an unknown one 404: both mean gone."""
        try:
            return _live(await platform.flows.get(live.id))
        except NotFound:
            return None

    async def look(self, platform: Platform, live: Live) -> Live | None:
        """See ``Kind.look``."""
        flow = await platform.flows.current(live.id)
        return _live(flow) if flow is not None else None

    async def read_many(self, platform: Platform, lives: Sequence[Live], of: int) -> list[Live]:
        """One request for every fifty flows."""
        return [_live(flow) for flow in await platform.flows.lookup([live.id for live in lives])]

    async def find(self, platform: Platform, kind: str, name: str) -> Live | None:
        """Asks for that one name and type."""
        flow_type = by_root(kind)
        flow = await platform.flows.find(name, flow_type.api_type) if flow_type else None
        return _live(flow) if flow else None

    async def create(self, desired: Desired, operations: Operations) -> Live:
        """Deploys the flow for the first time; the job creates it by name and type."""
        return await self._publish(desired, None, operations)

    async def update(self, desired: Desired, live: Live, operations: Operations, clear: tuple[str, ...] = ()) -> Live:
        """Deploys the flow again, which publishes a new version with the modules as they are now."""
        return await self._publish(desired, live, operations)

    async def publish_again(self, live: Live, version: str | None, operations: Operations) -> Live:
        """Checks out and publishes what is published now, unless somebody has begun to change it."""
        flows = operations.platform.flows
        flow = await flows.get(live.id)
        published = flow.published_version.id if flow.published_version else None
        if published != version:
            raise PlatformError(
                f"{live.address} was published as version {published} since the plan was made.",
                remedy="Plan again to see whether it still holds an old copy.",
            )
        if flow.lock_holder is not None:
            lock = await flows.lock(flow)
            raise FlowLocked(f"{live.address} is being edited by {lock}.", lock=lock)
        drafts = [draft for draft in (flow.saved_version, flow.checked_in_version) if draft is not None]
        draft = next((draft.id for draft in drafts if draft.id != published), None)
        if draft is not None:
            raise PlatformError(
                f"{live.address} has changes that are not published (version {draft}).",
                remedy="Publish or discard them in Architect; then the flow takes in the module.",
            )
        await flows.publish_again(live.id)
        return await _published(operations, live.id, published)

    async def publish_earlier(self, desired: Desired, live: Live, version: str, operations: Operations) -> Live:
        """See ``Kind.publish_earlier``; a draft that somebody is working on is not taken from them."""
        await _refuse_locked(desired.address, live, operations)
        flow = await operations.platform.flows.publish_earlier(live.id, version, live.version)
        return await self.move(desired, _live(flow), operations)

    async def move(self, desired: Desired, live: Live, operations: Operations) -> Live:
        """Moves the flow to the division that the specs want; publishes nothing."""
        if desired.division is None or desired.division == live.division:
            return live
        division = operations.resolve(Reference("division", desired.division, ()))
        await operations.platform.divisions.move("FLOW", division, [live.id])
        return replace(live, division=desired.division)

    async def delete(self, live: Live, operations: Operations) -> None:
        """Deletes the flow; refused by the org while something uses it."""
        await operations.platform.flows.delete(live.id)

    def reference(self, live: Live) -> Reference:
        """How other documents name this flow."""
        flow_type = by_root(live.kind)
        return Reference("flow", live.name, (), flow_types=(flow_type.api_type,) if flow_type else ())

    def addresses(self, reference: Reference) -> tuple[str, ...]:
        """A flow reference says which types its target may have; no type said means any."""
        if reference.kind != "flow":
            return ()
        types = [by_api_type(name) for name in reference.flow_types]
        roots = [flow_type.root for flow_type in types if flow_type] or list(self.kinds)
        return tuple(f"{root}/{reference.name}" for root in roots)

    def embeds(self, reference: Reference) -> bool:
        """Common modules are copied into the consumer when it is published (facts §3.2)."""
        return reference.kind == "flow" and reference.flow_types == (COMMON_MODULE,)

    async def consumers(self, platform: Platform, live: Live) -> list[Consumer]:
        """Objects whose published version uses this flow."""
        flow_type = by_root(live.kind)
        if flow_type is None:
            return []
        return await tracked_consumers(platform, live.id, flow_type.tracking_type)

    async def published(self, platform: Platform, id: str) -> Mapping[str, datetime]:
        """See ``Kind.published``."""
        try:
            versions = await platform.flows.versions(id, deleted=True)
        except NotFound:
            return {}
        return {version.id: version.published_at for version in versions if version.published_at is not None}

    async def modules_built_with(self, platform: Platform, live: Live) -> Mapping[str, str]:
        """Asks dependency tracking which module versions the published version holds."""
        flow_type = by_root(live.kind)
        if flow_type is None or live.version is None:
            return {}
        consumed = await platform.tracking.consumed(
            live.id, live.version, flow_type.tracking_type, resource_types=("COMMONMODULEFLOW",)
        )
        return {module.id: module.version or "" for module in consumed}

    async def consumed(self, platform: Platform, live: Live) -> list[Consumed]:
        """Asks dependency tracking what the published version uses."""
        flow_type = by_root(live.kind)
        if flow_type is None or live.version is None:
            return []
        found = await platform.tracking.consumed(live.id, live.version, flow_type.tracking_type, patient=False)
        return [
            Consumed(each.id, each.name, noun_of(each.type), each.version, each.deleted, each.state_unknown)
            for each in found
        ]

    async def exports(self, platform: Platform, wanted: Sequence[tuple[Live, str]]) -> Mapping[tuple[str, str], str]:
        """Exports published versions as YAML, many flows a job."""
        return await platform.flows.export([(live.id, version) for live, version in wanted])

    async def _publish(self, desired: Desired, before: Live | None, operations: Operations) -> Live:
        if before is not None:
            await _refuse_locked(desired.address, before, operations)
        upload = desired.content.upload
        if upload is None:
            raise PlatformError(
                f"{desired.address} uses secrets that are not set here: {', '.join(desired.secrets)}.",
                remedy="Set the environment variables that the environment file names for them.",
            )
        known = before.id if before is not None else None
        deployed = await operations.platform.flows.deploy(upload.encode(), known=known, progress=operations.progress)
        if before is not None and deployed.flow_id != before.id:
            raise PlatformError(
                f"{desired.address} was published as another object ({deployed.flow_id}) than the known one "
                f"({before.id}): it was renamed or replaced in the org meanwhile.",
                remedy="Look at both flows in Architect, delete the superfluous one, then plan again.",
            )
        after = await _published(operations, deployed.flow_id, before.version if before else None)
        return await self.move(desired, after, operations)


async def _refuse_locked(address: str, live: Live, operations: Operations) -> None:
    if live.raw.locked_user is not None:
        lock = await operations.platform.flows.lock(live.raw)
        raise FlowLocked(f"{address} is being edited by {lock}.", lock=lock)


async def _published(operations: Operations, flow_id: str, before: str | None) -> Live:
    """Reads the flow until the version that the job published shows."""
    for attempt in range(VISIBLE_ATTEMPTS):
        flows = operations.platform.flows
        # The shared look-up saves requests; should it lag behind, as lists do, reading by id is the truth.
        flow = await flows.current(flow_id) if attempt == 0 else await flows.get(flow_id)
        live = _live(flow) if flow is not None else None
        if live is not None and live.version is not None and live.version != before:
            return live
        if attempt == 0:
            continue
        operations.progress("waiting for the new version to show")
        await asyncio.sleep(1)
    raise PlatformError(
        f"The job for flow {flow_id} succeeded, but no new published version showed within {VISIBLE_ATTEMPTS} s.",
        remedy="Look at the flow in Architect, then plan again.",
    )


def _live(flow: Flow) -> Live:
    flow_type = by_api_type(flow.type)
    published = flow.published_version
    return Live(
        kind=flow_type.root if flow_type else flow.type.lower(),
        name=flow.name,
        id=flow.id,
        version=published.id if published else None,
        division=flow.division.name if flow.division else None,
        published_by=_publisher(flow),
        published_at=published.date_published if published else None,
        locked_by=(flow.lock_holder.name or flow.lock_holder.id) if flow.lock_holder else None,
        system=bool(flow.system),
        raw=flow,
    )


def _publisher(flow: Flow) -> str | None:
    version = flow.published_version
    if flow.published_by and (flow.published_by.name or flow.published_by.id):
        return flow.published_by.name or flow.published_by.id
    if version and version.created_by and (version.created_by.name or version.created_by.id):
        return version.created_by.name or version.created_by.id
    if version and version.created_by_client:
        return f"OAuth client {version.created_by_client.name or version.created_by_client.id}"
    return None


def _name_problems(root: str, name: Any) -> tuple[Problem, ...]:
    path = (root, "name")
    if name is None:
        return (Problem("missing-name", f"`{root}:` has no name.", (root,), "Add `name:`."),)
    if not isinstance(name, str) or not name.strip():
        return (
            Problem(
                "bad-name",
                f"The name of a flow must be text, not {name!r}.",
                path,
                "Put it in double quotes.",
            ),
        )
    if name != name.strip():
        return (Problem("bad-name", f"The flow name {name!r} begins or ends with a blank.", path, "Remove the blank."),)
    if len(name) > NAME_LENGTH or "/" in name or name.endswith("-debug") or not any(map(str.isalnum, name)):
        return (
            Problem(
                "bad-name",
                f"Architect refuses the flow name {name!r}.",
                path,
                f"Use at most {NAME_LENGTH} characters, at least one letter or digit, no '/', and no ending '-debug'.",
            ),
        )
    return ()
