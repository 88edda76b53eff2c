"""Findings for programs: SARIF as its schema wants it, annotations as GitHub reads them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from sarif_kit.validate import validation_errors

from reconciler.problems import Finding, ReconcilerError, Severity, Silenced
from reconciler.report.annotations import github_annotations
from reconciler.report.findings import findings_json, summary
from reconciler.report.sarif import sarif

WARNING = Finding(
    id="no-end",
    severity=Severity.WARNING,
    message="Task A, action B: nothing comes after it.",
    address="inboundCall/Sales, north: 100%",
    file="flows/sales line.yaml",
    line=12,
    column=5,
    remedy="Add a disconnect.",
)
ERROR = Finding(id="yaml-syntax", message="No YAML.\nAt all.", file="flows/a.yaml")
NOWHERE = Finding(id="no-specs", severity=Severity.INFO, message="There are no specs.")
SILENCED = Silenced(finding=WARNING, reason="Meant so.")

findings = st.builds(
    Finding,
    id=st.sampled_from(["no-end", "same-digit", "something-else"]),
    severity=st.sampled_from(list(Severity)),
    message=st.text(),
    address=st.none() | st.text(min_size=1),
    file=st.none() | st.text(min_size=1),
    line=st.none() | st.integers(1, 10**6),
    column=st.none() | st.integers(1, 10**6),
    remedy=st.none() | st.text(),
)


def test_sarif_tells_rule_level_place_and_suppression():
    log = sarif([WARNING, ERROR, NOWHERE], [SILENCED], prefix="specs/")
    assert validation_errors(log) == []
    (run,) = log["runs"]
    first, second, third, silenced = run["results"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [
        "no-end",
        "yaml-syntax",
        "no-specs",
        "no-end",
    ]
    assert [each["level"] for each in run["results"]] == ["warning", "error", "note", "warning"]
    assert first["message"]["text"] == "Task A, action B: nothing comes after it. Add a disconnect."
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "specs/flows/sales%20line.yaml"
    assert place["region"] == {"startLine": 12, "startColumn": 5}
    assert "region" not in second["locations"][0]["physicalLocation"]
    assert third["locations"] == []
    assert silenced["suppressions"] == [{"kind": "external", "justification": "Meant so."}]
    assert "suppressions" not in first


def test_sarif_knows_a_finding_again_when_lines_above_it_come_and_go():
    moved = WARNING.model_copy(update={"line": 40})
    before, after = (sarif([each])["runs"][0]["results"][0]["partialFingerprints"] for each in (WARNING, moved))
    assert before == after


def test_sarif_takes_names_that_no_encoding_has():
    odd = WARNING.model_copy(update={"file": "flows/\udce9.yaml", "message": "\udce9"})
    assert validation_errors(sarif([odd])) == []


def test_sarif_of_a_run_that_came_to_nothing_says_why():
    log = sarif([], failure=ReconcilerError("There is no repository here.", remedy="Change into it."))
    assert validation_errors(log) == []
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "Change into it." in invocation["toolExecutionNotifications"][0]["message"]["text"]


@settings(deadline=None)
@given(st.lists(findings, max_size=5))
def test_whatever_is_found_is_valid_sarif(listed):
    assert validation_errors(sarif(listed, [Silenced(finding=each, reason="x") for each in listed])) == []


def test_annotations_are_sorted_and_escaped():
    assert list(github_annotations([NOWHERE, WARNING, ERROR], prefix="specs/")) == [
        "::error file=specs/flows/a.yaml,title=yaml-syntax::No YAML.%0AAt all.",
        "::warning file=specs/flows/sales line.yaml,line=12,col=5,title=no-end%3A inboundCall/Sales%2C north%3A 100%25"
        "::Task A, action B: nothing comes after it. Add a disconnect.",
        "::notice title=no-specs::There are no specs.",
    ]


@settings(deadline=None)
@given(st.lists(findings, max_size=5))
def test_no_text_breaks_out_of_its_annotation(listed):
    for line in github_annotations(listed):
        assert "\n" not in line
        assert "\r" not in line
        command, _, properties = line.split("::", 2)[1].partition(" ")
        assert command in ("error", "warning", "notice")
        keys = [each.partition("=")[0] for each in properties.split(",")]
        assert set(keys) <= {"file", "line", "col", "title"}
        assert keys[-1] == "title"


def test_a_failure_without_findings_is_an_annotation_too():
    assert list(github_annotations([], failure=ReconcilerError("No repository: here"))) == [
        "::error title=reconciler::No repository: here"
    ]


def test_the_json_document_counts_and_gives_reasons():
    document = findings_json([WARNING, NOWHERE], [SILENCED])
    assert document["summary"] == {"error": 0, "warning": 1, "info": 1, "silenced": 1}
    assert [each["reason"] for each in document["silenced"]] == ["Meant so."]
    assert "error" not in document
    assert findings_json([], [], ReconcilerError("Bad.", remedy="Mend it."))["error"] == "Bad."


def test_the_summary_leaves_out_what_there_is_none_of():
    assert summary([WARNING, WARNING, NOWHERE], [SILENCED]) == "2 warnings, 1 remark, 1 silenced"
    assert summary([], []) == "no findings"
