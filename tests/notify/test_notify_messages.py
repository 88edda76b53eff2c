"""What chats get: readable, within their limits, and deaf to what others wrote into names and errors."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.document import Action, OrgRef, SourceRef, Summary
from reconciler.engine.outcome import Outcome
from reconciler.notify.document import (
    Counts,
    LeftOut,
    Notification,
    ToldChange,
    ToldDrift,
    ToldFailure,
    ToldIvr,
    ToldRollback,
)
from reconciler.notify.making import CHANGES_TOLD, DRIFT_TOLD, FAILURES_TOLD, IVRS_TOLD, finished
from reconciler.notify.slack import slack_message
from reconciler.notify.teams import MOST_BYTES, teams_message
from reconciler.specs.hooks import EVENTS

NASTY = [
    "<!channel>",
    "<@U012AB3CD>",
    "<https://evil.example.com|click>",
    "[click](https://evil.example.com)",
    "&lt;!here&gt;",
    "`<!everyone>` *bold* _it_ ~no~",
    "<at>Everyone</at>",
    "{{DATE(2017-02-14T06:00:00Z)}}",
    "{{{TIME(2017-02-14T06:00:00Z)}}}",
    "line\nbreak\u2028<!channel>",
]
texts = (
    st.sampled_from(NASTY) | st.text(max_size=60) | st.sampled_from(["x", "&", "<", "😀", "æ"]).map(lambda c: c * 900)
)
names = st.builds("{}/{}".format, st.sampled_from(["inboundCall", "ivr"]), texts)


def some(items, most):
    return st.lists(items, max_size=3) | items.map(lambda one: [one] * most)


@st.composite
def told(draw):
    changes = st.builds(
        ToldChange,
        address=names,
        action=st.sampled_from(list(Action)),
        outcome=st.none() | st.sampled_from(list(Outcome)),
        version_before=st.none() | st.just("1.0"),
        version_after=st.none() | st.just("2.0"),
    )
    drift = st.builds(
        ToldDrift,
        address=names,
        recorded_version=st.just("1.0"),
        live_version=st.none() | st.just("2.0"),
        published_by=texts,
        published_at=st.none(),
    )
    backs = st.builds(ToldRollback, run=texts, left=st.tuples(texts, texts), addresses=st.tuples(texts))
    numbers = st.sampled_from([("+4570100001",), tuple(f"+457010{n:04}" for n in range(50))])
    return Notification(
        event=draw(st.sampled_from([*EVENTS, "test"])),
        id="msg_1",
        at=datetime(2026, 11, 26, 20, tzinfo=UTC),
        environment=draw(st.sampled_from(["prod", "<!channel>", "&" * 200])),
        tool_version="1",
        org=OrgRef(id="o", name=draw(texts)),
        who=draw(texts),
        run="r1",
        plan="p1",
        source=SourceRef(commit="0123456789abcdef", dirty=draw(st.booleans()), digest="d", release=draw(texts)),
        planned=Summary(create=3),
        outcome=draw(st.none() | st.just(Counts(applied=2, failed=1))),
        changes=tuple(draw(some(changes, CHANGES_TOLD))),
        failures=tuple(draw(some(st.builds(ToldFailure, name=names, message=texts), FAILURES_TOLD))),
        reason=draw(texts),
        ivrs=tuple(draw(some(st.builds(ToldIvr, address=names, numbers=numbers), IVRS_TOLD))),
        drift=tuple(draw(some(drift, DRIFT_TOLD))),
        left_out=LeftOut(changes=7),
        override=draw(texts),
        rollback=draw(st.none() | backs),
        seconds=12.0,
        link=draw(st.sampled_from([None, "https://ci.example.com/1", "https://ci.example.com/<>|&" + "x" * 3000])),
    )


def strings(value, key=""):
    """Every text in a message with the key that it stands under."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from strings(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, key)
    elif isinstance(value, str):
        yield key, value


@settings(max_examples=30, deadline=None)
@given(told())
def test_slack_finds_nothing_to_obey_and_everything_within_its_limits(notification):
    message = slack_message(notification)

    assert 0 < len(message["blocks"]) <= 50
    assert sum(len(text) for _, text in strings(message["blocks"])) < 13_000
    for block in message["blocks"]:
        for element in block.get("elements", [block.get("text")]):
            assert 0 < len(element["text"]) <= (150 if block["type"] == "header" else 3000)
    for key, text in strings(message):
        if key == "text":
            for markup in re.findall(r"<[^>]*>?", text):
                assert markup.startswith("<https://ci.example.com/"), text
                assert markup.endswith("|The pipeline job>"), text
            assert not re.search(r"&(?!amp;|lt;|gt;)", text), text
    # What stands outside of code spans is ours: no name can begin or end one.
    for block in message["blocks"]:
        if block["type"] == "section":
            assert block["text"]["verbatim"] is True
            outside = re.sub(r"`[^`\n]+`", "", block["text"]["text"])
            assert re.fullmatch(r"[\w *:\n•…–]*", outside), outside


@settings(max_examples=30, deadline=None)
@given(told())
def test_teams_gets_plain_texts_within_its_limit(notification):
    message = teams_message(notification)

    assert len(json.dumps(message)) < MOST_BYTES
    card = message["attachments"][0]["content"]
    # Only these know no Markdown; there is no entity that a mention would need.
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
    assert card["msteams"] == {"width": "Full"}
    assert not any("{{" in text for _, text in strings(card))
    assert [action["url"] for action in card.get("actions", [])] in ([], ["https://ci.example.com/1"])


RUN = Notification(
    event="failed",
    id="msg_1",
    at=datetime(2026, 11, 26, 20, 4, tzinfo=UTC),
    environment="prod",
    tool_version="1",
    org=OrgRef(id="o", name="Brackenmoor Energy"),
    who="ann (GitLab job 7)",
    run="40230f610103",
    planned=Summary(update=2),
    outcome=Counts(applied=1, failed=1),
    changes=(
        ToldChange(
            address="inboundCall/Sales",
            action=Action.UPDATE,
            outcome=Outcome.APPLIED,
            version_before="4.0",
            version_after="5.0",
        ),
        ToldChange(address="ivr/Sales Line", action=Action.UPDATE, outcome=Outcome.FAILED),
    ),
    failures=(ToldFailure(name="ivr/Sales Line", message="No such flow: <Sales & Service>"),),
    left_out=LeftOut(changes=3),
    link="https://ci.example.com/jobs/7?a=1&b=2",
)


def test_a_failed_run_reads_well_in_slack():
    message = slack_message(RUN)

    assert message["text"] == "⚠️ prod: 1 applied, 1 failed"
    header, facts, failed, changes, link = message["blocks"]
    assert header["text"]["text"] == message["text"]
    assert "*Org:* `Brackenmoor Energy`\n*Who:* `ann (GitLab job 7)`" in facts["text"]["text"]
    assert failed["text"]["text"] == "*Failed*\n• `ivr/Sales Line: No such flow: &lt;Sales &amp; Service&gt;`"
    assert changes["text"]["text"] == (
        "*Changes*\n• `updated inboundCall/Sales (4.0 → 5.0)`\n• `failed: update ivr/Sales Line`\n… and 3 more"
    )
    assert link["elements"][0]["text"] == "<https://ci.example.com/jobs/7?a=1&amp;b=2|The pipeline job>"


def test_a_failed_run_reads_well_in_teams():
    card = teams_message(RUN)["attachments"][0]["content"]

    lines = ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]
    assert lines[:3] == ["prod: 1 applied, 1 failed", "Org: Brackenmoor Energy", "Who: ann (GitLab job 7)"]
    assert lines[-6:] == [
        "Failed",
        "• ivr/Sales Line: No such flow: <Sales & Service>",
        "Changes",
        "• updated inboundCall/Sales (4.0 → 5.0)",
        "• failed: update ivr/Sales Line",
        "… and 3 more",
    ]
    assert card["body"][0]["inlines"][0]["color"] == "attention"
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "The pipeline job", "url": RUN.link}]


def test_texts_are_cut_after_secrets_were_taken_out_and_can_be_sent_whatever_they_hold():
    long = RUN.model_copy(update={"reason": "\udcff" + "x" * 990 + "hunter2hunter2"})

    made = finished(long, lambda text: text.replace("hunter2hunter2", "(secret)"))

    assert made.reason == "?" + "x" * 990 + "(secret)"
    assert Notification.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("event", "keys", "says"),
    [
        ("planned", {"outcome": None}, "prod: 2 changes planned"),
        ("started", {"outcome": None}, "prod: applying 2 changes"),
        ("applied", {"outcome": Counts(applied=1)}, "prod: 1 change applied"),
        ("failed", {"outcome": None}, "prod: a run did not come to its end"),
        ("failed", {"outcome": Counts(applied=2)}, "prod: 2 applied, but not proven"),
        ("failed", {"outcome": Counts()}, "prod: nothing applied, but not proven"),
        ("drift", {"left_out": LeftOut(drift=1)}, "prod: 1 object changed by hand in the org"),
        ("rolled-back", {}, "prod: rolled back, 1 change taken back, but not everything"),
        ("rolled-back", {"failures": ()}, "prod: rolled back, 1 change taken back"),
        ("started", {"rollback": ToldRollback(run="r1")}, "prod: rolling back 2 changes"),
        ("test", {}, "prod: a test, nothing has happened"),
    ],
)
def test_the_headline_says_what_happened(event, keys, says):
    told = RUN.model_copy(update={"event": event, **keys})
    assert slack_message(told)["text"].partition(" ")[2] == says
