"""Reads a seed file: what a new sandbox org holds before anybody deploys to it.

A mapping of lists, one for each kind of object that flows name; an item is a name or a mapping.
Everything wrong is reported at once, each with file, line and column.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from reconciler.archy.yaml import YamlError, load, locate
from reconciler.files import read_file
from reconciler.problems import ReconcilerError
from reconciler.sandbox.limit_defaults import NAMESPACES

MAX_BYTES = 16_000_000
"""Of one file; the largest flow known has 0.8 MB."""
E164 = r"^\+[1-9][0-9]{1,14}$"


class SeedError(ReconcilerError):
    """A seed file that cannot be used; the message names file, line and column of every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Organization(_Strict):
    """The org itself; what is not given is made up once."""

    id: str | None = None
    name: str = "Sandbox"
    defaultLanguage: str = "en-us"
    defaultCountryCode: str = "US"


class Named(_Strict):
    """An object with a name."""

    name: str = Field(min_length=1)
    description: str = ""


class InDivision(Named):
    """An object that may lie in a division other than home."""

    division: str | None = None


class Prompt(InDivision):
    """A user prompt; ``tts`` is language → spoken text."""

    tts: dict[str, str] = Field(default_factory=dict)


class DataTable(InDivision):
    """A data table: ``fields`` is field → type (the string ``key`` comes by itself), or a full ``schema``."""

    fields: dict[str, Literal["string", "boolean", "integer", "number"]] = Field(default_factory=dict)
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    rows: list[dict[str, Any]] = Field(default_factory=list)


class Answer(_Strict):
    """How a data action answers an execution: exactly one of ``success``, ``failure`` and ``timeout``."""

    when: dict[str, Any] = Field(default_factory=dict)
    """Inputs that must have these values for the answer to be given; others do not matter."""
    success: dict[str, Any] | None = None
    """Values of the action's outputs."""
    failure: dict[str, Any] | None = None
    """Values of its failure outputs (``errorCode``, ``userMessage`` and the like)."""
    timeout: bool = False

    @model_validator(mode="after")
    def _one_outcome(self) -> Answer:
        if (self.success is not None) + (self.failure is not None) + self.timeout != 1:
            raise ValueError("an answer is one of 'success', 'failure' and 'timeout: true'")
        return self


class DataAction(_Strict):
    """A data action in the integration named by ``category``."""

    category: str = Field(min_length=1)
    name: str = Field(min_length=1)
    secure: bool = False
    answers: list[Answer] = Field(default_factory=list)
    """Tried in order; the first whose ``when`` holds is given."""


class ExternalContact(BaseModel):
    """An external contact that executions can find: its ``id``, and its fields under their wire names."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    id: str = Field(min_length=1)


class Conversation(BaseModel):
    """A conversation that executions can find, and what was put on it before."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(min_length=1)
    attributes: dict[str, Any] = Field(default_factory=dict)


class Schedule(InDivision):
    """A schedule in local time."""

    start: str = "2026-01-01T00:00:00.000"
    end: str = "2026-01-02T00:00:00.000"
    rrule: str = ""


class ScheduleGroup(InDivision):
    """A schedule group; its schedules by name."""

    timeZone: str = "UTC"
    openSchedules: list[str] = Field(default_factory=list)
    closedSchedules: list[str] = Field(default_factory=list)
    holidaySchedules: list[str] = Field(default_factory=list)


class EmergencyGroup(InDivision):
    """An emergency group without flows."""

    enabled: bool = False


class User(_Strict):
    """A person."""

    name: str = Field(min_length=1)
    email: str = ""
    division: str | None = None


class DidPool(_Strict):
    """Phone numbers from one to another, both included."""

    start: str = Field(pattern=E164)
    end: str = Field(pattern=E164)
    description: str = ""


class Flow(_Strict):
    """A flow to publish: ``yaml`` is the text of one, ``file`` a path relative to the seed."""

    yaml: str | None = None
    file: str | None = None


def _named(item: Any) -> Any:
    return {"name": item} if isinstance(item, str) else item


def _one_number(item: Any) -> Any:
    return {"start": item, "end": item} if isinstance(item, str) else item


def _flow(item: Any) -> Any:
    return {"file": item} if isinstance(item, str) else item


def _email_from_name(item: Any) -> Any:
    """A user given as a string is an e-mail address when it looks like one."""
    if isinstance(item, str):
        return {"name": item.partition("@")[0], "email": item} if "@" in item else {"name": item}
    return item


def _namespace(name: str) -> str:
    if name not in NAMESPACES:
        raise ValueError(f"there is no namespace of limits named '{name}'")
    return name


Limits = dict[Annotated[str, AfterValidator(_namespace)], dict[str, int]]
"""Namespace → key → effective value."""
NamedList = list[Annotated[Named, BeforeValidator(_named)]]
DividedList = list[Annotated[InDivision, BeforeValidator(_named)]]


class Seed(_Strict):
    """A whole seed file."""

    organization: Organization = Organization()
    divisions: NamedList = Field(default_factory=list)
    queues: DividedList = Field(default_factory=list)
    skills: DividedList = Field(default_factory=list)
    languageSkills: NamedList = Field(default_factory=list)
    wrapupCodes: DividedList = Field(default_factory=list)
    contactLists: DividedList = Field(default_factory=list)
    prompts: list[Annotated[Prompt, BeforeValidator(_named)]] = Field(default_factory=list)
    dataTables: list[Annotated[DataTable, BeforeValidator(_named)]] = Field(default_factory=list)
    dataActions: list[DataAction] = Field(default_factory=list)
    schedules: list[Annotated[Schedule, BeforeValidator(_named)]] = Field(default_factory=list)
    scheduleGroups: list[Annotated[ScheduleGroup, BeforeValidator(_named)]] = Field(default_factory=list)
    emergencyGroups: list[Annotated[EmergencyGroup, BeforeValidator(_named)]] = Field(default_factory=list)
    users: list[Annotated[User, BeforeValidator(_email_from_name)]] = Field(default_factory=list)
    groups: NamedList = Field(default_factory=list)
    scripts: DividedList = Field(default_factory=list)
    surveyForms: DividedList = Field(default_factory=list)
    knowledgeBases: NamedList = Field(default_factory=list)
    flowOutcomes: DividedList = Field(default_factory=list)
    flowMilestones: DividedList = Field(default_factory=list)
    worktypes: DividedList = Field(default_factory=list)
    ttsEngines: NamedList = Field(
        default_factory=lambda: [Named(name="Genesys TTS"), Named(name="Genesys Enhanced TTS")]
    )
    sttEngines: NamedList = Field(default_factory=list)
    agenticVirtualAgents: NamedList = Field(default_factory=list)
    didPools: list[Annotated[DidPool, BeforeValidator(_one_number)]] = Field(default_factory=list)
    flows: list[Annotated[Flow, BeforeValidator(_flow)]] = Field(default_factory=list)
    externalContacts: list[ExternalContact] = Field(default_factory=list)
    conversations: list[Conversation] = Field(default_factory=list)
    limits: Limits = Field(default_factory=dict)


def read_text(path: Path) -> str:
    """A file of a seed; raises ``OSError`` and ``UnicodeDecodeError``."""
    return read_file(path, most=MAX_BYTES).decode().replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"


def read_seed(path: Path) -> tuple[Seed, str]:
    """A seed file and its text; raises ``SeedError``."""
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SeedError([f"{path}: the seed file cannot be read ({_reason(error)})."]) from error
    try:
        data = load(text)
    except YamlError as error:
        raise SeedError([f"{path}:{error.line}:{error.column}: {error}"]) from error
    if data is None:
        return Seed(), text
    try:
        return Seed.model_validate(data), text
    except ValidationError as error:
        raise SeedError([_problem(path, text, item) for item in error.errors()]) from error


def _problem(path: Path, text: str, error: ErrorDetails) -> str:
    place = tuple(step for step in error["loc"])
    line, column = locate(text, place)
    name = str(place[-1]) if place else "the file"
    if error["type"] == "extra_forbidden":
        known = sorted(Seed.model_fields) if len(place) == 1 else None
        return f"{path}:{line}:{column}: unknown key '{name}'." + (f" Known: {', '.join(known)}." if known else "")
    if error["type"] == "missing":
        return f"{path}:{line}:{column}: the key '{name}' is missing."
    where = ".".join(str(step) for step in place) or "the file"
    return f"{path}:{line}:{column}: {where}: {error['msg']}."
