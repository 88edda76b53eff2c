"""The official SDK launches workflows and reads how they ended (``post_flows_executions``, ``get_flows_execution``)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk import Sdk, connect, genesys, refused

from reconciler.sandbox import embedded
from reconciler.specs import WorkingTree, load_catalog, load_environment

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = "workflow/Look Up Customer by Phone Number"
_NUMBERS = itertools.count(1)


def workflow(actions: str, variables: str = "") -> str:
    """A workflow of one state; ``actions`` and ``variables`` in flow style."""
    return f"""\
workflow:
  name: Workflow {next(_NUMBERS)}
  defaultLanguage: en-us
  startUpRef: ./states/state[start]
  variables: [{variables}]
  states:
    - state: {{name: Start, refId: start, actions: [{actions}]}}
"""


def variable(name: str, kind: str = "string", *, given: bool = False, told: bool = False) -> str:
    """A variable of the flow."""
    return (
        f"{{{kind}Variable: {{name: {name}, initialValue: {{noValue: true}}, "
        f"isInput: {str(given).lower()}, isOutput: {str(told).lower()}}}}}"
    )


def launch(sdk: Sdk, flow_id: str, **more: Any) -> Any:
    """Launches a flow (SDK ``FlowExecutionLaunchRequest``)."""
    request = genesys.FlowExecutionLaunchRequest()
    request.flow_id = flow_id
    for name, value in more.items():
        setattr(request, name, value)
    return sdk.architect.post_flows_executions(request)


def run(sdk: Sdk, yaml: str, **input_data: Any) -> Any:
    """Publishes and launches a flow; its execution (SDK ``FlowRuntimeExecution``)."""
    launched = launch(sdk, sdk.publish(yaml), input_data=input_data)
    return sdk.architect.get_flows_execution(launched.id)


ECHO = workflow(
    '{updateData: {name: Copy, statements: [{string: {variable: Flow.out, value: {exp: "Flow.in"}}}]}}, '
    "{endWorkflow: {name: End, exitReason: {lit: copied}}}",
    f"{variable('Flow.in', given=True)}, {variable('Flow.out', told=True)}",
)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sdk, str]]:
    """The org of the example estate, and its workflow in it."""
    source = WorkingTree(ROOT)
    catalog = load_catalog(source, load_environment(source, "local"), secret_env={})
    yaml = catalog.resources[EXAMPLE].content.upload
    assert yaml is not None
    data = tmp_path_factory.mktemp("example") / "org.sqlite"
    with embedded.start(data, seed=ROOT / "environments/local.seed.yaml") as running:
        session = connect(running)
        yield session, session.publish(yaml)
        session.close()


def test_the_example_workflow_puts_a_known_customer_on_the_conversation(example: tuple[Sdk, str]) -> None:
    sdk, flow = example
    data = {"Flow.phoneNumber": "tel:+441632960001", "Flow.conversationId": "c-1"}
    launched = launch(sdk, flow, input_data=data, name="A call came in")
    ended = sdk.architect.get_flows_execution(launched.id)
    assert (ended.name, ended.status, ended.flow_error_info) == ("A call came in", "COMPLETED", None)
    assert ended.output_data == {"Flow.contactId": "7c1e8d6a-52f3-4b0c-9d0e-2f6a3a8b4c11"}
    assert (launched.flow_version.id, ended.flow_version.id, ended.flow_version.type) == ("1.0", "1.0", "PUBLISH")
    assert ended.date_completed >= ended.date_launched
    trace = sdk.admin.get(f"/sandbox/executions/{launched.id}").json()
    assert trace["conversationData"] == {"c-1": {"CustomerName": "Rhys Morgan", "CustomerFound": "true"}}
    assert [step["name"] for step in trace["steps"]] == [
        "Is there a number to look up",
        "Find the contact's id by phone number",
        "Get the external contact",
        "Put the customer on the conversation",
        "Customer found",
    ]


def test_the_example_workflow_ends_quietly_when_the_customer_system_knows_no_such_number(
    example: tuple[Sdk, str],
) -> None:
    sdk, flow = example
    data = {"Flow.phoneNumber": "+441632960777", "Flow.conversationId": "c-2"}
    launched = launch(sdk, flow, input_data=data)
    ended = sdk.architect.get_flows_execution(launched.id)
    assert (ended.status, ended.output_data) == ("COMPLETED", {"Flow.contactId": None})
    steps = sdk.admin.get(f"/sandbox/executions/{launched.id}").json()["steps"]
    assert steps[-1] == {"action": "endWorkflow", "name": "Customer system not available"}


def test_the_example_workflow_does_not_look_up_a_number_that_is_withheld(example: tuple[Sdk, str]) -> None:
    sdk, flow = example
    data = {"Flow.phoneNumber": "sip:anonymous@anonymous.invalid", "Flow.conversationId": "c-3"}
    launched = launch(sdk, flow, input_data=data)
    ended = sdk.architect.get_flows_execution(launched.id)
    assert (ended.status, ended.output_data) == ("COMPLETED", {"Flow.contactId": None})
    trace = sdk.admin.get(f"/sandbox/executions/{launched.id}").json()
    assert trace["conversationData"] == {"c-3": {"CustomerFound": "false"}}
    assert trace["steps"][-1]["name"] == "No number to look up"


@pytest.mark.parametrize("status", ["FAILED", "ERROR", "TERMINATED", "RUNNING"])
def test_a_fault_rule_ends_executions_as_it_says(alone: Sdk, status: str) -> None:
    flow = alone.publish(ECHO)
    name = alone.architect.get_flow(flow).name
    rule = {"match": {"execution_flow": f"{name[:9]}*"}, "times": 1}
    effect = {"execution": {"status": status, "code": "made.up", "message": "No more of it."}}
    alone.admin.post("/sandbox/faults", json={**rule, "effect": effect}).raise_for_status()
    ended = alone.architect.get_flows_execution(launch(alone, flow, input_data={"Flow.in": "x"}).id)
    assert (ended.status, ended.output_data) == (status, None)
    if status == "RUNNING":
        assert (ended.date_completed, ended.flow_error_info) == (None, None)
    else:
        assert (ended.flow_error_info.code, ended.flow_error_info.message) == ("made.up", "No more of it.")
    again = alone.architect.get_flows_execution(launch(alone, flow, input_data={"Flow.in": "x"}).id)
    assert again.status == "COMPLETED"


def test_an_execution_hands_over_inputs_outputs_and_the_reason_of_its_end(sdk: Sdk) -> None:
    ended = run(sdk, ECHO, **{"Flow.in": "hello"})
    assert (ended.status, ended.output_data, ended.completion_reason) == (
        "COMPLETED",
        {"Flow.out": "hello"},
        "copied",
    )


def test_an_action_that_the_sandbox_cannot_run_fails_the_execution_and_is_named(sdk: Sdk) -> None:
    ended = run(sdk, workflow("{sendNotification: {name: Tell somebody}}"))
    assert (ended.status, ended.output_data) == ("FAILED", None)
    assert ended.flow_error_info.code == "sandbox.cannot.run"
    assert "sendNotification 'Tell somebody'" in ended.flow_error_info.message


def test_a_function_that_the_sandbox_cannot_run_fails_the_execution_and_is_named(sdk: Sdk) -> None:
    ended = run(sdk, workflow('{decision: {name: Now, condition: {exp: "GetCurrentDateTime() == NOT_SET"}}}'))
    assert ended.status == "FAILED"
    assert "decision 'Now': the function GetCurrentDateTime " in ended.flow_error_info.message


def test_an_execution_is_running_until_its_time_has_come(alone: Sdk) -> None:
    flow = alone.publish(workflow("{wait: {name: Wait, duration: {lit: {minutes: 5}}}}, {endWorkflow: {name: End}}"))
    running = alone.architect.get_flows_execution(launch(alone, flow).id)
    assert (running.status, running.date_completed, running.output_data) == ("RUNNING", None, None)
    alone.settings(execution_seconds=3600)
    quick = alone.publish(workflow("{endWorkflow: {name: End}}"))
    assert alone.architect.get_flows_execution(launch(alone, quick).id).status == "RUNNING"


def test_an_older_published_version_can_be_launched(sdk: Sdk) -> None:
    flow = sdk.publish(ECHO)
    sdk.publish(ECHO.replace("copied", "copied again"))
    older = launch(sdk, flow, flow_version="1.0", input_data={"Flow.in": "x"})
    assert older.flow_version.id == "1.0"
    assert sdk.architect.get_flows_execution(older.id).completion_reason == "copied"
    latest = launch(sdk, flow, input_data={"Flow.in": "x"})
    assert sdk.architect.get_flows_execution(latest.id).completion_reason == "copied again"


def test_a_row_of_a_data_table_steers_an_execution(sdk: Sdk) -> None:
    schema = {"properties": {"key": {"type": "string"}, "queue": {"type": "string"}}}
    table = sdk.architect.post_flows_datatables({"name": "Routing", "schema": schema})
    sdk.architect.post_flows_datatable_rows(table.id, {"key": "vip", "queue": "Sales"})
    yaml = workflow(
        "{dataTableLookup: {name: Look up, lookupValue: {exp: Flow.key}, "
        "dataTable: {Routing: {foundOutputs: {queue: {var: Flow.queue}}}}, "
        "outputs: {notFound: {actions: [{endWorkflow: {name: End, exitReason: {lit: nobody}}}]}}}}",
        f"{variable('Flow.key', given=True)}, {variable('Flow.queue', told=True)}",
    )
    assert run(sdk, yaml, **{"Flow.key": "vip"}).output_data == {"Flow.queue": "Sales"}
    assert run(sdk, yaml, **{"Flow.key": "other"}).completion_reason == "nobody"


def test_dates_and_times_go_in_and_out_in_iso_8601(sdk: Sdk) -> None:
    later = "{dateTime: {variable: Flow.out, value: {exp: 'AddMinutes(Flow.in, 5)'}}}"
    yaml = workflow(
        f"{{updateData: {{name: Later, statements: [{later}]}}}}, {{endWorkflow: {{name: End}}}}",
        f"{variable('Flow.in', 'dateTime', given=True)}, {variable('Flow.out', 'dateTime', told=True)}",
    )
    ended = run(sdk, yaml, **{"Flow.in": "2026-11-26T10:30:00+01:00"})
    assert ended.output_data == {"Flow.out": "2026-11-26T09:35:00.000Z"}
    assert refused(run, sdk, yaml, **{"Flow.in": "yesterday"}) == (400, "invalid.value")


def test_only_published_workflows_can_be_launched(sdk: Sdk) -> None:
    call_flow = sdk.publish("{inboundCall: {name: Call, startUpRef: './tasks/task[a]', tasks: [{task: {refId: a}}]}}")
    assert refused(launch, sdk, call_flow) == (400, "bad.request")
    draft = sdk.architect.post_flows({"name": "Draft", "type": "WORKFLOW"})
    assert refused(launch, sdk, draft.id) == (409, "general.conflict")
    assert refused(launch, sdk, sdk.publish(ECHO), flow_version="99.0") == (404, "not.found")
    assert refused(launch, sdk, "nowhere") == (404, "architect.flow.not.found")
    assert refused(sdk.architect.get_flows_execution, "nowhere") == (404, "not.found")


@pytest.mark.parametrize(
    "data", [{"Flow.other": "x"}, {"Flow.out": "x"}, {"Flow.in": 1}, {"Flow.in": True}, {"Flow.in": {"a": 1}}]
)
def test_input_data_must_fit_the_input_variables(sdk: Sdk, data: dict[str, Any]) -> None:
    assert refused(launch, sdk, sdk.publish(ECHO), input_data=data) == (400, "invalid.value")
