from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.wording import describe_path, in_words
from reconciler.archy.yaml import load

MENU = ("inboundCall", "menus", 0, "menu")
TASK = ("inboundCall", "tasks", 0, "task")
OPEN = (*TASK, "actions", 0, "evaluateScheduleGroup", "outputs", "open", "actions", 0, "callCommonModule")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ((), "document"),
        (("inboundCall",), "inbound call"),
        (("inboundCall", "startUpRef"), "start"),
        (
            ("inboundCall", "settingsErrorHandling", "preHandlingAudio", "prompt"),
            "error handling settings › pre handling audio › prompt",
        ),
        (("inboundCall", "supportedLanguages", "da-dk", "textToSpeech"), "language da-dk › text to speech"),
        (
            ("inboundCall", "variables", 0, "queueVariable", "initialValue", "lit", "name"),
            "variable Flow.Overflow › initial value",
        ),
        (MENU, "menu Main Menu"),
        (MENU[:3], "menu Main Menu"),
        ((*MENU, "audio", "prompt"), "menu Main Menu › audio › prompt"),
        (
            (*MENU, "choices", 2, "menuTransferToAcd", "targetQueue", "lit", "name"),
            'menu Main Menu › choice 3 "Billing" (transfer to ACD) › queue',
        ),
        ((*MENU, "choices", 0), 'menu Main Menu › choice * "Goodbye" (disconnect)'),
        (
            (*MENU, "choices", 1, "menuJumpToTask", "targetTaskRef"),
            'menu Main Menu › choice 1 "Opening Hours" (jump to task) › task',
        ),
        ((*MENU, "choices", 9), "menu Main Menu › choice 10"),
        (
            (*MENU, "choices", 2, "menuTransferToAcd", "acdSkills", 1, "acdSkill", "exp"),
            'menu Main Menu › choice 3 "Billing" (transfer to ACD) › ACD skill 2 › expression',
        ),
        (
            (*OPEN, "commonModule", "Authenticate Caller", "ver_latestPublished", "inputs", "Common.queue", "exp"),
            'task Opening Hours › action 1 "Open?" › output open › action 1 "Authenticate" › '
            'common module "Authenticate Caller" › input "Common.queue" › expression',
        ),
        (
            (*TASK, "actions", 1, "dataTableLookup", "dataTable", "Routing by Number"),
            'task Opening Hours › action 2 "Look up routing" › data table "Routing by Number"',
        ),
        (
            (*TASK, "actions", 2, "callData", "category", "CRM", "dataAction", "Get Account", "inputs", "x"),
            'task Opening Hours › action 3 "Get account" › data action "Get Account" (CRM) › input "x"',
        ),
        ((*TASK, "actions", 40), "task Opening Hours › action 41"),
        (
            (*TASK, "actions", 40, "playAudio", "audio", "tts"),
            "task Opening Hours › action 41 › play audio › audio › tts",
        ),
    ],
)
def test_paths_in_words(front_door: str, path: tuple[str | int, ...], words: str) -> None:
    assert describe_path(path, load(front_door)) == words


def test_start_up_task_switch_and_intents() -> None:
    switch = {"name": "S", "evaluate": {"firstTrue": {"cases": [{"case": {"value": {"exp": "a"}}}]}}}
    intents = {"name": "Ask", "outputs": {"intents": [{"intent": {"name": "Pay", "enabled": False}}], "noIntent": {}}}
    document = {"commonModule": {"startUpTaskActions": [{"switch": switch}, {"askForIntent": intents}]}}
    start = ("commonModule", "startUpTaskActions")
    case = (*start, 0, "switch", "evaluate", "firstTrue", "cases", 0, "case", "value", "exp")
    assert describe_path(case, document) == (
        'start-up task › action 1 "S" › evaluate › first true › case 1 › value › expression'
    )
    intent = (*start, 1, "askForIntent", "outputs", "intents", 0, "intent", "enabled")
    assert describe_path(intent, document) == 'start-up task › action 2 "Ask" › intent "Pay" › enabled'
    nothing = (*start, 1, "askForIntent", "outputs", "noIntent")
    assert describe_path(nothing, document) == 'start-up task › action 2 "Ask" › output no intent'


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("transferToAcd", "transfer to ACD"),
        ("getRawSIPHeaders", "get raw SIP headers"),
        ("setUUIData", "set UUI data"),
        ("findQueueById", "find queue by ID"),
        ("en-us", "en us"),
        ("x", "x"),
    ],
)
def test_keys_in_words(key: str, words: str) -> None:
    assert in_words(key) == words


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(leaf for key, item in value.items() for leaf in leaves(item, (*path, key)))]
    if isinstance(value, list):
        return [path, *(leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index)))]
    return [path]


def test_every_place_of_real_flows_has_words(corpus: dict[str, Any]) -> None:
    for name, document in corpus.items():
        for path in leaves(document):
            words = describe_path(path, document)
            assert words, (name, path)
            assert not words.endswith("› "), (name, path)
            assert "››" not in words.replace(" ", ""), (name, path)


@given(
    st.lists(
        st.integers(-1, 3)
        | st.sampled_from(
            ["workflow", "outputs", "category", "dataAction", "name", "lit", "ver_x", "choices", "Ref", "_", ""]
        )
        | st.text(max_size=4)
    )
)
def test_paths_that_lead_nowhere_have_words(path: list[str | int]) -> None:
    assert isinstance(describe_path(tuple(path), {"workflow": {"outputs": [{"a": {"name": "n"}}]}}), str)
