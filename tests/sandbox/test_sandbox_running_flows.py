"""What the sandbox makes of the actions and expressions of workflows, and that it says so where it does not know."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.yaml import load
from reconciler.sandbox.answers import Answered
from reconciler.sandbox.running_flows.evaluating import CLOCK, evaluate
from reconciler.sandbox.running_flows.problems import CannotRun, FlowFailed, RunProblem
from reconciler.sandbox.running_flows.runner import Outcome, run_workflow

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
VARIABLES: dict[str, Any] = {
    "flow.text": "Hello",
    "flow.empty": "",
    "flow.unset": None,
    "flow.count": 3,
    "flow.yes": True,
    "state.contact": {"firstName": "Rhys", "address": {"city": "Bangor"}},
    "flow.list": ["a", "b"],
    CLOCK: NOW,
}


def lookup(name: str) -> Any:
    """Variables of the tests."""
    if name.lower() not in VARIABLES:
        raise CannotRun(f"no variable {name}")
    return VARIABLES[name.lower()]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a" + "b" + Flow.text', "abHello"),
        ('Append(State.contact.firstName, " ", "Morgan")', "Rhys Morgan"),
        ("1 + 2 * 3 - 4", 3),
        ("-(1 + 2) * 2", -6),
        ("7 / 2.0", 3.5),
        ("6 / 2", 3),
        ("Flow.count >= 3 and !(Flow.count > 3)", True),
        ('Flow.text == "Hello" or Flow.nowhere == 1', True),
        ("Flow.unset == NOT_SET", True),
        ("Flow.text != not_set", True),
        ("IsSet(flow.TEXT) and !isset(Flow.unset)", True),
        ("IsNotSetOrEmpty(Flow.empty)", True),
        ("IsNotSetOrEmpty(Flow.unset)", True),
        ("ToString(42)", "42"),
        ("ToString(true)", "true"),
        ("ToString(NOT_SET)", None),
        ('ToPhoneNumber("tel:+4570100000").e164', "+4570100000"),
        ('Replace(ToString(ToPhoneNumber("+4570100000").e164), "+", "")', "4570100000"),
        ('If(Flow.yes, "a", Flow.nowhere)', "a"),
        ('right("4570100000", 4)', "0000"),
        ('Left("ab", 5)', "ab"),
        ('Right("ab", 0)', ""),
        ('Trim("  a ")', "a"),
        ('Contains(Lower(Flow.text), "ell")', True),
        ("State.contact.address.city", "Bangor"),
        ("State.contact.nothing", None),
        ('GetJsonObjectProperty(JsonParse("{\\"a\\": [1, 2]}"), "a")[1]', 2),
        ("Count(Flow.list)", 2),
        ('AreEqual("a", "a")', True),
        (r'"a \"quoted\" word\n"', 'a "quoted" word\n'),
        ("1.5 == 1.5 and 2 == 2.0", True),
        ("AddMinutes(GetCurrentDateTimeUtc(), -90)", NOW - timedelta(minutes=90)),
        ("AddMinutes(getCurrentDateTimeUtc(), 1) > GetCurrentDateTimeUtc()", True),
    ],
)
def test_an_expression_comes_to(expression: str, value: Any) -> None:
    assert evaluate(expression, lookup) == value


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("GetCurrentDateTime()", "GetCurrentDateTime"),
        ("GetCurrentDateTimeUtc() - GetCurrentDateTimeUtc()", "a date and time - a date and time"),
        ("ToString(GetCurrentDateTimeUtc())", "writes a date and time as a string"),
        (f"AddMinutes(GetCurrentDateTimeUtc(), {10**12})", "beyond the year 9999"),
        ("Flow.nowhere", "Flow.nowhere"),
        ("Prompt.Welcome", "Prompt"),
        ("Append(Flow.text, Flow.unset)", "Append makes of NOT_SET"),
        ("Flow.unset and true", "NOT_SET"),
        ("Flow.unset < 1", "NOT_SET"),
        ('ToPhoneNumber("0170 12345")', "E.164"),
        ('Flow.text == "HELLO"', "case only"),
        ('Contains(Flow.text, "HELL")', "upper and lower case"),
        ("7 / 2", "rounds"),
        ("1 +", "cannot be read"),
        ("(1", "cannot be read"),
        ("a ~ b", "cannot be read"),
        ('"open', "cannot be read"),
        (r'"\q"', r"\\q"),
        ("(" * 300 + "1" + ")" * 300, "too deeply"),
        ("ToString(1.5)", "decimal"),
        ("If(true, 1)", "2 arguments"),
    ],
)
def test_what_is_not_known_is_said_and_not_guessed(expression: str, why: str) -> None:
    with pytest.raises(CannotRun, match=why):
        evaluate(expression, lookup)


@pytest.mark.parametrize(
    "expression",
    [
        '"a" == 1',
        '"a" + 1',
        "1 / 0",
        "!1",
        "Flow.list[7]",
        'JsonParse("{")',
        "Lower(1)",
        "If(1, 2, 3)",
        "AddMinutes(1, 2)",
    ],
)
def test_what_is_wrong_on_the_platform_too_fails(expression: str) -> None:
    with pytest.raises(FlowFailed):
        evaluate(expression, lookup)


PIECES = (
    '"a" 1 2.5 Flow.text Flow.unset ( ) [ ] , and or ! == < + - / Append( If( IsSet( Replace( JsonParse( .e164 '
    'NOT_SET true " \\ ~'
)
_PIECES = st.sampled_from(PIECES.split())


@given(st.one_of(st.lists(_PIECES, max_size=12).map(" ".join), st.text(max_size=30)))
def test_no_expression_breaks_the_evaluator(expression: str) -> None:
    with suppress(RunProblem):
        evaluate(expression, lookup)


class World:
    """An org that answers as the tests want."""

    now = NOW

    def __init__(self, *answers: Answered) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def data_action(self, category: str, name: str, inputs: dict[str, Any]) -> Answered | None:
        self.asked.append((category, name, inputs))
        return self.answers.pop(0) if self.answers else None

    def external_contact(self, contact_id: str) -> dict[str, Any] | None:
        return {"id": contact_id} if contact_id == "known" else None

    def conversation(self, conversation_id: str) -> dict[str, Any] | None:
        return {"number": "123"} if conversation_id == "known" else None

    def table_row(self, table: str, key: str) -> dict[str, Any] | None:
        return {"key": key, "table": table} if key == "known" else None


def run(yaml: str, world: World | None = None, **inputs: Any) -> Outcome:
    """Runs states and tasks (YAML below ``workflow:``) with a string output ``Flow.log`` and an integer ``Flow.n``."""
    head = """\
startUpRef: ./states/state[first]
variables:
  - stringVariable: {name: Flow.log, initialValue: {lit: ""}, isInput: true, isOutput: true}
  - integerVariable: {name: Flow.n, initialValue: {lit: 0}, isInput: true, isOutput: true}
"""
    return run_workflow(load(head + yaml), inputs, world or World())


def log(text: str) -> str:
    """An action that writes to the output."""
    return (
        "{updateData: {name: Log, statements: [{string: {variable: Flow.log, "
        f"value: {{exp: 'Flow.log + \"{text}\"'}}}}}}]}}}}"
    )


def state(*actions: str) -> str:
    """The one state of a flow."""
    return f"states: [{{state: {{name: First, refId: first, actions: [{', '.join(actions)}]}}}}]"


def text_of(outcome: Outcome) -> Any:
    """What was written to the output of a run that completed."""
    assert outcome.problem is None, outcome.problem
    return outcome.outputs["Flow.log"]


@pytest.mark.parametrize(("n", "written"), [(1, "yes."), (2, "no.")])
def test_a_decision_takes_one_side_and_goes_on_below(n: int, written: str) -> None:
    decision = (
        "{decision: {name: One, condition: {exp: Flow.n == 1}, "
        f"outputs: {{'yes': {{actions: [{log('yes')}]}}, 'no': {{actions: [{log('no')}]}}}}}}}}"
    )
    assert text_of(run(state(decision, log(".")), **{"Flow.n": n})) == written


def test_an_output_without_actions_or_disabled_goes_on_below() -> None:
    disabled = f"{{'no': {{enabled: false, actions: [{log('no')}]}}}}"
    decision = f"{{decision: {{name: One, condition: {{exp: Flow.n == 1}}, outputs: {disabled}}}}}"
    assert text_of(run(state(decision, log(".")))) == "."


@pytest.mark.parametrize(("n", "written"), [(1, "one"), (2, "small"), (9, "default")])
def test_a_switch_takes_the_first_true_case_or_the_default(n: int, written: str) -> None:
    cases = ", ".join(
        f"{{case: {{value: {{exp: {condition}}}, actions: [{log(name)}]}}}}"
        for condition, name in (("Flow.n == 1", "one"), ("Flow.n < 3", "small"))
    )
    default = f"default: {{actions: [{log('default')}]}}"
    switch = f"{{switch: {{name: S, evaluate: {{firstTrue: {{{default}, cases: [{cases}]}}}}}}}}"
    assert text_of(run(state(switch), **{"Flow.n": n})) == written


@pytest.mark.parametrize(("given_text", "written"), [("a", "a1"), ("b", "b2"), ("c", "c")])
def test_a_switch_takes_the_first_match(given_text: str, written: str) -> None:
    cases = ", ".join(
        f"{{case: {{value: {{lit: {text}}}, actions: [{log(number)}]}}}}" for text, number in (("a", "1"), ("b", "2"))
    )
    switch = (
        f"{{switch: {{name: S, evaluate: {{firstMatch: {{string: {{value: {{exp: Flow.log}}, cases: [{cases}]}}}}}}}}}}"
    )
    assert text_of(run(state(switch), **{"Flow.log": given_text})) == written


COUNT = "{updateData: {name: Count, statements: [{integer: {variable: Flow.n, value: {exp: Flow.n + 1}}}]}}"


def loop(body: str, rounds: int = 5, index: str = "Flow.n") -> str:
    """A loop."""
    bound = f"currentIndex: {{var: {index}}}, " if index else ""
    return f"{{loop: {{name: L, {bound}loopCount: {{lit: {rounds}}}, outputs: {{loop: {{actions: [{body}]}}}}}}}}"


def when(condition: str, action: str) -> str:
    """An action that runs under a condition."""
    return f"{{decision: {{name: If, condition: {{exp: {condition}}}, outputs: {{'yes': {{actions: [{action}]}}}}}}}}"


def test_a_loop_repeats_skips_and_ends() -> None:
    assert text_of(run(state(loop(log("x"), index="")))) == "xxxxx"
    skipping = f"{COUNT}, {when('Flow.n == 2', '{loopNext: {name: N}}')}, {log('x')}"
    assert text_of(run(state(loop(skipping, index="")))) == "xxxx"
    leaving = f"{COUNT}, {when('Flow.n == 3', '{loopExit: {name: E}}')}, {log('x')}"
    assert text_of(run(state(loop(leaving, index=""), log(".")))) == "xx."


def test_the_index_of_a_loop_is_not_guessed() -> None:
    outcome = run(state(loop(when("Flow.n == 1", log("x")))))
    assert isinstance(outcome.problem, CannotRun)
    assert "decision 'If': the value of Flow.n is not known: whether loops count from 0 or from 1" in str(
        outcome.problem
    )


def test_tasks_return_by_their_paths_and_states_hand_over() -> None:
    task = (
        f"{{task: {{name: T, refId: t, actions: [{log('t')}, {{endTask: {{name: E, outputPath: {{name: Good}}}}}}]}}}}"
    )
    call = (
        "{callTask: {name: C, targetTaskRef: '/workflow/tasks/task[t]', outputs: {"
        f"default: {{actions: [{log('default')}]}}, paths: [{{path: {{name: Good, actions: [{log('good')}]}}}}]}}}}}}"
    )
    change = "{changeState: {name: G, targetStateRef: '/workflow/states/state[second]'}}"
    yaml = f"""\
states:
  - state: {{name: First, refId: first, actions: [{call}, {change}, {log("never")}]}}
  - state: {{name: Second, refId: second, actions: [{log("second")}]}}
tasks: [{task}]
"""
    assert text_of(run(yaml)) == "tgoodsecond"


def test_variables_of_a_state_start_anew_each_time_and_end_with_it() -> None:
    yaml = f"""\
states:
  - state:
      name: First
      refId: first
      variables: [{{integerVariable: {{name: State.x, initialValue: {{lit: 1}}}}}}]
      actions: [{{changeState: {{name: G, targetStateRef: './states/state[second]'}}}}]
  - state: {{name: Second, refId: second, actions: [{when("State.x == 1", log("x"))}]}}
"""
    assert "the variable State.x is not declared" in str(run(yaml).problem)


CALL = """\
{callData: {name: Ask, category: {CRM: {dataAction: {Find: {inputs: {n: {exp: Flow.n}, token: {lit: hidden-value}},
  successOutputs: {text: {var: Flow.log}}, failureOutputs: {errorCode: {var: Flow.log}}}}}},
  outputs: {timeout: {actions: [{endWorkflow: {name: End, exitReason: {lit: too slow}}}]}}}}"""


def test_a_data_action_answers_as_it_was_told() -> None:
    world = World(Answered("success", {"text": "found"}))
    assert text_of(run(state(CALL), world)) == "found"
    assert world.asked == [("CRM", "Find", {"n": 0, "token": "hidden-value"})]
    assert text_of(run(state(CALL), World(Answered("failure", {"errorCode": "nope"})))) == "nope"
    assert run(state(CALL), World(Answered("timeout", {}))).reason == "too slow"


def test_a_data_action_without_an_answer_is_named_and_its_inputs_are_not() -> None:
    problem = run(state(CALL)).problem
    assert isinstance(problem, CannotRun)
    assert "CRM / Find" in problem.message
    assert "hidden-value" not in problem.message


SET = """\
{setConversationData: {name: Set, conversationId: {lit: known}, attributes: [
  {attribute: {name: {lit: own}, value: {lit: mine}}}]}}"""


def read_conversation(conversation: str, attribute: str) -> str:
    """Reads an attribute of a conversation into the output."""
    return (
        f"{{getConversationData: {{name: Get, conversationId: {{lit: {conversation}}}, attributes: "
        f"[{{attribute: {{name: {{lit: {attribute}}}, variable: Flow.log}}}}], "
        f"outputs: {{notFound: {{actions: [{log('none')}]}}}}}}}}"
    )


def test_a_flow_reads_what_was_on_a_conversation_and_what_it_put_there() -> None:
    assert text_of(run(state(read_conversation("known", "number")))) == "123"
    assert text_of(run(state(SET, read_conversation("known", "own")))) == "mine"
    assert text_of(run(state(read_conversation("other", "number")))) == "none"
    assert "'own', which is not on the conversation" in str(run(state(read_conversation("known", "own"))).problem)


def test_a_value_of_another_type_fails_the_flow() -> None:
    wrong = "{updateData: {name: U, statements: [{integer: {variable: Flow.n, value: {lit: text}}}]}}"
    problem = run(state(wrong)).problem
    assert isinstance(problem, FlowFailed)
    assert "Flow.n is of type integer and cannot hold a string" in problem.message


@pytest.mark.parametrize(
    "actions",
    [
        "{changeState: {name: Again, targetStateRef: './states/state[first]'}}",
        loop(loop(log("x"), rounds=5000, index=""), rounds=5000, index=""),
        loop("", rounds=10**9, index=""),
        loop(
            "{updateData: {name: D, statements: [{string: {variable: Flow.log, value: {exp: 'Flow.log + Flow.log'}}}]}}"
        ).replace("loopCount: {lit: 5}", "loopCount: {lit: 9999}"),
        loop(
            "{updateData: {name: D, statements: [{integer: {variable: Flow.n, value: {exp: Flow.n * Flow.n}}}]}}",
            99,
            "",
        ),
    ],
)
def test_no_flow_runs_for_ever_or_fills_the_memory(actions: str) -> None:
    outcome = run(state(actions), **{"Flow.log": "x", "Flow.n": 9})
    assert outcome.problem is not None
    assert len(outcome.steps) <= 10_000


def test_a_task_that_calls_itself_ends() -> None:
    call = "{callTask: {name: C, targetTaskRef: './tasks/task[t]'}}"
    yaml = state(call) + f"\ntasks: [{{task: {{name: T, refId: t, actions: [{call}]}}}}]\n"
    assert isinstance(run(yaml).problem, FlowFailed)


@pytest.mark.parametrize(
    "action",
    [
        "{switch: {name: S}}",
        "{updateData: {name: U, statements: [7]}}",
        "{callData: {name: C, category: {}}}",
        "{decision: 3}",
    ],
)
def test_an_action_written_in_an_unknown_way_ends_the_run_and_is_named(action: str) -> None:
    outcome = run(state(action))
    assert isinstance(outcome.problem, CannotRun)
    assert action[1:].partition(":")[0] in outcome.problem.message


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "{startUpRef: 7, states: 3, tasks: [x], variables: [7, {a: b, c: d}, {stringVariable: 9}]}",
        "{startUpRef: './states/state[a]', states: [7, {state: 8}, {state: {refId: a, actions: 5}}]}",
        "{startUpRef: './states/state[a]', states: [{state: {refId: a, actions: [7]}}], settingsErrorHandling: 3}",
        "{startUpRef: './states/state[a]', states: [{state: {refId: a, variables: [{queueVariable: {name: Q}}]}}]}",
    ],
)
def test_a_flow_that_is_not_as_it_should_be_ends_in_a_problem(body: str) -> None:
    assert isinstance(run_workflow(load(body), {}, World()).problem, CannotRun)


def test_numbers_and_lists_that_grow_without_end_are_stopped() -> None:
    text = '"' + "9" * 400 + '"'
    with pytest.raises(RunProblem):
        evaluate(f"JsonParse({text}) * 1.5", lookup)
    with pytest.raises(CannotRun, match="list of lists"):
        evaluate("MakeList(Flow.list, Flow.list)", lookup)
