"""The actions that stay inside a flow: data, decisions, loops, states, tasks, the end (facts archy-yaml §2)."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox.running_flows.evaluating import truth
from reconciler.sandbox.running_flows.problems import CannotRun, FlowFailed
from reconciler.sandbox.running_flows.run import (
    MAX_ACTIONS,
    ChangeState,
    EndTask,
    Finish,
    Handler,
    LeaveLoop,
    NextRound,
    Run,
    Signal,
)
from reconciler.sandbox.running_flows.scope import Unknown
from reconciler.sandbox.running_flows.values import equal

_SECONDS = {"ms": 0.001, "seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}


def _update_data(run: Run, body: dict[str, Any]) -> None:
    for item in body.get("statements") or []:
        ((_kind, statement),) = item.items()
        run.scope.set(str(statement["variable"]), run.value(statement.get("value")))


def _decision(run: Run, body: dict[str, Any]) -> Signal | None:
    return run.output(body, "yes" if truth(run.value(body.get("condition")), "Decision") else "no")


def _switch(run: Run, body: dict[str, Any]) -> Signal | None:
    ((mode, content),) = body["evaluate"].items()
    if mode == "firstMatch":
        ((_kind, content),) = content.items()
        wanted = run.value(content.get("value"))
    for item in content.get("cases") or []:
        case = item["case"]
        value = run.value(case.get("value"))
        if equal(wanted, value) if mode == "firstMatch" else truth(value, "Switch"):
            return run.perform(case.get("actions"))
    return run.perform((content.get("default") or {}).get("actions"))


def _loop(run: Run, body: dict[str, Any]) -> Signal | None:
    count = run.value(body.get("loopCount"))
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise FlowFailed("the number of rounds of a loop must be a whole number")
    index = body.get("currentIndex") or {}
    if count > MAX_ACTIONS:
        raise CannotRun(f"a loop of more than {MAX_ACTIONS} rounds is more than the sandbox can run")
    for _round in range(count):
        if "var" in index:
            run.scope.set(str(index["var"]), Unknown("whether loops count from 0 or from 1"))
        signal = run.output(body, "loop")
        if isinstance(signal, LeaveLoop):
            break
        if signal is not None and not isinstance(signal, NextRound):
            return signal
    return None


def _change_state(_run: Run, body: dict[str, Any]) -> Signal:
    return ChangeState(str(body["targetStateRef"]))


def _call_task(run: Run, body: dict[str, Any]) -> Signal | None:
    if body.get("inputs"):
        raise CannotRun("a task with inputs is not among what the sandbox can run")
    ended = run.call_task(str(body["targetTaskRef"]))
    if isinstance(ended, Finish | ChangeState):
        return ended
    path = ended.path if isinstance(ended, EndTask) else None
    if path is None or path.lower() == "default":
        return run.output(body, "default")
    for item in (body.get("outputs") or {}).get("paths") or []:
        if item["path"].get("name") == path:
            return run.perform(item["path"].get("actions"))
    return None


def _end_task(_run: Run, body: dict[str, Any]) -> Signal:
    return EndTask((body.get("outputPath") or {}).get("name"))


def _end_workflow(run: Run, body: dict[str, Any]) -> Signal:
    reason = run.value(body.get("exitReason"))
    if reason is not None and not isinstance(reason, str):
        raise FlowFailed("the exit reason must be a string")
    return Finish(reason)


def _wait(run: Run, body: dict[str, Any]) -> None:
    duration = (body.get("duration") or {}).get("lit")
    if not isinstance(duration, dict) or not set(duration) <= set(_SECONDS):
        raise CannotRun("a wait whose duration is not a literal is not among what the sandbox can run")
    run.waited += sum(_SECONDS[unit] * float(number) for unit, number in duration.items())


HANDLERS: dict[str, Handler] = {
    "updateData": _update_data,
    "decision": _decision,
    "switch": _switch,
    "loop": _loop,
    "loopNext": lambda _run, _body: NextRound(),
    "loopExit": lambda _run, _body: LeaveLoop(),
    "changeState": _change_state,
    "callTask": _call_task,
    "endTask": _end_task,
    "endWorkflow": _end_workflow,
    "wait": _wait,
}
