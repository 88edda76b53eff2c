"""What the examples in docs/findings.md do not show: the borders of each finding, and how it is worded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.findings import FINDINGS, check_flow
from reconciler.archy.flowtypes import FLOW_TYPES
from reconciler.archy.yaml import load


def found(text):
    ((root, body),) = load(text).items()
    return check_flow(root, body)


def ids(text):
    return [each.id for each in found(text)]


def call(actions, more="", root="inboundCall"):
    """A call flow of one task; ``actions`` one a line, in flow style."""
    listed = "".join(f"          - {action}\n" for action in actions)
    return f"""\
{root}:
  name: Test
  startUpRef: /{root}/tasks/task[Main]
  tasks:
    - task:
        name: Main
        refId: Main
        actions:
{listed}{more}"""


OTHER = """\
    - task:
        name: Other
        refId: Other
        actions:
"""
TO_OTHER = 'targetTaskRef: "/inboundCall/tasks/task[Other]"'
TO_MAIN = TO_OTHER.replace("Other", "Main")
HANG_UP = "disconnect: {name: Hang up}"


def test_messages_name_what_people_see_in_architect():
    (same,) = found("""\
inboundCall:
  name: Front Door
  startUpRef: ./menus/menu[Main]
  menus:
    - menu:
        name: Main Menu
        refId: Main
        choices:
          - menuDisconnect: {name: Sales, dtmf: digit_1}
          - menuDisconnect: {name: Billing, dtmf: digit_1}
""")
    assert same.message == "Menu Main Menu: choices Sales and Billing both use digit 1."
    assert same.path[-1] == "dtmf"


def test_a_reference_that_is_nearly_right_is_suggested():
    jump = "jumpToTask: {name: Go, targetTaskRef: '/inboundCall/tasks/task[Othr]'}"
    (dangling,) = found(call([jump]) + OTHER + f"          - {HANG_UP}\n")
    assert dangling.id == "dangling-reference"
    assert dangling.remedy.startswith("Did you mean `/inboundCall/tasks/task[Other]`")


def test_a_task_that_jumps_on_to_one_that_ends_gives_back_to_its_caller():
    flow = call([f"callTask: {{name: Ask, {TO_OTHER}}}", HANG_UP]) + OTHER
    jump = f"          - jumpToTask: {{name: On, {TO_OTHER.replace('Other', 'Last')}}}\n"
    last = OTHER.replace("Other", "Last") + "          - endTask: {name: Back}\n"
    assert ids(flow + jump + last) == []
    assert ids(flow + f"          - {HANG_UP}\n") == ["unreached-action"]


def test_choices_of_different_menus_may_share_digits_and_ref_ids():
    flow = """\
inboundCall:
  name: Front Door
  startUpRef: ./menus/menu[A]
  menus:
    - menu:
        name: A
        refId: A
        choices:
          - menuSubMenu:
              name: More
              refId: More
              dtmf: digit_1
              choices:
                - menuDisconnect: {name: Bye, refId: Bye, dtmf: digit_1}
                - menuPreviousMenu: {name: Back, refId: Back, dtmf: digit_2}
          - menuDisconnect: {name: Bye, refId: Bye, dtmf: digit_2}
"""
    assert ids(flow) == []


def test_a_sub_menu_that_only_leads_back_is_left_by_the_menu_around_it():
    menu = """\
inboundCall:
  name: Front Door
  startUpRef: ./menus/menu[A]
  menus:
    - menu:
        name: A
        refId: A
        choices:
          - menuSubMenu:
              name: More
              dtmf: digit_1
              choices:
                - menuPreviousMenu: {name: Back, dtmf: digit_1}
"""
    assert ids(menu) == ["menu-without-exit"]
    assert ids(menu + "          - menuDisconnect: {name: Bye, dtmf: digit_2}\n") == []


def test_a_default_choice_that_ends_is_a_way_out_of_a_menu():
    flow = """\
inboundCall:
  name: Front Door
  startUpRef: ./menus/menu[A]
  menus:
    - menu:
        name: A
        refId: A
        defaultChildMenuRef: ./choices/menuDisconnect[Bye]
        choices:
          - menuRepeatMenu: {name: Again, refId: Again, dtmf: digit_1}
          - menuDisconnect: {name: Bye, refId: Bye}
"""
    assert ids(flow) == []


def test_a_menu_whose_task_goes_back_to_it_and_an_action_that_goes_to_the_menu_before():
    flow = """\
inboundCall:
  name: Front Door
  startUpRef: ./menus/menu[A]
  menus:
    - menu:
        name: A
        refId: A
        choices:
          - menuTask:
              name: Say the hours
              dtmf: digit_1
              task: {actions: [playAudio: {name: Hours}, repeatMenu: {name: Again}]}
          - menuJumpToTask: {name: Address, dtmf: digit_2, targetTaskRef: "/inboundCall/tasks/task[Address]"}
          - menuDisconnect: {name: Bye, dtmf: digit_9}
  tasks:
    - task:
        name: Address
        refId: Address
        actions:
          - playAudio: {name: Address}
          - previousMenu: {name: Back}
"""
    assert ids(flow) == []


def test_a_task_that_handles_errors_of_one_action_is_reached():
    action = "askForSlot: {name: Ask, noInputHandling: {task: {targetTaskRef: './tasks/task[Help]'}}}"
    flow = f"""\
digitalBot:
  name: Bot
  startUpRef: ./bots/bot[Main]
  bots:
    - bot: {{name: Main, refId: Main, actions: [{action}, exitBotFlow: {{name: Done}}]}}
  tasks:
    - task: {{name: Help, refId: Help, actions: [exitBotFlow: {{name: Leave}}]}}
"""
    assert ids(flow) == []


def test_answers_make_a_circle_a_warning_and_a_bot_may_ask_for_ever():
    again = f"jumpToTask: {{name: Again, {TO_MAIN}}}"
    (asking,) = found(call(["collectInput: {name: Ask}", again]))
    assert (asking.id, asking.severity) == ("endless-loop", "warning")
    assert asking.message == "Task Main: Ask and Again go round in a circle that no answer of the caller leads out of."
    (silent,) = found(call(["playAudio: {name: Wait}", again]))
    assert (silent.id, silent.severity) == ("endless-loop", "error")


def test_a_circle_that_looks_at_the_clock_or_the_platform_may_change():
    def circle(condition):
        inner = f"actions: [jumpToTask: {{name: Again, {TO_MAIN}}}]"
        return call(
            [f"decision: {{name: D, condition: {{exp: '{condition}'}}, outputs: {{yes: {{{inner}}}}}}}", HANG_UP]
        )

    assert ids(circle("Hour(GetCurrentDateTimeUtc()) < 8")) == []
    assert ids(circle("Call.PositionInQueue > 3")) == []
    assert ids(circle("1 == 2")) == ["unchanging-loop"]


def test_two_tasks_that_jump_to_each_other_are_named_together():
    flow = call([f"jumpToTask: {{name: There, {TO_OTHER}}}"]) + OTHER
    back = f"          - jumpToTask: {{name: Back, {TO_MAIN}}}\n"
    (endless,) = found(flow + back)
    assert endless.message.startswith("Task Main and task Other go round in a circle")


def test_the_task_of_an_in_queue_flow_goes_round_and_a_module_gives_back():
    assert ids("inqueueCall: {name: Q, startUpTaskActions: [holdMusic: {name: Music}]}") == []
    assert ids("commonModule: {name: M, startUpTaskActions: [playAudio: {name: Hello}]}") == []


@pytest.mark.parametrize(
    ("root", "after", "severity"),
    [
        ("inboundCall", [HANG_UP], "warning"),
        ("inboundCall", [], "warning"),
        ("inboundCall", ["playAudio: {name: Sorry}", HANG_UP], None),
        ("inboundShortMessage", [HANG_UP], "info"),
        ("inboundShortMessage", [], "warning"),
    ],
)
def test_what_follows_a_failed_transfer_decides_how_much_it_weighs(root, after, severity):
    problems = found(call(["transferToAcd: {name: To Sales}", *after], root=root))
    assert [(each.id, each.severity) for each in problems] == (
        [("transfer-failure-unhandled", severity)] if severity else []
    )


DATA = "callData: {name: Get, category: {CRM: {dataAction: {Balance: {successOutputs: {amount: {var: Flow.x}}}}}}}"
DECLARED = """\
  variables:
    - stringVariable: {name: Flow.x, initialValue: {noValue: true}}
"""


def test_a_decision_on_a_result_takes_care_of_a_failed_data_action():
    use = "playAudio: {name: Say, audio: {exp: ToAudioTTS(Flow.x)}}"
    look = (
        "decision: {name: Known?, condition: {exp: IsSet(Flow.x)}, outputs: {no: {actions: [disconnect: {name: End}]}}}"
    )
    assert ids(call([DATA, use, HANG_UP], DECLARED)) == ["data-failure-unhandled"]
    assert ids(call([DATA, look, use, HANG_UP], DECLARED)) == []


def test_a_result_that_the_caller_of_a_task_uses_counts():
    flow = call(
        [f"callTask: {{name: Fetch, {TO_OTHER}}}", "playAudio: {name: Say, audio: {exp: ToAudioTTS(Flow.x)}}", HANG_UP]
    )
    (unhandled,) = found(flow + OTHER + f"          - {DATA}\n" + DECLARED)
    assert unhandled.id == "data-failure-unhandled"
    assert "Say uses Flow.x" in unhandled.message


def test_an_end_of_its_own_takes_care_of_a_failed_data_action():
    success = "outputs: {success: {actions: [disconnect: {name: Done}]}}"
    assert ids(call([f"callData: {{name: Get, {success}}}", "disconnect: {name: Not available}"])) == []
    shared = "outputs: {success: {actions: [wait: {name: Wait}]}}"
    assert ids(call([f"callData: {{name: Get, {shared}}}", HANG_UP])) == ["data-failure-unhandled"]


def test_variables_of_two_tasks_are_two_and_case_does_not_matter():
    local = "variables: [stringVariable: {name: Task.x, initialValue: {noValue: true}}]"
    flow = f"""\
inboundCall:
  name: Test
  startUpRef: ./tasks/task[A]
  tasks:
    - task:
        name: A
        refId: A
        {local}
        actions:
          - collectInput: {{name: Ask, inputData: {{var: task.X}}}}
          - callTask: {{name: Next, targetTaskRef: "./tasks/task[B]"}}
          - disconnect: {{name: Bye}}
    - task:
        name: B
        refId: B
        {local}
        actions:
          - playAudio: {{name: Say, audio: {{exp: TASK.x}}}}
"""
    assert [(each.id, each.message) for each in found(flow)] == [
        ("variable-never-read", "Variable Task.x of task A is set but never read."),
        ("variable-never-set", "Task B, action Say: variable Task.x of task B is read, but nothing gives it a value."),
    ]


def test_inputs_outputs_initial_values_and_variables_of_the_platform_are_no_finding():
    flow = """\
commonModule:
  name: Module
  variables:
    - stringVariable: {name: Common.in, initialValue: {noValue: true}, isInput: true}
    - stringVariable: {name: Common.out, initialValue: {noValue: true}, isOutput: true}
    - stringVariable: {name: Common.start, initialValue: {lit: x}}
  startUpTaskActions:
    - updateData:
        name: Set
        statements:
          - string: {variable: Common.out, value: {exp: 'Append(Common.in, Common.start, Flow.IsTest, Call.Ani)'}}
"""
    assert ids(flow) == []


def test_a_variable_inside_a_text_of_an_expression_is_not_read():
    assert ids(call(["playAudio: {name: Say, audio: {exp: '\"Flow.x\"'}}", HANG_UP], DECLARED)) == ["unused-variable"]


@pytest.mark.parametrize("language", ["language: fr-fr", "languageValue: {lit: fr-fr}"])
def test_a_language_that_is_set_and_not_supported(language):
    flow = call(
        [f"setLanguage: {{name: French, {language}}}", HANG_UP], "  supportedLanguages: {en-us: {none: true}}\n"
    )
    (wrong,) = found(flow)
    assert wrong.message == "Task Main, action French: it changes to fr-fr, but the flow supports only en-us."


def test_a_bot_may_understand_a_language_without_region():
    flow = """\
botFlow:
  name: Bot
  startUpRef: ./bots/bot[Main]
  defaultLanguage: EN-us
  supportedLanguages: {en-us: {none: true}}
  bots:
    - bot: {name: Main, refId: Main, actions: [exitBotFlow: {name: Done}]}
  settingsNaturalLanguageUnderstanding: {nluDomainVersion: {language: en}}
"""
    assert ids(flow) == []


def test_a_misspelt_choice_is_suggested():
    (unknown,) = found("""\
inboundCall:
  name: Front Door
  startUpRef: ./menus/menu[A]
  menus:
    - menu:
        name: A
        refId: A
        choices:
          - menuDisconect: {name: Bye, dtmf: digit_1}
          - menuDisconnect: {name: End, dtmf: digit_2}
""")
    assert unknown.id == "unknown-action"
    assert "Did you mean `menuDisconnect`" in unknown.remedy


KEYS = (
    "actions choices menus tasks task menu name refId outputs exp var variables startUpRef targetTaskRef decision "
    "switch loop callTask menuSubMenu dtmf intents"
)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS.split()) | st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(root=st.sampled_from([each.root for each in FLOW_TYPES]), body=json_like)
def test_odd_bodies_have_findings_and_never_an_exception(root, body):
    for each in check_flow(root, body):
        assert each.id in FINDINGS
        assert each.path[0] == root
