"""``schema``: what an editor accepts, refuses and offers, with its own reading of YAML."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from editing import complaints
from jsonschema import Draft202012Validator

from reconciler.archy.control.behaviour import KNOWN_ACTIONS
from reconciler.kinds.registry import all_kinds, known_roots
from reconciler.specs import WorkingTree, load_catalog, load_environment, spec_paths

REPOSITORY = Path(__file__).parents[2]
CORPUS = REPOSITORY.parent / "shared" / "corpus"


@pytest.fixture(scope="module")
def schemas(tmp_path_factory):
    """Both files as an editor reads them."""
    folder = tmp_path_factory.mktemp("schemas")
    subprocess.run(
        [sys.executable, "-m", "reconciler", "schema", "--out", str(folder / "new")], check=True, capture_output=True
    )
    made = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "new").iterdir()}
    assert set(made) == {"environment.schema.json", "spec.schema.json"}
    for schema in made.values():
        Draft202012Validator.check_schema(schema)
    return made | {"folder": folder / "new"}


@pytest.fixture
def spec(schemas):
    return schemas["spec.schema.json"]


@pytest.fixture
def environment(schemas):
    return schemas["environment.schema.json"]


@pytest.fixture(scope="module")
def estate():
    source = WorkingTree(REPOSITORY)
    return load_catalog(source, load_environment(source, "local"))


def test_every_spec_of_the_example_is_valid_as_rendered(spec, estate):
    for resource in estate.resources.values():
        assert complaints(spec, resource.content.text) == [], resource.file


def test_the_example_is_valid_as_it_stands_in_the_editor(spec, environment):
    sources = {path: (REPOSITORY / path).read_text(encoding="utf-8") for path in spec_paths(WorkingTree(REPOSITORY))}
    plain = {path: text for path, text in sources.items() if "{%" not in text and "{{ voice." not in text}
    assert len(plain) > len(sources) / 3
    for path, text in plain.items():
        assert complaints(spec, text) == [], path
    for path in (REPOSITORY / "environments").glob("*.yaml"):
        if "." not in path.stem:
            assert complaints(environment, path.read_text(encoding="utf-8")) == [], path


def test_every_real_flow_is_valid(spec):
    files = [path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".yml", ".tftpl")]
    if not files:
        pytest.skip("the corpus of real flows is not on this machine (../shared/corpus)")
    read = 0
    for path in files:
        try:
            found = complaints(spec, path.read_text(encoding="utf-8-sig"))
        except yaml.YAMLError:
            continue  # Its substitutions make it no YAML before they are filled in.
        assert found == [], path
        read += 1
    assert read >= 48


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ivr: {name: A, openHourFlow: B}", "'openHourFlow' was unexpected"),
        ("ivr: {name: A, dnis: [4570101010]}", "ivr/dnis"),
        ('ivr: {name: A, dnis: ["45 70 10 10 10"]}', "ivr/dnis"),
        ("ivr: {dnis: []}", "'name' is a required property"),
        ("schedule: {name: A, start: x, ends: y}", "'ends' was unexpected"),
        ("scheduleGroup: {name: A, openSchedules: Weekdays}", "scheduleGroup/openSchedules"),
        ("irv: {name: A}", "'irv' was unexpected"),
        ("ivr: {name: A}\nschedule: {name: B, start: x, end: y}", "too many properties"),
        ("inboundCall: {description: A}", "'name' is a required property"),
        ("inboundCall:\n  name: A\n  tasks:\n    task: {name: B}", "inboundCall/tasks"),
        ("inqueueCall:\n  name: A\n  startUpTaskActions:\n    - disconnect:\n      name: B", "startUpTaskActions"),
    ],
)
def test_a_mistake_in_a_spec_is_refused_and_named(spec, text, complaint):
    assert complaint in " ".join(complaints(spec, text))


def test_a_mistake_in_one_of_several_documents_is_told_for_that_one(spec):
    good = "schedule: {name: A, start: x, end: y}\n---\n# nothing here\n---\n"
    assert complaints(spec, good) == []
    (complaint,) = complaints(spec, f"{good}ivr: {{name: A, scheduleGroups: B}}\n")
    assert "'scheduleGroups' was unexpected" in complaint


@pytest.mark.parametrize(
    "text",
    [
        "ivr:\n  name: {{ line.name | yaml }}\n  dnis: {{ numbers.sales | yaml }}\n  openHoursFlow: {{flow}}",
        'ivr:\n  name: "{{ line.name }}"\n  dnis: ["{{ number }}", {{ another | yaml }}]\n  division: null',
        "schedule:\n  name: A\n  start: {{ open.from | yaml }}\n  end: {{ open.to | yaml }}",
        "scheduleGroup:\n  name: A\n  openSchedules: {{ schedules | yaml }}",
        "# {% set greeting = [a, b] | join %}\ninboundCall:\n  name: {{ name }}\n  tasks: {{ tasks | yaml }}",
        'inboundCall:\n  name: A\n  supportedLanguages:\n    "{{ language }}": {none: true}\n  somethingNew: [{a: b}]',
        "workflow:\n  name: A\n  states:\n    - state:\n        actions:\n          - brandNewAction: {any: thing}",
    ],
)
def test_templates_and_what_is_new_in_flows_are_no_mistakes(spec, text):
    assert complaints(spec, text) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("variabels: {}", "'variabels' was unexpected"),
        ("org: {regoin: eu-west-1}", "'regoin' was unexpected"),
        ("policy: {on_drift: overwrit}", "policy/on_drift"),
        ("org: {sandbox: {seeds: a.yaml}}", "'seeds' was unexpected"),
        ("variables:\n  crm: {secret: hunter2}", "variables/crm/secret"),
        ("variables:\n  crm:\n    - {token: {secret: {env: A, value: b}}}", "'value' was unexpected"),
    ],
)
def test_a_mistake_in_an_environment_is_refused_and_named(environment, text, complaint):
    assert complaint in " ".join(complaints(environment, text))


def test_an_environment_may_leave_out_and_switch_off(environment):
    text = (
        "org: {region: null, sandbox: {seed: a.yaml}}\npolicy:\nvariables:\n  a.b: {secret: {env: A}}\n  c: [{d: 1}]\n"
    )
    assert complaints(environment, text) == []
    assert complaints(environment, "# nothing yet\n") == []
    inherits_the_rest = "extends: _base\ncredentials: {client_id: {}}\nwindows: {closed: [{date: 2026-12-24}]}\n"
    assert complaints(environment, inherits_the_rest) == []
    assert "'to' is a required" in " ".join(complaints(environment, 'windows: {open: [{from: "20:00"}]}'))


def test_another_validator_reads_the_files_as_well(schemas, tmp_path):
    tool = Path(sys.executable).parent / "check-jsonschema"
    written = tmp_path / "prod.yaml"
    for text, code in (("extends: _base\norg: {region: eu-west-1}\n", 0), ("extend: _base\n", 1)):
        written.write_text(text, encoding="utf-8")
        schema = schemas["folder"] / "environment.schema.json"
        done = subprocess.run(
            [tool, "--schemafile", schema, written], capture_output=True, text=True, env={"NO_COLOR": "1"}
        )
        assert done.returncode == code, done.stdout
        assert ("'extend' was unexpected" in done.stdout) == bool(code)


def test_editors_have_something_to_offer(spec):
    actions = spec["$defs"]["Actions"]["anyOf"][0]["items"]["properties"]
    assert set(actions) == KNOWN_ACTIONS
    assert all(spec["$defs"][name]["description"] for name in actions)
    assert set(spec["properties"]) == set(known_roots())
    for kind in all_kinds():
        for root in kind.roots:
            assert spec["properties"][root]["description"]
            if not kind.content_in_versions:
                assert spec["properties"][root]["additionalProperties"] is False
                assert all("description" in key for key in spec["properties"][root]["properties"].values())


def test_one_kind_alone_and_an_unknown_one(cli, tmp_path):
    assert set(cli("schema", "ivr").json["properties"]) == {"ivr"}
    assert cli("schema", "environment").json["properties"]["org"]["description"]
    unknown = cli("schema", "irv")
    assert unknown.code == 1
    assert "Did you mean `ivr`?" in unknown.err
    (tmp_path / "file").write_text("")
    refused = cli("schema", "--out", str(tmp_path / "file"))
    assert refused.code == 1
    assert "cannot be written there" in refused.err


def test_statements_in_comments_work_and_leave_the_file_readable(spec, tmp_path, monkeypatch, cli):
    """The spelling that docs/schemas-and-editors.md recommends."""
    line = (
        '# {% import "_macros.yaml.j2" as voice %}\n'
        '# {% set opening = [wording.welcome, wording.hours] | join(" ") %}\n'
        "inboundCall:\n"
        "  name: Main\n"
        '  startUpRef: "/inboundCall/tasks/task[Main_10]"\n'
        "  defaultLanguage: {{ language }}\n"
        "  supportedLanguages:\n"
        '    "{{ language }}": {defaultLanguageSkill: {noValue: true}}\n'
        "  initialGreeting:\n"
        "    tts: {{ opening | yaml }}\n"
        '  # {% include "_settings.yaml.j2" %}\n'
        "  tasks:\n"
        "    - task:\n"
        "        name: Main\n"
        "        refId: Main_10\n"
        "        actions:\n"
        '          # {{ voice.say("Goodbye") | indent(10) }}\n'
        "          - disconnect: {name: End}\n"
    )
    files = {
        "environments/local.yaml": "org: {sandbox: {}}\nvariables:\n  language: en-gb\n"
        "  wording: {welcome: 'Say \"hello\":', hours: nine}\n",
        "shared/_macros.yaml.j2": "{% macro say(text) %}\n- playAudio:\n    name: Say it\n    audio:\n"
        "      tts: {{ text | yaml }}\n{%- endmacro %}\n",
        "shared/_settings.yaml.j2": "{# The settings of all our flows. #}\n"
        "  settingsErrorHandling:\n    errorHandling:\n      disconnect: {none: true}\n",
        "flows/main.yaml": line,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    checked = cli("validate", "--env", "local", "--format", "json")
    assert (checked.code, checked.json["findings"]) == (0, [])
    source = WorkingTree(tmp_path)
    body = load_catalog(source, load_environment(source, "local")).resources["inboundCall/Main"].content.body
    assert body["initialGreeting"]["tts"] == 'Say "hello": nine'
    assert body["settingsErrorHandling"]["errorHandling"] == {"disconnect": {"none": True}}
    assert [next(iter(action)) for action in body["tasks"][0]["task"]["actions"]] == ["playAudio", "disconnect"]
    assert complaints(spec, line) == []


def test_smoke_tests_have_a_strict_schema_of_their_own(cli):
    schema = cli("schema", "smokeTest").json
    Draft202012Validator.check_schema(schema)
    text = (REPOSITORY / "tests/smoke/look-up-customer.yaml").read_text(encoding="utf-8")
    assert complaints(schema, text) == []
    assert len(complaints(schema, text.replace("inputData:", "inputdata:", 1))) == 1
    assert len(complaints(schema, text.replace("outputData:", "outputs:", 1))) >= 1
    assert schema["properties"]["smokeTest"]["properties"]["flow"]["description"].startswith("Name of the workflow")
