"""What an address was before each of the last runs that changed it: what a rollback goes by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

TRAIL_KEPT = 4
"""Changes of one address that its row remembers: a cell holds some 800 characters (LEDGER-2)."""
ID_KEPT = 8
"""Leading characters of an object's id: enough to tell that it is still the same object."""


class Was(StrEnum):
    """How the object stood before the run."""

    ABSENT = "absent"
    """There was none."""
    OURS = "ours"
    """As it had been applied."""
    DRIFTED = "drifted"
    """Applied once, then changed by somebody else."""
    FOREIGN = "foreign"
    """In the org, but not in the ledger."""


class Earlier(BaseModel):
    """One step back. Short, because several of them share a cell."""

    model_config = ConfigDict(frozen=True)

    run: str
    """The run that changed the object."""
    was: Was
    object: str = ""
    """The first characters of the id that it had, empty for an absent one."""
    version: str | None = None
    """The version that was live; None also for a flow that was not published."""
    recorded: str | None = None
    """The version that the ledger knew, where another one was live."""
    digest: str | None = None
    """Digest of the canonical spec that had been applied; None where none had been."""
    commit: str | None = None
    """The commit with that spec."""
    secrets: str | None = None
    """Mark of the secrets in what had been applied, see ``mark_of``; None where it held none."""

    def written(self) -> list[str]:
        """As a cell keeps it."""
        return [
            self.run,
            self.was.value,
            self.object,
            *(text or "" for text in (self.version, self.recorded, self.digest, self.commit)),
            *([self.secrets] if self.secrets else []),
        ]

    @classmethod
    def read(cls, kept: Any) -> Earlier:
        """Out of a cell.

        Raises:
            ValueError: it holds something else.
        """
        run, was, id, version, recorded, digest, commit, *secrets = kept
        return cls(
            run=run,
            was=was,
            object=id,
            version=version or None,
            recorded=recorded or None,
            digest=digest or None,
            commit=commit or None,
            secrets=secrets[0] if secrets else None,
        )

    def is_of(self, id: str) -> bool:
        """Whether the object with this id is the one that was meant."""
        return bool(self.object) and id.startswith(self.object)


def extended(trail: tuple[Earlier, ...], step: Earlier) -> tuple[Earlier, ...]:
    """The trail with one more step, as long as a row may keep it; oldest first."""
    return (*trail, step)[-TRAIL_KEPT:]


def mark_of(secrets: Mapping[str, str]) -> str | None:
    """Four hex digits that change when one of the secrets does (name → fingerprint); None where there are none."""
    told = " ".join(f"{name}={fingerprint}" for name, fingerprint in sorted(secrets.items()))
    return hashlib.sha256(told.encode()).hexdigest()[:4] if secrets else None
