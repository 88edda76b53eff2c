"""What a running flow can ask, and what it can do, outside itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from reconciler.sandbox.answers import Answered


class World(Protocol):
    """The org around a run."""

    @property
    def now(self) -> datetime:
        """The moment of the run, in UTC."""

    def data_action(self, category: str, name: str, inputs: dict[str, Any]) -> Answered | None:
        """How a data action answers; None when nobody said how."""

    def external_contact(self, contact_id: str) -> dict[str, Any] | None:
        """The fields of an external contact; None when there is none."""

    def conversation(self, conversation_id: str) -> dict[str, Any] | None:
        """The attributes of a conversation as they were before the run; None when there is none."""

    def table_row(self, table: str, key: str) -> dict[str, Any] | None:
        """A row of a data table; None when there is none. Raises ``CannotRun`` when there is no such table."""
