"""Writes a chart in the language of Graphviz.

Labels are HTML-like, as that is what has bold text in it; see https://graphviz.org/doc/info/shapes.html#html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from reconciler.report.charts.model import Chart, Cluster, Direction, Edge, Node, Shape, Stroke
from reconciler.report.charts.palette import ARROW, FONT, FRAME, FRAME_FILL, INK, PAINTS
from reconciler.report.charts.text import LABEL_WIDTH, TITLE_WIDTH, wrapped

_RANKDIR = {Direction.DOWN: "TB", Direction.RIGHT: "LR"}
_SHAPES: dict[Shape, tuple[str, str]] = {
    Shape.BOX: ("box", "filled"),
    Shape.LIST: ("box", "filled"),
    Shape.ROUNDED: ("box", "rounded,filled"),
    Shape.PILL: ("ellipse", "filled"),
    Shape.SLANTED: ("note", "filled"),
    Shape.DIAMOND: ("diamond", "filled"),
    Shape.HEXAGON: ("hexagon", "filled"),
    Shape.CYLINDER: ("cylinder", "filled"),
    Shape.SUBROUTINE: ("plain", "solid"),
    Shape.ARROW: ("cds", "filled"),
    Shape.TRAPEZOID: ("trapezium", "filled"),
    Shape.STOP: ("octagon", "filled"),
}
"""Shape → Graphviz's shape and style. Its parallelograms waste too much room, so a note stands for them."""
_MARGINS = {
    Shape.ARROW: "0.2,0.1",
    Shape.DIAMOND: "0.02,0.02",
    Shape.HEXAGON: "0.02,0.02",
    Shape.TRAPEZOID: "0.02,0.02",
    Shape.STOP: "0.04,0.02",
}
"""Margins for shapes that Graphviz draws far around their text, or too close to it."""


def dot(chart: Chart) -> str:
    """The chart as a Graphviz digraph."""
    return "\n".join(["digraph reconciler {", *_settings(chart), *_body(chart), "}"]) + "\n"


def _settings(chart: Chart) -> Iterator[str]:
    title = _label(wrapped(chart.title, TITLE_WIDTH))
    gaps = "nodesep=0.3, ranksep=0.4" if chart.direction is Direction.DOWN else "nodesep=0.15, ranksep=0.9"
    yield f"  graph [rankdir={_RANKDIR[chart.direction]}, {gaps}, bgcolor=white, pad=0.2, labelloc=t, label={title},"
    yield f'         fontname="{FONT}", fontsize=16, fontcolor="{INK}"];'
    yield f'  node [fontname="{FONT}", fontsize=10, margin="0.1,0.06", height=0.3];'
    yield f'  edge [fontname="{FONT}", fontsize=9, fontcolor="{INK}", color="{ARROW}", arrowsize=0.7];'


def _body(chart: Chart) -> Iterator[str]:
    nodes = {node.id: node for node in chart.nodes}
    framed: set[str] = set()
    for cluster in chart.clusters:
        yield from _cluster(cluster, nodes, framed, "  ")
    for node in chart.nodes:
        if node.id not in framed:
            yield f"  {_node(node)}"
    for edge in chart.edges:
        yield f"  {_edge(edge)}"


def _cluster(cluster: Cluster, nodes: Mapping[str, Node], framed: set[str], indent: str) -> Iterator[str]:
    yield f"{indent}subgraph cluster_{cluster.id} {{"
    inner = f"{indent}  "
    yield (
        f"{inner}graph [label={_label(wrapped(cluster.title, 2 * LABEL_WIDTH), strong=True)}, fontsize=11, "
        f'labeljust=l, style="rounded,filled", color="{FRAME}", fillcolor="{FRAME_FILL}", margin=10];'
    )
    for nested in cluster.clusters:
        yield from _cluster(nested, nodes, framed, inner)
    for name in cluster.nodes:
        framed.add(name)
        yield f"{inner}{_node(nodes[name])}"
    yield f"{indent}}}"


def _node(node: Node) -> str:
    shape, style = _SHAPES[node.shape]
    paint = PAINTS[node.tone]
    attributes = [f"shape={shape}"]
    text = _text(node)
    if node.shape is Shape.SUBROUTINE:
        text = _barred(node, text)
    else:
        dashes = ",dashed" if node.dashed else ""
        attributes += [f'style="{style}{dashes}"', f'fillcolor="{paint.fill}"', f'color="{paint.outline}"']
        attributes += ["penwidth=3"] if node.heavy else []
        attributes += [f'margin="{_MARGINS[node.shape]}"'] if node.shape in _MARGINS else []
    return f'{node.id} [label=<{text}>, {", ".join(attributes)}, fontcolor="{paint.text}"];'


def _barred(node: Node, text: str) -> str:
    """A table with a bar at each side."""
    paint = PAINTS[node.tone]
    width = 3 if node.heavy else 1
    dashes = ' style="dashed"' if node.dashed else ""
    bar = '<td border="1" sides="{}" width="5" cellpadding="0"></td>'
    return (
        f'<table border="{width}" cellborder="0" cellspacing="0" cellpadding="5" '
        f'bgcolor="{paint.fill}" color="{paint.outline}"{dashes}>'
        f"<tr>{bar.format('R')}<td>{text}</td>{bar.format('L')}</tr></table>"
    )


def _text(node: Node) -> str:
    """The lines of a box; text that is empty through and through becomes a blank, which Graphviz insists on."""
    end = '<br align="left"/>' if node.shape is Shape.LIST else "<br/>"
    parts = []
    for line in node.lines:
        for part in wrapped(line.text):
            shown = escape(part, quote=True)
            parts.append(f"<b>{shown}</b>" if line.strong else shown)
    joined = end.join(parts) or " "
    return f"{joined}{end}" if node.shape is Shape.LIST and parts else joined


def _edge(edge: Edge) -> str:
    attributes = []
    if label := wrapped(edge.label, LABEL_WIDTH, 3):
        attributes.append(f"label={_label(label)}")
    if edge.stroke is not Stroke.SOLID:
        attributes.append(f"style={edge.stroke.value}")
    if edge.loose:
        attributes.append("constraint=false")
    return f"{edge.source} -> {edge.target}" + (f" [{', '.join(attributes)}];" if attributes else ";")


def _label(lines: Sequence[str], *, strong: bool = False) -> str:
    # A blank at each side keeps a label beside an arrow off the arrow.
    text = "<br/>".join(f" {escape(line, quote=True)} " for line in lines) or " "
    return f"<<b>{text}</b>>" if strong and lines else f"<{text}>"
