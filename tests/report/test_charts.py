"""Pictures: every step of a flow is on its chart, every resource on the estate's, whatever they are called."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import flow, module

from reconciler.archy.yaml import load
from reconciler.report.charts import dot, mermaid
from reconciler.report.charts.flow import flow_chart, flow_drawing

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".yml", ".tftpl"))
GRAPHVIZ = shutil.which("dot")

MENU = """\
inboundCall:
  name: Front
  startUpRef: "/inboundCall/menus/menu[Main_1]"
  initialGreeting: {tts: Welcome.}
  menus:
    - menu:
        name: Main
        refId: Main_1
        audio: {tts: Press one.}
        choices:
          - menuTransferToAcd: {name: Sales, dtmf: digit_1, targetQueue: {lit: {name: Sales}}}
          - menuJumpToTask: {name: Open?, dtmf: digit_2, targetTaskRef: "/inboundCall/tasks/task[Check_2]"}
  tasks:
    - task:
        name: Check
        refId: Check_2
        actions:
          - decision:
              name: Are we open?
              condition: {exp: Flow.isOpen}
              outputs:
                yes: {actions: [transferToAcd: {name: To Support, targetQueue: {lit: {name: Support}}}]}
          - disconnect: {name: Goodbye}
"""


def chart_of(text):
    ((root, body),) = load(text).items()
    return flow_chart(root, body)


def graphviz(text):
    """What Graphviz complains about."""
    if GRAPHVIZ is None:
        pytest.skip("Graphviz is not installed (apt-get install graphviz)")
    done = subprocess.run([GRAPHVIZ, "-Tcanon"], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_flow_chart_shows_menus_with_digits_decisions_transfers_and_ends():
    chart = chart_of(MENU)

    texts = {line.text for node in chart.nodes for line in node.lines}
    assert {"Main", "Sales", "transfers to queue Sales", "Are we open?", "To Support", "Goodbye"} <= texts
    assert 'Greeting: "Welcome."' in texts
    labels = {edge.label for edge in chart.edges}
    assert {"1", "2", "yes", "no"} <= labels
    assert {cluster.title for cluster in chart.clusters} == {"Menu Main", "Task Check"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_step_of_a_real_flow_has_its_place_and_graphviz_takes_the_chart(path):
    text = re.sub(r"\{\{.*?\}\}", "X", path.read_text(encoding="utf-8"))
    ((root, body),) = load(re.sub(r"\$\{.*?\}", "X", text)).items()

    drawing = flow_drawing(root, body)

    shown = {line.text for node in drawing.chart.nodes for line in node.lines}
    assert shown
    assert mermaid(drawing.chart).count("subgraph") == len(
        re.findall(r"^\s*end$", mermaid(drawing.chart), re.MULTILINE)
    )
    if GRAPHVIZ:
        assert graphviz(dot(drawing.chart)) == ""


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(max_size=80))
def test_any_name_gives_a_picture_that_can_be_read(name, says):
    speech = {"playAudio": {"name": name, "audio": {"tts": says}}}
    body = {
        "name": name,
        "startUpRef": "/inboundCall/tasks/task[x]",
        "tasks": [{"task": {"name": name, "refId": "x", "actions": [speech]}}],
    }
    chart = flow_chart("inboundCall", body)
    for line in mermaid(chart).splitlines():
        assert line.count('"') % 2 == 0
    if GRAPHVIZ:
        graphviz(dot(chart))


@pytest.fixture
def estate(repository):
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/line.yaml", 'ivr: {name: Line, dnis: ["+4570100001"], openHoursFlow: Sales}\n')
    return repository


def test_the_estate_shows_numbers_and_what_each_reference_is(estate, cli):
    drawn = cli("graph", "--format", "dot")

    assert drawn.code == 0
    assert "+4570100001" in drawn.out
    assert "open hours" in drawn.out
    assert "calls module" in drawn.out


def test_a_plan_colours_what_changes_and_marks_what_it_reaches(estate, cli, tmp_path):
    assert cli("apply", "--auto-approve").code == 0
    estate.edit("shared/greeter.yaml", "One moment.", "Just a moment.")
    plan = str(tmp_path / "plan.json")
    assert cli("plan", "--out", plan).code == 0

    drawn = cli("graph", "--plan", plan, "--format", "mermaid")

    assert drawn.code == 0
    assert "tone_update" in drawn.out
    assert "tone_reached" in drawn.out


def test_one_flow_is_drawn_by_its_address_and_a_wrong_one_is_told(estate, cli, tmp_path):
    assert "Play Audio" in cli("graph", "commonModule/Greeter").out
    wrong = cli("graph", "commonModule/Greter")
    assert wrong.code == 1
    assert "commonModule/Greeter" in wrong.err
    svg = tmp_path / "sales.svg"
    made = cli("graph", "inboundCall/Sales", "--out", str(svg))
    assert (made.code == 0 and "<svg" in svg.read_text()) if GRAPHVIZ else "Graphviz" in made.err
