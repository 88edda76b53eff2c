"""What the ledger remembers of the last runs: who applied which commit when, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

RUNS_KEPT = 50
LOST_AUDIT = "lost"
"""Stands for the head of an audit trail of which records could not be written."""
LONGEST = 80
"""Characters of a text that are kept: cells are short (LEDGER-2)."""


class RunRecord(BaseModel):
    """One apply that held the lock, as `history` and `status` tell it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    at: AwareDatetime
    """When it ended."""
    by: str
    """Who ran it, for people to read."""
    commit: str | None = None
    """The commit whose specs were applied."""
    release: str | None = None
    """The revision that the environment pinned, as written there."""
    dirty: bool = False
    """The specs held changes that are in no commit."""
    plan: str | None = None
    actions: Mapping[str, Annotated[int, Field(ge=0)]] = {}
    """How many changes were applied, by action; actions without any are left out."""
    failed: int = 0
    skipped: int = 0
    not_started: int = 0
    healed: int = 0
    unproven: int = 0
    """Smoke tests after it that were not passed, or could not be run."""
    not_proven: int = 0
    """Checks of the linkage after it that failed, or could not be made."""
    seconds: float = 0.0
    exit_code: int = 0
    override: str | None = None
    """Why the environment's windows were set aside."""
    audit: Annotated[str, Field(max_length=80)] | None = None
    """The last record of its audit trail when this was written: chain, number and hash, each shortened, or ``lost``;
    None where none was kept."""
    client: Annotated[str, Field(max_length=8)] | None = None
    """The first characters of the OAuth client's id."""
    rollback: str | None = None
    """What it went back to, where it was a rollback: ``of run …`` or ``to commit …``."""
    rolled_back: int = 0
    """How many of its own changes it took back, because something failed."""

    @property
    def applied(self) -> int:
        """How many changes were applied."""
        return sum(self.actions.values())

    def shortened(self) -> RunRecord:
        """As it fits into a cell."""
        texts = {"by": self.by, "release": self.release, "override": self.override, "rollback": self.rollback}
        return self.model_copy(update={name: text and text[:LONGEST] for name, text in texts.items()})

    def written(self) -> str:
        """As ledgers keep it: JSON without what says nothing."""
        return self.shortened().model_dump_json(exclude_defaults=True)
