"""Smoke tests as people and pipelines run them: workflows executed in an org, and told what came of it."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support import environment, module, start, wait_for_lines

REPOSITORY = Path(__file__).parents[2]
LAUNCH = "POST /api/v2/flows/executions"
LOOK = "GET /api/v2/flows/executions/{flowExecutionId}"


def variable(name, kind="string", *, given=False, told=False):
    return (
        f"    - {kind}Variable: {{name: {name}, initialValue: {{noValue: true}}, "
        f"isInput: {str(given).lower()}, isOutput: {str(told).lower()}}}\n"
    )


def echo(name="Echo", reason="done"):
    """A workflow that gives back what it was given, and a token with it."""
    return f"""\
workflow:
  name: {name}
  defaultLanguage: en-us
  supportedLanguages: {{en-us: {{none: true}}}}
  startUpRef: "/workflow/states/state[Start_1]"
  variables:
{variable("Flow.in", given=True)}{variable("Flow.out", told=True)}{variable("Flow.silent", told=True)}\
{variable("Flow.count", "integer", given=True)}{variable("Flow.inner")}\
  states:
    - state:
        name: Start
        refId: Start_1
        actions:
          - updateData:
              name: Copy
              statements: [{{string: {{variable: Flow.out, value: {{exp: Flow.in}}}}}}]
          - endWorkflow: {{name: End, exitReason: {{lit: {reason}}}}}
"""


def smoke_test(name="It echoes", given="hello", outputs="{Flow.out: hello}", **more):
    expect = f"expect: {{outputData: {outputs}}}" if outputs else "expect: {}"
    lines = [f"  {key}: {value}\n" for key, value in more.items()]
    return f"smokeTest:\n  name: {name}\n  flow: Echo\n  inputData: {{Flow.in: {given}}}\n  {expect}\n{''.join(lines)}"


def write_tests(repository, *tests, path="tests/smoke/echo.yaml"):
    repository.write(path, "---\n".join(tests))


def requests(org, route):
    return org.http.get("/sandbox/requests").json()["routes"].get(route, 0)


@pytest.fixture
def applied(repository, cli):
    """The workflow in the org, and one test of it."""
    repository.write("flows/echo.yaml", echo())
    write_tests(repository, smoke_test())
    assert cli("apply", "--auto-approve").code == 0
    return repository


def test_a_test_that_is_passed_says_what_came(applied, cli, org):
    done = cli("smoke")
    assert (done.code, done.out) == (0, "")
    assert 'passed    It echoes: COMPLETED; Flow.out is "hello"' in done.err
    assert "1 smoke test: 1 passed" in done.err
    assert requests(org, LAUNCH) == 1


def test_a_test_that_is_not_passed_says_what_was_expected_and_what_came(applied, cli):
    said = {
        "{Flow.out: goodbye}": 'expected Flow.out to be "goodbye", came "hello"',
        "{Flow.silent: hello}": 'expected Flow.silent to be "hello", but it is not set',
        "{Flow.out: {absent: true}}": 'expected Flow.out not to be set, came "hello"',
        "{Flow.silent: {present: true}}": "expected Flow.silent to be set, but it is not set",
        "{Flow.out: {matches: '^[0-9]+$'}}": 'expected Flow.out to match /^[0-9]+$/, came "hello"',
        "{Flow.silent: {matches: x}, Flow.out: hello}": "expected Flow.silent to match /x/, but it is not set",
    }
    write_tests(applied, *(smoke_test(f"Test {number}", outputs=outputs) for number, outputs in enumerate(said)))
    done = cli("smoke")
    assert done.code == 1
    for number, sentence in enumerate(said.values()):
        assert f"failed    Test {number}: {sentence}  " in done.err
    assert "at tests/smoke/echo.yaml:1 · workflow/Echo version 1.0, execution " in done.err
    assert "6 smoke tests: 6 failed" in done.err


def test_each_kind_of_expectation_can_be_met(applied, cli):
    met = (
        "{}",
        "{Flow.out: {matches: 'l{2}'}}",
        "{Flow.out: {present: true}, Flow.silent: {absent: true}}",
        "{Flow.out: {equals: hello}}",
    )
    write_tests(applied, *(smoke_test(f"Test {number}", outputs=outputs) for number, outputs in enumerate(met)))
    done = cli("smoke")
    assert "4 smoke tests: 4 passed" in done.err
    assert done.code == 0


def test_only_the_named_tests_run_and_a_name_that_matches_none_is_an_error(applied, cli, org):
    write_tests(applied, smoke_test("First"), smoke_test("Second", outputs="{Flow.out: wrong}"))
    done = cli("smoke", "Fir*")
    assert done.code == 0
    assert "Smoke tests in the org Test Org: 1 of 2" in done.err
    assert "Second" not in done.err
    wrong = cli("smoke", "Frist")
    assert wrong.code == 1
    assert "No smoke test is named 'Frist'" in wrong.err
    assert "Did you mean `First`?" in wrong.err
    assert requests(org, LAUNCH) == 1


def test_without_any_test_there_is_nothing_to_be_proud_of(applied, cli):
    applied.remove("tests/smoke/echo.yaml")
    done = cli("smoke")
    assert done.code == 1
    assert "There are no smoke tests beside the specs." in done.err


def test_a_workflow_that_is_not_applied_yet_cannot_be_run(repository, cli):
    repository.write("flows/echo.yaml", echo())
    write_tests(repository, smoke_test(), smoke_test("Another"))
    done = cli("smoke")
    assert done.code == 1
    assert "not run   It echoes: workflow/Echo is not in the org  " in done.err
    assert done.err.count("Run `reconciler apply --env test` first.") == 1
    assert "2 smoke tests: 2 not run" in done.err


def test_json_and_junit_hold_every_result(applied, cli):
    write_tests(applied, smoke_test("Good <&>"), smoke_test("Bad", outputs="{Flow.out: wrong}"))
    told = cli("smoke", "--format", "json")
    assert told.code == 1
    assert told.json["summary"] == {"passed": 1, "failed": 1, "not-run": 0}
    good, bad = told.json["results"]
    assert (good["name"], good["outcome"], good["version"]) == ("Good <&>", "passed", "1.0")
    assert bad["checks"][1] == {"subject": "Flow.out", "expected": '"wrong"', "actual": '"hello"', "met": False}

    shown = cli("smoke", "--format", "junit")
    assert shown.code == 1
    (suite,) = ET.fromstring(shown.out.encode())
    counts = {key: suite.get(key) for key in ("name", "tests", "failures", "errors")}
    assert counts == {"name": "smoke tests of test", "tests": "2", "failures": "1", "errors": "0"}
    first, second = suite
    assert (first.get("name"), first.get("classname"), len(first)) == ("Good <&>", "workflow/Echo", 0)
    assert second[0].tag == "failure"
    assert second[0].get("message") == 'expected Flow.out to be "wrong", came "hello"'
    assert "tests/smoke/echo.yaml" in second[0].text


def test_a_run_that_does_not_come_to_its_tests_leaves_a_document_too(applied, cli):
    write_tests(applied, smoke_test(timeout="soon"))
    suite = ET.fromstring(cli("smoke", "--format", "junit").out.encode())[0]
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    assert "smokeTest.timeout must be a whole number, not soon" in suite[0][0].text
    told = cli("smoke", "--format", "json").json
    places = [(each["file"], each["line"]) for each in told["findings"] if each["severity"] == "error"]
    assert places == [("tests/smoke/echo.yaml", 6)]


# What can go wrong in the org.


def test_the_error_of_an_execution_is_shown(applied, cli, org):
    org.fault(
        match={"execution_flow": "Ec*"},
        times=1,
        effect={"execution": {"status": "ERROR", "code": "flow.error", "message": "The table is gone."}},
    )
    done = cli("smoke")
    assert done.code == 1
    assert "failed    It echoes: expected COMPLETED, came ERROR" in done.err
    assert "the execution's error: The table is gone. [flow.error]" in done.err
    assert cli("smoke").code == 0


def test_an_expected_failure_is_a_pass(applied, cli, org):
    write_tests(applied, smoke_test(outputs="").replace("expect: {}", "expect: {status: FAILED}"))
    org.fault(match={"execution_flow": "*"}, effect={"execution": {"status": "FAILED"}})
    assert "passed    It echoes: FAILED" in cli("smoke").err


def test_an_execution_that_does_not_end_is_given_up_at_its_timeout(applied, cli, org):
    write_tests(applied, smoke_test(timeout="1"), smoke_test("Quick"))
    org.fault(match={"execution_flow": "*"}, times=1, effect={"execution": {"status": "RUNNING"}})
    environment(applied, "concurrency: 1")
    done = cli("smoke")
    assert done.code == 1
    assert "failed    It echoes: expected COMPLETED, came RUNNING; It did not end within 1 seconds" in done.err
    assert "Give it more time with `timeout:`" in done.err
    assert "passed    Quick" in done.err


@pytest.mark.parametrize(("route", "permission"), [(LAUNCH, "flow:launch"), (LOOK, "flowExecution:view")])
def test_a_missing_permission_is_named(applied, cli, org, route, permission):
    org.fault(preset="forbidden", match={"route": route})
    done = cli("smoke")
    assert done.code == 1
    assert "not run   It echoes: The org refused" in done.err
    assert f"Give the OAuth client a role with architect:{permission}" in done.err


def test_a_login_that_is_lost_on_the_way_ends_the_run(applied, cli, org):
    write_tests(applied, *(smoke_test(f"Test {number}") for number in range(4)))
    environment(applied, "concurrency: 1")
    org.fault(preset="token-revoked", match={"route": LOOK}, after=1, times=1)
    org.fault(preset="login-refused", after=1)
    done = cli("smoke")
    assert done.code == 1
    assert "passed    Test 0" in done.err
    assert "not run   Test 1: " in done.err
    assert "does not let the OAuth client in" in done.err
    assert "not run   Test 2: Not started, because the org does not let us in any more" in done.err
    assert "1 passed, 3 not run" in done.err
    assert requests(org, LAUNCH) == 2


def test_a_token_that_expires_on_the_way_is_renewed(applied, cli, org):
    org.fault(preset="token-expired", match={"route": LOOK}, times=1)
    assert cli("smoke").code == 0


@pytest.mark.parametrize("fault", [{"preset": "answer-lost"}, {"preset": "error-500"}, {"preset": "half-json"}])
def test_a_launch_that_may_have_happened_is_not_repeated(applied, cli, org, fault):
    org.fault(match={"route": LAUNCH}, **fault)
    done = cli("smoke")
    assert done.code == 1
    assert "not run   It echoes: " in done.err
    assert "Whether the workflow was started is not known; it was not started a second time" in done.err
    assert requests(org, LAUNCH) == 1


def test_a_launch_that_the_org_has_put_off_is_repeated(applied, cli, org):
    org.fault(match={"route": LAUNCH}, times=1, effect={"status": 429, "headers": {"Retry-After": "0"}})
    assert cli("smoke").code == 0
    assert requests(org, LAUNCH) == 2


def test_an_execution_that_does_not_show_yet_is_looked_for_again(applied, cli, org):
    org.fault(match={"route": LOOK}, times=2, effect={"status": 404, "code": "not.found", "message": "No."})
    assert cli("smoke").code == 0
    org.fault(match={"route": LOOK}, effect={"status": 404, "code": "not.found", "message": "No."})
    write_tests(applied, smoke_test(timeout="1"))
    assert "not run   It echoes: The org refused GET" in cli("smoke").err


def test_the_credentials_of_another_org_run_nothing(applied, cli, org):
    applied.edit("environments/test.yaml", "org:\n", "org:\n  id: 00000000-0000-4000-8000-000000000000\n")
    done = cli("smoke")
    assert done.code == 1
    assert "The credentials belong to the org 'Test Org'" in done.err
    assert requests(org, LAUNCH) == 0


# Secrets.

SECRET = "s3cret-of-the-crm"


@pytest.fixture
def secret(applied, monkeypatch):
    environment(applied, "variables: {token: {secret: {env: SMOKE_TOKEN}}}")
    monkeypatch.setenv("SMOKE_TOKEN", SECRET)
    return applied


def test_secrets_are_sent_compared_and_never_shown(secret, cli, org):
    token = "{{ token | yaml }}"
    write_tests(
        secret,
        smoke_test("Same", given=token, outputs=f"{{Flow.out: {token}}}"),
        smoke_test("Other", given=token, outputs="{Flow.out: x}"),
        smoke_test("Longer", given=f"x {token}", outputs=f"{{Flow.out: {{equals: {token}}}}}"),
    )
    environment(secret, "concurrency: 1")
    for arguments in ((), ("--format", "json"), ("--format", "junit")):
        done = cli("smoke", *arguments)
        assert done.code == 1
        assert 'passed    Same: COMPLETED; Flow.out is "(secret token)"' in done.err
        assert 'expected Flow.out to be "x", came "(secret token)"' in done.err
        assert SECRET not in done.err + done.out
    org.fault(
        match={"execution_flow": "*"},
        effect={"execution": {"message": f"The CRM does not take {SECRET}."}},
    )
    said = cli("smoke", "--format", "json")
    assert "The CRM does not take (secret token)." in said.err
    assert SECRET not in said.err + said.out


def test_a_secret_that_is_not_set_stops_the_run_before_anything_is_launched(secret, cli, org, monkeypatch):
    monkeypatch.delenv("SMOKE_TOKEN")
    write_tests(secret, smoke_test("With", given="{{ token | yaml }}"), smoke_test("Without"))
    done = cli("smoke")
    assert done.code == 1
    assert "Set the environment variable SMOKE_TOKEN." in done.err
    assert requests(org, LAUNCH) == 0
    assert cli("smoke", "Without").code == 0
    assert cli("validate").code == 0


# Where the files come from.


def test_the_tests_of_a_pinned_release_are_those_of_the_release(applied, cli):
    applied.write(".gitignore", ".reconciler/\n")
    applied.git("init", "-q")
    applied.git("add", "-A")
    applied.git("commit", "-qm", "First")
    environment(applied, f"release: {applied.git('rev-parse', 'HEAD')}")
    write_tests(applied, smoke_test(outputs="{Flow.out: of tomorrow}"))
    assert 'Flow.out is "hello"' in cli("smoke").err


def test_the_example_passes_its_smoke_tests(tmp_path, monkeypatch, cli):
    for folder in ("flows", "shared", "environments", "tests/smoke"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    assert cli("apply", "--env", "local", "--auto-approve").code == 0
    told = cli("smoke", "--env", "local", "--format", "json")
    assert told.code == 0, told.err
    assert told.json["summary"] == {"passed": 3, "failed": 0, "not-run": 0}
    for name in ("dev", "test", "prod"):
        assert "and 3 smoke tests are valid" in cli("validate", "--env", name).err


# After an apply.


@pytest.fixture
def proving(repository, cli):
    """Two workflows with a test each; apply runs the tests that it reaches."""
    environment(repository, "smoke: {after_apply: reached}")
    repository.write("flows/echo.yaml", echo())
    repository.write("flows/other.yaml", echo("Other"))
    write_tests(repository, smoke_test(), smoke_test("Another").replace("flow: Echo", "flow: Other"))
    return repository


def journal(repository):
    (newest,) = sorted((repository.root / ".reconciler/runs/test").glob("*"), key=lambda f: f.stat().st_mtime)[-1:]
    return [json.loads(line) for line in newest.read_text(encoding="utf-8").splitlines()]


def test_apply_runs_the_tests_that_its_changes_reach(proving, cli):
    first = cli("apply", "--auto-approve")
    assert first.code == 0
    assert "2 smoke tests: 2 passed" in first.err
    proving.edit("flows/echo.yaml", "lit: done", "lit: finished")
    second = cli("apply", "--auto-approve")
    assert second.code == 0
    assert "Afterwards these smoke tests run workflows in the org: 'It echoes'." in second.err
    assert "Smoke tests in the org Test Org: 1 of 2" in second.err
    assert "passed    It echoes" in second.err
    assert "Another" not in second.err
    third = cli("apply", "--auto-approve")
    assert third.code == 0
    assert "smoke" not in third.err.lower()


def test_a_change_of_what_a_workflow_uses_reaches_its_test(proving, cli):
    calls = "callCommonModule: {name: Greet, commonModule: {Greeter: {ver_latestPublished: {none: true}}}}"
    proving.write("shared/greeter.yaml", module("Greeter").replace("inboundcall", "workflow"))
    proving.edit("flows/other.yaml", "          - endWorkflow", f"          - {calls}\n          - endWorkflow")
    cli("apply", "--auto-approve")
    proving.edit("shared/greeter.yaml", "One moment.", "Just a moment.")
    done = cli("apply", "--auto-approve")
    assert "Another" in done.err
    assert "It echoes" not in done.err


def test_a_test_that_fails_after_an_apply_is_told_and_nothing_is_taken_back(proving, cli, org):
    write_tests(proving, smoke_test(outputs="{Flow.out: wrong}"))
    done = cli("apply", "--auto-approve")
    assert done.code == 4
    assert "2 applied in" in done.err
    assert 'expected Flow.out to be "wrong", came "hello"' in done.err
    assert "All changes were applied, but not every smoke test was passed: 'It echoes'." in done.err
    assert "Nothing was taken back (smoke.on_failure: report)." in done.err
    assert "plan again" not in done.err
    assert org.version("Echo") == "1.0"
    assert [event["outcome"] for event in journal(proving) if event["event"] == "smoke-ended"] == ["failed"]
    assert "2 applied (2 create), 1 smoke test not passed in" in cli("history").err
    (shown,) = cli("status", "--env", "test", "--format", "json").json
    assert (shown["exit_code"], shown["unproven"], shown["pending"]) == (4, 1, 0)
    assert "1 smoke test not passed" in cli("status", "--env", "test").err
    # The work is done, and the lock is given back.
    assert cli("apply", "--auto-approve").code == 0


def test_all_tests_run_after_every_apply_where_the_environment_says_so(proving, cli):
    proving.edit("environments/test.yaml", "after_apply: reached", "after_apply: all")
    write_tests(proving, smoke_test(outputs="{Flow.out: wrong}"))
    assert cli("apply", "--auto-approve").code == 4
    again = cli("apply", "--auto-approve")
    assert again.code == 4
    assert "Nothing to apply." in again.err
    assert "1 smoke test: 1 failed" in again.err
    write_tests(proving, smoke_test())
    assert cli("apply", "--auto-approve").code == 0
    assert "not passed" not in cli("status", "--env", "test").err


def test_tests_of_what_failed_to_be_applied_do_not_run(proving, cli, org):
    org.fault(match={"job_flow": "Echo"}, effect={"job": {"messages": ["No."]}})
    done = cli("apply", "--auto-approve")
    assert done.code == 4
    assert "1 of 2" in done.err
    assert "passed    Another" in done.err


@pytest.mark.parametrize("way", ["fresh", "saved"])
def test_apply_refuses_beforehand_what_could_not_be_tested(proving, cli, org, monkeypatch, way):
    environment(proving, "variables: {token: {secret: {env: SMOKE_TOKEN}}}")
    monkeypatch.delenv("SMOKE_TOKEN", raising=False)
    write_tests(proving, smoke_test(given="{{ token | yaml }}"))
    assert cli("plan", "--out", "saved.json").code == 0
    done = cli("apply", "--auto-approve") if way == "fresh" else cli("apply", "saved.json")
    assert done.code == 1
    assert "Secrets that the smoke tests use are not set here." in done.err
    assert org.flows() == {}


def test_broken_tests_keep_plan_and_apply_from_running_only_where_they_are_to_be_run(proving, cli):
    write_tests(proving, "smokeTest: {name: Half}")
    for command in (("plan",), ("apply", "--auto-approve"), ("validate",), ("smoke",)):
        done = cli(*command)
        assert done.code == 1
        assert "A smoke test needs `flow`." in done.err
    assert cli("drift").code == 0
    proving.edit("environments/test.yaml", "after_apply: reached", "after_apply: off")
    assert cli("apply", "--auto-approve").code == 0


def test_a_signal_during_the_tests_ends_the_run_in_order(proving, cli, org):
    write_tests(proving, smoke_test(timeout="600"), smoke_test("Later"))
    environment(proving, "concurrency: 1")
    org.fault(match={"execution_flow": "*"}, effect={"execution": {"status": "RUNNING"}})
    applying = start(proving, "apply", "--auto-approve")
    wait_for_lines(applying, 1, "Smoke tests in the org")
    while not requests(org, LOOK):
        time.sleep(0.05)
    applying.send_signal(signal.SIGTERM)
    said = applying.communicate(timeout=20)[1]
    assert applying.returncode == 4
    assert "The run was stopped before it ended; it goes on in the org" in said
    assert "not run   Later: Not started, because the run was stopped" in said
    assert "is not locked" in cli("unlock").err


def test_a_test_that_fails_takes_the_run_back_where_the_environment_says_so(proving, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    write_tests(proving, smoke_test(outputs="{Flow.out: wrong}"))
    proving.edit("environments/test.yaml", "{after_apply: reached}", "{after_apply: reached, on_failure: rollback}")
    proving.edit("flows/echo.yaml", "lit: done", "lit: finished")
    done = cli("apply", "--auto-approve")
    assert done.code == 1, done.err
    assert "Rolled back, because not every smoke test was passed: 'It echoes': 1 object as before this run." in done.err
    assert org.version("Echo") == "3.0"
    flow_id = org.flows()["Echo"]["id"]
    assert '"done"' in json.dumps(org.get(f"/flows/{flow_id}/versions/3.0/configuration"))


def test_on_failure_takes_no_other_value(proving, cli):
    proving.edit("environments/test.yaml", "{after_apply: reached}", "{after_apply: reached, on_failure: panic}")
    done = cli("plan")
    assert done.code == 1
    assert "smoke.on_failure must be report or rollback, not panic." in done.err


def test_promote_says_that_the_tests_of_the_last_apply_were_not_passed(repository, cli):
    repository.write("flows/echo.yaml", echo())
    write_tests(repository, smoke_test(outputs="{Flow.out: goodbye}"))
    environment(repository, "smoke: {after_apply: reached}")
    repository.write("environments/prod.yaml", "extends: test\nledger: {type: file}\n")
    repository.write(".gitignore", ".reconciler/\n")
    repository.git("init", "-q", "-b", "main")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "First")
    assert cli("apply", "--auto-approve").code == 4

    promoted = cli("promote", "test", "prod", "--dry-run")

    assert promoted.code == 0, promoted.err
    assert "1 smoke test not passed after that apply; `reconciler smoke --env test` tells" in promoted.err
