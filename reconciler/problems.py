"""What can be wrong, and how it is said: findings, locations and the root of the exception tree.

The lowest layer: everything may import this, and this imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """How much a finding weighs: an error stops plan and apply, a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Location(BaseModel):
    """A place in a source file; ``file`` is relative to the repository root, with ``/`` separators."""

    model_config = ConfigDict(frozen=True)

    file: str
    line: int | None = None
    """1-based."""
    column: int | None = None
    """1-based."""

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class Finding(BaseModel):
    """One thing that somebody should know or mend, wherever it was found."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Stable, kebab-case: what kind of finding this is, e.g. ``undefined-variable``."""
    severity: Severity = Severity.ERROR
    message: str
    """One sentence that names the object and what is wrong with it."""
    address: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    remedy: str | None = None
    """One sentence that says what to do."""

    @property
    def location(self) -> Location | None:
        """Where it is, or None for a finding that belongs to no file."""
        return Location(file=self.file, line=self.line, column=self.column) if self.file else None

    def __str__(self) -> str:
        where = f"{self.location}: " if self.location else ""
        return f"{where}{self.message}" + (f" {self.remedy}" if self.remedy else "")


class Silenced(BaseModel):
    """A finding that somebody decided to live with."""

    model_config = ConfigDict(frozen=True)

    finding: Finding
    reason: str
    """Why, in that person's words."""


class ReconcilerError(Exception):
    """Root of every error that a user may see; carries the exit code and all findings behind it.

    ``exit_code`` follows the command line contract: 1 error, 3 stale, already applied or locked.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str | None = None, findings: Iterable[Finding] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return self.message


class SpecError(ReconcilerError):
    """The specs or environments are not usable; ``findings`` holds every reason, not only the first."""

    def __init__(self, findings: Iterable[Finding], silenced: Iterable[Silenced] = ()) -> None:
        findings = tuple(findings)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        super().__init__(f"{count}; nothing was sent to the org.", findings=findings)
        self.silenced = tuple(silenced)
