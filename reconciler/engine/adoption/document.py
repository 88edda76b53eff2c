"""What `adoption` tells, as a document: frozen models, serialised as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from reconciler.engine.adoption.proportions import Comparison, Verdict

FORMAT_VERSION = "1"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Since(_Frozen):
    """What the comparison turns on; what happened between start and end counts for neither side."""

    start: AwareDatetime
    end: AwareDatetime
    run: str | None = None
    by: str | None = None
    """Who ran it, for people to read."""
    commit: str | None = None


class Window(_Frozen):
    """From a moment to before another."""

    start: AwareDatetime
    end: AwareDatetime


class Windows(_Frozen):
    """Two equally long windows, and how finely they are cut."""

    before: Window
    after: Window
    granularity: str
    """ISO 8601, e.g. ``PT1H``."""
    cut_at_now: bool
    """Whether the second one ends now; else it has its full length."""


class Counts(_Frozen):
    """Conversations, and how they went."""

    conversations: int = 0
    ended: int = 0
    disconnects: int = 0
    """Of those that ended."""
    errors: int = 0
    """Of those that ended; an error that cuts the caller off is a disconnect too."""
    exits: Mapping[str, int] = {}
    """How many ended in which way, by the platform's exit reasons."""

    def __add__(self, other: Counts) -> Counts:
        reasons = sorted({*self.exits, *other.exits})
        return Counts(
            conversations=self.conversations + other.conversations,
            ended=self.ended + other.ended,
            disconnects=self.disconnects + other.disconnects,
            errors=self.errors + other.errors,
            exits={reason: self.exits.get(reason, 0) + other.exits.get(reason, 0) for reason in reasons},
        )


class VersionCounts(_Frozen):
    """One version of a flow on both sides."""

    version: str
    """``?`` where the org does not tell which."""
    before: Counts
    after: Counts


class Step(_Frozen):
    """One stretch of a window, for charts."""

    start: AwareDatetime
    end: AwareDatetime
    conversations: int
    on_new: int
    """Of them, on the version that was applied."""


class Move(StrEnum):
    """How far the callers of a flow have come."""

    MOVED = "moved"
    """All on the version that was applied, or by now all."""
    MOVING = "moving"
    """Some are on it, some on an older one."""
    NOT_MOVED = "not-moved"
    """There are conversations, and none is on it."""
    NO_TRAFFIC = "no-traffic"
    """Nobody came since."""
    SUPERSEDED = "superseded"
    """By now on a newer version, which somebody else published."""
    UNCHANGED = "unchanged"
    """That version answered before, too."""
    LATER = "later"
    """The version was applied only after the time that is compared."""


class FlowAdoption(_Frozen):
    """One flow."""

    address: str
    version: str
    """The one that was applied last."""
    applied_at: AwareDatetime | None
    previous: tuple[str, ...]
    """Versions in the baseline, the busiest first, without that one."""
    move: Move
    share: float | None
    """Part of the conversations since that are on the version; None without any."""
    latest_share: float | None
    """The same of the latest ones alone."""
    versions: tuple[VersionCounts, ...]
    """Newest first."""
    before: Counts
    """All versions before."""
    after: Counts
    """All versions since."""
    baseline: Counts
    """What the comparisons take for before: ``before``, and older versions until an apply in the midst of it."""
    on_new: Counts
    """Only the version that was applied, since: what the comparisons take for after."""
    disconnects: Comparison
    errors: Comparison
    steps_before: tuple[Step, ...]
    steps_after: tuple[Step, ...]

    @property
    def worse(self) -> bool:
        """More disconnects or errors than chance explains."""
        return Verdict.MORE in (self.disconnects.verdict, self.errors.verdict)

    @property
    def settled(self) -> bool:
        """Nothing about it asks for a second look."""
        return self.move in (Move.MOVED, Move.UNCHANGED, Move.NO_TRAFFIC, Move.LATER) and not self.worse


class Consumer(_Frozen):
    """A flow that holds a copy of a common module."""

    address: str
    holds: str | None
    """Version of the module in it; None where it holds the module through another one."""
    through: str | None = None
    """The module that it holds this one through."""


class ModuleAdoption(_Frozen):
    """A common module: copied into its consumers, it has no conversations of its own."""

    address: str
    version: str | None
    consumers: tuple[Consumer, ...]


class AdoptionReport(_Frozen):
    """The whole document."""

    format_version: str = FORMAT_VERSION
    environment: str
    org_id: str
    org_name: str
    time_zone: str
    since: Since | None
    """None where nothing was ever applied."""
    windows: Windows | None
    flows: tuple[FlowAdoption, ...] = ()
    """Those that ask for a second look first."""
    modules: tuple[ModuleAdoption, ...] = ()
    untouched: int = 0
    """Flows in the ledger that were not applied since, and were not asked for."""
