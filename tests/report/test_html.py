"""The plan as one HTML file: what a shell gets, and that nothing in a plan can become part of the page itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import html_plans
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import module

from reconciler.cli.main import run
from reconciler.engine.document import Action, Difference, save_plan
from reconciler.problems import Finding
from reconciler.report.html import plan_html
from reconciler.report.html.network import network
from reconciler.report.html.values import side_by_side
from reconciler.report.html.verdict import verdict_of

HOSTILE = (
    "</script><script>alert(1)</script><!-- \u2028 \" ' ` & </style> {{ 7*7 }} {% raw %} <img src=x onerror=alert(1)>"
)


class Outline(HTMLParser):
    """Elements with their attributes' names, and all text outside of script and style."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.blocks, self._in = [], "", {}, None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))
        self._in = tag if tag in ("script", "style") else None

    def handle_endtag(self, tag):
        self._in = None

    def handle_data(self, data):
        if self._in:
            self.blocks[self._in] = data
        else:
            self.text += data


def plan_that_says(text):
    changes = [
        html_plans.change(
            f"inboundCall/{text}",
            Action.UPDATE,
            text,
            basis="live fields",
            diff=(Difference(path=text, op="change", before={text: [text]}, after=text, text=text),),
        )
    ]
    finding = Finding(id="x", message=text, remedy=text, file=text, line=1, address=f"inboundCall/{text}")
    return html_plans.plan(changes, environment=text, unmanaged=(text,), findings=(finding,))


@pytest.fixture(scope="module")
def harmless():
    return Outline(plan_html(plan_that_says("a")))


@pytest.fixture(scope="module")
def known():
    return set(Outline(plan_html(html_plans.everything())).elements)


@settings(max_examples=20, deadline=None)
@given(text=st.text(min_size=1).filter(str.strip))
@example(text=HOSTILE)
def test_no_text_of_a_plan_changes_the_structure_of_the_page(harmless, known, text):
    made = Outline(plan_html(plan_that_says(text)))

    depends_on_words = {"code", "del", "ins", "details", "summary"}
    fixed = [[element for element in page.elements if element[0] not in depends_on_words] for page in (made, harmless)]
    assert fixed[0] == fixed[1]
    assert set(made.elements) <= set(harmless.elements) | known
    assert made.blocks["style"] == harmless.blocks["style"]


def test_a_shell_gets_the_page_alone_in_ascii_and_nothing_that_is_loaded(tmp_path, capsys):
    save_plan(html_plans.everything(), tmp_path / "plan.json")
    assert run(["show", str(tmp_path / "plan.json"), "--format", "html"]) == 0
    printed = capsys.readouterr()

    page = printed.out
    assert printed.err == ""
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert page.isascii()
    names = {(tag, name) for tag, names in Outline(page).elements for name in names}
    assert not names & {
        (tag, name) for tag, name in names if name in ("src", "srcset", "style") or name.startswith("on")
    }
    assert not [tag for tag, _ in Outline(page).elements if tag in ("link", "img", "iframe", "base", "form", "object")]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert "Content-Security-Policy" in page
    assert "unsafe-inline" not in page


def test_the_release_that_an_environment_pins_is_named():
    source = html_plans.everything().source.model_copy(update={"release": "v2.4", "dirty": False})
    assert "v2.4</code>, as the environment pins it" in plan_html(html_plans.plan([], source=source))


def test_what_turns_letters_round_is_shown_and_not_obeyed():
    page = plan_html(plan_that_says("Sales \u202e\x1b[2J evil"))
    assert "\\u202e" in page
    assert not re.search("&#8238;|&#x202e;|\x1b", page)


def test_the_verdict_names_what_a_reviewer_must_know():
    verdict = verdict_of(html_plans.everything())
    assert verdict.headline == "This plan can be applied. It makes 6 changes."
    assert [remark.text for remark in verdict.remarks] == [
        "Callers meet the changes on 2 IVRs with 2 phone numbers.",
        "1 object is deleted.",
        "1 flow outside the specs keeps the old copy of a changed module.",
        "Drift: 2 objects were changed in the org by hand; this plan overwrites 1 of them.",
        "1 warning to read before.",
    ]
    broken = html_plans.plan([], findings=(Finding(id="cycle", message="They wait for each other."),))
    assert verdict_of(broken).headline == "This plan cannot be applied: 1 error."
    assert verdict_of(broken).remarks[0].text == "They wait for each other."
    drifted = html_plans.plan([], drift=html_plans.everything().drift[:1])
    assert verdict_of(drifted).headline == ("This plan changes nothing; 1 object that was changed by hand is left so.")
    assert verdict_of(html_plans.plan([])).headline == "Nothing to do. 3 resources are as the specs want them."


def test_errors_come_before_the_changes_and_name_their_place():
    error = Finding(id="cycle", message="They wait for each other.", file="flows/a.yaml", line=7)
    page = plan_html(html_plans.plan([html_plans.change("inboundCall/A", Action.CREATE)], findings=(error,)))
    assert page.index("flows/a.yaml:7") < page.index('id="change-1"')


def test_the_picture_has_an_arrow_only_from_the_last_change_on_the_way():
    data = network(html_plans.everything())
    names = [node["address"] for node in data["nodes"]]
    arrows = {(names[first], names[then]) for first, then in data["edges"]}
    module, menu, line = "commonModule/Authenticate Caller", "inboundCall/Business", "ivr/Business Line"
    assert {(module, menu), (menu, line), (line, f"numbers of {line}"), (menu, "inboundCall/Transfers Here")} <= arrows
    assert {(module, "ivr/Old Sales Line"), (module, "inboundCall/Old Sales")} <= arrows
    assert (module, line) not in arrows
    assert (module, "inboundCall/Transfers Here") not in arrows


def test_changes_that_wait_for_each_other_are_drawn_too():
    a, b = "inboundCall/A", "inboundCall/B"
    data = network(
        html_plans.plan(
            [html_plans.change(a, Action.UPDATE, after=(b,)), html_plans.change(b, Action.UPDATE, after=(a,))]
        )
    )
    assert data["edges"] == [[0, 1], [1, 0]]


def marks(side):
    return [piece.text for piece in side.pieces if piece.marked]


def test_words_that_are_not_on_the_other_side_are_marked():
    before, after = side_by_side("change", "Now enter your PIN, please.", "Kindly do enter your PIN, please.")
    assert marks(before) == ["Now"]
    assert marks(after) == ["Kindly do"]
    assert "".join(piece.text for piece in after.pieces) == "Kindly do enter your PIN, please."
    spaced = side_by_side("change", "a b  c", "a b c")
    assert marks(spaced[0]) == ["b"]
    assert marks(side_by_side("change", "Sales", "Support desk of the north")[1]) == []


def test_documents_are_laid_out_in_lines_and_an_absent_side_is_absent():
    before, after = side_by_side(
        "add", None, {"task": {"name": "T", "actions": [{"disconnect": {"name": "Bye"}}, "x"]}}
    )
    assert before is None
    assert "".join(piece.text for piece in after.pieces).splitlines() == [
        "task:",
        "  name: T",
        "  actions:",
        "    - disconnect:",
        "        name: Bye",
        "    - x",
    ]
    assert side_by_side("change", None, "")[0].pieces[0].text == "null"


def test_drift_alone_has_no_page_and_says_where_there_is_one(cli):
    done = cli("drift", "--format", "html")
    assert done.code == 1
    assert done.out == ""
    assert "plan --format html" in done.err


def test_a_new_plan_is_printed_as_a_page_and_saved_as_a_plan(repository, cli, tmp_path):
    repository.write("shared/authenticate.yaml", module("Authenticate"))
    saved = tmp_path / "plan.json"
    made = cli("plan", "--format", "html", "--out", str(saved))
    assert made.code == 0
    assert "Saved as" in made.err
    assert "commonModule/</span>Authenticate" in made.out
    assert cli("show", str(saved), "--format", "html").out == made.out
