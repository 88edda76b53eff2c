"""Seed files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox_support import Client, call_flow, calls, connect, module, to_queue

from reconciler.sandbox import embedded
from reconciler.sandbox.seed_file import SeedError
from reconciler.sandbox.store import StoreError


def serve(data: Path, seed: str | None, missing: str = "reject") -> embedded.Running:
    """An org with a seed of this text."""
    path = None
    if seed is not None:
        path = data.with_suffix(".seed.yaml")
        path.write_text(seed, encoding="utf-8")
    return embedded.start(data, seed=path, missing_references="create" if missing == "create" else "reject")


def session(running: embedded.Running) -> Client:
    """A session with it."""
    return connect(running.api_url, running.client_id, running.client_secret)


def indented(text: str) -> str:
    """YAML as a block scalar of a seed."""
    return "|\n" + "".join(f"      {line}\n" for line in text.splitlines())


def test_flows_are_published_after_what_they_call(tmp_path: Path) -> None:
    (tmp_path / "speak.yaml").write_text(module("Speak"), encoding="utf-8")
    seed = f"""\
queues: [Sales]
flows:
  - yaml: {indented(call_flow("Main", calls("Speak") + to_queue("Sales")))}
  - file: speak.yaml
"""
    with serve(tmp_path / "org.sqlite", seed) as running, session(running) as client:
        flows = {flow["name"]: flow["publishedVersion"]["id"] for flow in client.get("/flows")["entities"]}
        assert flows == {"Main": "1.0", "Speak": "1.0"}


def test_every_kind_of_object_can_be_seeded(tmp_path: Path) -> None:
    seed = """\
organization: {name: Acme, defaultLanguage: da-dk}
divisions: [North, {name: South, description: Far}]
queues: [{name: Q, division: North}]
skills: [S]
languageSkills: [Danish]
wrapupCodes: [W]
contactLists: [C]
prompts: [{name: P, tts: {en-us: Hello}}]
dataTables: [{name: T, fields: {open: boolean}, rows: [{key: a, open: true}]}]
dataActions: [{category: CRM, name: Find}]
schedules: [{name: Week, start: "2026-01-05T08:00:00.000", end: "2026-01-05T17:00:00.000", rrule: FREQ=DAILY}]
scheduleGroups: [{name: Hours, timeZone: Europe/Copenhagen, openSchedules: [Week]}]
emergencyGroups: [E]
users: [{name: Ada, email: ada@example.com}, bob@example.com]
groups: [G]
scripts: [Script]
surveyForms: [Form]
knowledgeBases: [KB]
flowOutcomes: [O]
flowMilestones: [M]
worktypes: [WT]
sttEngines: [STT]
didPools: [{start: "+4570100000", end: "+4570100009"}, "+4580000000"]
"""
    with serve(tmp_path / "org.sqlite", seed) as running, session(running) as client:
        assert client.get("/organizations/me")["name"] == "Acme"
        assert client.get("/routing/queues")["entities"][0]["division"]["name"] == "North"
        paths = (
            *("routing/skills", "routing/languages", "routing/wrapupcodes", "outbound/contactlists"),
            *("architect/prompts", "flows/datatables", "integrations/actions", "architect/schedules"),
            *("architect/emergencygroups", "groups", "scripts", "quality/forms/surveys", "flows/outcomes"),
            *("flows/milestones", "integrations/speech/stt/engines"),
        )
        for path in paths:
            assert client.get(f"/{path}")["total"] == 1, path
        assert client.get("/users")["total"] == 2
        table = client.get("/flows/datatables")["entities"][0]["id"]
        assert client.get(f"/flows/datatables/{table}/rows/a", showbrief="false")["open"] is True
        (group,) = client.get("/architect/schedulegroups")["entities"]
        assert group["openSchedules"][0]["name"] == "Week"
        used = client.call("DELETE", f"/architect/schedules/{group['openSchedules'][0]['id']}")
        assert used.status_code == 409


def test_a_changed_seed_adds_and_touches_nothing(tmp_path: Path) -> None:
    data = tmp_path / "org.sqlite"
    with serve(data, "organization: {name: Acme}\nqueues: [A, B]\n") as running, session(running) as client:
        queues = {queue["name"]: queue["id"] for queue in client.get("/routing/queues")["entities"]}
        organization = client.get("/organizations/me")
        client.call("DELETE", f"/routing/queues/{queues['B']}")
        credentials = running.client_id, running.client_secret
    with serve(data, "organization: {name: Acme}\nqueues: [A, B]\n") as running, session(running) as client:
        # The same seed again: what was deleted stays deleted.
        assert [queue["name"] for queue in client.get("/routing/queues")["entities"]] == ["A"]
        assert (running.client_id, running.client_secret) == credentials
    with serve(data, "organization: {name: Other}\nqueues: [A, C]\n") as running, session(running) as client:
        again = {queue["name"]: queue["id"] for queue in client.get("/routing/queues")["entities"]}
        assert set(again) == {"A", "C"}
        assert again["A"] == queues["A"]
        assert client.get("/organizations/me") == organization


@pytest.mark.parametrize(
    ("seed", "says"),
    [
        ("queues: [A]\nqueue: [B]\n", ":2:1: unknown key 'queue'. Known: agenticVirtualAgents"),
        ("queues:\n  - name: A\n    colour: red\n", ":3:5: unknown key 'colour'."),
        ("users:\n  - email: x@example.com\n", "the key 'name' is missing"),
        ("queues:\n  - 12\n", ":2:5:"),
        ("didPools: [{start: '70100000', end: '70100001'}]\n", "didPools.0.start"),
        ("queues: [\n", ":2:1:"),
        ("queues: [{name: A, division: Nowhere}]\n", "the division 'Nowhere' is used in the seed but not in it"),
        ("dataTables: [{name: T, fields: {x: string}, rows: [{x: a}]}]\n", "data table 'T': The field 'key'"),
        ("flows: [{file: nowhere.yaml}]\n", "the flow file 'nowhere.yaml' cannot be read"),
        ("flows: [{}]\n", "needs either 'yaml' or 'file'"),
        (f"flows:\n  - yaml: {indented(call_flow('A', to_queue('No')))}\n", "flow 'A': find 'queue' by value of 'No'"),
    ],
)
def test_a_bad_seed_says_what_and_where(tmp_path: Path, seed: str, says: str) -> None:
    with pytest.raises(SeedError) as caught:
        serve(tmp_path / "org.sqlite", seed)
    assert says in str(caught.value)
    assert "org.seed.yaml" in str(caught.value)


def test_a_seed_may_leave_the_rest_to_be_made_up(tmp_path: Path) -> None:
    seed = f"flows:\n  - yaml: {indented(call_flow('A', to_queue('Anything')))}\n"
    with serve(tmp_path / "org.sqlite", seed, missing="create") as running, session(running) as client:
        assert client.get("/routing/queues")["entities"][0]["name"] == "Anything"


def test_a_file_that_is_no_org_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "org.sqlite"
    data.write_text("this is not a database, and long enough to be seen as none " * 20, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be used as a sandbox org"):
        serve(data, None)
