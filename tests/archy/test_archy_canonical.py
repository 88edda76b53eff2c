import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.canonical import canonical, canonical_digest, digest
from reconciler.archy.yaml import load

KEYS = st.sampled_from(
    [
        "name",
        "lit",
        "exp",
        "actions",
        "outputs",
        "yes",
        "true",
        "refId",
        "trackingId",
        "targetTaskRef",
        "startUpRef",
        "task",
        "tasks",
        "variables",
        "description",
        "isInput",
        "endTask",
        "outputPath",
        "evaluationTimeZone",
        "intents",
        "intent",
        "enabled",
        "settingsNaturalLanguageUnderstanding",
        "utterances",
        "referencedObjects",
    ]
) | st.text(max_size=3)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["task[a]", "./x/task[a_1]", "a_1", "default"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


def same(one: str, other: str) -> bool:
    ((root, body),) = load(one).items()
    ((other_root, other_body),) = load(other).items()
    return canonical(root, body) == canonical(other_root, other_body)


def shuffled(value: Any) -> Any:
    """The same tree with the keys of every mapping in reverse order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def renumbered(value: Any) -> Any:
    """The same flow as another org exports it: other tracking ids, in refIds too."""
    if isinstance(value, dict):
        other = {key: renumbered(item) for key, item in value.items()}
        if isinstance(other.get("refId"), str):
            other["refId"] += "_77"
            other["trackingId"] = 77
        for key, item in other.items():
            if key.endswith("Ref") and isinstance(item, str):
                other[key] = item[:-1] + "_77]"
        return other
    return [renumbered(item) for item in value] if isinstance(value, list) else value


START = (
    "workflow: {{startUpRef: './x/task[{0}]', "
    "tasks: [{{task: {{name: {1}, refId: '1'}}}}, {{task: {{name: {2}, refId: '2'}}}}]}}"
)
ACTION = "workflow: {{name: W, states: [{{state: {{name: S, refId: S_1, actions: [{0}]}}}}]}}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("workflow: {name: W}", "workflow: {name: W, description: ''}"),
        ("workflow: {name: W}", "workflow: {name: W, trackingId: 5, referencedObjects: {flows: []}}"),
        ("inqueueCall: {name: W}", "inQueueCall: {name: W}"),
        ("workflow: {name: 'W', n: 1.0}", 'workflow: {n: 1, name: "W"}'),
        (
            "workflow: {variables: [{stringVariable: {name: b}}, {queueVariable: {name: a, isInput: false}}]}",
            "workflow: {variables: [{queueVariable: {name: a}}, {stringVariable: {name: b, isOutput: false}}]}",
        ),
        (ACTION.format("{decision: {name: d}}"), ACTION.format("{decision: {name: d, outputs: {}}}")),
        (
            ACTION.format("{decision: {name: d}}"),
            ACTION.format("{decision: {name: d, outputs: {yes: {actions: []}, no: }}}"),
        ),
        (
            ACTION.format("{decision: {name: d, outputs: {yes: {actions: [{x: {}}]}}}}"),
            ACTION.format("{decision: {name: d, outputs: {true: {actions: [{x: {}}], enabled: true}}}}"),
        ),
        (ACTION.format("{endTask: {name: e}}"), ACTION.format("{endTask: {name: e, outputPath: {name: Default}}}")),
        (
            ACTION.format("{x: {evaluationTimeZone: Europe/Oslo}}"),
            ACTION.format("{x: {evaluationTimeZone: {lit: Europe/Oslo}}}"),
        ),
        (
            ACTION.format("{x: {emergencyGroup: {lit: {name: E}}}}"),
            ACTION.format("{x: {emergencyGroup: {lit: {name: E}, name: E}}}"),
        ),
        (
            "workflow: {startUpRef: '/workflow/states/state[S_10]', states: [{state: {name: S, refId: S_10}}]}",
            "workflow: {startUpRef: './states/state[mine]', states: [{state: {name: S, refId: mine}}]}",
        ),
        (
            "botFlow: {settingsNaturalLanguageUnderstanding: {nluDomainVersion: {intents: [{name: b}, {name: a}]}}}",
            "bot: {settingsNaturalLanguageUnderstanding: {nluDomainVersion: {intents: [{name: a}, {name: b}]}}}",
        ),
    ],
)
def test_noise(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("workflow: {name: W}", "workflow: {name: W, description: x}"),
        ("workflow: {name: '1'}", "workflow: {name: 1}"),
        ("workflow: {name: W}", "inboundCall: {name: W}"),
        ("workflow: {v: [{stringVariable: {name: a, isInput: true}}]}", "workflow: {v: [{stringVariable: {name: a}}]}"),
        (ACTION.format("{a: {}}, {b: {}}"), ACTION.format("{b: {}}, {a: {}}")),
        (ACTION.format("{endTask: {name: e}}"), ACTION.format("{endTask: {name: e, outputPath: {name: Success}}}")),
        (
            ACTION.format("{x: {outputs: {a: {enabled: false, actions: [{y: {}}]}}}}"),
            ACTION.format("{x: {outputs: {a: {actions: [{y: {}}]}}}}"),
        ),
        (ACTION.format("{x: {transcription: {enabled: true}}}"), ACTION.format("{x: {transcription: {}}}")),
        (
            ACTION.format("{callData: {inputs: {trackingId: {lit: 1}, description: {lit: ''}}}}"),
            ACTION.format("{callData: {inputs: {}}}"),
        ),
        (
            START.format(1, "A", "B"),
            START.format(2, "A", "B"),
        ),
        (
            START.format(1, "A", "A"),
            START.format(2, "A", "A"),
        ),
        (
            "botFlow: {settingsNaturalLanguageUnderstanding: {u: [{segments: [{text: a}, {text: b}]}]}}",
            "botFlow: {settingsNaturalLanguageUnderstanding: {u: [{segments: [{text: b}, {text: a}]}]}}",
        ),
    ],
)
def test_differences_that_matter(one: str, other: str) -> None:
    assert not same(one, other)


def test_the_original_is_left_alone(front_door: str) -> None:
    body = load(front_door)["inboundCall"]
    before = copy.deepcopy(body)
    canonical("inboundCall", body)
    assert body == before


def test_digest_is_of_the_meaning() -> None:
    assert digest({"b": 1, "a": "æ"}) == digest({"a": "æ", "b": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert digest({"b": [1], "a": "æ"}) == "bd09504ccca3727a73559cafbabff5d6333fe467ff7a45288e3752f42608f296"
    assert canonical_digest("bot", {"name": "x"}) == digest({"botFlow": {"name": "x"}})


def test_two_exports_of_one_flow_are_equal(corpus: dict[str, Any]) -> None:
    for name, document in corpus.items():
        ((root, body),) = document.items()
        form = canonical(root, body)
        assert canonical(root, renumbered(body)) == form, name
        assert canonical(root, shuffled(body)) == form, name
        assert digest(canonical(root, shuffled(body))) == digest(form), name
        assert canonical(root, form[next(iter(form))]) == form, name


def test_layout_of_the_text_means_nothing(corpus_texts: dict[str, str]) -> None:
    for name, text in corpus_texts.items():
        ((root, body),) = load(text).items()
        other = "# remark\n---\n" + json.dumps({root: body}, ensure_ascii=False, indent=3) + "\n# end\n"
        ((other_root, other_body),) = load(other).items()
        assert canonical_digest(root, body) == canonical_digest(other_root, other_body), name


def test_real_flows_keep_no_refids(corpus: dict[str, Any]) -> None:
    for name, document in corpus.items():
        ((root, body),) = document.items()
        text = json.dumps(canonical(root, body))
        assert '"refId"' not in text, name
        assert 'Ref": "/' not in text, name
        assert 'Ref": "./' not in text, name


@given(TREES)
def test_canonical_of_canonical_is_itself(tree: Any) -> None:
    form = canonical("workflow", tree)
    assert canonical("workflow", form["workflow"]) == form
    assert len(digest(form)) == 64
    json.dumps(form, allow_nan=False)


@given(TREES)
def test_key_order_means_nothing(tree: Any) -> None:
    assert digest(canonical("workflow", shuffled(tree))) == digest(canonical("workflow", tree))


def test_canonical_is_fast(corpus: dict[str, Any]) -> None:
    size = len(json.dumps(list(corpus.values())))
    started = time.process_time()
    for document in corpus.values():
        for root, body in document.items():
            canonical_digest(root, body)
    assert (time.process_time() - started) / size * 8_000_000 < 6
