"""Findings in real flows, each judged by reading the flow; a change of this table is to be judged again."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from reconciler.archy.findings import check_flow
from reconciler.archy.yaml import load, locate

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}|\$\{([^{}]+)\}")

WARNINGS = {
    "aws-pipeline-cx-as-code-blueprint/BasicMessageFlow.yaml": [("transfer-failure-unhandled", 52)],
    "cx-as-code-cicd-gitactions-blueprint/EmailComprehendFlow.yaml": [("transfer-failure-unhandled", 157)],
    "deploy-webchat-chatbot-with-lambda-blueprint/DudeWheresMyStuffChat.yaml": [("unreached", 267)],
    "email-aws-comprehend-blueprint/EmailComprehendFlow.yaml": [("transfer-failure-unhandled", 157)],
    "merge-ephemeral-message-to-external-contact-blueprint/MergeExternalContactMessageFlow.yaml": [
        ("transfer-failure-unhandled", 81)
    ],
    "switch-voice-to-web-messaging/Switch from Voice Channel with Context.yaml": [
        ("transfer-failure-unhandled", 118),
        ("variable-never-set", 117),
    ],
    "switch-voice-to-web-messaging/Switch to Web Messaging via SMS.yaml": [("data-failure-unhandled", 165)],
    "terraform-provider-genesyscloud/holiday_flow.yaml": [("unreached", 86)],
    "webmessaging-chatbot-that-differentiates-on-and-off-hour-schedules/del-webmessage_flow.yaml": [
        ("transfer-failure-unhandled", 94)
    ],
    "webmessaging-chatbot-that-differentiates-on-and-off-hour-schedules/webmessage_flow.yaml": [
        ("transfer-failure-unhandled", 93)
    ],
}
"""File → id and line of each warning, all of them true."""

REMARKS = {
    "transfer-failure-unhandled": 18,
    "data-failure-unhandled": 6,
    "undeclared-variable": 4,
    "variable-never-read": 40,
    "unused-variable": 25,
}


def found_in_corpus():
    """``folder/file`` → text and findings; placeholders stand for themselves, languages for en-us."""
    files = sorted(path for path in CORPUS.glob("*/*") if {".yaml", ".yml"} & set(path.suffixes))
    if not files:
        pytest.skip("the corpus of real flows is not on this machine (../shared/corpus)")
    found = {}
    for path in files:
        text = PLACEHOLDER.sub(
            lambda match: "en-us" if "language" in match[0] else match[1] or match[2],
            path.read_text(encoding="utf-8-sig"),
        )
        ((root, body),) = load(text).items()
        found[f"{path.parent.name.partition('+')[2]}/{path.name}"] = text, check_flow(root, body)
    return found


@pytest.fixture(scope="module")
def found():
    return found_in_corpus()


def test_every_reference_inside_a_real_flow_resolves_and_no_finding_is_an_error(found):
    assert [(name, each.id) for name, (_, each_) in found.items() for each in each_ if each.severity == "error"] == []


def test_the_warnings_about_real_flows_are_those_that_reading_confirms(found):
    told = {
        name: [(each.id, locate(text, each.path)[0]) for each in problems if each.severity == "warning"]
        for name, (text, problems) in found.items()
    }
    assert {name: warnings for name, warnings in told.items() if warnings} == WARNINGS


def test_the_remarks_about_real_flows_are_as_many_as_were_read(found):
    told = Counter(each.id for _, problems in found.values() for each in problems if each.severity == "info")
    assert told == REMARKS
