"""Drives the state machine of a flow with the official SDK, and says in one line where a flow stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from sdk import ApiException, Sdk

_NUMBERS = count(1)


def content(says: str = "Hello.") -> dict[str, Any]:
    """A small call flow as a configuration."""
    return {
        "inboundCall": {
            "name": "Any",
            "defaultLanguage": "en-us",
            "startUpRef": "./tasks/task[main]",
            "initialGreeting": {"tts": says},
            "tasks": [{"task": {"name": "Main", "refId": "main", "actions": [{"disconnect": {"name": "Disconnect"}}]}}],
        }
    }


def doing(name: str, action: dict[str, Any]) -> str:
    """A call flow with one action, as a file to deploy: JSON is YAML too."""
    wanted = content()
    wanted["inboundCall"]["name"] = name
    wanted["inboundCall"]["tasks"][0]["task"]["actions"] = [action]
    return json.dumps(wanted)


def transferring(name: str, target: str) -> str:
    """A call flow that transfers to another one, as a file to deploy."""
    return doing(name, {"transferToFlow": {"name": "Transfer", "targetFlow": {"name": target}}})


def queueing(name: str, queue: str) -> str:
    """A call flow that transfers to a queue, as a file to deploy."""
    return doing(name, {"transferToAcd": {"name": "Transfer", "targetQueue": {"lit": {"name": queue}}}})


def waiting(name: str) -> str:
    """An in-queue call flow, as a file to deploy."""
    return json.dumps({"inqueueCall": {"name": name, "defaultLanguage": "en-us", "startUpTaskActions": []}})


def new_flow(sdk: Sdk) -> str:
    """A flow without content; returns its id."""
    return str(sdk.architect.post_flows({"name": f"Driven {next(_NUMBERS)}", "type": "inboundcall"}).id)


CALLS: dict[str, Callable[[Sdk, str], Any]] = {
    "check out": lambda sdk, flow: sdk.architect.post_flows_actions_checkout(flow),
    "save": lambda sdk, flow: sdk.architect.post_flow_versions(flow, content()),
    "check in": lambda sdk, flow: sdk.architect.post_flows_actions_checkin(flow),
    "publish": lambda sdk, flow: sdk.architect.post_flows_actions_publish(flow),
    "publish 1.0": lambda sdk, flow: sdk.architect.post_flows_actions_publish(flow, version="1.0"),
    "revert": lambda sdk, flow: sdk.architect.post_flows_actions_revert(flow),
    "unlock": lambda sdk, flow: sdk.architect.post_flows_actions_unlock(flow),
    "deactivate": lambda sdk, flow: sdk.architect.post_flows_actions_deactivate(flow),
    "rename": lambda sdk, flow: sdk.architect.put_flow(flow, {"name": f"Renamed {next(_NUMBERS)}"}),
    "delete": lambda sdk, flow: sdk.architect.delete_flow(flow),
}
"""Everything that changes a flow, under the names of the table of states."""


def attempt(sdk: Sdk, call: str, flow: str) -> str | None:
    """Makes a call; None, or ``409 code`` when it was refused."""
    try:
        CALLS[call](sdk, flow)
    except ApiException as error:
        return f"{error.status} {json.loads(error.body)['code']}"
    return None


def _number(version: Any) -> str:
    return version.id.removesuffix(".0") if version is not None else "-"


def standing(sdk: Sdk, flow_id: str) -> str:
    """``lock saved checked-in published``, such as ``me 3 2 1``; ``deleted`` for a deleted flow."""
    flow = sdk.architect.get_flow(flow_id, deleted=True)
    if flow.deleted:
        return "deleted"
    holder = flow.locked_client.id if flow.locked_client else None
    lock = "-" if holder is None else "me" if holder == sdk.client_id else "other"
    assert flow.active == (flow.published_version is not None)
    return " ".join(
        (lock, _number(flow.saved_version), _number(flow.checked_in_version), _number(flow.published_version))
    )
