import math
import time
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.archy.yaml import YamlError, load, load_documents, locate

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff\ufffe\uffff"))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20
)


def quoted(value: Any) -> str:
    """Flow style YAML with every string in double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {quoted(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(quoted, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "Off",
        "y",
        "12:30",
        "2026-11-20",
        "0123",
        "-007",
        "00.5",
        "1_000",
        "0b1",
        "1e",
        "+",
        "tRUE",
        "=",
        "0o9",
    ],
)
def test_what_other_readers_convert_stays_text(text: str) -> None:
    assert load(f"key: {text}") == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("Null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+45", 45),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_core_types(text: str, value: object) -> None:
    loaded = load(f"key: {text}")["key"]
    assert loaded == value
    assert type(loaded) is type(value)


def test_nan() -> None:
    assert math.isnan(load("key: .NaN")["key"])


def test_integers_too_long_for_a_number_stay_text() -> None:
    assert load("key: " + "9" * 5000) == {"key": "9" * 5000}


def test_quoted_scalars_are_text() -> None:
    assert load("""a: "1"\nb: 'true'\nc: ''\nd: |\n  5\n""") == {"a": "1", "b": "true", "c": "", "d": "5\n"}


def test_keys_are_text_as_written() -> None:
    assert load("1: a\ntrue: b\nnull: c\nyes: d\n1.50: e\n") == {
        "1": "a",
        "true": "b",
        "null": "c",
        "yes": "d",
        "1.50": "e",
    }


def test_core_tags() -> None:
    assert load("a: !!str 5\nb: !!float 5\nc: !!seq []\nd: !!map {}\n") == {"a": "5", "b": 5.0, "c": [], "d": {}}


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, 'key "a" stands twice'),
        ('a:\n  x: 1\n  "x": 2\n', 3, 3, 'key "x" stands twice'),
        ("base: &b {x: 1}\nuse:\n  <<: *b\n", 3, 3, "Merge keys"),
        ("a: !include x\n", 1, 4, "no tag !include"),
        ("a: !!binary x\n", 1, 4, "no tag !!binary"),
        ("a: !!int x\n", 1, 4, "tagged !!int"),
        ("a: &x\n  - *x\n", 2, 5, "inside the value that it refers to"),
        ("a: *gone\n", 1, 4, "no anchor &gone"),
        ("[a, b]: 1\n", 1, 1, "key must be plain text"),
        ("a:\n\t- b\n", 2, 1, "no YAML"),
        ("a: 'open\n", 2, 1, "no YAML"),
        ("å: 1\nb: \x07\n", 2, 4, "character"),
        ("a: \ud800\n", 1, 4, "character"),
    ],
)
def test_errors_say_what_and_where(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(YamlError, match=says) as caught:
        load(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["a: 1\na: 2", "a: !x 1", "<<: 1", "a: b: c", "\ta: 1", "a: @b", "a: [", "? [1]"])
def test_errors_say_what_to_do(text: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    assert caught.value.remedy


def test_aliases_become_copies() -> None:
    loaded = load("a: &x {list: [1]}\nb: *x\nc: &name word\nd: *name\n")
    assert loaded == {"a": {"list": [1]}, "b": {"list": [1]}, "c": "word", "d": "word"}
    assert loaded["a"] is not loaded["b"]


def test_alias_bombs_are_refused_before_they_are_expanded() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    started = time.process_time()
    with pytest.raises(YamlError, match="stand for more than"):
        load("\n".join(lines))
    assert time.process_time() - started < 2


def test_aliases_cannot_build_what_is_too_deep_to_write() -> None:
    lines = ["l0: &l0 [x]"] + [f"l{n}: &l{n} [*l{n - 1}]" for n in range(1, 300)]
    with pytest.raises(YamlError, match="nested more than"):
        load("\n".join(lines))


def test_depth_is_bounded() -> None:
    assert load("[" * 150 + "]" * 150)
    with pytest.raises(YamlError, match="nested more than"):
        load("[" * 400 + "]" * 400)


STREAM = """# shared
ivr:
  name: A   # kept
---
# nothing here
--- # a remark
- x
...
---

# about b
ivr: {name: B}\r
tail: "æøå 😀"
"""


def test_documents_keep_their_own_text_and_line() -> None:
    first, second, third = load_documents(STREAM)
    assert first.data == {"ivr": {"name": "A"}}
    assert first.text == "# shared\nivr:\n  name: A   # kept\n"
    assert first.line == 2
    assert second.data == ["x"]
    assert second.text == " # a remark\n- x\n"
    assert second.line == 7
    assert third.data == {"ivr": {"name": "B"}, "tail": "æøå 😀"}
    assert third.text.endswith('# about b\nivr: {name: B}\r\ntail: "æøå 😀"\n')
    assert third.line == 12


def test_byte_order_mark() -> None:
    first, second = load_documents("\ufeffa: 1\n---\nb: 2\n")
    assert (first.data, first.text, first.line) == ({"a": 1}, "a: 1\n", 1)
    assert (second.data, second.text, second.line) == ({"b": 2}, "b: 2\n", 3)
    assert locate("\ufeffa: 1\nb: 2", ("b",)) == (2, 1)


def test_empty_streams() -> None:
    assert load_documents("") == load_documents("# only a remark\n---\n---\n") == []
    assert load("") is None
    assert load("--- ''\n") == ""


def test_load_refuses_a_second_document() -> None:
    with pytest.raises(YamlError, match="more than one") as caught:
        load("a: 1\n---\nb: 2\n")
    assert caught.value.line == 3


FLOW = """# remark
inboundCall:
  name: "Å"
  tasks:
    - task:
        name: One
        actions: &list
          - disconnect: {name: Bye, "odd key": 1}
    - task: {actions: *list}
---
1: x
"""


@pytest.mark.parametrize(
    ("path", "document", "place"),
    [
        ((), 0, (2, 1)),
        (("inboundCall",), 0, (2, 1)),
        (("inboundCall", "name"), 0, (3, 3)),
        (("inboundCall", "tasks", 0), 0, (5, 7)),
        (("inboundCall", "tasks", 0, "task", "actions", 0, "disconnect", "odd key"), 0, (8, 37)),
        (("inboundCall", "tasks", 1, "task", "actions", 0), 0, (9, 14)),
        (("inboundCall", "tasks", 9, "task"), 0, (4, 3)),
        (("inboundCall", "name", "deeper", 1), 0, (3, 3)),
        (("1",), 1, (11, 1)),
        ((1,), 1, (11, 1)),
        (("a",), 7, (1, 1)),
    ],
)
def test_locate(path: tuple[str | int, ...], document: int, place: tuple[int, int]) -> None:
    assert locate(FLOW, path, document=document) == place


def test_locate_works_up_to_an_error_behind_the_place() -> None:
    assert locate("a: 1\nb: [", ("a",)) == (1, 1)


@given(TREES)
def test_reads_back_what_was_written_quoted(tree: Any) -> None:
    assert load(quoted(tree)) == tree


@given(st.text())
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    refusal, documents = None, []
    try:
        documents = load_documents(text)
    except YamlError as error:
        refusal = error
    if refusal:
        assert 1 <= refusal.line <= len(text) + 1
        assert refusal.column >= 1
    assert all(document.text in text for document in documents)


@given(st.lists(TREES.filter(lambda tree: tree is not None), min_size=1, max_size=4))
def test_a_document_reads_alone_as_in_its_stream(trees: list[Any]) -> None:
    stream = "".join(f"---\n{quoted(tree)}\n" for tree in trees)
    documents = load_documents(stream)
    assert [document.data for document in documents] == trees
    assert [load(document.text) for document in documents] == trees


@given(TREES)
def test_every_place_can_be_located(tree: Any) -> None:
    text = pyyaml.safe_dump({"root": tree}, allow_unicode=True)
    assert locate(text, ("root",)) == (1, 1)
    if isinstance(tree, dict):
        for key in tree:
            line, column = locate(text, ("root", key))
            assert 1 <= line <= len(text)
            assert column >= 1


def test_real_flows_are_one_document_each(corpus_texts: dict[str, str]) -> None:
    assert len(corpus_texts) >= 50
    for name, text in corpus_texts.items():
        (document,) = load_documents(text)
        assert document.text == text, name
        assert len(document.data) == 1, name


def test_real_flows_load_as_pyyaml_reads_their_text(corpus_texts: dict[str, str]) -> None:
    """Same shape and same strings as PyYAML without any typing of scalars."""

    def compare(ours: Any, theirs: Any) -> None:
        if isinstance(ours, dict):
            assert list(ours) == list(theirs)
            for key, item in ours.items():
                compare(item, theirs[key])
        elif isinstance(ours, list):
            assert len(ours) == len(theirs)
            for one, other in zip(ours, theirs, strict=True):
                compare(one, other)
        elif isinstance(ours, str):
            assert ours == theirs

    for text in corpus_texts.values():
        compare(load(text), pyyaml.load(text, Loader=pyyaml.BaseLoader))


def test_loading_is_fast(corpus_texts: dict[str, str]) -> None:
    text = "\n---\n".join(list(corpus_texts.values()) * 7)
    started = time.process_time()
    load_documents(text)
    assert (time.process_time() - started) / len(text) * 8_000_000 < 5
