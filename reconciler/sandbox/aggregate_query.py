"""What a flow aggregate query asks for (SDK ``FlowAggregationQuery``).

Only what the sandbox can answer truthfully is taken; everything else is refused with a message that names
it, also where the platform would answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reconciler.sandbox.errors import bad_request, first_problem

DIMENSIONS: Mapping[str, str] = {
    "conversationId": "id",
    "divisionId": "division_id",
    "exitReason": "exit_reason",
    "flowId": "flow_id",
    "flowName": "flow_name",
    "flowOutcomeId": "flow_outcome_id",
    "flowOutcomeValue": "flow_outcome_value",
    "flowType": "flow_type",
    "flowVersion": "flow_version",
    "mediaType": "media_type",
}
"""Dimension (SDK ``FlowAggregateQueryPredicate.dimension``) → column of the generated conversations."""
METRICS = ("nFlow", "nFlowOutcome", "nFlowOutcomeFailed", "tFlow", "tFlowDisconnect", "tFlowExit", "tFlowOutcome")
"""Metrics of the SDK's that generated conversations have; they have no milestones."""


def _known_dimension(name: str) -> str:
    if name not in DIMENSIONS:
        raise ValueError(f"the sandbox has no dimension '{name}'; it has {', '.join(DIMENSIONS)}")
    return name


def _known_metric(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"the sandbox has no metric '{name}'; it has {', '.join(METRICS)}")
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Predicate(_Strict):
    """One condition on a dimension."""

    type: Literal["dimension"] | None = None
    dimension: str
    operator: Literal["matches", "exists", "notExists"] = "matches"
    value: str | None = None

    _known = field_validator("dimension")(_known_dimension)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a conversation meets the condition; types and media in any case."""
        found = row[DIMENSIONS[self.dimension]]
        if self.operator != "matches":
            return (found is not None) == (self.operator == "exists")
        if self.dimension in ("flowType", "mediaType"):
            return bool(found.casefold() == (self.value or "").casefold())
        return bool(found == self.value)


class Clause(_Strict):
    """Conditions of which all, or one, must hold."""

    type: Literal["and", "or"]
    predicates: list[Predicate] = Field(default_factory=list)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a conversation meets it; no conditions are met."""
        return _joined(self.type, [predicate.holds(row) for predicate in self.predicates])


class Filter(Clause):
    """Conditions, and clauses of conditions."""

    clauses: list[Clause] = Field(default_factory=list)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a conversation meets it."""
        parts: list[Predicate | Clause] = [*self.predicates, *self.clauses]
        return _joined(self.type, [part.holds(row) for part in parts])


def _joined(how: str, held: list[bool]) -> bool:
    return not held or (all(held) if how == "and" else any(held))


class Range(_Strict):
    """From a number to before another."""

    gte: float | None = None
    lt: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a number lies in it."""
        return (self.gte is None or value >= self.gte) and (self.lt is None or value < self.lt)


class View(_Strict):
    """A metric of only those values that lie in a range."""

    target: str
    name: str = Field(min_length=1)
    function: Literal["rangeBound"]
    range: Range

    _known = field_validator("target")(_known_metric)


class FlowAggregationQuery(_Strict):
    """A whole query."""

    interval: str
    metrics: list[str] = Field(min_length=1)
    granularity: str | None = None
    timeZone: str = "UTC"
    groupBy: list[str] = Field(default_factory=list)
    filter: Filter | None = None
    views: list[View] = Field(default_factory=list)
    flattenMultivaluedDimensions: bool = False
    """Without effect: none of the sandbox's dimensions has several values."""

    @field_validator("metrics")
    @classmethod
    def _known_metrics(cls, names: list[str]) -> list[str]:
        return [_known_metric(name) for name in names]

    @field_validator("groupBy")
    @classmethod
    def _known_dimensions(cls, names: list[str]) -> list[str]:
        return [_known_dimension(name) for name in names]


def read_query(body: dict[str, Any]) -> FlowAggregationQuery:
    """Reads a query; raises 400 with the first thing that is wrong or not supported."""
    try:
        # The SDK leaves out what is not set; other clients send null.
        return FlowAggregationQuery.model_validate({key: value for key, value in body.items() if value is not None})
    except ValidationError as error:
        raise bad_request(f"This query cannot be answered: {first_problem(error)}.") from error
