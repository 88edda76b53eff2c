import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.expressions import LookUp, is_unset, look_ups, string_literal, variables


def literal(kind: str, name: str) -> LookUp:
    return LookUp(kind, name, literal=True)


def computed(kind: str, call: str) -> LookUp:
    return LookUp(kind, call, literal=False)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('FindQueue("Sales")', [literal("queue", "Sales")]),
        ('findQUEUE ( "Sales" )', [literal("queue", "Sales")]),
        (r'FindQueue("Say \"hi\" \\ now")', [literal("queue", r'Say "hi" \ now')]),
        (
            'If(Flow.x, FindSkill("A"), FindLanguageSkill("B"))',
            [literal("skill", "A"), literal("languageSkill", "B")],
        ),
        (
            'FindScheduleGroup("Hours").name + FindSchedule("Day")',
            [literal("scheduleGroup", "Hours"), literal("schedule", "Day")],
        ),
        ('FindUser("a@example.com")', [literal("user", "a@example.com")]),
        ("FindQueue(Flow.Name)", [computed("queue", "FindQueue(Flow.Name)")]),
        ('FindQueue("A" + Flow.x)', [computed("queue", 'FindQueue("A" + Flow.x)')]),
        ("1 + FindSkill(If(a, (b), c)) + 2", [computed("skill", "FindSkill(If(a, (b), c))")]),
        ("FindQueue(Flow.Name", [computed("queue", "FindQueue(Flow.Name")]),
        ("FindQueueById(Flow.Id)", [computed("queue", "FindQueueById(Flow.Id)")]),
        (
            'FindQueue("2ac7a1b5-3d0f-4c4b-9d9e-0f4b6a1c2d3e")',
            [computed("queue", 'FindQueue("2ac7a1b5-3d0f-4c4b-9d9e-0f4b6a1c2d3e")')],
        ),
        ('FindUserPrompt("Prompt.Hello")', [literal("prompt", "Hello")]),
        ('FindUserPrompt("Hello")', [literal("prompt", "Hello")]),
        ("Append(Prompt.Hello, Flow.p)", [LookUp("prompt", "Hello", literal=True, function=False)]),
        # traps
        ('FindString("FindQueue(1)", "Find")', []),
        ('FindFirst(Flow.list, "Queue")', []),
        ('Find("FindQueue", "x")', []),
        ('"FindQueue(\\"Phantom\\")"', []),
        ('"Prompt.Phantom"', []),
        ("/* FindQueue(\"Old\") */ Flow.x // FindQueue('z')", []),
        ('Flow.FindQueue("x")', []),
        ('Flow.a[0].FindQueue("x")', []),
        ("Flow.FindQueue", []),
        ('FindSystemPrompt("PromptSystem.on_hold_music")', []),
        ('FindUserPrompt("PromptSystem.on_hold_music")', []),
        ("PromptSystem.on_hold_music", []),
        ("Flow.initialPrompt", []),
        ("", []),
    ],
)
def test_look_ups(expression: str, found: list[LookUp]) -> None:
    assert list(look_ups(expression)) == found


@pytest.mark.parametrize(
    "expression", ["", "  ", "NOT_SET", "not_set", "ToScheduleGroup(NOT_SET)", "ToQueue( NOT_SET )"]
)
def test_unset(expression: str) -> None:
    assert is_unset(expression)


@pytest.mark.parametrize("expression", ["Flow.x", '"NOT_SET"', "If(NOT_SET)", "ToQueue(Flow.x)"])
def test_set(expression: str) -> None:
    assert not is_unset(expression)


def test_string_literal() -> None:
    assert string_literal(' "Sa\\"les" ') == 'Sa"les'
    assert string_literal('"a" + "b"') is None
    assert string_literal("Flow.x") is None


@given(st.text())
def test_a_name_survives_quoting(name: str) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert string_literal(quoted) == name


@given(st.text(alphabet='FindQueue("\\)./*, Prompt.a\n', max_size=60))
def test_no_expression_is_too_odd(expression: str) -> None:
    for found in look_ups(expression):
        assert found.name
    is_unset(expression)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("Flow.a + flow.B", ("Flow.a", "flow.B")),
        ("Task.queue.id", ("Task.queue",)),
        ("Chat.Guest.fields[Task.index].key", ("Chat.Guest", "Task.index")),
        ('"Flow.a" == Flow . b', ("Flow.b",)),
        ("Append(Flow.a, Flow.a) /* Flow.c */", ("Flow.a",)),
        ("Flow.a[0].b.c", ("Flow.a",)),
        ("Now() > 1.5", ()),
        ("NOT_SET", ()),
        ("", ()),
    ],
)
def test_the_variables_that_an_expression_reads(expression, names):
    assert variables(expression) == names
