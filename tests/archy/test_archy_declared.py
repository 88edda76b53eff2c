import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.canonical import canonical
from reconciler.archy.declared import declared_only
from reconciler.archy.yaml import load

SPEC = """
inboundCall:
  name: Hello
  startUpRef: ./tasks/task[main]
  initialGreeting: {noValue: true}
  tasks:
    - task:
        name: Main
        refId: main
        actions:
          - playAudio:
              name: Greet
              audio: {tts: Hello}
          - decision:
              name: Open?
              condition: {exp: Flow.Open}
              outputs:
                yes:
                  actions:
                    - transferToAcd: {name: Go, targetQueue: {lit: {name: Sales}}}
          - disconnect: {name: Bye}
"""

ACTIONS = ("tasks", 0, "task", "actions")
EXPORT = """
inboundCall:
  name: Hello
  description: ""
  division: Home
  startUpRef: "/inboundCall/tasks/task[Main_12]"
  defaultLanguage: en-us
  supportedLanguages: {en-us: {defaultLanguageSkill: {noValue: true}}}
  settingsPrompts: {ensureAudioInPrompts: false}
  tasks:
    - task:
        name: Main
        refId: Main_12
        trackingId: 12
        variables: []
        actions:
          - playAudio:
              name: Greet
              trackingId: 13
              audio: {tts: Hello}
              preHandling: {noValue: true}
          - decision:
              name: Open?
              trackingId: 14
              condition: {exp: Flow.Open}
              outputs:
                yes:
                  actions:
                    - transferToAcd:
                        name: Go
                        targetQueue: {lit: {name: Sales}}
                        priority: {lit: 0}
                        languageSkill: {noValue: true}
          - disconnect: {name: Bye, trackingId: 15}
"""


def form(text: str) -> Any:
    ((root, body),) = load(text).items()
    return canonical(root, body)


def reduced(export: str) -> Any:
    return declared_only(form(SPEC), form(export))


def test_defaults_of_the_export_do_not_show() -> None:
    assert reduced(EXPORT) == form(SPEC)


@pytest.mark.parametrize(
    ("old", "new", "path", "value"),
    [
        ("tts: Hello", "tts: Hi", (*ACTIONS, 0, "playAudio", "audio"), {"tts": "Hi"}),
        ("audio: {tts: Hello}", "audio: {prompt: P}", (*ACTIONS, 0, "playAudio", "audio"), {"prompt": "P"}),
        ("name: Hello", "name: Hej", ("name",), "Hej"),
        ("{name: Bye, trackingId: 15}", "{name: Gone, extra: 1}", (*ACTIONS, 2), {"disconnect": {"name": "Gone"}}),
        (
            "- disconnect: {name: Bye, trackingId: 15}",
            "- wait: {name: W, extra: 1}",
            (*ACTIONS, 2),
            {"wait": {"name": "W", "extra": 1}},
        ),
    ],
)
def test_real_differences_show(old: str, new: str, path: tuple[str | int, ...], value: Any) -> None:
    changed = reduced(EXPORT.replace(old, new, 1))["inboundCall"]
    assert changed != form(SPEC)["inboundCall"]
    for step in path:
        changed = changed[step]
    assert changed == value


def test_an_inserted_action_shows_whole_and_alone() -> None:
    extra = "          - wait: {name: Wait, duration: {lit: {seconds: 3}}}\n"
    place = EXPORT.index("          - decision:")
    actions = reduced(EXPORT[:place] + extra + EXPORT[place:])["inboundCall"]["tasks"][0]["task"]["actions"]
    wanted = form(SPEC)["inboundCall"]["tasks"][0]["task"]["actions"]
    assert actions == [wanted[0], {"wait": {"name": "Wait", "duration": {"lit": {"seconds": 3}}}}, *wanted[1:]]


def test_a_removed_action_shows_alone() -> None:
    wanted = form(SPEC)["inboundCall"]["tasks"][0]["task"]["actions"]
    place, end = EXPORT.index("          - playAudio:"), EXPORT.index("          - decision:")
    actions = reduced(EXPORT[:place] + EXPORT[end:])["inboundCall"]["tasks"][0]["task"]["actions"]
    assert actions == wanted[1:]


def test_what_the_export_lacks_stays_a_difference() -> None:
    assert declared_only({"a": {"lit": 1}, "b": {"noValue": True}}, {"c": 2}) == {"b": {"noValue": True}}


def test_real_flows_against_their_full_form(corpus: dict[str, Any]) -> None:
    """What Architect adds never shows: every mapping of the export gets a field more."""

    def grown(value: Any) -> Any:
        if isinstance(value, dict):
            more = {} if len(value) == 1 else {"addedByArchitect": {"noValue": True}}
            return {key: grown(item) for key, item in value.items()} | more
        return [grown(item) for item in value] if isinstance(value, list) else value

    for name, document in corpus.items():
        ((root, body),) = document.items()
        spec = canonical(root, body)
        assert declared_only(spec, grown(spec)) == spec, name


TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "lit", "a", "b", "noValue"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(TREES)
def test_a_document_declares_all_of_itself(tree: Any) -> None:
    assert declared_only(tree, tree) == tree


@given(TREES, TREES)
def test_nothing_is_changed_in_place(spec: Any, export: Any) -> None:
    before = copy.deepcopy((spec, export))
    once = declared_only(spec, export)
    assert (spec, export) == before
    assert declared_only(spec, once) == once
