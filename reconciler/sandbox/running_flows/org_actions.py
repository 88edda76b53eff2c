"""The actions that ask or change the org: data actions, contacts, data tables, conversations."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.running_flows.problems import CannotRun
from reconciler.sandbox.running_flows.run import Handler, Run, Signal
from reconciler.sandbox.running_flows.values import as_json


def _call_data(run: Run, body: dict[str, Any]) -> Signal | None:
    ((category, content),) = body["category"].items()
    ((name, action),) = content["dataAction"].items()
    inputs = {key: run.value(form) for key, form in (action.get("inputs") or {}).items()}
    answer = run.world.data_action(category, name, inputs)
    if answer is None:
        # Inputs may hold secrets: none of them is shown.
        raise CannotRun(f"the seed file has no answer of the data action '{category} / {name}' to these inputs")
    if answer.status == "success":
        run.assign(action.get("successOutputs"), answer.outputs)
    elif answer.status == "failure":
        run.assign(action.get("failureOutputs"), answer.outputs)
    return run.output(body, answer.status)


def _get_external_contact(run: Run, body: dict[str, Any]) -> Signal | None:
    contact = run.world.external_contact(run.text(body.get("externalId"), "the id of the external contact"))
    if contact is None:
        return run.output(body, "notFound")
    run.assign({"contact": body.get("externalResult")}, {"contact": contact})
    return run.output(body, "found")


def _look_up_data_table(run: Run, body: dict[str, Any]) -> Signal | None:
    ((table, content),) = body["dataTable"].items()
    row = run.world.table_row(table, run.text(body.get("lookupValue"), "the key to look up"))
    if row is None:
        return run.output(body, "notFound")
    run.assign(content.get("foundOutputs"), row)
    return run.output(body, "found")


def _set_conversation_data(run: Run, body: dict[str, Any]) -> Signal | None:
    conversation = run.text(body.get("conversationId"), "the id of the conversation")
    attributes = run.conversation_data.setdefault(conversation, {})
    for item in body.get("attributes") or []:
        attribute = item["attribute"]
        name = run.text(attribute.get("name"), "the name of an attribute")
        attributes[name] = as_json(run.value(attribute.get("value")))
    return run.output(body, "success")


def _get_conversation_data(run: Run, body: dict[str, Any]) -> Signal | None:
    conversation = run.text(body.get("conversationId"), "the id of the conversation")
    before = run.world.conversation(conversation)
    if before is None and conversation not in run.conversation_data:
        return run.output(body, "notFound")
    attributes = {**(before or {}), **run.conversation_data.get(conversation, {})}
    for item in body.get("attributes") or []:
        attribute = item["attribute"]
        name = run.text(attribute.get("name"), "the name of an attribute")
        if name not in attributes:
            raise CannotRun(f"what becomes of '{name}', which is not on the conversation, is not known")
        run.scope.set(str(attribute["variable"]), attributes[name])
    return run.output(body, "found")


HANDLERS: dict[str, Handler] = {
    "callData": _call_data,
    "getExternalContact": _get_external_contact,
    "dataTableLookup": _look_up_data_table,
    "getConversationData": _get_conversation_data,
    "setConversationData": _set_conversation_data,
}
