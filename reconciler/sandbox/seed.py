"""Fills a new sandbox org from a seed file; a changed seed adds what is new and touches nothing else."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.sandbox import answers, datatable_rows, datatables, dids, flow_store, limits, objects, prompts, supply
from reconciler.sandbox.errors import ApiError
from reconciler.sandbox.flow_reading import FlowRefused, ReadFlow, read_flow
from reconciler.sandbox.objects import Edit, Stored
from reconciler.sandbox.publishing import Publisher
from reconciler.sandbox.seed_file import DataTable, Flow, ScheduleGroup, Seed, SeedError, read_seed, read_text
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.shapes import SHAPES
from reconciler.sandbox.store import Store, get_meta, set_meta
from reconciler.sandbox.telephony import dependencies_of

_KINDS = {
    "queues": "queue",
    "skills": "skill",
    "languageSkills": "languageSkill",
    "wrapupCodes": "wrapupCode",
    "contactLists": "contactList",
    "prompts": "prompt",
    "schedules": "schedule",
    "emergencyGroups": "emergencyGroup",
    "users": "user",
    "groups": "group",
    "scripts": "script",
    "surveyForms": "surveyForm",
    "knowledgeBases": "knowledgeBase",
    "flowOutcomes": "flowOutcome",
    "flowMilestones": "flowMilestone",
    "worktypes": "worktype",
    "ttsEngines": "ttsEngine",
    "sttEngines": "sttEngine",
    "agenticVirtualAgents": "agenticVirtualAgent",
}
"""Lists of a seed whose items need nothing of each other → kind."""


def seed_org(store: Store, path: Path | None, settings: Settings) -> None:
    """Makes the org on first use and adds what the seed has and the org lacks; raises ``SeedError``."""
    seed, text = read_seed(path) if path is not None else (Seed(), "")
    flows = list(_flow_texts(path, seed.flows))
    digest = hashlib.sha256(json.dumps([text, flows]).encode()).hexdigest()
    with store.transaction(write=True) as db:
        if get_meta(db, "seed") == digest:
            return
        edit = Edit(time.time())
        _organization(db, edit, seed)
        seeder = _Seeder(db, edit, str(path))
        seeder.add_objects(seed)
        seeder.publish(flows, create_missing=settings.missing_references == "create")
        set_meta(db, limits.SEEDED, json.dumps(seed.limits))
        answers.keep(db, seed)
        set_meta(db, "seed", digest)


def _flow_texts(path: Path | None, flows: list[Flow]) -> Iterator[str]:
    for flow in flows:
        if (flow.yaml is None) == (flow.file is None):
            raise SeedError([f"{path}: a flow of the seed needs either 'yaml' or 'file'."])
        if flow.yaml is not None:
            yield flow.yaml
            continue
        assert path is not None
        assert flow.file is not None
        source = path.parent / flow.file
        try:
            yield read_text(source)
        except (OSError, UnicodeDecodeError) as error:
            raise SeedError([f"{path}: the flow file '{flow.file}' cannot be read ({error})."]) from error


def _organization(db: sqlite3.Connection, edit: Edit, seed: Seed) -> None:
    if get_meta(db, "organization") is not None:
        return
    given = seed.organization.model_dump()
    organization = {
        **given,
        "id": given["id"] or str(uuid.uuid4()),
        "domain": "sandbox.local",
        "state": "active",
        "version": 1,
        "features": {},
        "selfUri": "/api/v2/organizations/me",
    }
    set_meta(db, "organization", json.dumps(organization))
    objects.insert(db, edit, "division", "Home", body={"homeDivision": True})


class _Seeder:
    """Adds what is missing; what is there under the same name stays as it is."""

    def __init__(self, db: sqlite3.Connection, edit: Edit, path: str) -> None:
        self._db, self._edit, self._path = db, edit, path

    def add_objects(self, seed: Seed) -> None:
        for division in seed.divisions:
            self._add("division", division.name, {"description": division.description})
        for key, kind in _KINDS.items():
            for item in getattr(seed, key):
                self._add(kind, item.name, self._body(kind, item.model_dump(exclude_defaults=False)), item)
        for table in seed.dataTables:
            self._add_table(table)
        for group in seed.scheduleGroups:
            self._add_schedule_group(group)
        for action in seed.dataActions:
            self._add_action(action.category, action.name, secure=action.secure)
        for pool in seed.didPools:
            if dids.pool_of(self._db, pool.start) is None:
                more = {"description": pool.description} if pool.description else {}
                dids.make_pool(self._db, self._edit, pool.start, pool.end, **more)

    def _add(self, kind: str, name: str, body: dict[str, Any], item: Any = None) -> Stored | None:
        """A new object, or None where one of the name is there."""
        if objects.find_by_name(self._db, kind, name):
            return None
        division = None
        if "division" in SHAPES[kind].fields:
            division = self._division_id(getattr(item, "division", None))
        defaults = supply.DEFAULT_BODIES.get(kind, {})
        return objects.insert(self._db, self._edit, kind, name, division_id=division, body={**defaults, **body})

    def _division_id(self, name: str | None) -> str:
        if name is None:
            return objects.home_division(self._db).id
        return self._named("division", name).id

    def _named(self, kind: str, name: str) -> Stored:
        found = objects.find_by_name(self._db, kind, name)
        if not found:
            raise SeedError([f"{self._path}: the {kind} '{name}' is used in the seed but not in it."])
        return found[0]

    def _body(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        body = {key: value for key, value in item.items() if key not in ("name", "division") and value not in ("", {})}
        if kind == "user":
            email = item["email"] or f"{item['name'].replace(' ', '.').lower()}@example.com"
            return {"email": email, "username": email}
        if kind == "prompt":
            return {
                **{key: body[key] for key in ("description",) if key in body},
                "resources": prompts.spoken(item["tts"]),
            }
        return body

    def _add_table(self, table: DataTable) -> None:
        properties = {"key": {"$id": "/properties/key", "type": "string", "title": "key", "displayOrder": 0}}
        for order, (name, kind) in enumerate(table.fields.items(), start=1):
            properties.setdefault(
                name, {"$id": f"/properties/{name}", "type": kind, "title": name, "displayOrder": order}
            )
        try:
            schema = datatables.check_schema(table.schema_ or {"properties": properties})
            rows = [datatable_rows.complete_row(schema, row) for row in table.rows]
        except ApiError as error:
            raise SeedError([f"{self._path}: data table '{table.name}': {error.message}"]) from error
        description = {"description": table.description} if table.description else {}
        made = self._add("dataTable", table.name, {"schema": schema, **description}, table)
        if made is not None:
            self._db.executemany(
                "INSERT OR REPLACE INTO table_rows VALUES (?, ?, ?)",
                [(made.id, row["key"], json.dumps(row)) for row in rows],
            )

    def _add_schedule_group(self, group: ScheduleGroup) -> None:
        lists = {
            key: [{"id": self._named("schedule", name).id} for name in getattr(group, key)]
            for key in ("openSchedules", "closedSchedules", "holidaySchedules")
        }
        body = {
            "timeZone": group.timeZone,
            **lists,
            **({"description": group.description} if group.description else {}),
        }
        made = self._add("scheduleGroup", group.name, body, group)
        if made is not None:
            used = [("schedule", entry["id"]) for entries in lists.values() for entry in entries]
            flow_store.set_dependencies(
                self._db, made.id, made.version, "SCHEDULEGROUP", dependencies_of(self._db, used)
            )

    def _add_action(self, category: str, name: str, *, secure: bool) -> None:
        there = objects.find_by_name(self._db, "dataAction", name)
        if any(item.body["category"].casefold() == category.casefold() for item in there):
            return
        made = supply.make_object(self._db, self._edit, "dataAction", name, category=category)
        if secure:
            objects.change(self._db, self._edit, made, body={**made.body, "secure": True})

    def publish(self, texts: list[str], *, create_missing: bool) -> None:
        """Publishes flows, those first that others refer to.

        With ``create_missing`` whatever the seed itself lacks is made up, once nothing else can be
        published.
        """
        waiting = [
            read
            for read in map(self._read, texts)
            if flow_store.kept_by_name(self._db, read.name, read.flow_type.api_type) is None
        ]
        while waiting:
            left: list[ReadFlow] = []
            problems: list[str] = []
            for read in waiting:
                found = self._try(read, create_missing=False)
                if found:
                    left.append(read)
                    problems += found
            if len(left) == len(waiting):
                problems = self._try(left.pop(0), create_missing=True) if create_missing else problems
                if problems:
                    raise SeedError(problems)
            waiting = left

    def _try(self, read: ReadFlow, *, create_missing: bool) -> list[str]:
        """Publishes a flow; what stands against it, empty when it is published."""
        publisher = Publisher(db=self._db, edit=self._edit, create_missing=create_missing)
        try:
            publisher.deploy(read.text)
        except FlowRefused as error:
            return [f"{self._path}: flow '{read.name}': {message}" for message in error.messages]
        return []

    def _read(self, text: str) -> ReadFlow:
        try:
            return read_flow(text)
        except FlowRefused as error:
            raise SeedError([f"{self._path}: a flow cannot be published: {error}"]) from error
