"""What the world outside answers to executions of flows: data actions, external contacts, conversations.

A sandbox has no customer system behind it. The seed file says how each data action answers and which
contacts and conversations there are; a changed seed replaces these answers, as they are no state of the org.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.sandbox.seed_file import Answer, Seed
from reconciler.sandbox.store import get_meta_json, set_meta

_ACTIONS = "data_action_answers"
_CONTACTS = "external_contacts"
_CONVERSATIONS = "conversations"

Status = Literal["success", "failure", "timeout"]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a data action."""

    status: Status
    outputs: dict[str, Any]


def keep(db: sqlite3.Connection, seed: Seed) -> None:
    """Keeps the seed's answers, contacts and conversations in place of those before."""
    actions = {
        _key(action.category, action.name): [answer.model_dump() for answer in action.answers]
        for action in seed.dataActions
    }
    set_meta(db, _ACTIONS, json.dumps(actions))
    set_meta(db, _CONTACTS, json.dumps({contact.id: contact.model_dump() for contact in seed.externalContacts}))
    set_meta(db, _CONVERSATIONS, json.dumps({each.id: each.attributes for each in seed.conversations}))


def _key(category: str, name: str) -> str:
    """Integrations and actions are looked up in any case (facts archy-yaml §4)."""
    return f"{category}\n{name}".casefold()


def of_data_action(db: sqlite3.Connection, category: str, name: str, inputs: dict[str, Any]) -> Answered | None:
    """The first answer of a data action whose ``when`` holds; None when the seed has none for these inputs."""
    for item in (get_meta_json(db, _ACTIONS) or {}).get(_key(category, name), []):
        answer = Answer.model_validate(item)
        if all(inputs.get(key) == value for key, value in answer.when.items()):
            if answer.timeout:
                return Answered("timeout", {})
            if answer.failure is not None:
                return Answered("failure", answer.failure)
            return Answered("success", answer.success or {})
    return None


def external_contact(db: sqlite3.Connection, contact_id: str) -> dict[str, Any] | None:
    """The fields of a contact, or None."""
    found: dict[str, Any] | None = (get_meta_json(db, _CONTACTS) or {}).get(contact_id)
    return found


def conversation(db: sqlite3.Connection, conversation_id: str) -> dict[str, Any] | None:
    """The attributes of a conversation, or None where there is no such conversation."""
    found: dict[str, Any] | None = (get_meta_json(db, _CONVERSATIONS) or {}).get(conversation_id)
    return found
