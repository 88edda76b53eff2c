"""The plan document: what a plan says, frozen and serialised as JSON (design §7, a contract).

It holds no bodies and no secrets: digests, and differences with secrets as placeholders. Everything that
shows a plan is a pure function of this document, and ``apply`` takes nothing else from a saved plan.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reconciler.files import read_file, replace_file
from reconciler.kinds.registry import kind_of
from reconciler.problems import Finding, ReconcilerError, Severity

FORMAT_VERSION: Literal["1"] = "1"


NOT_THERE = "is not in the org"
"""The reason of an ordinary create."""


class Action(StrEnum):
    """What a plan does to one object."""

    CREATE = "create"
    UPDATE = "update"
    REPUBLISH = "republish"
    """Publish again as it is, to take in new versions of the common modules it holds."""
    ADOPT = "adopt"
    """Take an object that means what the specs say into the ledger; nothing is published."""
    DELETE = "delete"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_Optional: Any = Field(default=None, exclude_if=lambda value: value is None)
"""A key that stands in the JSON only where it says something."""


class Difference(_Frozen):
    """One place where two documents differ."""

    path: str
    """Where exactly: JSON Pointer into the canonical flow (before, for what was removed), or a field's name."""
    from_path: str | None = _Optional
    """Where it stood before, if elsewhere."""
    op: Literal["add", "remove", "change", "move", "rename"]
    before: Any = None
    after: Any = None
    text: str | None = _Optional
    """One sentence for people; None for plain fields, whose names say it."""
    detail: str | None = _Optional
    """For long texts, the words taken out ``[-…-]`` and put in ``{+…+}``."""


class Precondition(_Frozen):
    """What must still be true of the object when its change begins."""

    id: str | None = None
    version: str | None = None
    """Published version of a flow, version counter of other kinds."""
    fingerprint: str | None = None
    """Digest of the fields, for kinds whose fields a list shows."""
    absent: bool = False
    """No object of that kind and name may exist."""


class Change(_Frozen):
    """One step of a plan."""

    address: str
    kind: str
    name: str
    action: Action
    reasons: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    """Addresses of the changes in this plan that must be done before."""
    precondition: Precondition
    digest: str | None = None
    """Digest of the canonical spec; None for a delete."""
    diff: tuple[Difference, ...] = ()
    diff_basis: Literal["last applied spec", "live export", "live fields"] | None = None
    """What the specs were compared with; against an export only what the spec declares is compared."""
    publish_version: str | None = _Optional
    """In a rollback: this earlier version of the flow is published again; nothing is uploaded."""

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        try:
            kind_of(kind)
        except KeyError:
            raise ValueError(f"there is no kind {kind!r}") from None
        return kind


class Drift(_Frozen):
    """An object that somebody changed in the org since it was applied."""

    address: str
    recorded_version: str | None
    live_version: str | None
    published_by: str | None = None
    published_at: str | None = None
    diff: tuple[Difference, ...] = ()


class ReachedIvr(_Frozen):
    """An IVR through which callers come to what a change touches."""

    address: str
    numbers: tuple[str, ...]
    """Its phone numbers, before and after the plan."""
    managed: bool
    """Whether the specs have it."""


class UnmanagedConsumer(_Frozen):
    """A flow outside the specs that holds a copy of a common module."""

    address: str
    id: str
    version: str | None
    """Its published version."""
    holds: str
    """Address of the module, or of another unmanaged consumer that passes the module on."""


class Reach(_Frozen):
    """Whom one change concerns besides the changed object itself."""

    address: str
    """Of the change."""
    consumers: tuple[str, ...] = ()
    """Managed resources that use the object, directly or through others."""
    ivrs: tuple[ReachedIvr, ...] = ()
    unmanaged: tuple[UnmanagedConsumer, ...] = ()
    """Flows outside the specs that keep the old copy of the module until they are published again."""


class OrgRef(_Frozen):
    """The org that a plan is for."""

    id: str
    name: str


class SourceRef(_Frozen):
    """The specs that a plan was made from."""

    commit: str | None
    dirty: bool
    """The working tree held changes that are in no commit."""
    digest: str
    """Over all rendered specs, secrets as placeholders."""
    release: str | None = _Optional
    """The revision that the environment pins, as it is written there; ``commit`` is what it names."""


class RollbackRef(_Frozen):
    """What a plan goes back to: before a run, or to a commit."""

    run: str | None = _Optional
    """The run that is taken back."""
    commit: str | None = _Optional
    """The commit that it goes back to, in full."""
    addresses: tuple[str, ...] = ()
    """Patterns; only these, all where there are none."""

    @property
    def told(self) -> str:
        """In words, to follow "Rollback"."""
        what = f"of run {self.run}" if self.run else f"to commit {(self.commit or '')[:12]}"
        return f"{what} ({', '.join(self.addresses)})" if self.addresses else what

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments of `reconciler rollback` that ask for it."""
        return (*((self.run,) if self.run else ("--to", self.commit or "")), *self.addresses)


class Summary(_Frozen):
    """Counts of the plan's actions, and of the resources that need none."""

    create: int = 0
    update: int = 0
    republish: int = 0
    adopt: int = 0
    delete: int = 0
    unchanged: int = 0

    @property
    def pending(self) -> int:
        """How many changes the plan holds."""
        return self.create + self.update + self.republish + self.adopt + self.delete


class Plan(_Frozen):
    """A plan, complete; see the module."""

    format_version: Literal["1"] = FORMAT_VERSION
    id: str
    created_at: datetime
    tool_version: str
    environment: str
    org: OrgRef
    source: SourceRef
    summary: Summary
    changes: tuple[Change, ...] = Field(default=())
    drift: tuple[Drift, ...] = ()
    unmanaged: tuple[str, ...] = ()
    reach: tuple[Reach, ...] = ()
    findings: tuple[Finding, ...] = ()
    rollback: RollbackRef | None = _Optional
    """What the plan goes back to; absent in a plan that makes the org as the specs say."""

    @property
    def reached_ivrs(self) -> dict[str, ReachedIvr]:
        """Every IVR that some change reaches, by address."""
        return {ivr.address: ivr for reach in self.reach for ivr in reach.ivrs}

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the plan from being applied."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


class PlanFileError(ReconcilerError):
    """A plan file cannot be read as a plan."""


def save_plan(plan: Plan, path: Path) -> None:
    """Writes the plan where a reader sees either the old file or the whole new one.

    Raises:
        PlanFileError: the file cannot be written.
    """
    if path.is_dir() or not path.name:
        raise PlanFileError(f"{path}: a folder, not a file.", remedy="Name a file for the plan.")
    try:
        replace_file(path, plan.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise PlanFileError(f"{path}: the plan cannot be written there: {error.strerror}.") from None


def load_plan(path: Path) -> Plan:
    """Reads a saved plan.

    Raises:
        PlanFileError: the file is missing, too large, no JSON, or no plan of this format version.
    """
    try:
        return Plan.model_validate_json(read_file(path))
    except FileNotFoundError:
        raise PlanFileError(f"{path}: no such plan file.", remedy="Make one with `plan --out`.") from None
    except OSError as error:
        raise PlanFileError(f"{path}: cannot be read: {error.strerror}.", remedy="Make the plan again.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise PlanFileError(
            f"{path}: not a plan of format version {FORMAT_VERSION}: {where}: {first['msg']}.",
            remedy="Make the plan again.",
        ) from None
