"""``limits:`` of an environment: what counts against the org's limits, and what a plan that crosses one comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.kinds.registry import all_kinds
from reconciler.problems import Finding
from reconciler.specs.environment_files import Layers
from reconciler.specs.policy import no_address

LEDGER_ROWS = "ledgerRow"
"""Stands before the name of a row of the ledger's table, as a kind does in an address."""
DATA_TABLES = "dataTable"
"""The same for data tables, which the specs do not hold."""


class Limits(BaseModel):
    """What a plan makes of the org's limits, and what counts against those whose meaning nobody documents."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    on_crossing: Literal["fail", "report"] = "fail"
    """``fail``: a plan that crosses a limit which the org tells cannot be applied; ``report``: it is a warning."""
    counts: Mapping[
        str, Mapping[str, Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)]]
    ] = Field(default_factory=dict)
    """Namespace → key → addresses (globs) that count against it; an empty list leaves a limit out."""


def limit_problems(data: Mapping[str, Any], layers: Layers) -> list[Finding]:
    """Globs that no object can match; ``data`` need not be valid otherwise."""
    kinds = sorted({name for kind in all_kinds() for name in kind.kinds} | {LEDGER_ROWS, DATA_TABLES})
    found = []
    limits = data.get("limits")
    counts = limits.get("counts") if isinstance(limits, Mapping) else None
    for namespace, keys in counts.items() if isinstance(counts, Mapping) else ():
        for key, globs in keys.items() if isinstance(keys, Mapping) else ():
            for index, glob in enumerate(globs if isinstance(globs, list | tuple) else ()):
                path = ("limits", "counts", namespace, key, index)
                found += [
                    layers.finding(
                        "unknown-kind-in-limits",
                        path,
                        f"limits.counts.{namespace}.{key} {glob!r} can match no object: {why}",
                        remedy,
                    )
                    for why, remedy in no_address(str(glob), kinds)
                ]
    return found
