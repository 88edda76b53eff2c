"""From files to desired resources: what is found, what it says, and every mistake at its place in the source."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specs_support import ENVIRONMENT, Tree, common_module, flow, outcome, place

from reconciler.problems import Severity, SpecError
from reconciler.specs import GitRevision, load_catalog, load_environment

VALUE = "tok-4711"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_documents_become_resources_by_address(tree: Tree) -> None:
    tree.write("shared/modules/m.yaml", common_module("Check Caller"))
    tree.write(
        "flows/sales/all.yml",
        flow("Sales", module="Check Caller")
        + "---\n# the line\nivr:\n  name: Sales Line\n  dnis: {{ numbers.sales | yaml }}\n  openHoursFlow: Sales\n",
    )
    tree.write("flows/_part.yaml", "not: a spec\n")
    tree.write("flows/_old/part.yaml", "not: a spec\n")
    tree.write("flows/notes.txt", "no spec")
    catalog = tree.load()
    assert list(catalog.resources) == ["commonModule/Check Caller", "inboundCall/Sales", "ivr/Sales Line"]
    assert catalog.findings == ()
    ivr = catalog.resources["ivr/Sales Line"]
    assert (ivr.kind, ivr.root, ivr.name, ivr.file, ivr.division) == (
        "ivr",
        "ivr",
        "Sales Line",
        "flows/sales/all.yml",
        None,
    )
    assert ivr.line == flow("Sales", module="Check Caller").count("\n") + 3
    assert ivr.content.body["dnis"] == ["+4570101010"]
    assert [(each.kind, each.name) for each in ivr.references] == [("flow", "Sales")]
    called = catalog.resources["inboundCall/Sales"]
    assert ("flow", "Check Caller") in [(each.kind, each.name) for each in called.references]
    assert called.content.upload == called.content.text == flow("Sales", module="Check Caller")


def test_aliases_of_root_keys_fold_in_the_address_but_stay_in_the_text(tree: Tree) -> None:
    tree.write("flows/q.yaml", flow("Waiting", kind="inQueueCall"))
    (desired,) = tree.load().resources.values()
    assert (desired.address, desired.root) == ("inqueueCall/Waiting", "inQueueCall")
    assert desired.content.text.startswith("inQueueCall:")


def test_the_division_is_the_documents_own_else_the_environments(tree: Tree) -> None:
    tree.write("environments/prod.yaml", f"{ENVIRONMENT}division: Denmark\n")
    tree.write("flows/a.yaml", flow("A"))
    tree.write("flows/b.yaml", flow("B").replace("  name: B\n", "  name: B\n  division: Norway\n"))
    resources = tree.load().resources
    assert resources["inboundCall/A"].division == "Denmark"
    assert resources["inboundCall/B"].division == "Norway"


def test_the_digest_follows_meaning_and_division_and_nothing_else(tree: Tree) -> None:
    tree.write("flows/a.yaml", flow("A"))
    before = tree.load().digest
    tree.write("flows/moved/b.yaml", "# a remark\n" + flow("A").replace('"Hello."', "Hello."))
    (tree.root / "flows/a.yaml").unlink()
    assert tree.load().digest == before
    tree.write("flows/moved/b.yaml", flow("A", says='"Good day."'))
    changed = tree.load().digest
    assert changed != before
    tree.write("environments/prod.yaml", f"{ENVIRONMENT}division: Denmark\n")
    assert tree.load().digest not in (before, changed)


def test_a_secret_is_a_placeholder_everywhere_but_in_the_upload(tree: Tree) -> None:
    tree.write("flows/a.yaml", flow("A", says="{{ ('Bearer ' ~ token) | yaml }}") + flow_after("B"))
    offline = tree.load()
    known = tree.load(secrets={"TOKEN": VALUE})
    other = tree.load(secrets={"TOKEN": "another"})
    assert offline.digest == known.digest == other.digest
    desired = known.resources["inboundCall/A"]
    assert desired.secrets == ("token",)
    assert known.resources["inboundCall/B"].secrets == ()
    content = desired.content
    assert VALUE not in f"{content!r} {content.text} {content.body} {content.canonical} {desired!r} {known!r}"
    assert "Bearer (secret token)" in content.text
    assert f'"Bearer {VALUE}"' in (content.upload or "")
    assert (content.upload or "").replace(VALUE, "(secret token)") == content.text
    assert offline.resources["inboundCall/A"].content.upload is None
    assert tree.load(secrets={"TOKEN": ""}).resources["inboundCall/A"].content.upload is None
    assert offline.resources["inboundCall/B"].content.upload is not None


def flow_after(name: str) -> str:
    return "---\n" + flow(name)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ token }}", "12345"),
        ("{{ token }}", "a: b"),
        ("{{ token }}", "x\n    y: z"),
    ],
)
def test_a_secret_that_changes_more_than_its_own_text_is_an_error_that_does_not_show_it(
    tree: Tree, template: str, value: str
) -> None:
    tree.write("flows/a.yaml", flow("A", says=template + " "))
    desired = tree.load(secrets={"TOKEN": value}).resources["inboundCall/A"]
    with pytest.raises(SpecError) as caught:
        _ = desired.content
    (finding,) = caught.value.findings
    assert finding.id == "secret-changes-document"
    assert value not in str(finding)


def test_secrets_stand_in_flows_only_and_never_in_names(tree: Tree) -> None:
    tree.write("flows/a.yaml", flow("The {{ token }}"))
    tree.write("flows/b.yaml", "ivr:\n  name: X\n  description: {{ token | yaml }}\n")
    tree.write("flows/c.yaml", flow("C", module="{{ token | yaml }}"))
    found = [(finding.id, finding.file, finding.line) for finding in tree.findings()]
    assert found == [
        ("secret-in-name", "flows/a.yaml", 2),
        ("secret-in-fields", "flows/b.yaml", 1),
        ("secret-in-name", "flows/c.yaml", 16),
    ]


def test_all_mistakes_of_all_files_are_told_together_at_their_places(tree: Tree) -> None:
    tree.write("shared/_i.j2", "  a: 1\n  b: 2\n")
    tree.write("flows/a.yaml", "inboundCall:\n  name: {{ nme }}\n")
    tree.write(
        "flows/b.yaml", "ivr:\n{% for q in queues %}\n  # {{ q }}\n{% endfor %}\n{% include '_i.j2' %}\n  name: [\n"
    )
    tree.write("flows/c.yaml", "ivr:\n  name: C\n  # {{ company }}\n  name: D\n")
    tree.write("flows/d.yaml", "inboundCal:\n  name: D\n")
    tree.write("flows/e.yaml", "ivr: {name: E}\nschedule: {name: E}\n")
    tree.write("flows/f.yaml", "- a\n")
    tree.write("flows/g.yaml", "ivr:\n  name: G\n  # {{ company }}\n  dnsi: []\n")
    tree.write("flows/h.yaml", "inboundCall:\n  description: no name\n")
    (tree.root / "flows/i.yaml").write_bytes(b"\xff")
    tree.write("flows/j.yaml", "ivr: {name: {% raw }\n")
    findings = tree.findings()
    assert [(finding.id, place(finding)) for finding in findings if finding.file != "flows/h.yaml"] == [
        ("undefined-variable", "flows/a.yaml:2:12"),
        ("yaml-syntax", "flows/b.yaml:6:7"),
        ("yaml-syntax", "flows/c.yaml:4:3"),
        ("unknown-kind", "flows/d.yaml:1:1"),
        ("not-one-root-key", "flows/e.yaml:2:1"),
        ("not-one-root-key", "flows/f.yaml:1:1"),
        ("unknown-key", "flows/g.yaml:4:3"),
        ("not-utf-8", "flows/i.yaml:1"),
        ("template-syntax", "flows/j.yaml:1:13"),
    ]
    assert any(finding.file == "flows/h.yaml" for finding in findings)
    assert all(finding.remedy for finding in findings)
    unknown = next(finding for finding in findings if finding.id == "unknown-kind")
    assert (unknown.remedy or "").startswith("Did you mean `inboundCall`")
    misspelt = next(finding for finding in findings if finding.id == "unknown-key")
    assert (misspelt.remedy or "").startswith("Did you mean `dnis`? Known keys: ")


@pytest.mark.parametrize(
    ("root", "meant"),
    [
        ("inqueuecall", "inqueueCall"),
        ("inQueueCal", "inqueueCall"),
        ("inboundcallflow", "inboundCall"),
        ("Schedules", "schedule"),
    ],
)
def test_an_unknown_kind_offers_near_matches_and_lists_no_aliases(tree: Tree, root: str, meant: str) -> None:
    tree.write("flows/a.yaml", f"{root}:\n  name: A\n")
    (finding,) = tree.findings()
    remedy = finding.remedy or ""
    assert remedy.startswith(f"Did you mean `{meant}`")
    listed = remedy.partition("Known kinds: ")[2].rstrip(".").split(", ")
    assert {"inboundCall", "inqueueCall", "ivr", "schedule", "scheduleGroup"} <= set(listed)
    assert not {"inQueueCall", "bot", "digitalBotFlow"} & set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("root", ["ivr", "schedule", "scheduleGroup"])
def test_a_misspelt_key_of_any_kind_offers_near_matches(tree: Tree, root: str) -> None:
    tree.write("flows/a.yaml", f"{root}:\n  name: A\n  divison: Home\n")
    found = [finding for finding in tree.findings() if finding.id == "unknown-key"]
    assert [(place(finding), (finding.remedy or "").split(" Known")[0]) for finding in found] == [
        ("flows/a.yaml:3:3", "Did you mean `division`?")
    ]


NUMBERS = """\
extends: _base
org: {region: a}
variables:
  numbers:
    sales: ["+4570101010", "45 70 10"]
  only: 4570
  twice: 0711
"""


@pytest.fixture
def numbered(tree: Tree) -> Tree:
    tree.write("environments/_base.yaml", "variables:\n  twice_too: 0711\n  support:\n    - 45 80 80\n")
    tree.write("environments/prod.yaml", NUMBERS)
    return tree


@pytest.mark.parametrize(
    ("dnis", "origin"),
    [
        ("{{ numbers.sales | yaml }}", "environments/prod.yaml:5"),
        ("\n{% for n in numbers.sales %}\n    - {{ n | yaml }}\n{% endfor %}", "environments/prod.yaml:5"),
        ("{{ support | yaml }}", "environments/_base.yaml:4"),
        # Not quoted, so that YAML reads a number.
        ("[{{ only }}]", "environments/prod.yaml:6"),
        # Two variables have this value; which one it was cannot be told.
        ("['{{ twice }}']", None),
        # Written in the spec itself.
        ("['45 70 10'] # {{ numbers }}", None),
        ("['{{ only }}1']", None),
    ],
)
def test_a_wrong_value_of_a_variable_names_the_line_of_the_environment(
    numbered: Tree, dnis: str, origin: str | None
) -> None:
    numbered.write("flows/a.yaml", f"ivr:\n  name: A\n  dnis: {dnis}\n")
    findings = numbered.findings()
    assert {finding.id for finding in findings} <= {"not-e164", "bad-value"}
    for finding in findings:
        assert finding.file == "flows/a.yaml"
        assert ("The value comes from" in (finding.remedy or "")) == (origin is not None)
        if origin:
            assert (finding.remedy or "").endswith(f" The value comes from {origin}.")


def test_a_value_written_in_the_spec_is_not_blamed_on_a_variable(numbered: Tree) -> None:
    numbered.write("flows/a.yaml", "# {{ numbers }}\nivr:\n  name: A\n  dnis:\n    -\n      45 70 10\n")
    (finding,) = numbered.findings()
    assert (finding.id, "comes from" in (finding.remedy or "")) == ("not-e164", False)


def test_a_number_on_two_ivrs_names_the_line_of_the_environment(numbered: Tree) -> None:
    numbered.write("environments/prod.yaml", NUMBERS.replace("45 70 10", "+4570101011"))
    for name in "AB":
        numbered.write(f"flows/{name}.yaml", f"ivr:\n  name: {name}\n  dnis: [{{{{ numbers.sales[0] | yaml }}}}]\n")
    (finding,) = numbered.findings()
    assert finding.id == "number-on-two-ivrs"
    assert (finding.remedy or "").endswith(" The value comes from environments/prod.yaml:5.")


def test_a_broken_link_below_flows_names_the_link_and_its_target(tree: Tree) -> None:
    (tree.root / "flows").mkdir()
    (tree.root / "flows/a.yaml").symlink_to("../shared/gone.yaml")
    (finding,) = tree.findings()
    assert (finding.id, finding.file) == ("broken-link", "flows/a.yaml")
    assert finding.message == "flows/a.yaml is a symbolic link to shared/gone.yaml, which does not exist."


@pytest.mark.parametrize("before", ["{% for q in queues %}\n# {{ q }}\n{% endfor %}\n", "{% include '_i.j2' %}\n", ""])
@pytest.mark.parametrize("broken", ["  name: a: b\n", "  name: 'x\n", "\tname: x\n", "  name: *x\n", "  <<: {a: 1}\n"])
def test_a_yaml_error_right_after_a_loop_or_an_include_is_at_its_own_line(tree: Tree, before: str, broken: str) -> None:
    tree.write("shared/_i.j2", "# one\n# two\n# three\n")
    tree.write("flows/a.yaml", f"{before}ivr:\n{broken}")
    (finding,) = tree.findings()
    assert finding.id == "yaml-syntax"
    assert finding.file == "flows/a.yaml"
    wanted = before.count("\n") + 2
    # An open quote is noticed at the end of the text.
    assert finding.line in ((wanted, wanted + 1) if "'" in broken else (wanted,))


def test_a_yaml_error_inside_an_include_is_told_there(tree: Tree) -> None:
    tree.write("shared/_i.j2", "  description: ok\n  name: a: b\n")
    tree.write("flows/a.yaml", "ivr:\n{% include '_i.j2' %}\n")
    (finding,) = tree.findings()
    assert place(finding).startswith("shared/_i.j2:2")
    assert "flows/a.yaml" in finding.message


def test_an_unquoted_value_that_breaks_the_yaml_is_shown_as_it_was_rendered(tree: Tree) -> None:
    tree.write("environments/prod.yaml", "org: {region: a}\nvariables: {text: 'Press 1: sales'}\n")
    tree.write("flows/a.yaml", "ivr:\n  name: x\n  description: {{ text }}\n")
    (finding,) = tree.findings()
    assert place(finding) == "flows/a.yaml:3"
    assert "description: Press 1: sales" in (finding.remedy or "")
    assert "prod" in (finding.remedy or "")


def test_locate_knows_the_source_place_of_a_value(tree: Tree) -> None:
    tree.write("flows/a.yaml", "{# remark\n#}\nivr:\n  name: A\n  dnis:\n    - {{ numbers.sales[0] | yaml }}\n")
    (desired,) = tree.load().resources.values()
    assert desired.line == 3
    assert str(desired.locate(("ivr", "name"))) == "flows/a.yaml:4:3"
    assert desired.locate(("ivr", "dnis", 0)).line == 6


def test_no_specs_at_all_is_a_warning(tree: Tree) -> None:
    (finding,) = tree.load().findings
    assert (finding.id, finding.severity) == ("no-specs", Severity.WARNING)


def test_a_file_may_hold_nothing_in_one_environment(tree: Tree) -> None:
    tree.write("flows/a.yaml", "{% if company == 'Other' %}\n" + flow("A") + "{% endif %}\n")
    assert not tree.load().resources


def test_a_git_revision_is_rendered_the_same_way(tree: Tree) -> None:
    tree.write("flows/a.yaml", flow("A", says="{{ company | yaml }}"))
    tree.git("init", "-q")
    tree.git("add", ".")
    tree.git("commit", "-qm", "first")
    first = tree.load()
    tree.write("environments/prod.yaml", "org: {region: a}\n")
    tree.write("flows/a.yaml", flow("A", says="Changed."))
    source = GitRevision(tree.root, "HEAD")
    then = load_catalog(source, load_environment(source, "prod", environ={}))
    assert then.digest == first.digest != tree.load().digest
    assert then.resources["inboundCall/A"].content.canonical == first.resources["inboundCall/A"].content.canonical


WORDS = st.sampled_from(
    [
        *("ivr:", "inboundCall:", "name:", "dnis:", "tasks:", "- ", "  ", "\n", "&a ", "*a", "[", "]", "{", "}"),
        *(", ", ": ", "? ", "#", "\t", "<<: ", "'", '"', "---\n", "...\n", "!!int ", "|\n"),
        *("{{ token }}", "{{ queues | yaml }}", "{% if x %}"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(WORDS | st.text(max_size=4), max_size=16).map("".join), st.binary(max_size=40)))
def test_any_file_loads_or_is_a_finding(tmp_path_factory: pytest.TempPathFactory, content: str | bytes) -> None:
    tree = Tree(tmp_path_factory.getbasetemp() / "any")
    path = tree.root / "flows/a.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
    loaded = outcome(lambda: tree.load(secrets={"TOKEN": VALUE}))
    if isinstance(loaded, SpecError):
        assert all(finding.file == "flows/a.yaml" for finding in loaded.findings)
        return
    for desired in loaded.resources.values():
        assert isinstance(outcome(lambda desired=desired: desired.content.text), str | SpecError)
