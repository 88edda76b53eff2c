"""Every finding of a flow: its id, how much it weighs and what it is called. A table, no behaviour.

Ids are part of the interface: people silence findings and count them by id. docs/findings.md explains each with a
bad and a good example.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingType:
    """One kind of finding."""

    id: str
    """Stable, kebab-case."""
    severity: str
    """``error`` only where Architect refuses the flow or it is certainly broken; ``warning``; ``info``."""
    title: str
    """A few words, as a heading."""
    can_be_silenced: bool = True
    """False where nobody can mean it."""


_ALL = (
    FindingType("dangling-reference", "error", "A reference leads nowhere", can_be_silenced=False),
    FindingType("duplicate-ref-id", "error", "Two objects have the same refId"),
    FindingType("unreached", "warning", "Nothing leads to a menu, task, state or bot"),
    FindingType("unreached-action", "warning", "Nothing leads to an action"),
    FindingType("after-the-end", "warning", "Actions stand after one that ends the flow"),
    FindingType("switched-off", "info", "Actions stand in an output that is switched off"),
    FindingType("endless-loop", "error", "A loop has no way out"),
    FindingType("unchanging-loop", "warning", "Nothing in a loop can change whether it goes on"),
    FindingType("same-digit", "error", "Two choices of a menu have the same digit"),
    FindingType("menu-without-exit", "warning", "No choice leads out of a menu"),
    FindingType("menu-without-choices", "warning", "A menu has no choices"),
    FindingType("no-end", "warning", "A path ends without disconnect, transfer or end"),
    FindingType("transfer-failure-unhandled", "warning", "Nobody takes care of a failed transfer"),
    FindingType("data-failure-unhandled", "warning", "Nobody takes care of a failed data action"),
    FindingType("undeclared-variable", "warning", "A variable is not declared"),
    FindingType("variable-never-set", "warning", "A variable is read but never set"),
    FindingType("variable-never-read", "info", "A variable is set but never read"),
    FindingType("unused-variable", "info", "A variable is neither set nor read"),
    FindingType("unknown-module-input", "error", "A call binds an input that the module does not have"),
    FindingType("unknown-module-output", "error", "A call binds an output that the module does not have"),
    FindingType("missing-module-input", "warning", "A call leaves out an input without a default"),
    FindingType("module-type-mismatch", "error", "A call binds a value of another type"),
    FindingType("incompatible-module", "error", "A module cannot be called from this type of flow"),
    FindingType("unsupported-language", "warning", "A language is not one of the flow's"),
    FindingType("unknown-action", "info", "An action is not known to this tool"),
)

FINDINGS: dict[str, FindingType] = {each.id: each for each in _ALL}
"""By id, in the order in which docs/findings.md explains them."""
