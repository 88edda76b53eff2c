"""Words and values that every report for people says the same way."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from reconciler.engine.document import Plan, ReachedIvr
from reconciler.ledger import stamp

LONG = 200
"""Characters of a value that are shown; JSON has the rest."""
NUMBERS_SHOWN = 3
SCAFFOLDING = {"lit", "actions", "outputs"}
"""Keys of Archy that say nothing to a person."""
MARKED = re.compile(r"(\[-.*?-\]|\{\+.*?\+\})", re.DOTALL)
"""In the words of a long text: those taken out, and those put in."""


def plural(count: int, noun: str) -> str:
    """``1 change``, ``2 changes``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def moment(text: str) -> str:
    """A wire time for people: UTC, to the minute."""
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        return text


def utc(time: datetime) -> str:
    """A time to the minute; one without a zone is UTC, wherever the reader sits."""
    return stamp(time if time.tzinfo else time.replace(tzinfo=UTC))


def plan_title(plan: Plan) -> str:
    """What kind of plan it is, and for which environment."""
    return f"Rollback {plan.rollback.told} in {plan.environment}" if plan.rollback else f"Plan for {plan.environment}"


def ivr_text(ivr: ReachedIvr) -> str:
    """An IVR with its numbers: ``ivr/Household Line (+44 …, +44 …)``."""
    shown = ", ".join(ivr.numbers[:NUMBERS_SHOWN])
    more = len(ivr.numbers) - NUMBERS_SHOWN
    return f"{ivr.address} ({shown}{f' and {more} more' if more > 0 else ''}){'' if ivr.managed else ', unmanaged'}"


def shown_value(value: Any, length: int = LONG) -> str:
    """A scalar as JSON; an action or another part of a flow by what stands in it, without its scaffolding."""
    text = "; ".join(_leaves(value, "")) if isinstance(value, dict | list) and value else _scalar(value)
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            plain = path if key in SCAFFOLDING else f"{path} {key}".strip()
            yield from _leaves(item, plain)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves(item, path)
    else:
        yield f"{path}: {_scalar(value)}" if path else _scalar(value)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
