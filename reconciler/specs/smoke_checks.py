"""What only shows when smoke tests are seen beside the flows: tests of what is not there, and of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.archy.contracts import Direction, Parameter, parameters_of
from reconciler.kinds.base import Desired
from reconciler.problems import Finding, SpecError
from reconciler.specs.smoke import ROOT, WORKFLOW
from reconciler.specs.smoke_documents import OUTPUTS, Located
from reconciler.suggest import near

_FITTING: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "phoneNumber": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "decimal": (int, float),
}
"""Types of variables whose values show a wrong type for certain."""
_WORDS: Mapping[str, str] = {
    "string": "text",
    "phoneNumber": "a phone number, which is text",
    "boolean": "true or false",
    "integer": "a whole number",
    "decimal": "a number",
}


def check_smoke_tests(tests: Sequence[Located], resources: Mapping[str, Desired]) -> list[Finding]:
    """Everything that keeps the tests from being run, or from ever being passed."""
    checks = _Checks(resources)
    return [*_same_name(tests), *(finding for located in tests for finding in checks.of(located))]


def _same_name(tests: Sequence[Located]) -> Iterator[Finding]:
    first: dict[str, Located] = {}
    for located in tests:
        test = located.test
        other = first.setdefault(test.name, located)
        if other is not located:
            place = f"{other.test.file}:{other.test.line}"
            message = f"There are two smoke tests named {test.name!r}; the other one is in {place}."
            yield located.finding("duplicate-smoke-test", message, (ROOT, "name"), "Give one of them another name.")


class _Checks:
    def __init__(self, resources: Mapping[str, Desired]) -> None:
        self._resources = resources
        self._known: dict[str, tuple[Parameter, ...] | None] = {}

    def of(self, located: Located) -> Iterator[Finding]:
        """Findings about one test and its workflow."""
        test = located.test
        desired = self._resources.get(test.flow)
        if desired is None or desired.kind != WORKFLOW:
            yield self._no_workflow(located)
            return
        parameters = self._parameters(desired)
        if parameters is None:
            # What is wrong with the flow is told at the flow.
            return
        for name, value in test.inputs.items():
            yield from _bound(located, parameters, "input", name, value, (ROOT, "inputData", name))
        for expected in test.outputs:
            value = expected.value if expected.how == "equals" else None
            yield from _bound(located, parameters, "output", expected.output, value, (*OUTPUTS, expected.output))

    def _parameters(self, desired: Desired) -> tuple[Parameter, ...] | None:
        if desired.address not in self._known:
            try:
                self._known[desired.address] = parameters_of(desired.root, desired.content.body)
            except SpecError:
                self._known[desired.address] = None
        return self._known[desired.address]

    def _no_workflow(self, located: Located) -> Finding:
        address = located.test.flow
        kind, _, name = address.partition("/")
        others = [other for other in self._resources.values() if other.name == name and other.kind != WORKFLOW]
        if address in self._resources or (kind == WORKFLOW and others):
            other = self._resources.get(address) or others[0]
            message = f"{other.address} is no workflow; only workflows can be run by a smoke test."
            return located.finding("not-a-workflow", message, (ROOT, "flow"), "Name a workflow.")
        workflows = {each.name: each for each in self._resources.values() if each.kind == WORKFLOW}
        listed = f"Workflows of the specs: {', '.join(sorted(workflows)[:10])}." if workflows else ""
        remedy = f"{near(name, workflows)}{listed}" or "There is no workflow in the specs at all."
        return located.finding("unknown-flow", f"There is no {address} in the specs.", (ROOT, "flow"), remedy)


def _bound(
    located: Located,
    parameters: Sequence[Parameter],
    direction: Direction,
    name: str,
    value: Any,
    path: tuple[str | int, ...],
) -> Iterator[Finding]:
    """Whether the workflow has that input or output, and whether the value can be in it."""
    flow = located.test.flow
    names = [each.name for each in parameters if (each.is_input if direction == "input" else each.is_output)]
    parameter = next((each for each in parameters if each.name == name), None)
    if name not in names or parameter is None:
        message = f"{flow} has no {direction} {name!r}."
        if any(each.name == name for each in parameters):
            message = f"{name} is no {direction} of {flow}."
        listed = f"It has: {', '.join(names)}." if names else f"It has no {direction}s."
        remedy = f"{near(name, names)}{listed}"
        yield located.finding(f"unknown-{direction}", message, path, remedy)
        return
    fitting = _FITTING.get(parameter.type)
    if value is None or fitting is None:
        return
    if not isinstance(value, fitting) or (isinstance(value, bool) and bool not in fitting):
        quotes = "Put it in double quotes." if str in fitting and isinstance(value, int | float) else "Correct it."
        message = f"{name} of {flow} is {_WORDS[parameter.type]}, and cannot be {_shown(value)}."
        yield located.finding("wrong-type", message, path, quotes)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    return "text" if isinstance(value, str) else "a list or a mapping"
