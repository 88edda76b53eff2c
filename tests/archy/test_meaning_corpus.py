# ruff: noqa: E501 - the sentences are as people see them
"""Thirty edits of real flows, each told as exactly that edit; and flows that mean the same have none.

The flows are other people's and not part of this repository: the tests are skipped where they are missing.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest

from reconciler.archy.canonical import canonical
from reconciler.archy.meaning import compare_flows
from reconciler.archy.yaml import load

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".yml", ".tftpl"))

pytestmark = pytest.mark.skipif(not FILES, reason="the corpus of other people's flows is not at ../shared/corpus")


def read(path):
    text = re.sub(r"\{\{.*?\}\}", "X", path.read_text(encoding="utf-8"))
    return load(re.sub(r"\$\{.*?\}", "X", text))


class Flow:
    """One flow, to be edited as a person would."""

    def __init__(self, document):
        self.document = document
        ((self.root, self.body),) = document.items()

    def find(self, name, number=0):
        """List and index of the action, choice or container of that name."""
        found = [
            (items, index)
            for items in self._lists(self.body)
            for index, item in enumerate(items)
            if isinstance(item, dict) and len(item) == 1 and next(iter(item.values()), {}).get("name") == name
        ]
        return found[number]

    def get(self, name, number=0):
        """Its body."""
        items, index = self.find(name, number)
        return next(iter(items[index].values()))

    def cut(self, name, number=0):
        """Takes it out."""
        items, index = self.find(name, number)
        return items.pop(index)

    def put_after(self, name, item, number=0):
        """Puts one in behind another."""
        items, index = self.find(name, number)
        items.insert(index + 1, item)

    def _lists(self, value):
        if isinstance(value, dict):
            for item in value.values():
                yield from self._lists(item)
        elif isinstance(value, list):
            if all(
                isinstance(item, dict) and len(item) == 1 and isinstance(next(iter(item.values())), dict)
                for item in value
            ):
                yield value
            for item in value:
                yield from self._lists(item)


def setting(*path, to):
    def edit(flow):
        held = flow.body
        for step in path[:-1]:
            held = held[step]
        held[path[-1]] = to

    return edit


def field(name, *path, to, number=0):
    def edit(flow):
        held = flow.get(name, number)
        for step in path[:-1]:
            held = held[step]
        held[path[-1]] = to

    return edit


def drop(name, number=0):
    return lambda flow: flow.cut(name, number)


def insert(after, item, number=0):
    return lambda flow: flow.put_after(after, copy.deepcopy(item), number)


def replace(name, item):
    def edit(flow):
        items, index = flow.find(name)
        items[index] = copy.deepcopy(item)

    return edit


def move(name, after, number=0):
    def edit(flow):
        item = flow.cut(name, number)
        flow.put_after(after, item)

    return edit


def both(*edits):
    def edit(flow):
        for one in edits:
            one(flow)

    return edit


def wrap(name, condition):
    """Puts an action into the yes of a new decision."""

    def edit(flow):
        items, index = flow.find(name)
        items[index] = {
            "decision": {
                "name": "Really?",
                "condition": {"exp": condition},
                "outputs": {"yes": {"actions": [items[index]]}},
            }
        }

    return edit


def rename_container(old, new, number):
    """Architect writes another refId then, and every reference with it."""

    def edit(flow):
        body = flow.get(old)
        before, body["name"], body["refId"] = body["refId"], new, f"{new}_{number}"
        replace_references(flow.body, f"[{before}]", f"[{new}_{number}]")

    return edit


def replace_references(value, old, new):
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and key.endswith("Ref"):
                value[key] = item.replace(old, new)
            else:
                replace_references(item, old, new)
    elif isinstance(value, list):
        for item in value:
            replace_references(item, old, new)


def renumber(flow):
    """The same flow exported from another org: every tracking id is another one."""
    for items in flow._lists(flow.body):
        for item in items:
            body = next(iter(item.values()))
            if "refId" in body:
                old, body["refId"] = body["refId"], body["refId"] + "7"
                replace_references(flow.body, f"[{old}]", f"[{body['refId']}]")


IVR = "SimpleFinancialIvr_v2-0.yaml"
QUEUES = "archy_flow.yml"
MESSAGE = "DudeWheresMyStuffMessage.yaml"
WORKITEM = "WorkitemFlow.yaml"
EMAIL = "EmailComprehendFlow.yaml"
MODULE = "ResolveContact.yaml"
SURVEY = "SendSurvey_v1-0.yaml"
IN_QUEUE = "Switch to Web Messaging via SMS.yaml"
BOT = "MyEmergencyChatBot.yaml"
WORKFLOW = "blacklist.yaml"

EDITS = [
    (
        IVR,
        field("SimpleFinancialIRA", "targetQueue", to={"lit": {"name": "Roth"}}),
        ["menu Main Menu: digit 2 now transfers to queue Roth (was Simple Financial IRA queue)"],
    ),
    (
        IVR,
        field("SimpleFinancialIRA", "dtmf", to="digit_3"),
        ['menu Main Menu: choice "SimpleFinancialIRA" is now on digit 3 (was digit 2)'],
    ),
    (
        IVR,
        field("SimpleFinancialIRA", "name", to="Roth IRA"),
        ['menu Main Menu: digit 2 is now called "Roth IRA" (was "SimpleFinancialIRA")'],
    ),
    (
        IVR,
        drop("SimpleFinancialIRA"),
        [
            'menu Main Menu: choice "SimpleFinancialIRA" on digit 2 removed (was: transfers to queue Simple Financial IRA queue)'
        ],
    ),
    (
        IVR,
        insert("SimpleFinancialIRA", {"menuRepeatMenu": {"name": "Again", "dtmf": "star"}}),
        ['menu Main Menu: new choice "Again" on key *: repeats the menu'],
    ),
    (
        IVR,
        field("Main Menu", "audio", "tts", to="You are at the Main Menu, press 9 to hang up"),
        [
            'menu Main Menu now says "You are at the Main Menu, press 9 to hang up" (was "You are at the Main Menu, press 9 to disconnect")'
        ],
    ),
    (
        IVR,
        setting(
            "initialGreeting", "tts", to="Hi welcome to SimpleFinancial.  Please listen to our new menu carefully."
        ),
        [
            'the greeting now says "Hi welcome to SimpleFinancial. Please listen to our new menu carefully." (was "Hi welcome to SimpleFinancial. Please listen to our menu carefully.")'
        ],
    ),
    (
        IVR,
        setting("settingsSpeechRec", "minConfidenceLevel", to={"lit": 60}),
        ["settings for speech rec: min confidence level now 60 (was 50)"],
    ),
    (IVR, rename_container("Main Menu", "Front Menu", 10), ["menu Main Menu is now called Front Menu"]),
    (
        QUEUES,
        field("Transfer to ACD", "targetQueue", to={"lit": {"name": "Third"}}, number=1),
        [
            'task Checking the queues: "Transfer to ACD" at the start of outcome no of "Decision" now transfers to queue Third (was Secondary Queue Example)'
        ],
    ),
    (
        QUEUES,
        replace("Check the queue", {"menuRepeatMenu": {"name": "Check the queue", "dtmf": "digit_1"}}),
        ["menu Main Menu: digit 1 now repeats the menu (was: goes to task Checking the queues)"],
    ),
    (
        QUEUES,
        rename_container("Checking the queues", "Check members", 13),
        ["task Checking the queues is now called Check members"],
    ),
    (
        QUEUES,
        insert("Find Queue", {"playAudio": {"name": "Hold on", "audio": {"tts": "One moment."}}}),
        ['task Checking the queues: new action "Hold on" (play audio) after "Find Queue": says "One moment."'],
    ),
    (
        QUEUES,
        field("Check Queue For Members", "timeout", to={"lit": {"seconds": 10}}),
        ['task Checking the queues: "Check Queue For Members": timeout now 10 seconds (was 1 minute)'],
    ),
    (
        QUEUES,
        field("Decision", "condition", "exp", to="Task.total_agents_on_queue > 2"),
        [
            'task Checking the queues: "Decision" now asks Task.total_agents_on_queue > 2 (was Task.total_agents_on_queue > 0)'
        ],
    ),
    (
        MESSAGE,
        drop("Get Participant Data"),
        ['state Initial State: action "Get Participant Data" removed (was after "Call Bot Flow")'],
    ),
    (
        MESSAGE,
        move("Get Participant Data", "Switch"),
        ['state Initial State: action "Get Participant Data" moved, now after "Switch" (was after "Call Bot Flow")'],
    ),
    (
        MESSAGE,
        wrap("Call Bot Flow", "Flow.open"),
        [
            'state Initial State: new action "Really?" (decision) at the start: asks Flow.open; "Call Bot Flow" is now in its outcome yes'
        ],
    ),
    (
        WORKITEM,
        field("Status - Open", "targetTaskRef", to="/workitem/tasks/task[Status - Rejected_26]"),
        ['state Initial State: "Status - Open" now calls task Status - Rejected (was task Status - Open)'],
    ),
    (
        WORKITEM,
        move("Transfer to ACD", "End Task: Open"),
        [
            'task Status - Open: action "Transfer to ACD" moved here from task Status - Analyze Claim, now after "End Task: Open"'
        ],
    ),
    (
        WORKITEM,
        field("Workitem Created?", "name", to="Is it new?"),
        ['state Initial State: action "Workitem Created?" is now called "Is it new?"'],
    ),
    (
        EMAIL,
        field(
            "Call Data Action",
            "outputs",
            "failure",
            "actions",
            0,
            "sendAutoReply",
            "messageBody",
            "exp",
            to='"Something failed"',
        ),
        [
            'state Initial State: "Send Auto Reply" at the start of outcome failure of "Call Data Action" now says "Something failed" (was "I have a complete failure")'
        ],
    ),
    (
        EMAIL,
        both(drop("Set default queue"), field("Send Auto Reply", "name", to="Reply", number=3)),
        [
            'state Initial State: action "Send Auto Reply" is now called "Reply"',
            'state Initial State: action "Set default queue" removed (was at the start of outcome no of "Got a queue to transfer to?")',
        ],
    ),
    (
        MODULE,
        move("Update Data", "Find contact by given identifier"),
        [
            'start-up task: action "Update Data" moved, now after "Find contact by given identifier" (was at the start of outcome yes of "Message contact known?")'
        ],
    ),
    (
        MODULE,
        field("Message contact known?", "outputs", "yes", to={}),
        [
            'start-up task: action "Update Data" removed (was at the start of outcome yes of "Message contact known?")',
            'start-up task: action "Update Data" removed (was after "Update Data", in outcome yes of "Message contact known?")',
        ],
    ),
    (
        SURVEY,
        drop("Create manual survey message"),
        [
            'state Send Survey by SMS: action "Create manual survey message" removed (was at the start of outcome no of "Check if opt out is enabled")'
        ],
    ),
    (
        IN_QUEUE,
        field("Hold Music", "playDuration", to={"lit": {"seconds": 9}}),
        ['start-up task: "Hold Music": play duration added: 9 seconds'],
    ),
    (
        IN_QUEUE,
        field("Play Audio", "audio", "tts", to="Great. See you on the chat!"),
        [
            'start-up task: "Play Audio" after "Confirm they received SMS", in outcome yes of "Did they press 1?" now says "Great. See you on the chat!" (was "It looks like something went wrong. Plese continue to hold for an agent.")'
        ],
    ),
    (
        BOT,
        field("Ask for Yes / No", "outputs", "no", "enabled", to=False),
        ['bot MyEmergencyChatBot: "Ask for Yes / No": output no switched off'],
    ),
    (
        WORKFLOW,
        insert("Set Conversation Data", {"wait": {"name": "Wait", "duration": {"lit": {"seconds": 1}}}}, number=1),
        [
            'state Initial State: new action "Wait" (wait) after "Set Conversation Data", in outcome success of "Call Data Action"'
        ],
    ),
    (
        WORKFLOW,
        field("End Workflow", "exitReason", to={"lit": "blocked"}, number=1),
        [
            'state Initial State: "End Workflow" at the start of outcome success of "Set Conversation Data": exit reason now blocked (was nothing)'
        ],
    ),
]


def told(file, edit):
    path = next(path for path in FILES if path.name == file)
    before, after = read(path), read(path)
    edit(Flow(after))
    ((root, old),), ((_, new),) = before.items(), after.items()
    return [item.text for item in compare_flows(canonical(root, old), canonical(root, new))]


@pytest.mark.parametrize(("file", "edit", "sentences"), EDITS, ids=[f"{n}-{e[0]}" for n, e in enumerate(EDITS, 1)])
def test_the_diff_names_exactly_the_edit(file, edit, sentences):
    assert told(file, edit) == sentences


def test_there_are_thirty_edits():
    assert len(EDITS) >= 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_other_tracking_ids_are_no_edit(path):
    before, after = read(path), read(path)
    renumber(Flow(after))
    ((root, old),), ((_, new),) = before.items(), after.items()
    assert compare_flows(canonical(root, old), canonical(root, new)) == ()
