"""What fuzzing found, each as small as it gets."""

from __future__ import annotations

import json
import os

import httpx
import pytest
from fuzz.replay import apply, plan, recorded
from support import flow

from reconciler.engine.document import PlanFileError, load_plan
from reconciler.files import parse_json
from reconciler.specs import ArtifactCache, GitError, GitRevision
from reconciler.specs.git import resolve


def test_control_characters_of_an_org_do_not_reach_the_terminal(repository, cli, org):
    repository.write("flows/sales.yaml", flow("Sales"))
    org.publish(flow('"Stranger \\u001b[2J\\u202e"'))

    for ran in (cli("plan"), cli("plan", "--format", "json")):
        assert ran.code == 0
        assert "\\u001b[2J\\u202e" in (ran.out + ran.err).replace("\\\\", "\\")
        assert not {"\x1b", "\u202e"} & set(ran.out + ran.err)


def test_an_answer_with_half_a_surrogate_pair_can_be_shown_and_kept():
    tape = recorded()[1].fresh()
    body = b'{"message": "half \\ud800 a pair", "code": "bad.request", "status": 400}'
    position = next(at for at, (key, _) in enumerate(tape.order) if key.startswith("POST /api/v2/flows/jobs"))
    tape.spoil(position, lambda answer: type(answer)(400, (), body))

    apply(tape)


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00 \\\\ud800"', '{"\\ud83d": "\\ud83d\\ude00"}'])
def test_json_never_holds_half_a_surrogate_pair(text):
    value = parse_json(text)

    json.dumps(value, ensure_ascii=False).encode()
    assert parse_json(json.dumps(value)) == value


def test_a_plan_with_an_unknown_kind_is_refused(tmp_path):
    saved = plan(recorded()[1].fresh()).model_dump(mode="json")
    saved["changes"][0]["kind"] = "inboundFax"
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(saved), encoding="utf-8")

    with pytest.raises(PlanFileError, match="there is no kind 'inboundFax'"):
        load_plan(path)


@pytest.mark.parametrize("device", ["pipe", "/dev/zero"])
def test_a_plan_that_has_no_end_is_refused_at_once(tmp_path, device):
    path = tmp_path / "plan.json"
    if device == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(device)

    with pytest.raises(PlanFileError, match="not an ordinary file"):
        load_plan(path)


@pytest.mark.parametrize(
    "notes",
    [
        {"applied_plans": 1},
        {"applied_plans": [1]},
        {"interrupted": [[]]},
        {"interrupted": [{"run": "r", "addresses": []}]},
        {"interrupted": [{"run": "r", "holder": "h", "addresses": [{}]}]},
        {"origin": ["x"]},
    ],
)
def test_notes_of_a_ledger_that_are_not_ours_are_told(repository, cli, notes):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.edit("environments/test.yaml", "org:", "ledger: {type: file, path: ledger.json}\norg:")
    (repository.root / "ledger.json").write_text(json.dumps({"rows": {}, **notes}), encoding="utf-8")

    ran = cli("plan")

    assert ran.code == 1
    assert "ledger.json: holds notes that are not this tool's" in ran.err


def test_a_lock_whose_times_have_no_zone_is_told(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales"))
    repository.edit("environments/test.yaml", "org:", "ledger: {type: file, path: ledger.json}\norg:")
    lock = {
        "token": "t",
        "holder": "h",
        "run": "r",
        "acquired_at": "2026-01-01T00:00:00",
        "expires_at": "2026-01-01T00:00:00",
    }
    (repository.root / "ledger.json.lock").write_text(json.dumps(lock), encoding="utf-8")

    ran = cli("apply", "--auto-approve")

    assert ran.code == 1
    assert "not a lock file of this tool" in ran.err


def test_a_cache_entry_of_the_wrong_shape_counts_as_none(tmp_path, monkeypatch):
    cache = ArtifactCache(tmp_path / "specs")
    for entry in ([], {"documents": [{"name": {}}], "includes": {}}, {"documents": [], "includes": {"a": 1}}):
        monkeypatch.setattr(cache._cache, "get", lambda _key, entry=entry: entry)

        assert cache.get("key") is None


def test_half_a_surrogate_pair_is_no_breakdown_of_the_sandbox(org):
    made = org.http.post("/api/v2/flows", content=b'{"name": "\\ud800", "type": "INBOUNDCALL"}')

    assert made.status_code < 500
    assert httpx.codes.is_success(org.http.get("/api/v2/flows").status_code)


def test_a_task_below_a_key_that_holds_no_tasks_is_no_place_of_the_flow(repository, cli):
    repository.write("flows/sales.yaml", flow("Sales").replace("  tasks:", '  "tasks}}":'))

    drawn = cli("graph", "inboundCall/Sales")

    assert (drawn.code, "Internal error" in drawn.err) == (0, False)


@pytest.mark.parametrize("revision", ["a\0b", "\ud800", "", "-x", "a\nb"])
def test_what_cannot_be_a_revision_is_no_revision(tmp_path, revision):
    with pytest.raises(GitError, match="is not a Git revision"):
        resolve(tmp_path, revision)
    with pytest.raises(GitError, match="is not a Git revision"):
        GitRevision(tmp_path, revision)
