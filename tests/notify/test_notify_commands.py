"""Commands tell their hooks over real HTTP, and neither what they do nor their exit code depends on it."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

from canaries import everywhere, shown_in
from jsonschema import Draft202012Validator
from receiver import SILENT
from support import environment, flow, module, start, wait_for_lines

KEY = "key-canary-81c2-long-enough"
ADDRESS = "path-canary-5d1c"
NOBODY = f"http://127.0.0.1:9/{ADDRESS}"


def kept(estate):
    return sorted((estate.root / ".reconciler/notify/test").glob("*.json"))


# --- what is told


def test_plan_and_apply_tell_what_they_do_and_nothing_when_they_do_nothing(estate, cli, receiver):
    assert cli("plan", "--detailed-exitcode").code == 2
    assert cli("apply", "--auto-approve").code == 0

    planned, started, applied = (got.json for got in receiver.got)
    assert [told["event"] for told in (planned, started, applied)] == ["planned", "started", "applied"]
    assert len({told["id"] for told in (planned, started, applied)}) == 3
    assert (planned["run"], planned["planned"]["create"]) == (None, 2)
    assert [change["outcome"] for change in planned["changes"]] == [None, None]
    assert started["run"] == applied["run"] != None  # noqa: E711
    assert applied["org"]["name"] == "Test Org"
    assert "@" in applied["who"]
    assert applied["outcome"] == {"applied": 2, "failed": 0, "skipped": 0, "not_started": 0}
    assert [tuple(change.values()) for change in applied["changes"]] == [
        ("inboundCall/Sales", "create", "applied", None, "1.0"),
        ("ivr/Line", "create", "applied", None, "1"),
    ]
    assert applied["ivrs"] == [{"address": "ivr/Line", "numbers": ["+4570100001"]}]
    assert kept(estate) == []

    schema = json.loads(cli("schema", "notification").out)
    Draft202012Validator.check_schema(schema)
    for got in receiver.got:
        Draft202012Validator(schema).validate(got.json)

    receiver.got.clear()
    for command in (("apply", "--auto-approve"), ("plan",), ("drift",)):
        assert cli(*command).code == 0
    assert receiver.got == []


def test_drift_is_told_by_drift_by_plan_and_by_an_apply_that_made_its_plan(estate, cli, org, receiver):
    cli("apply", "--auto-approve")
    org.publish(flow("Sales", says="By hand."))
    receiver.got.clear()

    assert cli("drift").code == 2
    assert receiver.events == ["drift"]
    (drift,) = receiver.got[0].json["drift"]
    assert (drift["address"], drift["recorded_version"], drift["live_version"]) == ("inboundCall/Sales", "1.0", "2.0")
    cli("plan", "--out", "plan.json")
    assert receiver.events[1:] == ["planned", "drift"]
    assert cli("apply", "plan.json").code == 0
    assert receiver.events[3:] == ["started", "applied"]  # Its drift was told when it was planned.
    org.publish(flow("Sales", says="By hand again."))
    assert cli("apply", "--auto-approve").code == 0
    assert receiver.events[5:] == ["drift", "started", "applied"]


def test_a_failure_is_told_with_its_reason_and_without_secrets(estate, cli, org, receiver, monkeypatch):
    monkeypatch.setenv("TOKEN", "token-canary-2f9e")
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_JOB_URL", "https://git.example.com/ivr/-/jobs/7")
    environment(estate, "variables: {token: {secret: {env: TOKEN}}}")
    estate.edit("flows/sales.yaml", "tts: Hello.", "tts: {{ ('Hello ' ~ token) | yaml }}")
    refused = {"status": "Failure", "messages": ["No such queue: token-canary-2f9e"]}
    org.fault(match={"job_flow": "Sales"}, effect={"job": refused})

    assert cli("apply", "--auto-approve").code == 1

    told = receiver.got[-1].json
    assert (told["event"], told["link"]) == ("failed", "https://git.example.com/ivr/-/jobs/7")
    assert told["outcome"] == {"applied": 0, "failed": 1, "skipped": 1, "not_started": 0}
    (failure,) = told["failures"]
    assert failure["name"] == "inboundCall/Sales"
    assert "No such queue: (secret token)" in failure["message"]
    assert shown_in(b"".join(got.body for got in receiver.got), "token-canary-2f9e") == []


def test_a_handler_that_leaves_work_behind_does_not_hold_the_command(estate, tmp_path):
    """Python waits at its end for thread pools, which many libraries begin; one that hangs would hang the pipeline."""
    packages = tmp_path / "packages"
    (packages / "acme_desk-1.dist-info").mkdir(parents=True)
    code = "import concurrent.futures as f, time\ndef tell(told): f.ThreadPoolExecutor().submit(time.sleep, 30)"
    (packages / "acme_desk.py").write_text(code, encoding="utf-8")
    (packages / "acme_desk-1.dist-info/METADATA").write_text("Name: acme-desk\nVersion: 1\n", encoding="utf-8")
    (packages / "acme_desk-1.dist-info/entry_points.txt").write_text(
        "[reconciler.notify_handlers]\ndesk = acme_desk:tell\n", encoding="utf-8"
    )
    file = estate.root / "environments/test.yaml"
    file.write_text(
        f"{file.read_text(encoding='utf-8')}  desk: {{handler: desk, events: [planned]}}\n", encoding="utf-8"
    )

    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "plan", "--env", "test", "--format", "json"],
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"]["create"] == 2


def test_a_plan_that_nobody_can_apply_is_not_told(estate, cli, receiver):
    estate.edit("flows/line.yaml", "openHoursFlow: Sales", "openHoursFlow: Nowhere")
    done = cli("plan")
    assert done.code == 1
    assert "to create" in done.err
    assert receiver.got == []


def test_what_is_taken_back_is_told(estate, cli, org, receiver):
    cli("apply", "--auto-approve")
    first = receiver.got[-1].json["run"]
    receiver.got.clear()
    estate.edit("flows/sales.yaml", "Hello.", "Good day.")
    estate.edit("flows/line.yaml", "100001", "100002")
    org.fault(
        match={"method": "PUT", "path": "/api/v2/architect/ivrs/*"},
        times=1,
        effect={"status": 400, "code": "bad.request", "message": "Not now"},
    )

    assert cli("apply", "--auto-approve", "--rollback-on-failure").code != 0

    started, failed, back = (got.json for got in receiver.got)
    assert [told["event"] for told in (started, failed, back)] == ["started", "failed", "rolled-back"]
    assert [failure["name"] for failure in failed["failures"]] == ["ivr/Line"]
    assert back["rollback"]["run"] == back["run"] == failed["run"]
    assert ("inboundCall/Sales", "applied") in [(told["address"], told["outcome"]) for told in back["changes"]]
    assert "ivr/Line failed" in back["reason"]

    receiver.got.clear()
    assert cli("apply", "--auto-approve").code == 0
    assert cli("rollback", "--auto-approve").code == 0
    assert receiver.events == ["started", "applied", "started", "rolled-back"]
    applied, undoing, undone = (got.json for got in receiver.got[1:])
    assert undoing["rollback"]["run"] == undone["rollback"]["run"] == applied["run"] != first


def test_a_run_that_cannot_begin_is_told_if_it_has_the_lock(estate, cli, receiver):
    estate.edit("environments/test.yaml", "[planned, started, applied, failed, drift, rolled-back]", "[failed]")
    cli("plan", "--out", "plan.json")
    assert cli("apply", "plan.json").code == 0
    assert cli("apply", "plan.json").code == 3

    (told,) = (got.json for got in receiver.got)
    assert told["event"] == "failed"
    assert "was applied already" in told["reason"]
    assert told["run"]
    estate.edit("flows/sales.yaml", "Hello.", "Good day.")
    assert cli("apply", "plan.json").code == 3
    assert len(receiver.got) == 1


# --- receivers that fail


def test_nobody_listens_and_the_apply_is_as_good(estate, cli, receiver, monkeypatch, short_grace):
    monkeypatch.setenv("PAGER_URL", NOBODY)
    began = time.monotonic()
    done = cli("apply", "--auto-approve")

    assert done.code == 0
    assert time.monotonic() - began < 8
    # On a busy machine, the grace may end while the first one is tried.
    assert re.search(r"Not delivered to pager \(127.0.0.1\): applied: .+; kept\.", done.err)
    assert re.search(r"Not delivered to pager \(127.0.0.1\): started: .+; kept\.", done.err)
    assert "reconciler notify --retry --env test" in done.err
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept(estate)} == {0o600}
    undelivered = cli("notify", "--format", "json").json["undelivered"]
    assert [(one["event"], one["hook"]) for one in undelivered] == [("started", "pager"), ("applied", "pager")]
    assert undelivered[0]["attempts"] >= 1
    listed = cli("notify")
    assert listed.code == 0
    assert "connection refused" in listed.err

    monkeypatch.setenv("PAGER_URL", receiver.url)
    sent = cli("notify", "--retry")
    assert sent.code == 0
    assert receiver.events == ["started", "applied"]
    assert [got.headers["webhook-id"] for got in receiver.got] == [one["id"] for one in undelivered]
    assert kept(estate) == []
    assert "was delivered" in cli("notify").err


def test_a_receiver_that_never_answers_costs_the_grace_and_no_more(estate, cli, receiver, short_grace):
    receiver.always = (SILENT, {})

    began = time.monotonic()
    done = cli("apply", "--auto-approve")

    assert done.code == 0
    assert time.monotonic() - began < 8
    assert "no answer yet; kept." in done.err
    assert len(kept(estate)) == 2
    assert "may have arrived" in cli("notify").err


def test_a_variable_that_is_not_set_is_told_and_stops_nothing(estate, cli, receiver, monkeypatch):
    monkeypatch.delenv("PAGER_KEY")

    done = cli("apply", "--auto-approve")

    assert done.code == 0
    assert "warning notify-unreachable: The hook pager cannot be told anything: PAGER_KEY is not set here." in done.err
    assert "environments/test.yaml:6" in done.err
    assert receiver.got == []  # Rather nothing than something without a signature.
    assert "PAGER_KEY is not set here" in cli("notify").err
    monkeypatch.setenv("PAGER_KEY", KEY)
    assert cli("notify", "--retry").code == 0
    assert receiver.events == ["started", "applied"]


# --- processes


def test_a_process_that_is_killed_loses_nothing_and_two_that_retry_send_nothing_twice(estate, receiver):
    receiver.always = (SILENT, {})
    process = start(estate, "apply", "--auto-approve")
    wait_for_lines(process, 1, "Waiting")
    process.kill()
    process.communicate(timeout=10)
    assert receiver.events == ["started"]

    receiver.always = (200, {})
    receiver.got.clear()
    both = [start(estate, "notify", "--retry") for _ in range(2)]
    for process in both:
        process.communicate(timeout=30)

    assert [process.returncode for process in both] == [0, 0]
    assert receiver.events == ["started", "applied"]


def test_a_signal_ends_the_wait_and_not_the_work(estate, receiver):
    receiver.always = (SILENT, {})
    process = start(estate, "apply", "--auto-approve")
    wait_for_lines(process, 1, "Waiting")
    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)

    _, said = process.communicate(timeout=10)

    assert process.returncode == 0
    assert time.monotonic() - asked < 3
    assert "kept." in said
    assert len(kept(estate)) == 2


def test_commands_load_what_sends_only_where_there_are_hooks():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, reconciler.cli.apply, reconciler.cli.plan; print('\\n'.join(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert [name for name in loaded if name.startswith("reconciler.notify")] == []


def test_without_hooks_nothing_is_kept(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    assert cli("apply", "--auto-approve").code == 0
    assert not (repository.root / ".reconciler/notify").exists()


# --- secrets


def test_neither_address_nor_key_is_shown_or_kept(estate, cli, receiver):
    receiver.always = (400, {})
    receiver.says = f"refused: {receiver.url} {KEY}".encode()

    commands = [
        ("plan", "--format", "json"),
        ("apply", "--auto-approve"),
        ("notify",),
        ("notify", "--retry"),
        ("notify", "--test"),
        ("notify", "--format", "json"),
    ]
    said = [cli(*command) for command in commands]

    assert len(kept(estate)) == 3
    assert shown_in("".join(ran.out + ran.err for ran in said), ADDRESS, KEY, "T0SECRET") == []
    assert everywhere(estate.root, ADDRESS, KEY, "T0SECRET") == []


def test_what_a_person_gives_as_a_reason_is_told_without_secrets_too(estate, cli, receiver, monkeypatch):
    monkeypatch.setenv("TOKEN", "token-canary-2f9e")
    always_closed = "windows: {time_zone: UTC, closed: [{from: 2000-01-01, to: 2999-12-31}]}"
    environment(estate, f"variables: {{token: {{secret: {{env: TOKEN}}}}}}\n{always_closed}")

    cli("apply", "--auto-approve", "--override-window", f"{receiver.url}, {KEY} and token-canary-2f9e")

    assert [got.json["override"] for got in receiver.got] == ["(secret), (secret) and (secret token)"] * 2


def test_what_is_not_proven_is_told(estate, cli, org, receiver):
    org.settings(tracking_complete=False)
    environment(estate, "verify: {timeout: 0.1}")
    estate.write("shared/greeter.yaml", module("Greeter"))
    estate.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    assert cli("apply", "--auto-approve").code == 4
    told = receiver.got[-1].json
    assert told["event"] == "failed"
    assert any(each["message"].endswith("unproven") for each in told["failures"])
