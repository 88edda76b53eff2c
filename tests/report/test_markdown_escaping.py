"""Whatever names and texts a plan holds, its comment stays a comment: nothing opens, closes, links or calls anybody."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_documents import change, plan
from shown_markdown import Shown

from reconciler.engine.document import (
    Action,
    Difference,
    Drift,
    Plan,
    Reach,
    ReachedIvr,
    UnmanagedConsumer,
)
from reconciler.problems import Finding, Severity
from reconciler.report.markdown import LIMIT, drift_markdown, plan_markdown
from reconciler.report.markdown.escaping import code, marker, quiet, tag
from reconciler.report.visible import visible

OURS = {
    *("h2", "h3", "p", "strong", "b", "code", "pre", "ul", "li", "blockquote", "br", "del", "ins", "span"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
}
CALLS = re.compile(r"@\w|(?<!&)#\w|\bGH-\d|\bGL-\d|://|www\.|![\d]|:[a-z]\w*:|\$\S+\$", re.IGNORECASE)
"""What GitHub or GitLab turns into a mention, a link, a smiley or a formula in text that is no code."""
NASTY = [
    *("```", "`", "````\n", "|", "\n|", "<b>", "</details>", "</summary>", "<!--", "-->", "<script>", "&lt;", "&#64;x"),
    *(
        "@octocat",
        "@org/team",
        "#123",
        "GH-1",
        "!7",
        "~bug",
        "%v1",
        "$5",
        "$x$",
        "https://example.com",
        "www.example.com",
    ),
    *(
        "\r\n\r\n",
        "\n\n# Title\n",
        "\n- [ ] task",
        "\n/close",
        "***",
        "__x__",
        "~~x~~",
        "![x](y)",
        "[x](y)",
        "\\",
        ":+1:",
    ),
    *("\u202e", "\u200f", "\u200b", "\x1b[2J", "\x00", "\ud800", "\u2028", "\t", "1. ", "- ", "    x", "{{ x }}", "{%"),
    *("<!-- reconciler plan: prod -->", "[-gone-]", "{+come+}", "x" * 500, "שלום", "😀", "", " "),
]
texts = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(NASTY) | st.text(max_size=5), max_size=6).map("".join))
names = st.builds(lambda number, text: f"{number}{text}", st.integers(0, 99), texts)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
differences = st.lists(
    st.builds(
        Difference,
        path=texts,
        op=st.sampled_from(["add", "remove", "change", "move", "rename"]),
        before=values,
        after=values,
        text=st.none() | texts,
        detail=st.none() | texts,
    ),
    max_size=4,
).map(tuple)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of a few changes whose every text is arbitrary."""
    kinds = st.sampled_from(["inboundCall", "commonModule", "ivr", "schedule"])
    addresses = draw(st.lists(st.builds("{}/{}".format, kinds, names), min_size=1, max_size=5, unique=True))
    others = draw(st.lists(st.builds("inboundCall/{}".format, names), max_size=3))
    some = st.lists(st.sampled_from([*addresses, *others]), max_size=3, unique=True).map(tuple)
    ivrs = st.lists(
        st.builds(
            ReachedIvr, address=st.builds("ivr/{}".format, names), numbers=st.tuples(texts), managed=st.booleans()
        ),
        max_size=2,
    ).map(tuple)
    left = st.lists(
        st.builds(UnmanagedConsumer, address=st.sampled_from([*others, "x/y"]), id=texts, version=texts, holds=texts),
        max_size=2,
    ).map(tuple)
    return plan(
        *(
            change(
                address,
                draw(st.sampled_from(Action)),
                *draw(st.lists(texts, max_size=3)),
                diff=draw(differences),
                after=draw(some),
                basis=draw(st.sampled_from([None, "live export"])),
            )
            for address in addresses
        ),
        environment=draw(texts),
        org=draw(texts),
        reach=tuple(
            Reach(address=address, consumers=draw(some), ivrs=draw(ivrs), unmanaged=draw(left))
            for address in draw(some)
        ),
        drift=tuple(
            Drift(
                address=address,
                recorded_version=draw(st.none() | texts),
                live_version=draw(st.none() | texts),
                published_by=draw(st.none() | texts),
                published_at=draw(st.none() | texts),
                diff=draw(differences),
            )
            for address in draw(some)
        ),
        unmanaged=draw(some),
        findings=tuple(
            Finding(
                id=draw(texts),
                severity=draw(st.sampled_from(Severity)),
                message=draw(texts),
                address=draw(st.none() | st.sampled_from(addresses)),
                file=draw(st.none() | texts),
                remedy=draw(st.none() | texts),
            )
            for _ in range(draw(st.integers(0, 4)))
        ),
    )


def holds_together(text: str, marked: str, details: int) -> Shown:
    """Asserts what is true of every comment."""
    shown = Shown(text)
    assert text.startswith(f"{marked}\n")
    assert shown.comments == [marked[4:-3].strip()]
    assert text.count("<!--") == 1
    assert set(shown.tags) <= OURS
    assert shown.tags.count("details") == shown.tags.count("summary") == details
    assert [found[0] for node in shown.prose for found in CALLS.finditer(node)] == []
    assert not any(line.startswith(("/", "#!")) for line in text.splitlines())
    assert visible(text) == text
    assert len(text.encode()) < LIMIT
    return shown


def as_shown(address: str) -> str:
    """An address as a reader has it: blanks are one blank, what cannot be seen is spelt out."""
    return Shown(str(tag(address))).code[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plans())
def test_nothing_in_a_plan_acts_on_its_comments(made):
    addresses = {one.address for one in made.changes}
    drifted = [one for one in made.drift if one.address not in addresses]
    lists = any(one.severity is Severity.INFO for one in made.findings) + bool(made.unmanaged)

    planned = plan_markdown(made)
    shown = holds_together(planned, marker("plan", made.environment), len(made.changes) + len(drifted) + lists)
    drift = holds_together(drift_markdown(made), marker("drift", made.environment), len(made.drift))

    for number, one in enumerate(made.changes, 1):
        assert any(f" {number}. {one.action} {as_shown(one.address)}" in summary for summary in shown.summaries)
    assert {as_shown(one.address) for one in drifted} <= set(shown.code)
    assert {as_shown(one.address) for one in made.drift} <= set(drift.code)
    assert plan_markdown(made.model_copy()) == planned


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, unique=True, min_size=2, max_size=2))
def test_each_environment_has_a_marker_of_its_own(environments):
    first, second = (marker("plan", one) for one in environments)
    assert first != second
    assert first.count("-->") == first.count("<!--") == 1
    assert "--" not in first[4:-3]
    assert "\n" not in first


def test_a_usual_environment_is_in_the_marker_as_it_is():
    assert marker("plan", "prod-eu_2") == "<!-- reconciler plan: prod-eu_2 -->"


@pytest.mark.parametrize(
    ("text", "left_alone"),
    [
        ("Sales, support & more: 12:30:15 (50%)", "Sales, support & more: 12:30:15 (50%)"),
        ('"Ask for the PIN" now says "Hello!"', '"Ask for the PIN" now says "Hello!"'),
        ("1. first\n2. second", "1. first 2. second"),
        ("a\u202eb\x1b", "a\\u202eb\\u001b"),
    ],
)
def test_prose_reads_as_it_was_written(text, left_alone):
    assert Shown(str(quiet(text))).text == left_alone
    assert Shown(f"- {quiet(text)}").tags == ["ul", "li"]


@pytest.mark.parametrize("name", ["Sales", "A|B", "a`b", "``", "<b>", "\\", "@team", "#1", "a_b_c", "-->"])
def test_a_name_is_code_in_text_in_tables_and_in_html(name):
    assert Shown(str(code(name))).code == [name]
    assert Shown(f"| a | b |\n|---|---|\n| {code(name)} | x |").code == [name]
    assert Shown(f"<details><summary>{tag(name)}</summary>\n\n</details>").code == [name]
