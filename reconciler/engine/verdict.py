"""What is decided about one address, before it becomes a change of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reconciler.engine.document import Action, Difference, Drift, Precondition
from reconciler.kinds.base import Desired, Kind, Live
from reconciler.kinds.registry import kind_of
from reconciler.ledger import Row
from reconciler.problems import Finding

Basis = Literal["last applied spec", "live export", "live fields"]


@dataclass
class Verdict:
    """One address: what is wanted, what there is, and what follows. Filled in stage by stage."""

    address: str
    desired: Desired | None
    live: Live | None
    row: Row | None
    action: Action | None = None
    reasons: list[str] = field(default_factory=list)
    diff: tuple[Difference, ...] = ()
    basis: Basis | None = None
    drift: Drift | None = None
    heal: bool = False
    """The org means the same as the ledger says, under another version: only the row is renewed."""
    moves_only: bool = False
    """Nothing but the division changes; nothing is published."""
    modules: Mapping[str, str] | None = None
    """Common modules (id → version) in the live version, where the ledger's row does not tell."""
    held: bool = False
    """It drifted and the policy leaves it as it is; also a change of its spec waits."""
    findings: list[Finding] = field(default_factory=list)
    publish_version: str | None = None
    """An earlier version that is published again instead of an upload."""

    @property
    def kind(self) -> Kind:
        """The kind that handles the address."""
        return kind_of(self.address.partition("/")[0])

    @property
    def name(self) -> str:
        """The name behind the kind."""
        return self.address.partition("/")[2]

    @property
    def publishes(self) -> bool:
        """Whether a new version comes out of it."""
        return self.action in (Action.CREATE, Action.UPDATE, Action.REPUBLISH) and not self.moves_only

    @property
    def row_is_current(self) -> bool:
        """Whether the ledger speaks of the object and version that are live."""
        return (
            self.row is not None
            and self.live is not None
            and self.row.object_id == self.live.id
            and self.row.version == self.live.version
        )

    @property
    def on_air(self) -> bool:
        """Whether others can use the live object: it exists, and is published where that matters."""
        return self.live is not None and (self.live.version is not None or not self.kind.content_in_versions)

    @property
    def spec_changed(self) -> bool:
        """Whether the specs say something else than when the address was last applied."""
        return self.desired is not None and self.row is not None and self.desired.digest != self.row.spec_digest

    @property
    def precondition(self) -> Precondition:
        """What must still hold when the change begins."""
        if self.live is None:
            return Precondition(absent=True)
        return Precondition(id=self.live.id, version=self.live.version)

    @property
    def fields_after(self) -> dict[str, Any]:
        """The fields that the object will have: live ones, with the plan's differences; of a create, the spec's."""
        if self.desired is None or self.kind.content_in_versions:
            return {}
        if self.live is None:
            return dict(self.desired.content.canonical)
        return dict(self.live.fields or {}) | {difference.path: difference.after for difference in self.diff}

    def decide(self, action: Action, reason: str) -> None:
        """Sets the action; the reason joins those given before."""
        self.action = action
        self.reasons.append(reason)
