"""Executions of workflows (SDK ``FlowExecutionLaunchRequest``, ``FlowRuntimeExecution``; facts §3.11).

An execution runs inside the launch's transaction and is seen as running until its time has come. Input and
output data go by the names of the flow's variables, as in its input and output schema.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.archy.yaml import load
from reconciler.sandbox import answers, faults, flow_store, objects
from reconciler.sandbox.answers import Answered
from reconciler.sandbox.call import Call, Endpoint, text_field
from reconciler.sandbox.errors import ApiError, bad_request, conflict, invalid_value, not_found
from reconciler.sandbox.fault_rules import ExecutionOutcome
from reconciler.sandbox.flow_shapes import FLOWS, show_version
from reconciler.sandbox.flow_store import Flow, Version
from reconciler.sandbox.flows import flow_of
from reconciler.sandbox.running_flows.problems import CannotRun, RunProblem
from reconciler.sandbox.running_flows.runner import Outcome, run_workflow
from reconciler.sandbox.running_flows.scope import Declared, declared
from reconciler.sandbox.running_flows.values import Value, check_fits, date_time, phone_number
from reconciler.sandbox.wire import iso, without_none

_PATH = f"{FLOWS}/executions"


@dataclass(frozen=True, slots=True)
class _Org:
    """The org as a run sees it (``running_flows.world.World``)."""

    db: sqlite3.Connection
    now: datetime

    def data_action(self, category: str, name: str, inputs: dict[str, Any]) -> Answered | None:
        return answers.of_data_action(self.db, category, name, inputs)

    def external_contact(self, contact_id: str) -> dict[str, Any] | None:
        return answers.external_contact(self.db, contact_id)

    def conversation(self, conversation_id: str) -> dict[str, Any] | None:
        return answers.conversation(self.db, conversation_id)

    def table_row(self, table: str, key: str) -> dict[str, Any] | None:
        found = objects.find_by_name(self.db, "dataTable", table)
        if not found:
            raise CannotRun(f"the data table '{table}' is no longer there")
        row = self.db.execute(
            "SELECT body FROM table_rows WHERE table_id = ? AND key = ?", (found[0].id, key)
        ).fetchone()
        return None if row is None else json.loads(row["body"])


def launch(call: Call) -> dict[str, Any]:
    """``POST /flows/executions``: runs a published workflow (SDK ``FlowExecutionLaunchResponse``)."""
    body = call.object()
    flow = flow_of(call, text_field(body, "flowId", required=True))
    if flow.type != "WORKFLOW":
        raise bad_request(f"The flow '{flow.name}' is of type {flow.type}; only workflows can be launched.")
    version = _version(call, flow, text_field(body, "flowVersion"))
    (content,) = load(flow_store.content_of(call.db, flow.id, version.number).text).values()
    inputs = _inputs(content, body.get("inputData"))
    fault = faults.take_execution_fault(call.db, flow.name)
    world = _Org(call.db, datetime.fromtimestamp(call.now, UTC))
    outcome = run_workflow(content, inputs, world) if fault is None else Outcome()
    execution_id, name = str(uuid.uuid4()), text_field(body, "name") or None
    done = call.now + call.settings.execution_seconds + outcome.waited
    call.db.execute(
        "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (execution_id, name, flow.id, version.number, call.now, done, json.dumps(_kept(outcome, fault))),
    )
    shown = {"id": version.id, "selfUri": f"{FLOWS}/{flow.id}/versions/{version.id}"}
    return without_none({"id": execution_id, "name": name, "flowVersion": shown, "selfUri": f"{_PATH}/{execution_id}"})


def _version(call: Call, flow: Flow, asked: str) -> Version:
    """The published version, or a version that was published; raises 409 and 404."""
    number = flow_store.version_number(asked) if asked else flow.published_version
    if number is None and not asked:
        raise conflict(f"The flow '{flow.name}' is not published.")
    version = None if number is None else flow_store.version_of(call.db, flow.id, number)
    if version is None or version.type != "PUBLISH":
        raise not_found(f"The flow '{flow.name}' has no published version '{asked}'.")
    return version


def _inputs(content: dict[str, Any], given: Any) -> dict[str, Value]:
    """Input data that fits the flow's input variables; raises 400."""
    data = {} if given is None else given
    if not isinstance(data, dict):
        raise invalid_value("The field 'inputData' must be an object.")
    inputs = {variable.name: variable for variable in declared(content) if variable.is_input}
    for name in data:
        if name not in inputs:
            known = ", ".join(sorted(inputs)) or "none"
            raise invalid_value(f"The flow has no input variable '{name}'; it has: {known}.")
    return {name: _input(inputs[name], value) for name, value in data.items()}


def _input(variable: Declared, value: Any) -> Value:
    try:
        if variable.kind == "phoneNumber" and isinstance(value, str):
            value = phone_number(value)
        if variable.kind == "dateTime" and isinstance(value, str):
            value = date_time(value)
        return check_fits(variable.kind, value, f"the input variable {variable.name}")
    except RunProblem as problem:
        raise invalid_value(f"{problem.message[0].upper()}{problem.message[1:]}.") from problem


def _kept(outcome: Outcome, fault: ExecutionOutcome | None) -> dict[str, Any]:
    problem = fault or outcome.problem
    return {
        "status": fault.status if fault else "FAILED" if problem else "COMPLETED",
        "error": {"code": problem.code, "message": problem.message} if problem else None,
        "reason": outcome.reason,
        "outputs": outcome.outputs,
        "steps": [asdict(step) for step in outcome.steps],
        "conversationData": outcome.conversation_data,
    }


def _execution(call: Call) -> sqlite3.Row:
    execution_id = call.params["flowExecutionId"]
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM executions WHERE id = ?", (execution_id,)).fetchone()
    if row is None:
        raise not_found(f"Could not find the flow execution with id '{execution_id}'.")
    return row


def show(call: Call) -> dict[str, Any]:
    """``GET /flows/executions/{id}``; output data only of completed executions (SDK)."""
    row = _execution(call)
    outcome = json.loads(row["outcome"])
    # Data files of before have no status; a fault's RUNNING never ends.
    status = outcome.get("status") or ("FAILED" if outcome["error"] else "COMPLETED")
    done = row["done"] <= call.now and status != "RUNNING"
    error = outcome["error"] if done else None
    version = flow_store.version_of(call.db, row["flow_id"], row["flow_version"])
    assert version is not None
    return without_none(
        {
            "id": row["id"],
            "name": row["name"],
            "flowVersion": show_version(call.db, version),
            "dateLaunched": iso(row["launched"]),
            "status": status if done else "RUNNING",
            "dateCompleted": iso(row["done"]) if done else None,
            "completionReason": outcome["reason"] if done else None,
            "flowErrorInfo": ApiError(500, error["code"], error["message"]).body(row["id"]) if error else None,
            "outputData": outcome["outputs"] if done and not error else None,
            "selfUri": f"{_PATH}/{row['id']}",
        }
    )


def show_trace(call: Call) -> dict[str, Any]:
    """``GET /sandbox/executions/{id}``: the actions that ran, and what they put on conversations."""
    outcome = json.loads(_execution(call)["outcome"])
    return {key: outcome[key] for key in ("steps", "conversationData")}


ENDPOINTS = (
    Endpoint("POST", _PATH, launch),
    Endpoint("GET", f"{_PATH}/{{flowExecutionId}}", show),
    Endpoint("GET", "/sandbox/executions/{flowExecutionId}", show_trace, authenticated=False, counted=False),
)
