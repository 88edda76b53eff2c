"""Smoke tests beside the specs: which workflow is run with which inputs, and what is expected of it.

A file of ``tests/`` belongs to us if one of its lines begins with ``smokeTest:``; all other files there are somebody
else's and are not looked into. Like a spec it is rendered for one environment and holds one or more documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.problems import SpecError
from reconciler.specs.source import Source

DIRECTORY = "tests"
ENDINGS = (".yaml", ".yml")
ROOT = "smokeTest"
WORKFLOW = "workflow"
DEFAULT_TIMEOUT = 30
MAX_TIMEOUT = 3600

_OURS = re.compile(r"""^["']?smoke[ _-]?tests?["']?[ \t]*:""", re.IGNORECASE | re.MULTILINE)
"""The root key, and what people write in its place, so that a slip is told and not passed over in silence."""

Status = Literal["COMPLETED", "FAILED", "ERROR", "TERMINATED"]
How = Literal["equals", "matches", "present", "absent"]
Text = Annotated[str, Field(pattern=r"\S")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Expect(_Part):
    """How the execution is to end."""

    status: Status = "COMPLETED"
    outputData: Mapping[str, Any] = Field(default_factory=dict)
    """Output variable → its value, or one of ``{equals: …}``, ``{matches: …}``, ``{present: true}``,
    ``{absent: true}``."""


class SmokeDocument(_Part):
    """What stands below ``smokeTest:``."""

    name: Text
    """What the test shows, in a sentence."""
    description: str | None = None
    """For readers."""
    flow: Text
    """Name of the workflow, or its address."""
    inputData: Mapping[str, Any] = Field(default_factory=dict)
    """Input variable → value."""
    expect: Expect = Expect()
    timeout: Annotated[int, Field(ge=1, le=MAX_TIMEOUT)] = DEFAULT_TIMEOUT
    """Seconds until the execution must have ended."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one output must be."""

    output: str
    how: How
    value: Any = None
    """For ``equals`` what it must equal, for ``matches`` the regular expression; secrets as placeholders."""


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """One test, ready to be run in one environment."""

    name: str
    flow: str
    """Address of the workflow."""
    file: str
    line: int
    inputs: Mapping[str, Any]
    """Secrets as placeholders."""
    status: Status
    outputs: tuple[Expectation, ...]
    timeout: int
    secrets: tuple[str, ...]
    """Names of the secrets that it uses."""


def smoke_paths(source: Source) -> Iterator[tuple[str, str]]:
    """Path and text of each file that holds smoke tests, sorted; a file that cannot be read as text holds none."""
    for path in source.list(DIRECTORY):
        parts = PurePosixPath(path).parts
        if path.endswith(ENDINGS) and not any(part.startswith(("_", ".")) for part in parts):
            try:
                text = source.read(path)
            except SpecError:
                continue
            if _OURS.search(text):
                yield path, text


def smoke_schema() -> dict[str, Any]:
    """JSON Schema of what stands below ``smokeTest:``, for editors."""
    # Only the schema pays for the reading of docstrings.
    from reconciler.schemas import model_schema, with_templates

    return with_templates(model_schema(SmokeDocument))
