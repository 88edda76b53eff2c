"""Smoke tests as they are written: which files count, what is wrong with them, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.problems import SpecError
from reconciler.specs import Catalog, WorkingTree, load_catalog, load_environment

FLOW = """\
workflow:
  name: Look Up
  startUpRef: "/workflow/states/state[Start_1]"
  variables:
    - stringVariable: {name: Flow.number, initialValue: {noValue: true}, isInput: true, isOutput: false}
    - integerVariable: {name: Flow.count, initialValue: {noValue: true}, isInput: true, isOutput: false}
    - decimalVariable: {name: Flow.share, initialValue: {noValue: true}, isInput: true, isOutput: false}
    - jsonVariable: {name: Flow.more, initialValue: {noValue: true}, isInput: true, isOutput: true}
    - stringVariable: {name: Flow.name, initialValue: {noValue: true}, isInput: false, isOutput: true}
    - booleanVariable: {name: Flow.known, initialValue: {noValue: true}, isInput: false, isOutput: true}
  states:
    - state: {name: Start, refId: Start_1, actions: [{endWorkflow: {name: End, exitReason: {noValue: true}}}]}
---
inboundCall:
  name: Sales
  startUpRef: "/inboundCall/tasks/task[Main_1]"
  tasks: [{task: {name: Main, refId: Main_1, actions: [{disconnect: {name: Bye}}]}}]
"""
SOUND = """\
smokeTest:
  name: It works
  flow: Look Up
  inputData:
    Flow.number: "+441632960001"
  expect:
    outputData:
      Flow.name: Rhys
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "environments/test.yaml", "org: {region: eu-west-1}\nvariables: {token: {secret: {env: TOKEN}}}\n")
    write(tmp_path, "flows/flows.yaml", FLOW)
    return tmp_path


def write(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")


def read(folder: Path) -> Catalog:
    source = WorkingTree(folder)
    return load_catalog(source, load_environment(source, "test"), tests=True)


def wrong(folder: Path, text: str) -> list[tuple[str, int | None, str]]:
    """Id, line and words of every error that a file of tests brings."""
    write(folder, "tests/smoke/it.yaml", text)
    with pytest.raises(SpecError) as raised:
        read(folder)
    errors = [each for each in raised.value.findings if each.severity == "error"]
    assert {each.file for each in errors} == {"tests/smoke/it.yaml"}
    return [(each.id, each.line, f"{each.message} {each.remedy}") for each in errors]


def test_only_files_with_the_root_key_are_smoke_tests(folder):
    write(folder, "tests/smoke/it.yaml", SOUND)
    write(folder, "tests/more/deep/other.yml", SOUND.replace("It works", "It works too"))
    write(folder, "tests/_shared/no.yaml", "smokeTest: [\n")
    write(folder, "tests/fixture.yaml", "inboundCall: {{ nothing\n")
    write(folder, "tests/smoke/list.yaml", "- smokeTest: {}\n")
    write(folder, "flows/_notes.yaml", "smokeTest: {}\n")
    (folder / "tests/latin.yaml").write_bytes(b"smokeTest: \xe9\n")
    catalog = read(folder)
    assert [(test.name, test.flow, test.file) for test in catalog.smoke_tests] == [
        ("It works too", "workflow/Look Up", "tests/more/deep/other.yml"),
        ("It works", "workflow/Look Up", "tests/smoke/it.yaml"),
    ]


def test_tests_are_no_part_of_the_digest_and_of_no_interest_to_other_commands(folder):
    before = read(folder).digest
    write(folder, "tests/smoke/it.yaml", SOUND)
    assert read(folder).digest == before
    write(folder, "tests/smoke/it.yaml", "smokeTest: {}\n")
    source = WorkingTree(folder)
    assert load_catalog(source, load_environment(source, "test")).smoke_tests == ()


def test_files_are_rendered_like_specs(folder):
    loop = (
        "{% for number in [1, 2] %}\n---\nsmokeTest:\n  name: Number {{ number }}\n  flow: workflow/Look Up\n"
        "  inputData: {Flow.number: {{ token | yaml }}}\n  timeout: {{ 10 * number }}\n{% endfor %}\n"
    )
    write(folder, "tests/smoke/it.yaml", loop)
    first, second = read(folder).smoke_tests
    assert (first.name, second.name, second.timeout) == ("Number 1", "Number 2", 20)
    assert (first.inputs, first.secrets) == ({"Flow.number": "(secret token)"}, ("token",))


@pytest.mark.parametrize(
    ("old", "new", "id_", "line", "says"),
    [
        ("  flow: Look Up\n", "", "missing-key", 1, "A smoke test needs `flow`."),
        ("  inputData:", "  inputdata:", "unknown-key", 4, "Did you mean `inputData`?"),
        ("    outputData:", "    outputs:", "unknown-key", 7, "Known keys here: status, outputData."),
        ("  name: It works", "  name: ''", "bad-value", 2, "smokeTest.name must not be empty."),
        ("  expect:", "  timeout: 0\n  expect:", "bad-value", 6, "must be at least 1, not 0"),
        ("    outputData:", "    status: DONE\n    outputData:", "bad-value", 7, "must be COMPLETED, FAILED, ERROR or"),
        ("smokeTest:", "smokeTests:", "not-a-smoke-test", 1, "Write `smokeTest:`"),
        ("smokeTest:", "smoke_test:", "not-a-smoke-test", 1, "Write `smokeTest:`"),
        ("smokeTest:\n", "smokeTest:\n  name: [\n", "yaml-syntax", None, ""),
        (
            "Look Up",
            "Look Out",
            "unknown-flow",
            3,
            "There is no workflow/Look Out in the specs. Did you mean `Look Up`?",
        ),
        ("Look Up", "Sales", "not-a-workflow", 3, "inboundCall/Sales is no workflow"),
        ("Look Up", "inboundCall/Sales", "not-a-workflow", 3, "inboundCall/Sales is no workflow"),
        ("Flow.number:", "Flow.Number:", "unknown-input", 5, "has no input 'Flow.Number'. Did you mean `Flow.number`"),
        ("Flow.number:", "Flow.known:", "unknown-input", 5, "Flow.known is no input of workflow/Look Up."),
        ("Flow.name: Rhys", "Flow.number: x", "unknown-output", 8, "Flow.number is no output of workflow/Look Up."),
        ('"+441632960001"', "+441632960001", "wrong-type", 5, "cannot be the number 441632960001. Put it in double"),
        ("Flow.number:", "Flow.count:", "wrong-type", 5, "is a whole number, and cannot be text."),
        ("Flow.name: Rhys", "Flow.known: 1", "wrong-type", 8, "is true or false, and cannot be the number 1."),
        ("Flow.name: Rhys", "Flow.name: true", "wrong-type", 8, "is text, and cannot be true."),
        ("Rhys", "", "bad-expectation", 8, "for an output that must not be set, {absent: true}"),
        ("Rhys", "{match: x}", "bad-expectation", 8, "Did you mean `matches`?"),
        ("Rhys", "{present: false}", "bad-expectation", 8, "present must be true."),
        ("Rhys", "{equals: x, matches: y}", "bad-expectation", 8, "is none of {equals: …}"),
        ("Rhys", "{matches: '['}", "bad-expectation", 8, "is no regular expression"),
        ("    outputData:", "    status: FAILED\n    outputData:", "outputs-without-completion", 8, "ends as FAILED"),
        ("name: It works", "name: It {{ token }}", "secret-in-name", 2, "The secret token stands in a name"),
        ("Rhys", "{matches: '{{ token }}'}", "secret-in-name", 8, "a name or a pattern"),
        ("Look Up", "{{ nothing }}", "undefined-variable", 3, "nothing"),
    ],
)
def test_mistakes_are_told_with_their_place(folder, old, new, id_, line, says):
    assert old in SOUND
    ((found, place, words),) = wrong(folder, SOUND.replace(old, new, 1))
    assert (found, says in words) == (id_, True), words
    assert line is None or place == line


def test_values_of_every_type_can_be_given_and_expected(folder):
    text = SOUND.replace(
        '    Flow.number: "+441632960001"\n',
        "    Flow.count: 3\n    Flow.share: 1\n    Flow.more: {any: [1, x]}\n",
    ).replace("Flow.name: Rhys", "Flow.known: false\n      Flow.more: {equals: {any: thing}}")
    write(folder, "tests/smoke/it.yaml", text)
    (test,) = read(folder).smoke_tests
    assert [(each.output, each.how, each.value) for each in test.outputs] == [
        ("Flow.known", "equals", False),
        ("Flow.more", "equals", {"any": "thing"}),
    ]


def test_all_mistakes_are_told_together_with_those_of_the_specs(folder):
    write(folder, "flows/broken.yaml", "ivr: {nme: x}\n")
    write(folder, "tests/smoke/it.yaml", f"{SOUND}---\n{SOUND.replace('Look Up', 'Look Out')}---\nsmokeTest: 1\n")
    with pytest.raises(SpecError) as raised:
        read(folder)
    found = {(each.id, each.file, each.line) for each in raised.value.findings if each.severity == "error"}
    assert {file for _, file, _ in found} == {"flows/broken.yaml", "tests/smoke/it.yaml"}
    assert {each for each in found if each[1] == "tests/smoke/it.yaml"} == {
        ("duplicate-smoke-test", "tests/smoke/it.yaml", 11),
        ("unknown-flow", "tests/smoke/it.yaml", 12),
        ("bad-value", "tests/smoke/it.yaml", 19),
    }
