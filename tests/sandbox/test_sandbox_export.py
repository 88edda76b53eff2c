"""Exports: Architect's full form, noisy where Architect is, and the same in meaning as the source."""

from __future__ import annotations

from sandbox_support import Client, call_flow, calls, module, to_flow, to_queue, unzip

from reconciler.archy.canonical import canonical
from reconciler.archy.yaml import load

MENU = """\
inboundCall:
  name: Main
  defaultLanguage: en-us
  startUpRef: ./menus/menu[mainMenu]
  initialGreeting: {tts: Hello}
  variables:
    - stringVariable: {name: Flow.zulu}
    - booleanVariable: {name: Flow.alpha, initialValue: {lit: false}, isInput: true}
  menus:
    - menu:
        name: Main Menu
        refId: mainMenu
        audio: {tts: Press one or two.}
        defaultChildMenuRef: "./choices/menuDisconnect[bye]"
        choices:
          - menuDisconnect: {name: Bye, refId: bye, dtmf: digit_9}
          - menuJumpToTask: {name: Ask, dtmf: digit_1, targetTaskRef: "./tasks/task[ask]"}
          - menuTransferToAcd:
              name: Sales
              dtmf: digit_2
              targetQueue: {lit: {name: Sales}}
  tasks:
    - task:
        name: Ask
        refId: ask
        actions:
          - decision:
              name: Open?
              condition: {exp: Flow.alpha}
              outputs:
                yes:
                  actions:
                    - jumpToMenu: {name: Back, targetMenuRef: "/inboundCall/menus/menu[mainMenu]"}
                no: {}
          - disconnect: {name: End}
"""


def meaning(yaml: str) -> object:
    """The canonical form of an export."""
    ((root, body),) = load(yaml).items()
    return canonical(root, body)


def test_an_export_is_the_full_form(client: Client) -> None:
    exported = client.export(client.publish(MENU))
    flow = load(exported)["inboundCall"]
    assert list(flow)[:6] == ["name", "description", "division", "startUpRef", "defaultLanguage", "supportedLanguages"]
    assert (flow["description"], flow["division"]) == ("", "Home")
    assert flow["startUpRef"] == "/inboundCall/menus/menu[Main Menu_10]"
    assert flow["settingsErrorHandling"]["preHandlingAudio"]["tts"]
    assert flow["settingsActionDefaults"]["transferToFlowSecure"] == {"connectTimeout": {"lit": {"seconds": 15}}}
    assert [next(iter(item.values()))["name"] for item in flow["variables"]] == ["Flow.alpha", "Flow.zulu"]
    assert flow["variables"][1]["stringVariable"] == {
        "name": "Flow.zulu",
        "initialValue": {"noValue": True},
        "isInput": False,
        "isOutput": False,
    }
    menu = flow["menus"][0]["menu"]
    assert (menu["refId"], menu["trackingId"]) == ("Main Menu_10", 10)
    assert menu["defaultChildMenuRef"] == "/inboundCall/menus/menu[Main Menu_10]/choices/menuDisconnect[Bye_11]"
    bye, ask, sales = (next(iter(choice.values())) for choice in menu["choices"])
    assert (bye["globalDtmf"], bye["refId"]) == (False, "Bye_11")
    assert ask["targetTaskRef"] == "/inboundCall/tasks/task[Ask_14]"
    assert sales["languageSkill"] == sales["preferredAgents"] == {"noValue": True}
    decision = flow["tasks"][0]["task"]["actions"][0]["decision"]
    assert list(decision["outputs"]) == ["yes"]
    jump = decision["outputs"]["yes"]["actions"][0]["jumpToMenu"]
    assert jump["targetMenuRef"] == "/inboundCall/menus/menu[Main Menu_10]"
    assert '"yes":\n' in exported


def test_what_the_author_wrote_wins_over_defaults(client: Client) -> None:
    handling = "  settingsErrorHandling:\n    errorHandling:\n      queue:\n        targetQueue: {lit: {name: Sales}}\n"
    flow = load(client.export(client.publish(call_flow("Main", extra=handling))))["inboundCall"]
    assert flow["settingsErrorHandling"]["errorHandling"] == {"queue": {"targetQueue": {"lit": {"name": "Sales"}}}}
    assert "preHandlingAudio" in flow["settingsErrorHandling"]


def test_one_version_always_exports_alike_and_two_differ_in_noise_alone(client: Client) -> None:
    flow_id = client.publish(MENU)
    first = client.export(flow_id, "1.0")
    client.publish(MENU)
    second = client.export(flow_id)
    assert client.export(flow_id, "1.0") == first
    assert first != second
    assert meaning(first) == meaning(second)
    client.publish(MENU.replace("Press one", "Press 1"))
    assert meaning(client.export(flow_id, "3.0")) != meaning(first)
    # An export is itself a flow that can be published, and means the same.
    client.publish(first)
    assert meaning(client.export(flow_id)) == meaning(first)


def test_a_flow_is_shown_under_the_names_of_today(client: Client) -> None:
    target = client.publish(call_flow("Target"))
    client.publish(module("Speak"))
    main = client.publish(call_flow("Main", to_flow("Target") + calls("Speak") + to_queue("Sales")))
    client.put(f"/flows/{target}", {"name": "Destination"})
    client.put(f"/flows/{main}", {"name": "Front"})
    flow = load(client.export(main))["inboundCall"]
    assert flow["name"] == "Front"
    assert flow["tasks"][0]["task"]["actions"][0]["transferToFlow"]["targetFlow"] == {"name": "Destination"}
    assert client.version(main) == "1.0"


def test_several_flows_come_in_a_zip(client: Client) -> None:
    first, second = client.publish(call_flow("A")), client.publish(module("B"))
    client.post("/flows", {"name": "Empty", "type": "bot"})
    wanted = [
        {"flow": {"id": first, "version": "1.0"}, "fileName": "one"},
        {"flow": {"name": "B", "type": "COMMONMODULE"}},
        {"flow": {"id": second, "version": "published"}, "fileName": "one"},
        {"flow": {"id": second}, "fileName": "../up", "exportType": "Yaml"},
    ]
    files = unzip(client.download(wanted))
    assert sorted(files) == [".._up.yaml", "B_v1-0.yaml", "one (2).yaml", "one.yaml"]
    assert load(files["one.yaml"])["inboundCall"]["name"] == "A"
    assert load(files["B_v1-0.yaml"])["commonModule"]["name"] == "B"


def test_an_export_of_what_is_not_there_fails(client: Client) -> None:
    flow_id = client.publish(call_flow("A"))
    wanted = [{"flow": {"id": "0b8c1d3e-0000-4000-8000-000000000000"}}, {"flow": {"id": flow_id, "version": "7.0"}}]
    job = client.post("/flows/export/jobs", {"flows": wanted})
    assert job["status"] == "Registered"
    assert job["totalFlows"] == 2
    state = client.get(f"/flows/export/jobs/{job['id']}", expand="messages")
    assert state["status"] == "Failure"
    assert "downloadUrl" not in state
    texts = [message["text"] for message in state["messages"]]
    assert texts[0].startswith("could not find the flow with id")
    assert "7.0" in texts[1]
    assert client.refused("POST", "/flows/export/jobs", {"flows": []}) == (400, "bad.request")


def test_an_export_takes_its_time(client: Client) -> None:
    flow_id = client.publish(call_flow("A"))
    client.settings(export_seconds=60)
    job = client.post("/flows/export/jobs", {"flows": [{"flow": {"id": flow_id}}]})
    state = client.get(f"/flows/export/jobs/{job['id']}", expand="messages")
    assert (state["status"], state["messages"]) == ("Started", [])
    assert "downloadUrl" not in state
