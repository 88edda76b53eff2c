"""The language of fault rules: what goes wrong, for which requests, how often (docs/sandbox.md).

A rule is ``{preset?, match?, after?, times?, chance?, seed?, effect?}``. A preset brings a ``match`` and an
``effect`` of its own; what the rule says itself wins over them.
"""

from __future__ import annotations

import fnmatch
import random
import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reconciler.sandbox.fault_presets import PRESETS

BY_HAND = "rule"
"""What a fault without a preset is called."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Match(_Strict):
    """Which requests a rule is about; every given condition must hold."""

    route: str | None = None
    """Method and route as ``GET /sandbox/requests`` counts them: ``GET /api/v2/flows/{flowId}``."""
    method: str | None = None
    path: str | None = None
    """A glob, or a regular expression when it starts with ``^``."""
    body_contains: str | None = None
    job_flow: str | None = None
    """Instead: the deploy job of a flow whose name fits this glob."""
    export_flow: str | None = None
    """Instead: an export job with such a flow in it."""
    execution_flow: str | None = None
    """Instead: an execution of a workflow whose name fits this glob."""

    @field_validator("path")
    @classmethod
    def _sound_pattern(cls, path: str | None) -> str | None:
        if path is not None and path.startswith("^"):
            try:
                re.compile(path)
            except re.error as error:
                raise ValueError(f"'{path}' is not a regular expression: {error}") from error
        return path

    @property
    def is_about_jobs(self) -> bool:
        """About the outcome of a job, not about a request."""
        return self.job_flow is not None or self.export_flow is not None

    @property
    def is_about_requests(self) -> bool:
        """Neither about the outcome of a job nor about that of an execution."""
        return not self.is_about_jobs and self.execution_flow is None

    def fits(self, route: str, path: str, body: bytes = b"") -> bool:
        """Whether it is about this request; ``route`` begins with its method."""
        if not self.is_about_requests or (self.route is not None and self.route != route):
            return False
        if self.method is not None and self.method.upper() != route.partition(" ")[0]:
            return False
        if self.path is not None and not self._fits_path(path):
            return False
        return self.body_contains is None or self.body_contains.encode() in body

    def _fits_path(self, path: str) -> bool:
        assert self.path is not None
        if self.path.startswith("^"):
            return re.search(self.path, path) is not None
        return fnmatch.fnmatchcase(path, self.path)


class JobOutcome(_Strict):
    """How a job ends."""

    status: Literal["Success", "Failure", "Started"] = "Failure"
    """``Started``: it never ends."""
    messages: list[str] | None = Field(default_factory=list)
    """None is ``null`` on the wire, as the platform has been seen to answer."""


class ExecutionOutcome(_Strict):
    """How an execution ends; nothing of the flow is run."""

    status: Literal["RUNNING", "FAILED", "ERROR", "TERMINATED"] = "FAILED"
    """``RUNNING``: it never ends."""
    code: str = "flow.failed"
    message: str = "The execution failed on demand (fault rule of the sandbox)."


class Lock(_Strict):
    """A person checks flows out in Architect."""

    flow: str = "*"
    """A glob over names."""
    user: str = "Somebody Else"
    """Made where the org has no such person."""
    draft: bool = False
    """Whether they have saved something that is not checked in."""


class Effect(_Strict):
    """What happens; several effects of one rule happen together."""

    status: int | None = Field(default=None, ge=200, le=599)
    code: str = "internal.server.error"
    message: str = "The request failed on demand (fault rule of the sandbox)."
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    """Sent as it is instead of carrying the request out, with ``status`` or else 200."""
    media_type: str = "text/html"
    """Of ``body``."""
    delay: float | None = Field(default=None, ge=0)
    drop_connection: bool | Literal["before", "after"] = False
    refuse_seconds: float | None = Field(default=None, gt=0)
    """All connections are cut and new ones refused for that long."""
    hang: bool = False
    """The request is accepted and never answered."""
    spoil: Literal["half", "types", "short", "reset", "drip", "huge"] | None = None
    """The request is carried out and its answer is spoilt, see ``fault_answers``."""
    token: Literal["expired", "revoked"] | None = None
    """The caller's token ends now."""
    lock: Lock | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the org that change now and stay."""
    job: JobOutcome | None = None
    execution: ExecutionOutcome | None = None


class Rule(_Strict):
    """One fault rule, its preset filled in."""

    preset: str | None = None
    match: Match = Match()
    after: int = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=1)
    chance: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    effect: Effect

    @model_validator(mode="before")
    @classmethod
    def _fill_in_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("preset") is None:
            return given
        preset = PRESETS.get(str(given["preset"]))
        if preset is None:
            raise ValueError(f"there is no preset '{given['preset']}'; known: {', '.join(PRESETS)}")
        own = {key: given.get(key) for key in ("match", "effect")}
        if any(part is not None and not isinstance(part, dict) for part in own.values()):
            return given
        filled = {"match": preset.match, "effect": preset.effect}
        return {**given, **{key: {**filled[key], **(part or {})} for key, part in own.items()}}

    @model_validator(mode="after")
    def _job_outcome_for_a_job(self) -> Self:
        if self.match.is_about_jobs != (self.effect.job is not None):
            raise ValueError(
                "'effect.job' goes together with 'match.job_flow' or 'match.export_flow': give both or neither"
            )
        if (self.match.execution_flow is not None) != (self.effect.execution is not None):
            raise ValueError("'effect.execution' goes together with 'match.execution_flow': give both or neither")
        return self

    @property
    def name(self) -> str:
        """What the ``x-sandbox-fault`` header calls it."""
        return self.preset or BY_HAND

    def strikes(self, seen: int) -> bool:
        """Whether it strikes the request that fits it after so many others, before ``times`` is looked at."""
        if seen < self.after:
            return False
        # Not a matter of secrets: the same seed must give the same run.
        return self.chance is None or random.Random(f"{self.seed}:{seen}").random() < self.chance  # noqa: S311
