"""docs/findings.md and the code say the same: each finding, its severity, and examples that have it or not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.archy.contracts import interface_of
from reconciler.archy.findings import FINDINGS, check_flow
from reconciler.archy.findings.modules import check_call
from reconciler.archy.yaml import load_documents

DOCS = Path(__file__).parents[2] / "docs/findings.md"
SECTION = re.compile(r"^### `(?P<id>[a-z-]+)`\n(?P<text>.*?)(?=^### |^## |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^(Bad|Good):\n\n```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def sections():
    return {match["id"]: match["text"] for match in SECTION.finditer(DOCS.read_text(encoding="utf-8"))}


def examples(id_):
    return dict(EXAMPLE.findall(sections()[id_]))


def problems_in(example):
    """What is wrong in each document, and in the calls of the modules among them."""
    documents = [next(iter(document.data.items())) for document in load_documents(example)]
    modules = {body["name"]: interface_of(root, body).contract for root, body in documents}
    for root, body in documents:
        yield from check_flow(root, body)
        for call in interface_of(root, body).calls:
            yield from check_call(root, call, modules[call.module])


def ids_in(example):
    return {found.id for found in problems_in(example)}


def test_the_docs_explain_every_finding_in_the_order_of_the_registry():
    assert list(sections()) == list(FINDINGS)


@pytest.mark.parametrize("id_", FINDINGS)
def test_the_bad_example_has_that_finding_alone_and_the_good_one_none(id_):
    assert ids_in(examples(id_)["Bad"]) == {id_}
    assert ids_in(examples(id_)["Good"]) == set()


@pytest.mark.parametrize("id_", FINDINGS)
def test_the_docs_name_the_severity_of_the_bad_example(id_):
    severities = {found.severity for found in problems_in(examples(id_)["Bad"])}
    assert severities == {FINDINGS[id_].severity}
    assert FINDINGS[id_].severity in sections()[id_].lower()
