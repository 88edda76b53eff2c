"""Runs a workflow from its start to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reconciler.sandbox.running_flows import actions, org_actions
from reconciler.sandbox.running_flows.problems import CannotRun, RunProblem
from reconciler.sandbox.running_flows.run import ChangeState, EndTask, Finish, LeaveLoop, NextRound, Run, Step
from reconciler.sandbox.running_flows.scope import declared
from reconciler.sandbox.running_flows.values import Value, as_json
from reconciler.sandbox.running_flows.world import World

_HANDLERS = {**actions.HANDLERS, **org_actions.HANDLERS}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    problem: RunProblem | None = None
    """Why it failed; None when it completed."""
    reason: str | None = None
    """The exit reason that the flow gave."""
    outputs: dict[str, Value] = field(default_factory=dict)
    waited: float = 0.0
    steps: tuple[Step, ...] = ()
    conversation_data: dict[str, dict[str, Value]] = field(default_factory=dict)


def run_workflow(body: dict[str, Any], inputs: dict[str, Value], world: World) -> Outcome:
    """Runs a workflow (what stands below ``workflow:``) with values of its input variables, by name."""
    run = Run(body, world, _HANDLERS)
    problem: RunProblem | None = None
    reason: str | None = None
    outputs: dict[str, Value] = {}
    try:
        reason = _run(run, body, inputs)
        outputs = {
            variable.name: as_json(run.scope.get(variable.name)) for variable in declared(body) if variable.is_output
        }
    except RunProblem as found:
        problem = _handled(body, found)
    except RecursionError:
        problem = CannotRun("the flow is nested more deeply than the sandbox can run")
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        # The body of an action is not as this version of the sandbox expects it.
        where = f"the action '{run.steps[-1].action}'" if run.steps else "the flow"
        problem = CannotRun(f"{where} is written in a way that the sandbox cannot run ({error!r})")
    return Outcome(_placed(problem, run), reason, outputs, run.waited, tuple(run.steps), run.conversation_data)


def _run(run: Run, body: dict[str, Any], inputs: dict[str, Value]) -> str | None:
    for variable in declared(body):
        given = inputs[variable.name] if variable.name in inputs else run.value(variable.initial)
        run.scope.declare(variable, given)
    reference = str(body["startUpRef"])
    while True:
        state = run.container(reference, "state")
        variables = run.enter(state)
        signal = run.perform(state.get("actions"))
        run.scope.forget(variables)
        match signal:
            case None:
                return None
            case Finish(reason):
                return reason
            case ChangeState(target):
                reference = target
            case EndTask() | NextRound() | LeaveLoop():
                raise CannotRun("a state ended with an action that belongs into a task or a loop")


def _handled(body: dict[str, Any], problem: RunProblem) -> RunProblem:
    """What the flow's own error handling makes of a problem: only ending the workflow can be run."""
    settings = body.get("settingsErrorHandling")
    handling = settings.get("errorHandling") if isinstance(settings, dict) else None
    if isinstance(problem, CannotRun) or not isinstance(handling, dict) or "endWorkflow" in handling:
        return problem
    return CannotRun(
        f"{problem.message}; the error handling {', '.join(handling)} is not among what the sandbox can run"
    )


def _placed(problem: RunProblem | None, run: Run) -> RunProblem | None:
    """The problem with the action that it occurred in."""
    if problem is None or not run.steps:
        return problem
    step = run.steps[-1]
    return type(problem)(f"{step.action} '{step.name}': {problem.message}.")
