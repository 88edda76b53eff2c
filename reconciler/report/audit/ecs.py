"""Records with the field names of the Elastic Common Schema, one flat object each.

Fields and allowed values are those of ECS 8.11 (github.com/elastic/ecs, ``schemas/``): ``event.category``
``configuration`` expects the types ``access``, ``change``, ``creation``, ``deletion`` and ``info``. What ECS has no
field for stands under a name of our own, ``reconciler.…``, as ECS asks of custom fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.engine.audit.record import CHANGED, ENDED, STARTED, AuditRecord

ECS_VERSION = "8.11.0"
TYPES = {"create": "creation", "delete": "deletion"}
OUTCOMES = {"applied": "success", "failed": "failure"}


def ecs_event(value: Mapping[str, Any], record: AuditRecord, started: AuditRecord | None) -> dict[str, Any]:
    """One record as an ECS document.

    ``value`` is the record as it stands in the trail; ``started`` the first of its run, for who and where.
    """
    told: dict[str, Any] = {
        "@timestamp": value["at"],
        "ecs.version": ECS_VERSION,
        "event.kind": "event",
        "event.category": ["configuration"],
        "event.type": [_type(record)],
        "event.action": _action(record),
        "event.outcome": _outcome(record),
        "event.provider": "reconciler",
        "event.module": "reconciler",
        "event.dataset": "reconciler.audit",
        "event.id": record.hash,
        "event.hash": record.hash,
        "event.sequence": record.seq,
        "event.duration": record.ms * 1_000_000 or None,
        "message": message_of(record),
        "event.reason": record.message or record.override,
        "service.name": "reconciler",
        "labels.environment": record.environment,
        "labels.run": record.run,
        "reconciler.previous": record.previous,
    }
    if started is not None:
        told |= {
            "user.name": started.user or started.holder,
            "host.hostname": started.machine,
            "organization.id": (started.org or {}).get("id"),
            "organization.name": (started.org or {}).get("name"),
            "service.version": started.tool,
            "reconciler.client": started.client,
            "reconciler.commit": started.commit,
            "reconciler.plan": started.plan,
            "reconciler.override": started.override,
        }
        if started.pipeline is not None:
            told |= {"reconciler.pipeline": started.pipeline.system, "reconciler.pipeline_run": started.pipeline.run}
    if record.event == CHANGED:
        told |= {
            "reconciler.address": record.address,
            "reconciler.object_id": record.object_id,
            "reconciler.version_before": record.version_before,
            "reconciler.version_after": record.version_after,
            "reconciler.reasons": list(record.reasons),
        }
    if record.event == ENDED:
        told |= {"reconciler.exit_code": record.exit_code or 0}
        told |= {f"reconciler.count.{outcome}": count for outcome, count in record.counts.items()}
    return {key: item for key, item in told.items() if item not in (None, "", [])}


def message_of(record: AuditRecord) -> str:
    """One sentence for people."""
    where = f"{record.environment}, run {record.run}"
    match record.event:
        case "run-started":
            return f"Apply began by {record.holder or 'somebody'} ({where})"
        case "change":
            return f"{record.action} {record.address}: {record.outcome} ({where})"
        case "run-ended":
            return f"Apply ended with exit code {record.exit_code or 0} ({where})"
        case "torn":
            return f"A killed run left half a record ({where})"
    return f"{record.event} ({where})"


def _action(record: AuditRecord) -> str:
    return f"{record.action}" if record.event == CHANGED else record.event


def _type(record: AuditRecord) -> str:
    return TYPES.get(record.action or "", "change") if record.event == CHANGED else "info"


def _outcome(record: AuditRecord) -> str | None:
    if record.event == CHANGED:
        return OUTCOMES.get(record.outcome or "", "unknown")
    if record.event == ENDED:
        return "failure" if record.exit_code else "success"
    return "unknown" if record.event == STARTED else None
