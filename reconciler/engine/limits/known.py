"""Which limits are known to count what we manage, each with its source (docs/fidelity.md, LIMITS-*).

The platform tells keys and values of its limits, not what they mean. What no source says is not here: an
environment may say it (``limits: counts:``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.archy.flowtypes import FLOW_TYPES
from reconciler.specs.limits import DATA_TABLES, LEDGER_ROWS

NAMESPACES = ("architect", "datatables", "telephony.configuration", "platform.api")
"""Those that hold what concerns us (facts §3.11)."""


@dataclass(frozen=True)
class Known:
    """A limit, and what counts against it."""

    what: str
    """The counted objects, for people: ``flows``."""
    globs: tuple[str, ...]
    """Addresses that count."""
    source: str
    namespace: str | None = None
    key: str | None = None
    """The org is asked for it under this key; None where no source names one."""
    default: int | None = None
    """What is documented for an org that has no other value; counts only where the org does not tell its own."""

    @property
    def name(self) -> str:
        """``architect/flows.max``; a documented default is called by what it limits."""
        return f"{self.namespace}/{self.key}" if self.key else self.what


_FLOWS = tuple(f"{flow_type.root}/*" for flow_type in FLOW_TYPES)
_READ_LIVE = "github.com/diebergziege/gc-toolkit src/core/monitoring.ts, which read it from an org on 2026-09-29"
_TABLES = "help.mypurecloud.com/articles/work-with-data-tables/"
_TELEPHONY = "help.mypurecloud.com/articles/view-telephony-resource-limits/"

KNOWN: tuple[Known, ...] = (
    Known("flows", _FLOWS, _READ_LIVE, "architect", "flows.max"),
    Known("data tables", (f"{DATA_TABLES}/*",), _READ_LIVE, "datatables", "tables.max.allowed", default=200),
    Known("rows of the ledger's data table", (f"{LEDGER_ROWS}/*",), _TABLES, default=5_000),
    Known("IVRs (call routes)", ("ivr/*",), _TELEPHONY, default=2_000),
    Known("schedules", ("schedule/*",), _TELEPHONY, default=10_000),
    Known("schedule groups", ("scheduleGroup/*",), _TELEPHONY, default=10_000),
)


MEANINGS: Mapping[tuple[str, str], str] = {
    ("platform.api", "client.credentials.token.rate.per.minute"): "requests a minute of one token of an OAuth client",
    ("platform.api", "token.rate.per.minute"): "requests a minute of one token",
    ("platform.api", "org.app.user.rate.per.minute"): "requests a minute of one application and user",
    ("platform.api", "request.bytes.max"): "bytes of one request",
}
"""What is no count of objects and yet documented (facts §2, pages P2, P3, P24)."""


def limits_for(counts: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[Known]:
    """The known limits, as changed by an environment: its own come first, and in place of what counts the same.

    A key whose globs are an empty list is not looked at.
    """
    own = [
        Known(f"objects ({', '.join(globs)})", globs, "the environment", namespace, key)
        for namespace, keys in counts.items()
        for key, globs in keys.items()
    ]
    named = {(limit.namespace, limit.key) for limit in own}
    counted = {limit.globs for limit in own}
    left = [
        known
        for known in KNOWN
        if (known.namespace, known.key) not in named and not (known.key is None and known.globs in counted)
    ]
    return [limit for limit in own if limit.globs] + left
