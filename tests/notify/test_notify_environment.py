"""``notify:`` of an environment file: what is wrong is told with file and line, and never with the address."""

from __future__ import annotations

import json

import pytest
from editing import complaints

from reconciler.notify.targets import target_of, unset_findings
from reconciler.problems import SpecError
from reconciler.specs import WorkingTree, environment_schema, load_environment


def load(tmp_path, notify, base=None):
    folder = tmp_path / "environments"
    folder.mkdir(exist_ok=True)
    extends = "extends: _base\n" if base else ""
    (folder / "test.yaml").write_text(f"{extends}org: {{region: eu-west-2}}\n{notify}", encoding="utf-8")
    if base:
        (folder / "_base.yaml").write_text(base, encoding="utf-8")
    return load_environment(WorkingTree(tmp_path), "test")


WRONG = [
    ("{ops: {}}", 2, "The hook ops has neither url nor handler."),
    ("{ops: {url: {env: A}, handler: desk}}", 2, "The hook ops has both url and handler."),
    ("{ops: {handler: desk, format: json}}", 2, "notify.ops.format has no meaning for a handler."),
    ("{ops: {url: {env: A}, format: slack, secret: {env: B}}}", 2, "notify.ops.secret has no meaning for slack."),
    ("{ops: {url: 'https://hooks.example.com/x', format: slack}}", 2, "is as good as a password"),
    ("{ops: {url: 'http://hooks.example.com/x'}}", 2, "is plain http, which is only for this machine."),
    ("{ops: {url: {secret: {env: A}}}}", 2, "notify.ops.url does not say where to read it."),
    ("{ops: {url: {env: A}, secret: hooks.example.com}}", 2, "notify.ops.secret does not say where to read it."),
    ("{ops: {urls: {env: A}}}", 2, "There is no key 'notify.ops.urls'."),
    ("{ops: {url: {env: A}, events: [aplied]}}", 2, "notify.ops.events.0 must be planned, started"),
    ("{ops: {url: {env: A}, events: []}}", 2, "notify.ops.events must not be empty"),
    ("{ops: hooks}", 2, "notify.ops must be a mapping of keys"),
    ("[ops]", 2, "notify must be a mapping of keys"),
    ("{'the ops': {url: {env: A}}}", 2, "'the ops' cannot be the name of a hook."),
]


@pytest.mark.parametrize(("notify", "line", "says"), WRONG)
def test_what_is_wrong_is_told_where_it_stands(tmp_path, notify, line, says):
    with pytest.raises(SpecError) as caught:
        load(tmp_path, f"notify: {notify}\n")

    told = [finding for finding in caught.value.findings if says in finding.message]
    assert [(finding.file, finding.line) for finding in told] == [("environments/test.yaml", line)]
    assert "hooks.example.com" not in "".join(map(str, caught.value.findings))


def test_an_unknown_key_offers_the_ones_there_are(tmp_path):
    with pytest.raises(SpecError) as caught:
        load(tmp_path, "notify: {ops: {ulr: {env: A}}}\n")
    assert any("Did you mean `url`? Known keys here: url, format" in str(found) for found in caught.value.findings)


def test_hooks_are_inherited_changed_and_switched_off(tmp_path):
    base = "notify: {chat: {url: {env: CHAT}, format: slack}, pager: {url: {env: PAGER}}}\n"

    made = load(tmp_path, "notify: {pager: null, chat: {events: [failed]}}\n", base)

    assert list(made.hooks) == ["chat"]
    assert (made.hooks["chat"].format, made.hooks["chat"].events) == ("slack", ("failed",))
    target = target_of("chat", made.hooks["chat"], {})
    (warning,) = unset_findings(made, {"chat": target})
    assert (warning.file, warning.severity.value) == ("environments/test.yaml", "warning")


def test_an_editor_knows_the_key(tmp_path):
    schema = environment_schema()
    good = "notify: {chat: {url: {env: CHAT}, format: slack, events: [failed]}, pager: null}\n"
    assert complaints(schema, good) == []
    for bad in ("{chat: {urls: x}}", "{chat: {events: [aplied]}}", "{chat: {url: {var: CHAT}}}"):
        assert complaints(schema, f"notify: {bad}\n"), bad
    assert "handler" in json.dumps(schema["properties"]["notify"])
