"""docs/findings.md and the code say the same: each finding, its severity, and examples that have it or not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.archy.findings import FINDINGS, check_flow
from reconciler.archy.yaml import load

DOCS = Path(__file__).parents[2] / "docs/findings.md"
SECTION = re.compile(r"^### `(?P<id>[a-z-]+)`\n(?P<text>.*?)(?=^### |^## |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^(Bad|Good):\n\n```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sections():
    return {match["id"]: match["text"] for match in SECTION.finditer(DOCS.read_text(encoding="utf-8"))}


def examples(id_):
    return dict(EXAMPLE.findall(sections()[id_]))


def ids_in(example):
    ((root, body),) = load(example).items()
    return {found.id for found in check_flow(root, body)}


def test_the_docs_explain_every_finding_in_the_order_of_the_registry():
    assert list(sections()) == list(FINDINGS)


@pytest.mark.parametrize("id_", FINDINGS)
def test_the_bad_example_has_that_finding_alone_and_the_good_one_none(id_):
    assert ids_in(examples(id_)["Bad"]) == {id_}
    assert ids_in(examples(id_)["Good"]) == set()


@pytest.mark.parametrize("id_", FINDINGS)
def test_the_docs_name_the_severity_of_the_bad_example(id_):
    ((root, body),) = load(examples(id_)["Bad"]).items()
    severities = {found.severity for found in check_flow(root, body)}
    assert severities == {FINDINGS[id_].severity}
    assert FINDINGS[id_].severity in sections()[id_].lower()
