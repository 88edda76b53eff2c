from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.model import Certainty, Reference
from reconciler.archy.references import OBJECT_KINDS, extract_references
from reconciler.archy.yaml import load

GUID = "2ac7a1b5-3d0f-4c4b-9d9e-0f4b6a1c2d3e"
STATIC, RUNTIME, DYNAMIC = Certainty.STATIC, Certainty.RUNTIME, Certainty.DYNAMIC


def references(text: str) -> tuple[Reference, ...]:
    ((root, body),) = load(text).items()
    return extract_references(root, body)


def short(found: tuple[Reference, ...]) -> list[tuple[str, str, Certainty]]:
    return [(reference.kind, reference.name, reference.certainty) for reference in found]


def in_corpus(corpus: dict[str, Any], ending: str) -> tuple[Reference, ...]:
    (document,) = (document for name, document in corpus.items() if name.endswith(ending))
    ((root, body),) = document.items()
    return extract_references(root, body)


def test_every_shape_in_document_order(front_door: str) -> None:
    assert short(references(front_door)) == [
        ("division", "Sales & Service", STATIC),
        ("languageSkill", "English", STATIC),
        ("ttsEngine", "Acme Voices", STATIC),
        ("sttEngine", "Acme Ears", STATIC),
        ("prompt", "Welcome", STATIC),
        ("queue", "Overflow", STATIC),
        ("prompt", "One_Moment", STATIC),
        ("queue", "Emergencies", STATIC),
        ("prompt", "Sorry", STATIC),
        ("prompt", "Main_Menu", STATIC),
        ("queue", "Billing", STATIC),
        ("skill", "Invoices", STATIC),
        ("skill", "FindSkill(Flow.Topic)", DYNAMIC),
        ("flow", "Claims", STATIC),
        ("flow", "Card Payment", STATIC),
        ("scheduleGroup", "Sales Hours", STATIC),
        ("flow", "Authenticate Caller", STATIC),
        ("queue", 'Sales "East"', RUNTIME),
        ("dataTable", "Routing by Number", STATIC),
        ("queue", "Task.QueueName", DYNAMIC),
        ("queue", "Fallback", STATIC),
        ("dataAction", "Get Account", STATIC),
        ("prompt", "Hello", RUNTIME),
        ("queue", "VIP", RUNTIME),
        ("flow", "Waiting Room", STATIC),
        ("user", "boss@example.com", STATIC),
        ("flowOutcome", "Call answered", STATIC),
        ("flowMilestone", "Menu passed", STATIC),
        ("queue", "Reserve", STATIC),
        ("script", "Agent Script", STATIC),
        ("prompt", "Not_Here", STATIC),
        ("group", "Night Shift", RUNTIME),
    ]


def test_flow_types_and_category(front_door: str) -> None:
    found = {reference.name: reference for reference in references(front_door)}
    assert found["Claims"].flow_types == ("INBOUNDCALL",)
    assert found["Card Payment"].flow_types == ("SECURECALL",)
    assert found["Waiting Room"].flow_types == ("INQUEUECALL",)
    assert found["Authenticate Caller"].flow_types == ("COMMONMODULE",)
    assert found["Get Account"].category == "CRM"


def test_paths_lead_to_the_names(front_door: str) -> None:
    document = load(front_door)
    for reference in references(front_door):
        value, last = document, None
        for step in reference.path:
            value, last = value[step], step
        written = str(value).replace('\\"', '"') if isinstance(value, str) else str(last)
        assert reference.name in written


@pytest.mark.parametrize(
    ("root", "action", "types"),
    [
        ("inboundCall", "transferToFlow", ("INBOUNDCALL",)),
        ("outboundCall", "transferToFlow", ("INBOUNDCALL", "OUTBOUNDCALL")),
        ("inQueueCall", "transferToFlow", ("INBOUNDCALL", "OUTBOUNDCALL")),
        ("inboundShortMessage", "transferToFlow", ("INBOUNDSHORTMESSAGE",)),
        ("inboundEmail", "transferToFlow", ("INBOUNDEMAIL",)),
        ("workitem", "transferToFlow", ("WORKITEM",)),
        ("inboundCall", "transferToFlowSecure", ("SECURECALL",)),
    ],
)
def test_the_type_of_a_transfer_follows_from_the_caller(root: str, action: str, types: tuple[str, ...]) -> None:
    body = {"tasks": [{"task": {"name": "t", "actions": [{action: {"name": "x", "targetFlow": {"name": "F"}}}]}}]}
    (reference,) = extract_references(root, body)
    assert reference.flow_types == types


def test_a_module_transfers_within_the_media_it_declares() -> None:
    transfer = {"transferToFlow": {"name": "x", "targetFlow": {"lit": {"name": "F"}}}}
    body: dict[str, Any] = {"startUpTaskActions": [transfer]}
    (unknown,) = extract_references("commonModule", body)
    assert unknown.flow_types[0] == "INBOUNDCALL"
    assert len(unknown.flow_types) > 2
    body["settingsCommonModule"] = {
        "compatibleFlowTypes": [{"flowType": "inboundshortmessage"}, {"flowType": "workflow"}]
    }
    (known,) = extract_references("commonModule", body)
    assert known.flow_types == ("INBOUNDSHORTMESSAGE",)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("findQueue: {name: q, findName: {lit: Sales}}", ("queue", "Sales", RUNTIME)),
        ("findQueue: {name: q, findName: {exp: '\"Sales\"'}}", ("queue", "Sales", RUNTIME)),
        ("findSkill: {name: q, findName: {exp: Flow.s}}", ("skill", "Flow.s", DYNAMIC)),
        ("findQueue: {name: q, findName: {lit: " + GUID + "}}", ("queue", GUID, DYNAMIC)),
        ("callBotFlow: {name: b, botFlow: {Bot: {ver_latestPublished: {none: true}}}}", ("flow", "Bot", STATIC)),
        ("callDataSecure: {name: d, category: {CRM: {dataAction: {Pay: {}}}}}", ("dataAction", "Pay", STATIC)),
        ("transferToGroup: {name: g, targetGroup: {lit: {name: G}}}", ("group", "G", STATIC)),
        (
            "transferToAcd: {name: t, preferredAgents: {lit: [{agentScore: {agent: {lit: {userName: a@b.c}}}}]}}",
            ("user", "a@b.c", STATIC),
        ),
        (
            "switch: {name: s, evaluate: {firstMatch: {queue: "
            "{value: {exp: Flow.q}, cases: [{case: {value: {lit: {name: Q}}}}]}}}}",
            ("queue", "Q", STATIC),
        ),
        (
            "evaluateSchedule: {name: e, evaluationType: {schedule: {selectedSchedule: {lit: {name: Day}}}}}",
            ("schedule", "Day", STATIC),
        ),
        ("playAudio: {name: p, audio: {prompt: Greeting}}", ("prompt", "Greeting", STATIC)),
        ("holdMusic: {name: h, prompt: {exp: Flow.Music}}", ("prompt", "Flow.Music", DYNAMIC)),
        (
            "updateData: {name: u, statements: "
            "[{queueCollection: {variable: Flow.qs, value: {lit: [{lit: {name: Q}}]}}}]}",
            ("queue", "Q", STATIC),
        ),
    ],
)
def test_actions(action: str, expected: tuple[str, str, Certainty]) -> None:
    assert short(extract_references("inboundCall", {"startUpTaskActions": [load(action)]})) == [expected]


@pytest.mark.parametrize(
    "field",
    [
        {"targetQueue": {"noValue": True}},
        {"scheduleGroup": {"exp": "ToScheduleGroup(NOT_SET)"}},
        {"audio": {"prompt": "PromptSystem.processing"}},
        {"holdMusic": {"lit": {"name": "PromptSystem.on_hold_music"}}},
        {"prompt": {"exp": "PromptSystem.on_hold_music"}},
        {"textToSpeech": {"defaultEngine": {"voice": "Jill"}}},
        {"settingsKnowledge": {"none": True}},
        {"inputs": {"targetQueue": {"lit": "x"}, "dataTable": {"exp": "Flow.y"}}},
        {"messageBody": {"lit": 'FindQueue("Phantom")'}},
        {"referencedObjects": {"flows": [{"flow": {"name": "F", "botFlow": {"x": {}}}}]}},
    ],
)
def test_what_is_no_reference(field: dict[str, Any]) -> None:
    assert extract_references("inboundCall", field) == ()


def test_real_message_flow_with_bots_and_callbacks(corpus: dict[str, Any]) -> None:
    found = in_corpus(corpus, "+dr-webmessaging-blueprint/MyWebMessenger.yaml")
    assert Counter(short(found)) == Counter(
        [
            ("emergencyGroup", "My Organization Evacuation Emergency Group", RUNTIME),
            ("flow", "MyEmergencyChatBot", STATIC),
            ("flow", "MyChatBot", STATIC),
            ("queue", "mychat-general-help", RUNTIME),
            ("dataAction", "DR Create Callback ", STATIC),
            ("queue", "mychat-general-help", STATIC),
            ("queue", "mychat-general-help", STATIC),
            ("queue", "mychat-life-insurance", STATIC),
            ("queue", "mychat-life-annuity", STATIC),
            ("queue", "mychat-mutual-funds", STATIC),
            ("queue", "mychat-brokerage", STATIC),
            ("queue", "mychat-health-insurance", STATIC),
        ]
    )
    assert {reference.flow_types for reference in found if reference.kind == "flow"} == {("BOT",)}
    assert {reference.category for reference in found if reference.kind == "dataAction"} == {"DR Callbacks"}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "/archy_flow.yml",
            [
                ("division", "Home", STATIC),
                ("queue", "Primary Queue Example", RUNTIME),
                ("dataAction", "Agents Logged Into Queue", STATIC),
                ("queue", "Task.PrimaryQueue", DYNAMIC),
                ("queue", "Secondary Queue Example", STATIC),
            ],
        ),
        (
            "/callback_sms_eventrigger_flow.yaml.tftpl",
            [("division", "callback_division", STATIC), ("dataAction", "Send SMS", STATIC)],
        ),
        (
            "/SMS Schedule Callback.yaml",
            [
                ("division", "division", STATIC),
                ("queue", "sms_queue", STATIC),
                ("dataAction", "create_callback_data_action_name", STATIC),
            ],
        ),
        (
            "/MergeExternalContactMessageFlow.yaml",
            [
                ("division", "division", STATIC),
                ("flow", "bot_flow_name", STATIC),
                ("flow", "common_module_name", STATIC),
                ("queue", "queue_name", STATIC),
            ],
        ),
        (
            "/ResolveContact.yaml",
            [
                ("division", "division", STATIC),
                ("dataAction", "fetch_external_contact_by_identifier_data_action", STATIC),
                ("dataAction", "get_external_contact_id_for_customer_participant_data_action", STATIC),
                ("dataAction", "merge_external_contacts_data_action", STATIC),
            ],
        ),
        (
            "/outboundcall_flow_example.yaml",
            [
                ("division", "home_division_name", STATIC),
                ("contactList", "contact_list_name", STATIC),
                ("wrapupCode", "wrapup_code_name", STATIC),
            ],
        ),
        (
            "/DevOpsKnowledgeChatBot_v2-0.yaml",
            [("division", "New Home", STATIC), ("knowledgeBase", "DevOpsKnowledgeBase", STATIC)],
        ),
    ],
)
def test_real_flows(corpus: dict[str, Any], file: str, expected: list[tuple[str, str, Certainty]]) -> None:
    assert short(in_corpus(corpus, file)) == expected


def test_real_flows_name_only_kinds_that_people_have_a_word_for(corpus: dict[str, Any]) -> None:
    kinds = {
        reference.kind
        for document in corpus.values()
        for root, body in document.items()
        for reference in extract_references(root, body)
    }
    assert kinds <= set(OBJECT_KINDS)
    assert len(kinds) >= 12


KEYS = st.sampled_from(
    [
        "name",
        "lit",
        "exp",
        "actions",
        "targetQueue",
        "commonModule",
        "category",
        "dataAction",
        "statements",
        "queue",
        "value",
        "variable",
        "firstMatch",
        "cases",
        "case",
        "findName",
        "findQueue",
        "targetFlow",
        "inputs",
        "prompt",
        "acdSkill",
        "initialValue",
        "queueVariable",
        "settingsCommonModule",
        "compatibleFlowTypes",
        "flowType",
    ]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just('FindQueue("a")'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=25,
)


@given(st.sampled_from(["inboundCall", "commonModule", "unknown"]), ODD)
def test_no_document_is_too_odd(root: str, body: Any) -> None:
    for reference in extract_references(root, body):
        assert reference.name
        assert reference.kind in OBJECT_KINDS
        assert reference.path[0] == root
