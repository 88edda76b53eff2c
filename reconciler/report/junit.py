"""Smoke tests as JUnit XML, which pipelines show as test results: one suite, one case a test."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from reconciler.engine.smoke_report import SmokeOutcome, SmokeReport, SmokeResult
from reconciler.problems import ReconcilerError
from reconciler.report.smoke import expected_and_came, ran
from reconciler.report.visible import visible

_NO_XML = re.compile("[\ufffe\uffff]")
SUITE = "smoke tests of {environment}"


def junit(report: SmokeReport) -> str:
    """The document of a run."""
    suite = _suite(
        report.environment,
        tests=len(report.results),
        failures=report.count(SmokeOutcome.FAILED),
        errors=report.count(SmokeOutcome.NOT_RUN),
        seconds=report.seconds,
    )
    for result in report.results:
        suite.append(_case(result))
    return _document(suite)


def junit_failure(environment: str, error: ReconcilerError) -> str:
    """The document of a run that did not come to its tests: one case, which says why."""
    suite = _suite(environment, tests=1, failures=0, errors=1, seconds=0.0)
    case = ET.SubElement(suite, "testcase", classname="reconciler", name="smoke tests", time="0.000")
    lines = [*map(str, error.findings), *([error.remedy] if error.remedy else [])]
    problem = ET.SubElement(case, "error", message=_clean(error.message), type="error")
    problem.text = _clean("\n".join(lines))
    return _document(suite)


def _suite(environment: str, *, tests: int, failures: int, errors: int, seconds: float) -> ET.Element:
    return ET.Element(
        "testsuite",
        name=_clean(SUITE.format(environment=environment)),
        tests=str(tests),
        failures=str(failures),
        errors=str(errors),
        skipped="0",
        time=f"{seconds:.3f}",
    )


def _case(result: SmokeResult) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=_clean(result.flow),
        name=_clean(result.name),
        file=_clean(result.file),
        line=str(result.line),
        time=f"{result.seconds:.3f}",
    )
    if result.outcome is SmokeOutcome.PASSED:
        return case
    failed = result.outcome is SmokeOutcome.FAILED
    problem = ET.SubElement(
        case,
        "failure" if failed else "error",
        message=_clean(expected_and_came(result)),
        type="failed" if failed else "not run",
    )
    more = (f"The execution's error: {result.error}" if result.error else None, result.remedy)
    place = f"{result.file}:{result.line}"
    problem.text = _clean("\n".join([*(line for line in more if line), place, ran(result)]))
    return case


def _document(suite: ET.Element) -> str:
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _clean(text: str) -> str:
    """Text without characters that XML does not have."""
    return _NO_XML.sub("�", visible(text))
