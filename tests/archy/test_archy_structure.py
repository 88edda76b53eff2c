import re
from typing import Any

import pytest

from reconciler.archy.structure import Targets, actions, branches, containers
from reconciler.archy.targets import is_reference
from reconciler.archy.yaml import load


@pytest.fixture(scope="module")
def flow(front_door: str) -> Any:
    return load(front_door)["inboundCall"]


def test_containers(flow: Any) -> None:
    assert [(c.kind, c.name) for c in containers("inboundCall", flow)] == [
        ("menu", "Main Menu"),
        ("task", "Opening Hours"),
    ]


def test_start_up_actions_are_a_container() -> None:
    body = {"startUpTaskActions": [{"wait": {"name": "W"}}]}
    (container,) = containers("inQueueCall", body)
    assert container.kind == "startUpTask"
    assert [action.name for action in branches(container)[0].actions] == ["W"]
    assert [action.path for action in actions("inQueueCall", body)] == [
        ("inQueueCall", "startUpTaskActions", 0, "wait")
    ]


def test_actions_in_document_order(flow: Any) -> None:
    assert [action.key for action in actions("inboundCall", flow)] == [
        "menuDisconnect",
        "menuJumpToTask",
        "menuTransferToAcd",
        "menuTransferToFlow",
        "menuTask",
        "transferToFlowSecure",
        "evaluateScheduleGroup",
        "callCommonModule",
        "dataTableLookup",
        "findQueue",
        "updateData",
        "callData",
        "transferToAcd",
        "transferToUser",
        "setFlowOutcome",
        "addFlowMilestone",
        "brandNewAction",
        "setScreenPop",
        "endTask",
    ]


def test_choices_perform_actions(flow: Any) -> None:
    choices = [action for action in actions("inboundCall", flow) if action.is_choice]
    assert [choice.operation for choice in choices] == [
        "disconnect",
        "jumpToTask",
        "transferToAcd",
        "transferToFlow",
        "task",
    ]


def test_branches_say_which_outcome_they_are(flow: Any) -> None:
    (schedule,) = (action for action in actions("inboundCall", flow) if action.key == "evaluateScheduleGroup")
    assert [(branch.steps, len(branch.actions)) for branch in branches(schedule)] == [
        (("outputs", "open", "actions"), 1),
        (("outputs", "holiday", "actions"), 0),
    ]


def test_paths_lead_to_bodies(flow: Any) -> None:
    for action in actions("inboundCall", flow):
        value: Any = {"inboundCall": flow}
        for step in action.path:
            value = value[step]
        assert value is action.body


def test_references_inside_a_flow(flow: Any) -> None:
    targets = Targets("inboundCall", flow)
    menu = ("inboundCall", "menus", 0, "menu")
    for reference, label in [
        ("/inboundCall/menus/menu[Main Menu_10]", "menu[Main Menu]"),
        ("./menus/menu[Main Menu_10]", "menu[Main Menu]"),
        ("./choices/menuDisconnect[Goodbye_11]", "menuDisconnect[Goodbye]"),
        ("/inboundCall/tasks/task[Hours & more?_12]", "task[Opening Hours]"),
        ("/inboundCall/menus/menu[Main Menu_10]/choices/menuDisconnect[Goodbye_11]", "menuDisconnect[Goodbye]"),
    ]:
        target = targets.resolve(reference, menu)
        assert target
        assert target.label == label
    for reference in ("/inboundCall/tasks/task[Gone]", "task", "/inboundCall/tasks/task[Hours & more?_12", ""):
        assert targets.resolve(reference, menu) is None


def test_refids_with_brackets_and_slashes() -> None:
    body = {"tasks": [{"task": {"name": "T", "refId": "a/task[x]_3"}}]}
    target = Targets("inboundCall", body).resolve("/inboundCall/tasks/task[a/task[x]_3]", ("inboundCall",))
    assert target
    assert target.name == "T"


def test_repeated_names_get_numbers_and_repeated_refids_the_nearest() -> None:
    body = {
        "menus": [
            {"menu": {"name": "A", "refId": "a", "choices": [{"menuDisconnect": {"name": "Bye", "refId": "bye"}}]}},
            {"menu": {"name": "B", "refId": "b", "choices": [{"menuDisconnect": {"name": "Bye", "refId": "bye"}}]}},
        ]
    }
    targets = Targets("inboundCall", body)
    labels = []
    for index in (0, 1):
        target = targets.resolve("./choices/menuDisconnect[bye]", ("inboundCall", "menus", index, "menu"))
        assert target
        labels.append(target.label)
    assert labels == ["menuDisconnect[Bye]", "menuDisconnect[Bye#2]"]


def test_every_reference_in_real_flows_resolves(corpus: dict[str, Any]) -> None:
    count = 0
    for name, document in corpus.items():
        ((root, body),) = document.items()
        targets = Targets(root, body)
        stack: list[tuple[Any, tuple[str | int, ...]]] = [(body, (root,))]
        while stack:
            value, path = stack.pop()
            if isinstance(value, list):
                stack.extend((item, (*path, index)) for index, item in enumerate(value))
            if isinstance(value, dict):
                stack.extend((item, (*path, key)) for key, item in value.items())
                for key, item in value.items():
                    if is_reference(key, item):
                        target = targets.resolve(item, path)
                        assert target, (name, item)
                        assert target.ref_id == item[item.index("[") + 1 : -1]
                        count += 1
    assert count >= 50


def test_actions_of_real_flows_are_all_found(corpus: dict[str, Any], corpus_texts: dict[str, str]) -> None:
    """Against the text: an action is a list item whose key holds nothing on its line, two levels above a name."""
    for name, document in corpus.items():
        ((root, body),) = document.items()
        lines = corpus_texts[name].splitlines()
        written = 0
        for index, line in enumerate(lines):
            under = re.match(r"\s*(actions|choices|startUpTaskActions):\s*$", line)
            if not under:
                continue
            first = next((after for after in lines[index + 1 :] if after.strip()), "")
            indent = len(first) - len(first.lstrip())
            for after in lines[index + 1 :]:
                if after.strip() and len(after) - len(after.lstrip()) < indent:
                    break
                written += bool(re.match(rf" {{{indent}}}- \w+:\s*$", after))
        assert len(list(actions(root, body))) == written, name
