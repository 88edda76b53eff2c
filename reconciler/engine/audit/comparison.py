"""The document that sets the platform's audit beside ours; JSON of ``audit --platform``."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

OURS: Final = "ours"
OUTSIDE: Final = "outside"
BY_RECORD: Final = "record"
BY_LEDGER: Final = "ledger"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Who(_Frozen):
    """Who did something, as the platform tells."""

    user: str | None = None
    """Name of a person, else the id."""
    client: str | None = None
    """Id of an OAuth client."""
    our_client: bool = False
    """The client is the one that our runs use: some other tool, or somebody by hand, used its credentials."""


class Entry(_Frozen):
    """One event of the platform's audit."""

    id: str
    at: datetime
    address: str
    object_id: str | None
    action: str
    """The platform's own word, e.g. ``Publish``."""
    version: str | None = None
    """The version that it made, as far as that can be told."""
    properties: tuple[str, ...] = ()
    """Names of what it changed; values may be secrets."""
    who: Who
    origin: Literal["ours", "outside"]
    run: str | None = None
    """Ours: which run did it."""
    basis: Literal["record", "ledger"] | None = None
    """Ours by a record of the trail; or by the ledger alone, because the run's trail is not here."""
    change: bool = True
    """It changed what is there; False for drafts, check-outs, and what the platform refused."""
    refused: bool = False
    """The platform refused it."""


class Missing(_Frozen):
    """A change of ours that the platform's audit does not have."""

    at: datetime
    run: str
    address: str
    action: str
    version: str | None


class Comparison(_Frozen):
    """Both sides of one stretch of time."""

    format_version: Literal["1"] = "1"
    environment: str
    org: str
    since: datetime
    until: datetime
    entries: tuple[Entry, ...]
    """Oldest first."""
    missing: tuple[Missing, ...] = ()
    others: int = 0
    """Events on objects that nobody manages here."""
    notices: tuple[str, ...] = ()

    @property
    def outside(self) -> tuple[Entry, ...]:
        """What did not come from us."""
        return tuple(entry for entry in self.entries if entry.origin == OUTSIDE)

    @property
    def exit_code(self) -> int:
        """2 where something was changed that did not come from us, as with drift."""
        return 2 if any(entry.change for entry in self.outside) else 0
