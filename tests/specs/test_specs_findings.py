"""Findings of flows on their way through the specs: where they are, what silences them, what is kept of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from specs_support import ENVIRONMENT, Tree

from reconciler.problems import Severity
from reconciler.specs import ArtifactCache
from reconciler.specs import loader as loader_module

SILENT = """\
inboundCall:
  name: Sales
  startUpRef: "/inboundCall/tasks/task[Main_1]"
  tasks:
    - task:
        name: Main
        refId: Main_1
        actions:
          - transferToAcd:
              name: To {{ queues[0] }}
              targetQueue: {lit: {name: Sales}}
"""
ENDLESS = """\
inboundCall:
  name: Sales
  startUpRef: "/inboundCall/tasks/task[Main_1]"
  tasks:
    - task:
        name: Main
        refId: Main_1
        actions:
          - jumpToTask: {name: Again, targetTaskRef: "/inboundCall/tasks/task[Main_1]"}
"""
UNHANDLED = "transfer-failure-unhandled"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "repository")
    made.write("flows/sales.yaml", SILENT)
    return made


def silence(tree: Tree, *entries: str, file: str = "environments/prod.yaml", before: str = ENVIRONMENT) -> None:
    listed = "".join(f"    - {{{entry}}}\n" for entry in entries)
    tree.write(file, f"{before}findings:\n  silence:\n{listed}")


def test_a_finding_has_the_address_and_the_line_of_the_source(tree: Tree) -> None:
    tree.write(
        "shared/_transfer.j2",
        "# Indented.\n          - transferToAcd: {name: Over, targetQueue: {lit: {name: Sales}}}\n",
    )
    tree.write("flows/sales.yaml", SILENT.partition("          - transferToAcd")[0] + "{% include '_transfer.j2' %}\n")
    (found,) = tree.load().findings
    assert (found.id, found.severity, found.address) == (UNHANDLED, Severity.WARNING, "inboundCall/Sales")
    assert (found.file, found.line) == ("shared/_transfer.j2", 2)


def test_an_error_stops_everything_and_warnings_come_with_it(tree: Tree) -> None:
    tree.write("flows/b.yaml", ENDLESS.replace("Sales", "Other"))
    assert [(found.id, found.file) for found in tree.findings()] == [
        ("endless-loop", "flows/b.yaml"),
        (UNHANDLED, "flows/sales.yaml"),
    ]


def test_the_value_of_a_secret_never_stands_in_a_finding(tree: Tree) -> None:
    tree.write("flows/sales.yaml", SILENT.replace("{{ queues[0] }}", "{{ token }}"))
    (found,) = tree.load(secrets={"TOKEN": "tok-4711"}).findings
    assert "(secret token)" in found.message
    assert "tok-4711" not in found.model_dump_json()


def test_a_silence_by_id_and_glob_keeps_the_finding_with_its_reason(tree: Tree) -> None:
    silence(tree, f"id: {UNHANDLED}, address: inboundCall/S*, reason: The carrier speaks.")
    catalog = tree.load()
    assert catalog.findings == ()
    ((finding, reason),) = [(each.finding, each.reason) for each in catalog.silenced]
    assert (finding.id, finding.address, reason) == (UNHANDLED, "inboundCall/Sales", "The carrier speaks.")


def test_a_silenced_error_stops_nothing(tree: Tree) -> None:
    tree.write("flows/sales.yaml", ENDLESS)
    silence(tree, "id: endless-loop, address: inboundCall/Sales, reason: An experiment.")
    assert [each.finding.id for each in tree.load().silenced] == ["endless-loop"]


def test_a_list_of_silences_replaces_the_inherited_one(tree: Tree) -> None:
    silence(tree, f"id: {UNHANDLED}, address: '*', reason: Base.", file="environments/_base.yaml")
    tree.write("environments/one.yaml", "extends: _base\n")
    tree.write("environments/two.yaml", "extends: _base\nfindings: {silence: []}\n")
    assert tree.load(name="one").findings == ()
    assert [found.id for found in tree.load(name="two").findings] == [UNHANDLED]


def test_a_silence_that_matches_nothing_is_told_where_it_is_written(tree: Tree) -> None:
    silence(
        tree,
        f"id: {UNHANDLED}, address: inboundCall/Sales, reason: Used.",
        "id: no-end, address: inboundCall/Sales, reason: Not used.",
    )
    (unused,) = tree.load().findings
    assert (unused.id, unused.severity) == ("unused-silence", Severity.INFO)
    assert (unused.file, unused.line) == ("environments/prod.yaml", ENVIRONMENT.count("\n") + 4)


@pytest.mark.parametrize(
    ("entry", "id_", "said"),
    [
        ("id: no-ende, address: '*', reason: x", "unknown-finding", "Did you mean `no-end`?"),
        ("id: dangling-reference, address: '*', reason: x", "cannot-be-silenced", "Mend the flow"),
        ("id: no-end, address: '*'", "missing-key", ""),
        ("id: no-end, address: '*', reason: ' '", "bad-value", ""),
        ("id: no-end, address: '*', reason: x, until: y", "unknown-environment-key", "reason"),
        ("id: 7, address: '*', reason: x", "bad-value", ""),
    ],
)
def test_a_wrong_silence_is_an_error_at_its_line(tree: Tree, entry: str, id_: str, said: str) -> None:
    silence(tree, entry)
    (wrong,) = tree.findings()
    assert (wrong.id, wrong.file) == (id_, "environments/prod.yaml")
    assert wrong.line == ENVIRONMENT.count("\n") + 3 or id_ == "missing-key"
    assert said in (wrong.remedy or "")


def test_findings_are_kept_with_an_unchanged_file(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ArtifactCache(tmp_path / "cache") as cache:
        cold = tree.load(cache=cache)
        monkeypatch.delattr(loader_module, "read_documents")
        warm = tree.load(cache=cache)
    assert warm.findings == cold.findings
    assert len(cold.findings) == 1


def test_a_file_of_the_same_text_has_findings_of_its_own(tree: Tree, tmp_path: Path) -> None:
    with ArtifactCache(tmp_path / "cache") as cache:
        tree.load(cache=cache)
        (tree.root / "flows/sales.yaml").rename(tree.root / "flows/moved.yaml")
        (moved,) = tree.load(cache=cache).findings
    assert moved.file == "flows/moved.yaml"


def test_errors_are_not_kept(tree: Tree, tmp_path: Path) -> None:
    tree.write("flows/sales.yaml", ENDLESS)
    with ArtifactCache(tmp_path / "cache") as cache:
        for _ in range(2):
            with pytest.raises(loader_module.SpecError):
                loader_module.load_catalog(tree.source, tree.environment(), cache=cache)


def test_more_findings_than_anybody_reads_are_cut_and_that_is_said_without_making_them_errors(tree: Tree) -> None:
    unused = "".join(
        f"    - stringVariable: {{name: Flow.v{number}, initialValue: {{noValue: true}}}}\n" for number in range(300)
    )
    tree.write("flows/sales.yaml", SILENT + "  variables:\n" + unused + "---\n" + SILENT.replace("Sales", "Other"))
    catalog = tree.load()
    assert list(catalog.resources) == ["inboundCall/Other", "inboundCall/Sales"]
    assert len(catalog.findings) == 201
    assert (catalog.findings[-1].id, catalog.findings[-1].severity) == ("more-problems", Severity.INFO)
    errors = SILENT.replace("Main_1]", "Nowhere]") + "  variables:\n" + unused
    tree.write("flows/sales.yaml", errors)
    assert tree.findings()[0].id == "dangling-reference"
