"""Calls of common modules fit the modules: in the repository, from the org, and outside of it."""

from __future__ import annotations

import pytest

MODULE = """\
commonModule:
  name: Greeter
  supportedLanguages:
    en-us:
      none: true
  variables:
    - stringVariable: {name: Common.customer, initialValue: {noValue: true}, isInput: true, isOutput: false}
    - booleanVariable: {name: Common.known, initialValue: {lit: false}, isInput: false, isOutput: true}
  settingsCommonModule:
    compatibleFlowTypes:
      - flowType: inboundcall
  startUpTaskActions:
    - playAudio:
        name: Greet
        audio: {exp: Common.customer}
    - updateData:
        name: Known
        statements:
          - boolean: {variable: Common.known, value: {lit: true}}
    - endTask:
        name: End Task
"""


def caller(name, inputs="Common.customer: {lit: Ann}", outputs="Common.known: {var: Flow.known}"):
    return f"""\
inboundCall:
  name: {name}
  defaultLanguage: en-us
  startUpRef: "/inboundCall/tasks/task[Main_10]"
  supportedLanguages:
    en-us:
      defaultLanguageSkill: {{noValue: true}}
  initialGreeting: {{tts: Hello.}}
  variables:
    - booleanVariable: {{name: Flow.known, initialValue: {{lit: false}}, isInput: false, isOutput: true}}
    - stringVariable: {{name: Flow.text, initialValue: {{lit: x}}, isInput: false, isOutput: true}}
  tasks:
    - task:
        name: Main
        refId: Main_10
        actions:
          - callCommonModule:
              name: Ask
              commonModule:
                Greeter:
                  ver_latestPublished:
                    inputs: {{{inputs}}}
                    outputs: {{{outputs}}}
          - disconnect:
              name: Disconnect
"""


def found(ran):
    return {finding["id"]: finding for finding in ran.json["findings"]}


@pytest.fixture
def estate(repository):
    repository.write("shared/greeter.yaml", MODULE)
    repository.write("flows/sales.yaml", caller("Sales"))
    return repository


def test_a_call_that_fits_has_no_finding(estate, cli):
    assert cli("validate", "--format", "json").json["findings"] == []


@pytest.mark.parametrize(
    ("inputs", "outputs", "id_", "says"),
    [
        ("Common.custmer: {lit: Ann}", "", "unknown-module-input", "Did you mean"),
        ("Common.customer: {lit: Ann}", "Common.knwn: {var: Flow.known}", "unknown-module-output", "Did you mean"),
        ("Common.customer: {lit: true}", "", "module-type-mismatch", ""),
        ("Common.customer: {exp: Flow.known}", "", "module-type-mismatch", ""),
        ("Common.customer: {lit: Ann}", "Common.known: {var: Flow.text}", "module-type-mismatch", ""),
        ("", "", "missing-module-input", ""),
    ],
)
def test_what_does_not_fit_is_told_with_both_places(estate, cli, inputs, outputs, id_, says):
    estate.write("flows/sales.yaml", caller("Sales", inputs, outputs))

    checked = cli("validate", "--format", "json")

    finding = found(checked)[id_]
    assert checked.code == (0 if finding["severity"] == "warning" else 1)
    assert (finding["file"], finding["address"]) == ("flows/sales.yaml", "inboundCall/Sales")
    assert finding["line"] >= 17
    assert "shared/greeter.yaml:1" in finding["message"]
    assert says in finding["remedy"]


def test_an_input_may_be_left_out_on_purpose(estate, cli):
    estate.write("flows/sales.yaml", caller("Sales", "Common.customer: {noValue: true}"))

    assert cli("validate", "--format", "json").json["findings"] == []


def test_a_changed_contract_that_breaks_a_consumer_is_refused(estate, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    estate.edit("shared/greeter.yaml", "name: Common.customer,", "name: Common.caller,")
    estate.edit("shared/greeter.yaml", "exp: Common.customer", "exp: Common.caller")

    refused = cli("validate")

    assert refused.code == 1
    assert "flows/sales.yaml:" in refused.err
    assert "shared/greeter.yaml:1" in refused.err
    assert cli("plan").code == 1
    assert org.version("Greeter") == "1.0"


def test_a_module_that_takes_other_flow_types_only_is_told(estate, cli):
    estate.edit("shared/greeter.yaml", "flowType: inboundcall", "flowType: workflow")

    assert "incompatible-module" in found(cli("validate", "--format", "json"))


def test_the_contract_of_a_module_that_only_the_org_has_is_read_there(estate, cli, org):
    org.publish(MODULE)
    estate.remove("shared/greeter.yaml")
    assert cli("plan", "--format", "json").json["summary"]["create"] == 1
    estate.write("flows/sales.yaml", caller("Sales", "Common.custmer: {lit: Ann}"))

    planned = cli("plan", "--format", "json")

    finding = found(planned)["unknown-module-input"]
    assert planned.code == 1
    assert "in the org only, version 1.0" in finding["message"]
    assert finding["file"] == "flows/sales.yaml"


def test_a_consumer_outside_the_specs_that_a_new_contract_breaks_is_named(estate, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    org.publish(caller("By Hand"))
    estate.edit("shared/greeter.yaml", "name: Common.customer,", "name: Common.caller,")
    estate.edit("shared/greeter.yaml", "exp: Common.customer", "exp: Common.caller")
    estate.edit("flows/sales.yaml", "Common.customer", "Common.caller")

    planned = cli("plan", "--format", "json")

    assert planned.code == 0
    finding = found(planned)["breaks-unmanaged-consumer"]
    assert finding["address"] == "inboundCall/By Hand"
    assert "no input named Common.customer" in finding["message"]


def test_a_change_inside_a_module_breaks_nobody(estate, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    org.publish(caller("By Hand"))
    estate.edit("shared/greeter.yaml", "name: Greet\n", "name: Say hello\n")

    findings = found(cli("plan", "--format", "json"))

    assert set(findings) == {"unmanaged-consumer"}
