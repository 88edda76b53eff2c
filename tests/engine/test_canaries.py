"""Canary secrets wherever a secret can stand, an org that repeats them, and not one byte that shows them."""

from __future__ import annotations

import base64
import logging

import pytest
from canaries import everywhere, forms, kept_in, shown_in
from support import SEED, connected, environment, flow, module

from reconciler.cache import Cache
from reconciler.sandbox import embedded

PLAIN = "canary-7f3d9b21-plain"
AWKWARD = 'canary "7f3d" <9b21> & 100%/\\ æ'
OLD = "canary-0ld-7f3d9b21"
COMMANDS = [
    ("validate",),
    ("validate", "--format", "json"),
    ("validate", "--format", "sarif"),
    ("validate", "--format", "github"),
    ("plan", "--out", "plan.json"),
    ("plan", "--format", "json"),
    ("plan", "--format", "markdown"),
    ("show", "plan.json"),
    ("show", "plan.json", "--format", "json"),
    ("show", "plan.json", "--format", "markdown"),
    ("graph",),
    ("graph", "--format", "dot"),
    ("graph", "inboundCall/Sales"),
    ("graph", "inboundCall/Sales", "--format", "dot"),
    ("drift",),
    ("drift", "--format", "json"),
    ("drift", "--format", "markdown"),
    ("apply", "--auto-approve"),
    ("smoke",),
    ("smoke", "--format", "json"),
    ("smoke", "--format", "junit"),
    ("audit",),
    ("audit", "--platform"),
    ("audit", "verify"),
    ("audit", "export", "--format", "ecs"),
    ("audit", "export", "--format", "cef"),
    ("notify",),
    ("notify", "--format", "json"),
    ("unlock", "--yes"),
    ("schema",),
]
SALES = flow("Sales", modules=("Greeter",)).replace(
    "          - disconnect:",
    """\
          - setParticipantData:
              name: Plain
              attributes:
                - attribute: {name: {lit: plain}, value: {lit: {{ plain | yaml }}}}
                - attribute: {name: {lit: awkward}, value: {lit: {{ awkward | yaml }}}}
          - callData:
              name: Log in
              category:
                CRM:
                  dataAction:
                    Log In:
                      inputs: {token: {lit: {{ plain | yaml }}}, header: {exp: {{ ('"Bearer ' ~ plain ~ '"') | yaml }}}}
          - disconnect:""",
)

ECHO = """\
workflow:
  name: Echo
  defaultLanguage: en-us
  supportedLanguages: {en-us: {none: true}}
  startUpRef: "/workflow/states/state[Start_1]"
  variables:
    - stringVariable: {name: Flow.in, initialValue: {noValue: true}, isInput: true, isOutput: false}
    - stringVariable: {name: Flow.out, initialValue: {noValue: true}, isInput: false, isOutput: true}
  states:
    - state:
        name: Start
        refId: Start_1
        actions:
          - updateData: {name: Copy, statements: [{string: {variable: Flow.out, value: {exp: Flow.in}}}]}
          - endWorkflow: {name: End, exitReason: {noValue: true}}
"""
SMOKE = """\
{% for token in [plain, awkward] %}
---
smokeTest:
  name: Number {{ loop.index }}
  flow: Echo
  inputData: {Flow.in: {{ token | yaml }}}
  expect: {outputData: {Flow.out: {equals: {{ (token if loop.first else 'something else') | yaml }}}}}
{% endfor %}
"""


@pytest.fixture
def org(tmp_path):
    """As usual, with the data action that the flow calls."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED + "dataActions: [{category: CRM, name: Log In}]\n", encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as running, connected(running) as made:
        yield made


@pytest.fixture
def estate(repository, monkeypatch, org):
    monkeypatch.setenv("PLAIN", PLAIN)
    monkeypatch.setenv("AWKWARD", AWKWARD)
    monkeypatch.setenv("HTTPS_PROXY", f"http://proxy:{PLAIN}@127.0.0.1:9")
    environment(
        repository,
        """\
        variables:
          plain: {secret: {env: PLAIN}}
          awkward: {secret: {env: AWKWARD}}
        smoke: {after_apply: all}
        notify: {desk: {handler: missing, events: [planned, started, applied, failed, drift]}}
        """,
    )
    repository.write("shared/_say.yaml", "{% macro say(what) %}tts: {{ ('Token ' ~ what) | yaml }}{% endmacro %}\n")
    greeter = module("Greeter").replace("          tts: One moment.", "          {{ say(plain) }}")
    repository.write("shared/greeter.yaml", "{% from '_say.yaml' import say %}\n" + greeter)
    repository.write("flows/sales.yaml", SALES)
    repository.write("flows/echo.yaml", ECHO)
    repository.write("tests/smoke/echo.yaml", SMOKE)
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    return repository


@pytest.fixture
def watched(estate, cli, org, caplog):
    """Runs every command and fails when one shows or keeps a secret."""
    secrets = (PLAIN, AWKWARD, OLD, org.client_secret)
    caplog.set_level(logging.DEBUG)

    def run():
        for command in COMMANDS:
            ran = cli(*command)
            assert shown_in(ran.out + ran.err, *secrets) == [], command
            assert "Traceback" not in ran.err, command
        assert shown_in(caplog.text, *secrets) == []
        assert everywhere(estate.root, *secrets) == []

    return run


def test_no_command_shows_or_keeps_a_secret_while_all_goes_well(watched, cli, org):
    watched()
    watched()
    assert cli("plan", "--detailed-exitcode").code == 0


REPEATED = f"Refused: {PLAIN} and {AWKWARD}"
MISBEHAVIOUR = {
    "a refusal repeats them": {
        "match": {"method": "POST", "path": "/api/v2/flows/jobs"},
        "effect": {"status": 400, "code": "bad.request", "message": REPEATED},
    },
    "a list repeats them": {
        "match": {"method": "GET", "path": "/api/v2/flows"},
        "effect": {"status": 400, "code": "bad.request", "message": REPEATED},
    },
    "the org breaks down over them": {
        "match": {"method": "POST", "path": "/api/v2/architect/ivrs"},
        "effect": {"status": 409, "code": "general.conflict", "message": REPEATED},
    },
    "a job repeats them": {
        "match": {"job_flow": "Sales"},
        "effect": {"job": {"status": "Failure", "messages": [REPEATED, f"Bearer {PLAIN}"]}},
    },
    "a launch is refused with them": {
        "match": {"method": "POST", "path": "/api/v2/flows/executions"},
        "effect": {"status": 400, "code": "bad.request", "message": REPEATED},
    },
    "an execution fails with them": {
        "match": {"execution_flow": "Echo"},
        "effect": {"execution": {"message": REPEATED}},
    },
    "the login is refused with them": {
        "match": {"path": "/oauth/token"},
        "effect": {"status": 400, "code": "invalid_client", "message": REPEATED},
    },
}


@pytest.mark.parametrize("filter_", ["tojson", "urlencode", "e", "upper", "b64encode", "reverse"])
def test_a_secret_that_is_to_be_written_in_another_form_is_refused(estate, cli, filter_):
    """In a form that nobody can recognise again it could not be kept out of anything."""
    estate.edit("flows/sales.yaml", "{{ plain | yaml }}", f"{{{{ plain | {filter_} | yaml }}}}")

    refused = cli("validate")

    assert refused.code == 1
    assert shown_in(refused.out + refused.err, PLAIN, AWKWARD) == []


@pytest.mark.parametrize("how", MISBEHAVIOUR)
def test_an_org_that_repeats_them_changes_nothing(watched, org, how):
    org.fault(**MISBEHAVIOUR[how])
    watched()


def test_an_old_value_that_is_live_is_neither_shown_nor_kept(watched, estate, cli, org):
    # All is applied; one of the smoke tests is not passed on purpose.
    assert cli("apply", "--auto-approve").code == 4
    org.publish(flow("Sales", says=f"Token {OLD}", modules=("Greeter",)))
    (estate.root / "flows/sales.yaml").write_text(
        SALES.replace("tts: Hello.", "tts: {{ ('Token ' ~ plain) | yaml }}"), encoding="utf-8"
    )
    watched()


def test_the_search_finds_what_is_hidden(tmp_path):
    """A search that finds nothing anywhere would pass every test here."""
    assert len(forms(AWKWARD)) > 6
    cache = Cache("org", tmp_path / "cache")
    cache.set("key", {"text": ["…", AWKWARD, "x" * 2000]})
    cache.close()
    assert kept_in(tmp_path, AWKWARD)
    assert not kept_in(tmp_path, PLAIN)
    for before in ("", "a", "ab"):
        assert shown_in(base64.b64encode(f"{before}{PLAIN} and more".encode()), PLAIN) == [PLAIN]
