"""Which action runs after which, and what nothing leads to."""

from __future__ import annotations

import pytest

from reconciler.archy.control.build import control_flow
from reconciler.archy.control.model import START, NodeKind, Step
from reconciler.archy.control.reach import reachable
from reconciler.archy.yaml import load


def flow_of(text):
    ((root, body),) = load(text).items()
    return control_flow(root, body)


def ways(flow, name):
    """Step, label and name (or ending) of each way on from the node called so."""
    (node,) = (node for node in flow.nodes.values() if node.name == name)
    return [
        (edge.step.value, edge.label, flow.nodes[edge.target].name or flow.nodes[edge.target].key)
        for edge in flow.out(node.path)
    ]


def unreached(flow):
    reached = reachable(flow)
    return [node.name for node in flow.nodes.values() if node.path not in reached and node.kind is not NodeKind.END]


def call_flow(actions):
    return f"""\
inboundCall:
  name: Test
  startUpRef: /inboundCall/tasks/task[Main_1]
  tasks:
    - task:
        name: Main
        refId: Main_1
        actions:
{actions}
    - task:
        name: Other
        refId: Other_2
        actions:
          - playAudio: {{name: Goodbye}}
"""


def test_an_outcome_that_is_not_written_down_goes_on_below_the_action():
    flow = flow_of(
        call_flow("""\
          - decision:
              name: Open?
              outputs:
                yes:
                  actions:
                    - playAudio: {name: Welcome}
          - disconnect: {name: Hang up}""")
    )
    assert ways(flow, "Open?") == [("branch", "yes", "Welcome"), ("next", "no", "Hang up")]
    assert ways(flow, "Welcome") == [("next", "", "Hang up")]
    assert ways(flow, "Hang up") == [("next", "", "disconnect")]


def test_a_failed_transfer_goes_on_and_a_successful_one_does_not():
    flow = flow_of(
        call_flow("""\
          - transferToAcd:
              name: To Sales
              outputs:
                failure:
                  actions:
                    - playAudio: {name: Sorry}
          - disconnect: {name: Hang up}""")
    )
    assert ways(flow, "To Sales") == [("next", "", "transfer"), ("branch", "failure", "Sorry")]
    assert ways(flow, "Sorry") == [("next", "", "Hang up")]


def test_what_follows_a_call_is_reached_only_if_the_task_comes_to_its_end():
    calling = """\
          - callTask: {name: Do it, targetTaskRef: "/inboundCall/tasks/task[Other_2]"}
          - disconnect: {name: Hang up}"""
    returning = flow_of(call_flow(calling))
    assert unreached(returning) == []
    ending = flow_of(call_flow(calling).replace("playAudio: {name: Goodbye}", "disconnect: {name: Goodbye}"))
    assert unreached(ending) == ["Hang up"]


def test_a_loop_goes_round_and_is_left():
    flow = flow_of(
        call_flow("""\
          - loop:
              name: Three times
              outputs:
                loop:
                  actions:
                    - playAudio: {name: Ask}
                    - decision:
                        name: Answered?
                        outputs:
                          yes: {actions: [loopExit: {name: Leave}]}
                          no: {actions: [loopNext: {name: Again}]}
          - disconnect: {name: Hang up}""")
    )
    assert ways(flow, "Three times") == [("branch", "each round", "Ask"), ("next", "done", "Hang up")]
    assert ways(flow, "Leave") == [("next", "", "Hang up")]
    assert ways(flow, "Again") == [("back", "", "Three times")]


def test_cases_of_a_switch_carry_their_conditions():
    flow = flow_of(
        call_flow("""\
          - switch:
              name: Which
              evaluate:
                firstTrue:
                  cases:
                    - case:
                        value: {exp: 'Flow.A == 1'}
                        actions: [disconnect: {name: Hang up}]""")
    )
    assert [label for _, label, _ in ways(flow, "Which")] == ["Flow.A == 1", "no case applies"]


def test_a_menu_leads_to_its_choices_by_digit_and_back():
    flow = flow_of("""\
inboundCall:
  name: Test
  startUpRef: ./menus/menu[Main]
  menus:
    - menu:
        name: Main
        refId: Main
        defaultChildMenuRef: ./choices/menuDisconnect[Bye]
        choices:
          - menuRepeatMenu: {name: Again, refId: Again, dtmf: star}
          - menuSubMenu:
              name: More
              refId: More
              dtmf: digit_2
              choices:
                - menuPreviousMenu: {name: Up, refId: Up, dtmf: digit_9}
          - menuDisconnect: {name: Bye, refId: Bye, dtmf: digit_3}
""")
    assert ways(flow, "Main") == [
        ("enter", "*", "Again"),
        ("enter", "2", "More"),
        ("enter", "3", "Bye"),
        ("enter", "no choice made", "Bye"),
    ]
    assert ways(flow, "Again") == [("back", "", "Main")]
    assert ways(flow, "Up") == [("back", "", "Main")]


def test_what_stands_in_an_outcome_that_is_switched_off_is_not_reached():
    flow = flow_of(
        call_flow("""\
          - callData:
              name: Look up
              outputs:
                timeout:
                  enabled: false
                  actions: [playAudio: {name: Slow}]
          - disconnect: {name: Hang up}""")
    )
    assert unreached(flow) == ["Slow", "Other", "Goodbye"]


def test_the_task_that_handles_errors_is_reached_by_an_event():
    flow = flow_of(
        call_flow("          - disconnect: {name: Hang up}")
        + """\
  settingsErrorHandling:
    errorHandling:
      task: {targetTaskRef: "/inboundCall/tasks/task[Other_2]"}
"""
    )
    assert unreached(flow) == []
    assert [edge.step for edge in flow.out(START)] == [Step.ENTER, Step.EVENT]


@pytest.mark.parametrize("reference", ["/inboundCall/tasks/task[Nowhere_9]", "nonsense", ""])
def test_a_reference_that_leads_nowhere_is_noted(reference):
    flow = flow_of(call_flow(f'          - jumpToTask: {{name: Jump, targetTaskRef: "{reference}"}}'))
    assert [(d.path[-1], d.reference) for d in flow.dangling] == [("targetTaskRef", reference)]


@pytest.mark.parametrize("body", [None, [], "text", {"tasks": {}}, {"tasks": [{"task": None}], "startUpRef": 7}])
def test_odd_bodies_have_a_control_flow_too(body):
    control_flow("inboundCall", body)


def test_every_outcome_that_the_platform_leaves_open_goes_on_below_the_action():
    flow = flow_of(
        call_flow("""\
          - disconnectWorkitem: {name: Close}
          - setExternalTag: {name: Tag}
          - askForSlot: {name: Ask, outputs: {maxNoInputs: {enabled: false}, maxNoMatches: {enabled: false}}}
          - disconnect: {name: Hang up}""")
    )
    assert ways(flow, "Close") == [("next", "success", "Tag"), ("next", "failure", "Tag")]
    assert ways(flow, "Tag") == [("next", "success", "Ask"), ("next", "failure", "Ask")]
    assert ways(flow, "Ask") == [("next", "answered", "Hang up")]


def test_a_loop_until_runs_what_begins_the_next_round_and_ends_by_its_maximum():
    flow = flow_of(
        call_flow("""\
          - loopUntil:
              name: Until known
              outputs:
                loop: {actions: [playAudio: {name: Ask}]}
                loopNext: {actions: [playAudio: {name: Once more}]}
                loopsMax: {actions: [playAudio: {name: Give up}]}
          - disconnect: {name: Hang up}""")
    )
    assert ways(flow, "Until known") == [
        ("branch", "each round", "Ask"),
        ("branch", "loops max", "Give up"),
        ("next", "done", "Hang up"),
    ]
    assert ways(flow, "Ask") == [("next", "", "Once more")]
    assert ways(flow, "Once more") == [("back", "", "Until known")]


def test_a_choice_for_all_menus_is_reached_from_everywhere():
    flow = flow_of("""\
inboundCall:
  name: Test
  startUpRef: ./menus/menu[Main]
  menus:
    - menu: {name: Main, refId: Main, choices: [menuDisconnect: {name: Bye, dtmf: digit_1}]}
    - menu: {name: Help, refId: Help, choices: [menuDisconnect: {name: Adviser, dtmf: digit_0, globalDtmf: true}]}
""")
    assert unreached(flow) == ["Help"]
    assert [edge.label for edge in flow.out(START)] == ["0 in any menu", ""]


def test_two_intents_of_one_name_are_two_ways_on():
    flow = flow_of(
        call_flow("""\
          - askForIntent:
              name: Ask
              outputs:
                intents:
                  - intent: {name: Order, actions: [playAudio: {name: First}]}
                  - intent: {name: Order, actions: [playAudio: {name: Second}]}
          - disconnect: {name: Hang up}""")
    )
    assert unreached(flow) == ["Other", "Goodbye"]


def test_the_graph_holds_every_node_and_way():
    flow = flow_of(call_flow("          - disconnect: {name: Hang up}"))
    assert set(flow.graph) == set(flow.nodes)
    assert sorted(data["edge"].step for _, _, data in flow.graph.edges(data=True)) == sorted(
        e.step for e in flow.edges()
    )
