"""Fields that our client reads must be the platform's."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, Field

from oracle.reads import Reads
from oracle.recording import LIST, Exchange, fields_of
from oracle.sdk import Sdk
from oracle.verdict import judged

SDK = Sdk()


class Reference(BaseModel):
    id: str


class Right(BaseModel):
    id: str
    version: int | None = None
    created: str = Field(alias="dateCreated")
    open: tuple[Reference, ...] = Field(alias="openSchedules", default=())


class Wrong(BaseModel):
    id: int
    flow_id: str | None = Field(alias="flowId", default=None)
    schema_: str = Field(alias="openSchedules")


def unknown(*reads: tuple[str, type[BaseModel], str]) -> list[str]:
    """Places that nobody knows."""
    made = Reads(SDK)
    for path, model, prefix in reads:
        body = json.dumps(fields_of(model))
        made.take(Exchange("reader", "GET", path, "", body, len(body), prefix + model.__name__))
    return [deviation.place for deviation, _ in made.deviations()]


ONE, ALL = "/api/v2/architect/schedulegroups/1", "/api/v2/architect/schedulegroups"


def test_the_fields_of_a_model_are_told_with_their_types() -> None:
    told: Any = {"id": "str", "version": "int", "dateCreated": "str", "openSchedules": [{"id": "str"}]}
    assert fields_of(Right) == told


def test_fields_that_the_platform_has_are_right() -> None:
    assert unknown((ONE, Right, ""), (ALL, Right, LIST)) == []


def test_an_unknown_field_and_a_wrong_type_are_caught() -> None:
    assert unknown((ONE, Wrong, "")) == ["id", "flowId", "openSchedules"]
    assert unknown((ALL, Wrong, LIST)) == ["id", "flowId", "openSchedules"]


def test_a_field_need_be_known_to_one_operation_only() -> None:
    class Job(BaseModel):
        download: str | None = Field(alias="downloadUrl", default=None)
        command: str | None = None

    deploy, export = "/api/v2/flows/jobs/1", "/api/v2/flows/export/jobs/1"
    assert unknown((deploy, Job, "")) == ["downloadUrl"]
    assert unknown((deploy, Job, ""), (export, Job, "")) == []


def test_reading_an_answer_that_has_no_body_is_caught() -> None:
    made = Reads(SDK)
    made.take(Exchange("reader", "DELETE", "/api/v2/tokens/me", "", "{}", 2, "Reference"))
    assert [deviation.expected for deviation, _ in made.deviations()] == ["no body"]


def test_after_a_part_of_the_tests_an_unknown_field_may_be_one_of_another_operation() -> None:
    body = json.dumps(fields_of(Wrong))
    verdict = judged([Exchange("reader", "GET", ONE, "", body, len(body), "Wrong")], SDK, ())
    assert len(verdict.failing(whole=True)) == 3
    assert verdict.failing(whole=False) == {}
