"""Real flows by other people, as one estate: they validate, apply to a strict sandbox, and stay applied."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from support import connected

from reconciler.archy.flowtypes import by_api_type
from reconciler.archy.model import Certainty
from reconciler.platform.directory_kinds import LISTINGS
from reconciler.sandbox import embedded
from reconciler.specs import WorkingTree, load_catalog, load_environment

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
OWN_NAME = re.compile(r"^(\w+:\s*\n\s+name:\s*)(.+)$", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
SUPPLIED = {"default_language": "en-us", "language": "en-us", "division": "Home", "home_division_name": "Home"}
SUPPLIED["callback_division"] = "Home"
PLURALS = {
    "dataAction": "dataActions",
    "queue": "queues",
    "wrapupCode": "wrapupCodes",
    "contactList": "contactLists",
    "schedule": "schedules",
    "scheduleGroup": "scheduleGroups",
    "knowledgeBase": "knowledgeBases",
    "script": "scripts",
    "worktype": "worktypes",
    "dataTable": "dataTables",
    "division": "divisions",
    "skill": "skills",
    "prompt": "prompts",
    "user": "users",
    "group": "groups",
    "emergencyGroup": "emergencyGroups",
    "ttsEngine": "ttsEngines",
    "sttEngine": "sttEngines",
    "languageSkill": "languageSkills",
    "flowOutcome": "flowOutcomes",
    "flowMilestone": "flowMilestones",
    "surveyForm": "surveyForms",
}


@pytest.fixture(scope="module")
def corpus():
    files = sorted(path for path in CORPUS.glob("*/*") if {".yaml", ".yml", ".tftpl"} & set(path.suffixes))
    if not files:
        pytest.skip("the corpus of real flows is not on this machine (../shared/corpus)")
    return files


def test_all_of_it_is_applied_and_the_second_plan_is_empty(corpus, repository, cli, tmp_path, monkeypatch):
    _specs(corpus, repository)
    seed = tmp_path / "corpus-seed.yaml"
    seed.write_text(yaml.safe_dump(_seed(repository), allow_unicode=True), encoding="utf-8")
    with embedded.start(tmp_path / "corpus.sqlite", seed=seed) as running, connected(running) as org:
        repository.write("environments/_org.yaml", f"org: {{api_url: '{org.url}', login_url: '{org.url}'}}\n")
        repository.write(
            "environments/test.yaml",
            (repository.root / "environments/test.yaml")
            .read_text(encoding="utf-8")
            .replace("extends: _none", "extends: _org"),
        )
        monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", org.client_id)
        monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", org.client_secret)

        assert cli("validate").code == 0
        applied = cli("apply", "--auto-approve")
        assert applied.code == 0, applied.err
        again = cli("plan", "--format", "json", "--detailed-exitcode")
        assert again.code == 0, again.out
        assert again.json["summary"]["unchanged"] == len(corpus)

        monkeypatch.setenv("RECONCILER_CACHE_DIR", str(tmp_path / "cold"))
        table = org.get("/flows/datatables", name="Reconciler ledger test")["entities"][0]
        org.send("DELETE", f"/flows/datatables/{table['id']}", force="true").raise_for_status()
        adopted = cli("plan", "--format", "json").json
        assert adopted["summary"]["update"] == 0, [c for c in adopted["changes"] if c["action"] == "update"]
        assert adopted["summary"]["adopt"] == len(corpus)


def test_a_sandbox_that_makes_what_is_missing_takes_all_of_it_without_a_seed(corpus, repository, cli):
    _specs(corpus, repository)
    repository.write("environments/_none.yaml", "org: {sandbox: {missing_references: create}}\n")

    applied = cli("apply", "--auto-approve")

    assert applied.code == 0, applied.err
    assert cli("plan", "--detailed-exitcode").code == 0


def _specs(files, repository):
    """Every file as a spec, unchanged but for its own name where two have the same."""
    names: dict[str, int] = defaultdict(int)
    variables = dict(SUPPLIED)
    for number, path in enumerate(files):
        text = path.read_text(encoding="utf-8")
        for placeholder in PLACEHOLDER.findall(text):
            variables.setdefault(placeholder, placeholder.replace("_", " ").title())
        name = OWN_NAME.search(text)[2].strip("\"' ")
        names[name] += 1
        if PLACEHOLDER.fullmatch(name) or names[name] > 1:
            text = OWN_NAME.sub(lambda m, n=number: f'{m[1]}"Flow {n}"', text, count=1)
        repository.write(f"flows/{number:02}.yaml", "")
        (repository.root / f"flows/{number:02}.yaml").write_text(text, encoding="utf-8")
    variables |= _own_names(files)
    repository.write(
        "environments/test.yaml", yaml.safe_dump({"extends": "_none", "variables": variables}, allow_unicode=True)
    )
    repository.write("environments/_none.yaml", "org: {region: eu-west-1}\n")


def _own_names(files):
    """The module and its caller must agree on the module's name; other callees are seeded."""
    number = next(number for number, path in enumerate(files) if path.name == "ResolveContact.yaml")
    return {"common_module_name": f"Flow {number}"}


def _seed(repository):
    """Everything that the flows name and that is no spec of the estate."""
    source = WorkingTree(repository.root)
    catalog = load_catalog(source, load_environment(source, "test"), secret_env=None, cache=None)
    wanted: dict[str, list] = defaultdict(list)
    flows = {}
    for desired in catalog.resources.values():
        for reference in desired.references:
            if reference.certainty is Certainty.DYNAMIC:
                continue
            if reference.kind == "flow":
                kinds = [by_api_type(name).root for name in reference.flow_types]
                if not any(f"{kind}/{reference.name}" in catalog.resources for kind in kinds):
                    flows[kinds[0], reference.name] = _stub(kinds[0], reference.name)
                continue
            item = (
                {"category": reference.category, "name": reference.name}
                if reference.category
                else {"name": reference.name, "email": reference.name}
                if reference.kind == "user"
                else reference.name
            )
            if item not in wanted[reference.kind]:
                wanted[reference.kind].append(item)
    assert set(wanted) <= set(LISTINGS), "a kind that nobody can look up"
    wanted["division"] = [name for name in wanted["division"] if name != "Home"]
    return {
        "organization": {"id": "6e3cfd35-6a6b-4bb6-a25c-5a6b7f7f0d11", "name": "Corpus"},
        **{PLURALS[kind]: names for kind, names in wanted.items()},
        "flows": [{"yaml": text} for text in flows.values()],
    }


def _stub(kind, name):
    if kind == "botFlow":
        return f"""\
botFlow:
  name: {yaml.safe_dump(name, default_style='"').strip()}
  startUpRef: "/botFlow/bots/bot[Bot_10]"
  defaultLanguage: en-us
  bots:
    - bot:
        name: Bot
        refId: Bot_10
        actions:
          - exitBotFlow:
              name: Exit
"""
    raise AssertionError(f"no stub for {kind} {name}")
