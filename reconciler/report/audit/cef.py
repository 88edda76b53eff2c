"""Records in the Common Event Format (ArcSight, CEF:0, version 23 of 2016): one line each.

Keys are those of its dictionary. In the header ``|`` and ``\\`` are escaped, in values ``=`` and ``\\``, and line
breaks are written as ``\\n``.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.engine.audit.record import CHANGED, ENDED, TORN, AuditRecord
from reconciler.report.audit.ecs import message_of

VENDOR, PRODUCT = "reconciler", "Genesys Cloud reconciler"
LENGTHS = {"act": 63, "outcome": 63, "dvchost": 100, "suser": 1023, "reason": 1023, "msg": 1023, "cat": 1023}
"""Longest values that the dictionary allows; of custom strings 4,000."""
_CUSTOM = 4000


def cef_line(record: AuditRecord, started: AuditRecord | None) -> str:
    """One record; ``started`` is the first of its run, for who and where."""
    version = started.tool if started and started.tool else "0"
    action = record.action if record.event == CHANGED and record.action else record.event
    header = (VENDOR, PRODUCT, version, record.event, f"{action} {record.address or record.environment}")
    pairs = " ".join(f"{key}={_value(key, value)}" for key, value in _pairs(record, started, action) if value)
    return f"CEF:0|{'|'.join(map(_head, header))}|{_severity(record)}|{pairs}"


def _pairs(record: AuditRecord, started: AuditRecord | None, action: str) -> Iterator[tuple[str, str | None]]:
    yield "rt", str(round(record.at.timestamp() * 1000))
    yield "cat", record.event
    yield "act", action
    if record.event == CHANGED:
        yield "outcome", record.outcome
    elif record.event == ENDED:
        yield "outcome", "failure" if record.exit_code else "success"
    if started is not None:
        yield "suser", started.user or started.holder
        yield "dvchost", started.machine
    yield "msg", message_of(record)
    yield "reason", record.message or record.override
    custom = (
        ("environment", record.environment),
        ("run", record.run),
        ("address", record.address),
        ("versionBefore", record.version_before),
        ("versionAfter", record.version_after),
        ("hash", record.hash),
    )
    for number, (label, value) in enumerate(custom, 1):
        if value:
            yield f"cs{number}Label", label
            yield f"cs{number}", value
    yield "cn1Label", "sequence"
    yield "cn1", str(record.seq)
    if started is not None and started.commit:
        yield "flexString1Label", "commit"
        yield "flexString1", started.commit


def _severity(record: AuditRecord) -> int:
    """0 to 10: what failed is high, what was set aside or cut off medium."""
    if record.outcome == "failed" or (record.event == ENDED and record.exit_code):
        return 7
    if record.event == TORN or record.override or record.policies:
        return 5
    return 3


def _head(text: str) -> str:
    return _one_line(text, " ").replace("\\", "\\\\").replace("|", "\\|")


def _value(key: str, text: str) -> str:
    text = text[: LENGTHS.get(key, _CUSTOM)]
    return _one_line(text.replace("\\", "\\\\").replace("=", "\\="), "\\n")


def _one_line(text: str, instead: str) -> str:
    return instead.join(text.splitlines())
