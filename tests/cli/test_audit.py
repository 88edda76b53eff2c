"""The audit trail as its readers use it: written by applies, listed, exported, checked beside the ledger."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import SEED, Org, Repository, connected, environment, flow, module

from reconciler.cli.main import run
from reconciler.engine.audit.record import FIRST, AuditRecord, canonical, sealed
from reconciler.report.audit import cef_line
from reconciler.sandbox import embedded

DOCS = Path(__file__).parents[2] / "docs/audit.md"
TRAIL = ".reconciler/audit/test.jsonl"


def first_commit(repository: Repository) -> None:
    """A module and a flow that holds it, in Git."""
    repository.git("init", "-q", "-b", "main")
    repository.write(".gitignore", ".reconciler/\n")
    repository.write("shared/hold.yaml", module("Hold"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Hold",)))
    repository.git("add", ".")
    repository.git("commit", "-q", "-m", "First")


@pytest.fixture
def estate(repository) -> Repository:
    """A module and a flow that holds it."""
    repository.write("shared/hold.yaml", module("Hold"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Hold",)))
    return repository


@pytest.fixture
def applied(estate, cli) -> Repository:
    assert cli("apply", "--auto-approve").code == 0
    return estate


@pytest.fixture(scope="module")
def twice(tmp_path_factory) -> Iterator[tuple[Org, Repository]]:
    """The same after two applies, for tests that change nothing in the org and leave the trail as it was."""
    folder = tmp_path_factory.mktemp("twice")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    with (
        embedded.start(folder / "org.sqlite", seed=folder / "seed.yaml") as running,
        connected(running) as org,
        pytest.MonkeyPatch.context() as patch,
    ):
        repository = Repository(folder / "repository")
        where = f"{{api_url: {org.url}, login_url: {org.url}, requests_per_minute: 1000000}}"
        repository.write("environments/test.yaml", f"org: {where}\n")
        patch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", org.client_id)
        patch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", org.client_secret)
        patch.setenv("RECONCILER_CACHE_DIR", str(folder / "cache"))
        patch.chdir(repository.root)
        first_commit(repository)
        for says in ("Hello.", "Another greeting."):
            repository.write("flows/sales.yaml", flow("Sales", says=says, modules=("Hold",)))
            assert run(["apply", "--env", "test", "--auto-approve"]) == 0
        yield org, repository


@pytest.fixture
def kept(twice) -> Iterator[Repository]:
    """As ``twice``; whatever a test does to the trail is undone."""
    trail = twice[1].root / TRAIL
    whole = trail.read_bytes()
    yield twice[1]
    trail.write_bytes(whole)


def again(repository: Repository, cli, says: str = "Another greeting.", *arguments: str):
    """Applies another wording of the flow."""
    (repository.root / "flows/sales.yaml").write_text(flow("Sales", says=says, modules=("Hold",)), encoding="utf-8")
    return cli("apply", "--auto-approve", *arguments)


def records(repository: Repository, file: str = TRAIL) -> list[dict]:
    return [json.loads(line) for line in (repository.root / file).read_text(encoding="utf-8").splitlines()]


def test_a_run_leaves_who_what_when_and_the_versions_before_and_after(kept, twice, cli):
    org = twice[0]
    first, *_, last = written = records(kept)
    events = "run-started change change run-ended run-started change run-ended"
    assert " ".join(one["event"] for one in written) == events
    assert first["commit"] == kept.git("rev-parse", "HEAD")
    assert first["org"]["name"] == "Test Org"
    assert first["client"] == org.client_id
    assert first["holder"].startswith(first["user"])
    assert first["planned"] == {"commonModule/Hold": "create", "inboundCall/Sales": "create"}
    assert {"machine", "plan", "plan_digest", "tool", "at"} <= first.keys()
    assert written[4]["dirty"] is True
    change = written[5]
    assert (change["address"], change["action"], change["outcome"]) == ("inboundCall/Sales", "update", "applied")
    assert (change["version_before"], change["version_after"]) == ("1.0", org.version("Sales"))
    assert change["object_id"] == org.flows()["Sales"]["id"]
    assert last["counts"] == {"applied": 1}
    remembered = cli("history", "--format", "json").json[0]["audit"]
    assert remembered.endswith(f":6:{written[5]['hash'][:32]}"), "the ledger knows the head before the end is written"
    assert written[4]["before"] == cli("history", "--format", "json").json[1]["audit"]


def test_the_lines_of_the_docs_recompute_every_hash(kept):
    program = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert program is not None
    assert len(program[1].strip().splitlines()) <= 14
    trail = kept.root / TRAIL
    code = program[1].replace("prod.jsonl", str(trail))

    exec(code, {})
    lines = trail.read_text(encoding="utf-8").splitlines()
    for edited in (lines[:1] + lines[2:], [lines[0], lines[1].replace("applied", "skipped"), *lines[2:]]):
        trail.write_text("\n".join(edited) + "\n", encoding="utf-8")
        with pytest.raises(AssertionError):
            exec(code, {})


def test_runs_are_listed_for_people_and_programs(applied, cli, org):
    org.fault(match={"job_flow": "Sales"}, effect={"job": {"status": "Failure", "messages": ["It is broken."]}})
    failed = again(applied, cli)
    assert failed.code == 1

    told = cli("audit")

    assert told.code == 0
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines[0] == f"Audit trail of test · {TRAIL}"
    assert re.search(r"^  applied     create    inboundCall/Sales  new → 1\.0  \d", told.err, flags=re.MULTILINE)
    assert re.search(r"^  failed      update    inboundCall/Sales  at 1\.0", told.err, flags=re.MULTILINE)
    assert "It is broken" in told.err
    assert "with exit code 1: 1 failed" in lines[-1]
    run = records(applied)[-1]["run"]
    assert {one["run"] for one in cli("audit", "--run", run, "--format", "json").json} == {run}
    assert {one["run"] for one in cli("audit", "--since", run, "--format", "json").json} == {run}
    assert len(cli("audit", "--since", "1h", "--format", "json").json) == 7


def test_an_override_and_a_policy_set_aside_are_on_record(applied, cli):
    environment(applied, 'windows: {open: [{days: [mon], from: "03:00", to: "03:01"}], time_zone: Etc/UTC}')
    environment(applied, "policy: {protect: [inboundCall/Sales]}")
    applied.write("flows/sales.yaml", "{% if false %}{% endif %}")
    assert cli("apply", "--auto-approve", "--prune").code == 1

    done = cli("apply", "--auto-approve", "--prune", "--target", "inboundCall/Sales", "--override-window", "Fire")

    assert done.code == 0, done.err
    begun, change, _ = records(applied)[-3:]
    assert begun["override"] == "Fire"
    assert "policy.protect is set aside for inboundCall/Sales" in begun["policies"][0]
    assert any("sets policy.protect aside" in reason for reason in change["reasons"])
    told = cli("audit").err
    assert "outside the windows: Fire" in told
    assert "policy.protect is set aside for inboundCall/Sales" in told
    assert "1.0 → gone" in told


def test_the_trail_is_kept_elsewhere_or_not_at_all(estate, cli):
    environment(estate, "audit: {path: books/audit.jsonl}")
    assert cli("apply", "--auto-approve").code == 0
    assert not (estate.root / TRAIL).exists()
    assert len(records(estate, "books/audit.jsonl")) == 4
    estate.edit("environments/test.yaml", "path: books/audit.jsonl", "enabled: false")
    assert again(estate, cli).code == 0
    assert len(records(estate, "books/audit.jsonl")) == 4

    assert "The environment test keeps no audit trail." in cli("audit").err
    checked = cli("audit", "verify", "books/audit.jsonl")
    assert checked.code == 0
    assert "1 run that the ledger remembers kept no trail" in checked.err


def test_a_run_that_cannot_be_put_on_record_is_refused_before_anything_is_changed(estate, cli, org):
    environment(estate, "audit: {path: /dev/full}")

    refused = cli("apply", "--auto-approve")

    assert refused.code == 1
    assert "/dev/full: the audit trail cannot be written: No space left on device; nothing was applied." in refused.err
    assert org.flows() == {}
    assert cli("unlock", "--yes").code == 0
    estate.edit("environments/test.yaml", "path: /dev/full", "path: environments")
    assert "Is a directory; nothing was applied." in cli("apply", "--auto-approve").err
    assert org.flows() == {}


def test_a_disk_that_fills_up_halfway_stops_no_deployment_and_shows_as_a_gap(applied, cli, org):
    environment(applied, "concurrency: 1")
    trail, kept = applied.root / TRAIL, applied.root / "kept.jsonl"
    for name in ("Fax", "Claims"):
        applied.write(f"flows/{name}.yaml", flow(name))
    org.settings(job_seconds=0.1)

    full = applied.root / "full"
    full.symlink_to("/dev/full")

    def fill_up() -> None:
        while trail.read_text(encoding="utf-8").count("\n") < 6:
            time.sleep(0.002)
        os.link(trail, kept)
        full.replace(trail)

    thread = threading.Thread(target=fill_up, daemon=True)
    thread.start()
    done = cli("apply", "--auto-approve")
    thread.join(20)

    assert done.code == 0, done.err
    assert set(org.flows()) == {"Hold", "Sales", "Fax", "Claims"}
    assert "the audit trail cannot be written (No space left on device); tried again as it goes." in done.err
    assert re.search(r"The last \d records of the audit trail could not be written to ", done.err)
    kept.replace(trail)
    checked = cli("audit", "verify")
    assert checked.code == 1
    assert "could not write all of its records: they are lost." in checked.err


def test_an_untouched_trail_is_proven_by_the_ledger(kept, cli):
    checked = cli("audit", "verify")

    assert checked.code == 0
    assert checked.err.splitlines() == [
        f"{TRAIL}  7 records of 2 runs",
        "Ledger of test  2 of 2 runs found in the trail",
        "Intact.",
    ]
    assert cli("audit", "verify", "--format", "json").json["intact"] is True


def cut(lines: int):
    return lambda text: "".join(text.splitlines(keepends=True)[:-lines])


CUTS = (
    (cut(3), "is missing, though the ledger knows it: the trail was cut off, or rewritten."),
    (cut(1), "is there, but not its end: cut off, or killed right after it wrote the ledger."),
    (lambda text: text[:-40], "is there, but not its end"),
    (lambda _text: "", "is in none of these files: give the file of the machine that it ran on."),
)


def test_what_was_cut_off_the_end_shows_beside_the_ledger_only(kept, cli):
    trail = kept.root / TRAIL
    whole = trail.read_text(encoding="utf-8")
    for tamper, said in CUTS:
        trail.write_text(tamper(whole), encoding="utf-8")

        alone, beside = cli("audit", "verify", "--offline"), cli("audit", "verify")

        assert alone.code == 0
        assert "Only the ledger proves that nothing is missing at the end." in alone.err
        assert beside.code == 1
        assert said in beside.err
        assert beside.err.splitlines()[-1].startswith("NOT INTACT" if tamper(whole) else "NOT COMPLETE")


def chained(written: list[dict]) -> str:
    """A trail of these records, as somebody forges it who knows how hashes are taken."""
    lines, previous = [], FIRST
    for number, record in enumerate(written, 1):
        body = {key: value for key, value in record.items() if key not in ("seq", "previous", "hash")}
        made = sealed(body, number, previous)
        previous = made["hash"]
        lines.append(canonical(made))
    return "".join(f"{line}\n" for line in lines)


def test_what_was_added_to_the_end_or_written_anew_there_shows_beside_the_ledger(kept, cli):
    """Someone who publishes by hand makes the trail say that it was ours."""
    *before, change, end = records(kept)
    forged = {**change, "version_after": "9.0"}
    for written, said in (
        ([*before, change, forged, {**end, "counts": {"applied": 2}}], "was over when record 7 was written"),
        (
            [*before, change, {**end, "exit_code": 4}],
            "ended by the trail with exit code 4, the ledger with 0: rewritten.",
        ),
    ):
        (kept.root / TRAIL).write_text(chained(written), encoding="utf-8")

        checked = cli("audit", "verify")

        assert checked.code == 1
        assert said in checked.err

    another = [{**record, "run": "abcdefabcdef"} for record in (before[-1], forged, end)]
    (kept.root / TRAIL).write_text(chained([*before, change, end, *another]), encoding="utf-8")
    assert "The ledger does not know run abcdefabcdef, which the trail has" in cli("audit", "verify").err


def test_a_trail_that_was_taken_away_is_missed(kept, cli):
    whole = (kept.root / TRAIL).read_bytes()
    (kept.root / TRAIL).unlink()
    try:
        checked = cli("audit", "verify")
    finally:
        (kept.root / TRAIL).write_bytes(whole)

    assert checked.code == 1
    assert "0 of 2 runs found in the trail" in checked.err
    assert "NOT COMPLETE" in checked.err


def test_a_run_that_was_killed_after_it_wrote_the_ledger_is_told_once_others_followed(applied, cli):
    trail = applied.root / TRAIL
    trail.write_text(cut(1)(trail.read_text(encoding="utf-8")), encoding="utf-8")
    again(applied, cli)

    checked = cli("audit", "verify")

    assert checked.code == 0, checked.err
    assert re.search(r"Run \w+ \(.*\) has no end: it was killed\.", checked.err)


def test_a_run_that_was_killed_before_it_gave_its_lock_back_is_no_tampering(applied, cli, monkeypatch):
    """It had noted itself in the ledger already; or it is at that very moment."""

    class Killed(BaseException):
        pass

    async def killed(*_arguments: object) -> None:
        raise Killed

    monkeypatch.setattr("reconciler.ledger.org.OrgLedger.release", killed)
    with pytest.raises(Killed):
        again(applied, cli)

    checked = cli("audit", "verify")

    assert "has no end: it was killed or is not over yet." in checked.err
    assert "2 of 2 runs found" in checked.err
    assert checked.code == 0


def test_the_trails_of_several_machines_are_checked_together(applied, cli, org):
    """A pipeline has a fresh disk for each job; what it kept as artifacts is collected later."""
    (applied.root / TRAIL).rename(applied.root / "job-1.jsonl")
    again(applied, cli)
    (applied.root / TRAIL).rename(applied.root / "job-2.jsonl")

    one, both = cli("audit", "verify", "job-2.jsonl"), cli("audit", "verify", "job-1.jsonl", "job-2.jsonl")

    assert one.code == 1
    assert "is in none of these files: give the file of the machine that it ran on." in one.err
    assert "The run before run" in one.err
    assert one.err.splitlines()[-1].startswith("NOT COMPLETE")
    assert both.code == 0, both.err
    assert "2 of 2 runs found in the trail" in both.err
    first = (applied.root / "job-1.jsonl").read_text(encoding="utf-8")
    (applied.root / "job-1.jsonl").write_text(cut(2)(first), encoding="utf-8")
    assert "names the run before it, whose record is another now" in cli(
        "audit", "verify", "--offline", "job-1.jsonl", "job-2.jsonl"
    ).err  # fmt: skip
    assert "no such audit trail" in cli("audit", "verify", "job-3.jsonl").err


def test_it_is_exported_as_it_is_and_with_the_names_of_elastic(kept, cli):
    assert cli("audit", "export").out == (kept.root / TRAIL).read_text(encoding="utf-8")
    run = records(kept)[-1]["run"]
    assert cli("audit", "export", "--run", run, "--out", "part.jsonl").code == 0
    assert cli("audit", "verify", "--offline", "part.jsonl").code == 0

    events = [json.loads(line) for line in cli("audit", "export", "--format", "ecs").out.splitlines()]
    assert [event["event.action"] for event in events[-3:]] == ["run-started", "update", "run-ended"]
    change = events[-2]
    assert change["event.category"] == ["configuration"]
    assert change["event.type"] == ["change"]
    assert change["event.outcome"] == "success"
    assert (change["reconciler.version_before"], change["reconciler.version_after"]) == ("1.0", "2.0")
    assert change["user.name"] == events[0]["user.name"]
    assert change["event.hash"] == records(kept)[-2]["hash"]


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """As a collector reads it, by the rules of the format."""
    *header, extension = re.split(r"(?<!\\)\|", line, maxsplit=7)
    pairs = re.findall(r"(?:^| )(\w+)=((?:\\.|[^=\\])*?)(?= \w+=|$)", extension)
    plain = {key: value.replace("\\n", "\n").replace("\\=", "=").replace("\\\\", "\\") for key, value in pairs}
    return header, plain


def test_a_run_is_exported_with_what_another_one_wrote_meanwhile_and_is_no_gap(kept, cli):
    """Two environments share a file, and their runs overlap."""
    first, *middle, last = records(kept)[:4]
    other = [{**record, "run": "abcdefabcdef", "environment": "other"} for record in (first, *middle, last)]
    mixed = [first, other[0], *middle, *other[1:], last]
    (kept.root / TRAIL).write_text(chained(mixed), encoding="utf-8")

    assert cli("audit", "export", "--run", first["run"], "--out", "part.jsonl").code == 0
    ecs = cli("audit", "export", "--run", first["run"], "--format", "ecs")

    assert cli("audit", "verify", "--offline", "part.jsonl").code == 0
    assert {json.loads(line)["labels.run"] for line in ecs.out.splitlines()} == {first["run"]}


def test_names_with_line_separators_break_no_line_for_elastic(kept, cli):
    """Many readers of lines end one at U+2028 and U+0085, too."""
    written = records(kept)
    (kept.root / TRAIL).write_text(chained([{**one, "holder": "A\u2028B\u0085C"} for one in written]), encoding="utf-8")

    events = [json.loads(line) for line in cli("audit", "export", "--format", "ecs").out.splitlines()]

    assert len(events) == len(written)
    assert "A\u2028B\u0085C" in events[0]["message"]


def test_it_is_exported_as_cef_whatever_names_and_messages_hold(kept, cli):
    lines = cli("audit", "export", "--format", "cef").out.splitlines()
    header, values = read_cef(lines[1])
    assert header[:3] == ["CEF:0", "reconciler", "Genesys Cloud reconciler"]
    assert values["cs3Label"] == "address"
    assert values["cs3"] == "commonModule/Hold"
    assert values["outcome"] == "applied"
    assert int(values["rt"]) == round(AuditRecord.model_validate(records(kept)[1]).at.timestamp() * 1000)

    hostile = AuditRecord.model_validate(
        records(kept)[1] | {"address": "ivr/a|b=c\\d", "message": "first\nsecond=x|y", "action": "upd|ate"}
    )
    line = cef_line(hostile, None)
    header, values = read_cef(line)
    assert "\n" not in line
    assert header[5] == "upd\\|ate ivr/a\\|b=c\\\\d"
    assert values["cs3"] == "ivr/a|b=c\\d"
    assert values["reason"] == "first\nsecond=x|y"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_export_is_utf_8_whatever_the_locale(kept, encoding):
    """As from a cron job."""
    name = "Sälés ☎"
    (kept.root / TRAIL).write_text(chained([{**one, "machine": name} for one in records(kept)]), encoding="utf-8")
    command = [sys.executable, "-m", "reconciler", "audit", "export", "--format", "cef", "--env", "test"]

    ran = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding})

    assert ran.returncode == 0, ran.stderr
    assert f"dvchost={name} " in ran.stdout.decode("utf-8")


def test_nothing_is_on_record_of_runs_that_never_took_the_lock(kept, cli):
    before = records(kept)
    cli("plan")
    cli("apply", "--auto-approve", "--target", "inboundCall/Nothing")
    assert records(kept) == before


REFUSED = (
    (("audit", "--run", "x"), "has no run 'x'"),
    (("audit", "--since", "yesterday"), "--since 'yesterday' is no date"),
    (("audit", "--env", "test", "verify"), "Options of `audit verify` come after it."),
    (("audit", "--platform", "--run", "x"), "--run does not go with --platform"),
    (("audit", "platform", "--since", "2124-01-01"), "lies in the future"),
    (("audit", "export", "nowhere.jsonl"), "nowhere.jsonl: no such audit trail."),
    (("audit", "export", "--out", "flows"), "flows: cannot be written"),
)


def test_what_cannot_be_is_refused_with_what_to_write(kept, cli):
    for arguments, said in REFUSED:
        ran = cli(*arguments)
        assert ran.code == 1
        assert said in ran.err
        assert "Traceback" not in ran.err
