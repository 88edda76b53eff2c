"""Every mistake gives one clear message with file, line and remedy, exit code 1, and sends nothing to the org."""

from __future__ import annotations

import pytest
from support import environment, flow, module

from reconciler.cli.main import run


@pytest.fixture
def sound(repository):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    return repository


def refused(cli, org, *arguments, writes=()):
    """Plans and applies; both must fail the same way and leave the org alone."""
    planned = cli("plan", *arguments)
    applied = cli("apply", "--auto-approve", *arguments)
    assert (planned.code, applied.code) == (1, 1)
    for ran in (planned, applied):
        assert "Traceback" not in ran.err
        assert ran.out == ""
    assert org.flows() == {}
    assert org.ivrs() == {}
    return planned.err


def test_undefined_variable(sound, cli, org):
    sound.write("flows/line.yaml", "ivr:\n  name: Line\n  dnis: {{ numbers.sales | yaml }}\n")
    said = refused(cli, org)
    assert "flows/line.yaml:3" in said
    assert "numbers" in said


def test_yaml_syntax_error_in_a_rendered_file(sound, cli, org):
    sound.write(
        "flows/line.yaml",
        "{% for n in [1, 2, 3] %}\n# {{ n }}\n{% endfor %}\n"
        'ivr:\n  name: Line\n  dnis: ["+4570100001"\n  openHoursFlow: Sales\n',
    )
    said = refused(cli, org)
    assert "flows/line.yaml:7" in said or "flows/line.yaml:6" in said


def test_duplicate_key(sound, cli, org):
    sound.write("flows/line.yaml", "ivr:\n  name: Line\n  description: a\n  description: b\n")
    said = refused(cli, org)
    assert "flows/line.yaml:4" in said
    assert "description" in said


def test_unknown_kind(sound, cli, org):
    sound.write("flows/line.yaml", "inbuondCall:\n  name: Line\n")
    said = refused(cli, org)
    assert "flows/line.yaml:1" in said
    assert "inboundCall" in said


def test_unknown_environment_key(sound, cli, org):
    environment(sound, "polici: {}")
    said = refused(cli, org)
    assert "environments/test.yaml:5" in said
    assert "policy" in said


def test_missing_environment(sound, cli, org):
    said = refused(cli, org, "--env", "tset")
    assert "tset" in said
    assert "test" in said


def test_module_that_exists_nowhere(sound, cli, org):
    sound.write("flows/other.yaml", flow("Other", modules=("Nowhere",)))
    said = refused(cli, org)
    assert "flows/other.yaml:19" in said
    assert "'Nowhere', which does not exist" in said


def test_flow_that_is_no_common_module(sound, cli, org):
    sound.write("flows/other.yaml", flow("Other", modules=("Sales",)))
    said = refused(cli, org)
    assert "flows/other.yaml:19" in said
    assert "commonModule" in said
    assert "inboundCall/Sales" in said


def transferring(name, target):
    return flow(name).replace(
        "          - disconnect:",
        "          - transferToFlow:\n              name: Over\n              targetFlow:\n"
        f"                name: {target}\n"
        "          - disconnect:",
    )


def test_a_circle(sound, cli, org):
    sound.write("flows/a.yaml", transferring("A", "B"))
    sound.write("flows/b.yaml", transferring("B", "A"))
    said = refused(cli, org)
    assert "inboundCall/A → inboundCall/B → inboundCall/A" in said
    assert "flows/a.yaml:19" in said
    assert run(["validate", "--env", "test"]) == 1


def test_the_same_address_twice(sound, cli, org):
    sound.write("flows/again.yaml", flow("Sales"))
    said = refused(cli, org)
    assert "flows/again.yaml" in said
    assert "flows/sales.yaml" in said


def test_an_ivr_with_a_schedule_group_and_no_flows(sound, cli, org):
    sound.write("flows/line.yaml", "ivr:\n  name: Line\n  scheduleGroup: Hours\n")
    said = refused(cli, org)
    assert "flows/line.yaml:3" in said
    assert "openHoursFlow" in said


def test_a_number_that_is_not_e164(sound, cli, org):
    sound.write("flows/line.yaml", 'ivr:\n  name: Line\n  dnis: ["70 10 00 01"]\n  openHoursFlow: Sales\n')
    said = refused(cli, org)
    assert "flows/line.yaml:3" in said
    assert "E.164" in said


def test_an_unquoted_number(sound, cli, org):
    sound.write("flows/line.yaml", "ivr:\n  name: Line\n  dnis: [+4570100001]\n  openHoursFlow: Sales\n")
    said = refused(cli, org)
    assert "flows/line.yaml:3" in said


def test_a_number_on_two_ivrs(sound, cli, org):
    for name in ("One", "Two"):
        sound.write(f"flows/{name}.yaml", f'ivr:\n  name: {name}\n  dnis: ["+4570100001"]\n  openHoursFlow: Sales\n')
    said = refused(cli, org)
    assert "flows/One.yaml:3" in said
    assert "flows/Two.yaml:3" in said


def test_a_file_in_shared_that_refers_to_flows(sound, cli, org):
    sound.write("shared/line.yaml", "ivr:\n  name: Line\n  openHoursFlow: Sales\n")
    said = refused(cli, org)
    assert "shared/line.yaml:3" in said
    assert "flows/" in said


def test_wrong_org_id(sound, cli, org):
    sound.edit("environments/test.yaml", "org:\n", "org:\n  id: 00000000-0000-4000-8000-000000000000\n")
    said = refused(cli, org)
    assert "Test Org" in said
    assert "00000000-0000-4000-8000-000000000000" in said


def test_wrong_credentials(sound, cli, org, monkeypatch):
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", "not-the-secret-4711")
    said = refused(cli, org)
    assert "OAuth client's id and secret" in said
    assert "not-the-secret-4711" not in said


def test_missing_credentials(sound, cli, org, monkeypatch):
    monkeypatch.delenv("GENESYSCLOUD_OAUTHCLIENT_SECRET")
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET" in refused(cli, org)


def test_a_host_that_is_not_reachable(sound, cli, org, monkeypatch):
    monkeypatch.setattr("reconciler.platform.retries._FIRST_CONTACT_DEADLINE", 0.1)
    url = "http://127.0.0.1:9"
    sound.write("environments/test.yaml", f"org: {{api_url: '{url}', login_url: '{url}'}}\n")
    assert "127.0.0.1" in refused(cli, org)


def test_all_mistakes_are_told_together(sound, cli, org):
    sound.write("flows/a.yaml", "inbuondCall: {name: A}\n")
    sound.write("flows/b.yaml", "ivr: {name: B, dnis: [x]}\n")
    sound.write("flows/c.yaml", "ivr: {name: {{ nobody }}}\n")
    said = refused(cli, org)
    assert "flows/a.yaml:1" in said
    assert "flows/b.yaml:1" in said
    assert "flows/c.yaml:1" in said


def test_outside_a_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["validate"]) == 1
    assert "environments/" in capsys.readouterr().err


def test_options_that_do_not_exist(cli, capsys):
    assert run(["plan", "--nonsense"]) == 1
    assert "--nonsense" in capsys.readouterr().err
