"""Writes a chart as Mermaid, which GitHub, GitLab and many wikis show as a picture.

Labels go through Mermaid's own entities, then Markdown, then HTML, so whatever means something to one of them is
written as an entity. Source: https://mermaid.js.org/syntax/flowchart.html ("Entity codes to escape characters").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from reconciler.report.charts.model import Chart, Cluster, Direction, Line, Node, Shape, Stroke
from reconciler.report.charts.palette import FRAME, FRAME_FILL, INK, PAINTS
from reconciler.report.charts.text import LABEL_WIDTH, TITLE_WIDTH, wrapped

MAX_EDGES = 500
MAX_CHARACTERS = 50_000
"""Defaults of ``maxEdges`` and ``maxTextSize``, which a chart itself cannot raise (Mermaid's configuration schema)."""

_DIRECTION = {Direction.DOWN: "TB", Direction.RIGHT: "LR"}
_SHAPES: dict[Shape, tuple[str, str]] = {
    Shape.BOX: ("[", "]"),
    Shape.LIST: ("[", "]"),
    Shape.ROUNDED: ("(", ")"),
    Shape.PILL: ("([", "])"),
    Shape.SLANTED: ("[/", "/]"),
    Shape.DIAMOND: ("{", "}"),
    Shape.HEXAGON: ("{{", "}}"),
    Shape.CYLINDER: ("[(", ")]"),
    Shape.SUBROUTINE: ("[[", "]]"),
    Shape.ARROW: (">", "]"),
    Shape.TRAPEZOID: ("[/", "\\]"),
    Shape.STOP: ("([", "])"),
}
_ARROWS = {Stroke.SOLID: "-->", Stroke.DASHED: "-.->", Stroke.DOTTED: "-.->"}
_SPECIAL = frozenset('"#<>&`\\*_~$%|@[]{}')
_MARKER = re.compile(r"([0-9]+)([.)])|([-+=]+)")
"""What makes a line an item of a list, a heading or a rule in Markdown."""
_TIGHT_COLON = re.compile(r"[:.](?=\S)")
"""After ``style`` or ``http``, Mermaid and Markdown would take it for their own."""


def mermaid(chart: Chart) -> str:
    """The chart as a Mermaid flow chart."""
    lines = [
        *(_front(chart)),
        f"flowchart {_DIRECTION[chart.direction]}",
        *_body(chart),
        *_classes(chart),
    ]
    return "\n".join(lines) + "\n"


def beyond_mermaid(chart: Chart) -> bool:
    """Whether the chart is more than Mermaid draws unless its page is set up for more."""
    return len(chart.edges) > MAX_EDGES or len(mermaid(chart)) > MAX_CHARACTERS


def _front(chart: Chart) -> Iterator[str]:
    if title := wrapped(chart.title, TITLE_WIDTH):
        yield f"%% {_entities(' '.join(title))}"


def _body(chart: Chart) -> Iterator[str]:
    nodes = {node.id: node for node in chart.nodes}
    framed: set[str] = set()
    for cluster in chart.clusters:
        yield from _cluster(cluster, nodes, framed, "    ")
    for node in chart.nodes:
        if node.id not in framed:
            yield f"    {_node(node)}"
    for edge in chart.edges:
        label = _label([Line(edge.label)], LABEL_WIDTH, 3)
        arrow = _ARROWS[edge.stroke]
        yield (
            f"    {edge.source} {arrow}|{label}| {edge.target}" if label else f"    {edge.source} {arrow} {edge.target}"
        )


def _cluster(cluster: Cluster, nodes: Mapping[str, Node], framed: set[str], indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {cluster.id}[{_label([Line(cluster.title)], 2 * LABEL_WIDTH) or _BLANK}]"
    for nested in cluster.clusters:
        yield from _cluster(nested, nodes, framed, f"{indent}    ")
    for name in cluster.nodes:
        framed.add(name)
        yield f"{indent}    {_node(nodes[name])}"
    yield f"{indent}end"


_BLANK = '" "'


def _node(node: Node) -> str:
    opening, closing = _SHAPES[node.shape]
    return f"{node.id}{opening}{_label(node.lines) or _BLANK}{closing}:::{_class(node)}"


def _class(node: Node) -> str:
    # Names of their own: some plain words, such as "end", are taken.
    return f"tone_{node.tone.value}" + ("_dashed" if node.dashed else "") + ("_heavy" if node.heavy else "")


def _classes(chart: Chart) -> Iterator[str]:
    for name, node in sorted({_class(node): node for node in chart.nodes}.items()):
        paint = PAINTS[node.tone]
        extra = (",stroke-dasharray:5 4" if node.dashed else "") + (",stroke-width:3px" if node.heavy else "")
        yield f"    classDef {name} fill:{paint.fill},stroke:{paint.outline},color:{paint.text}{extra}"
    if chart.clusters:
        yield f"    classDef frame fill:{FRAME_FILL},stroke:{FRAME},color:{INK}"
        yield f"    class {','.join(_ids(chart.clusters))} frame"


def _ids(clusters: Sequence[Cluster]) -> Iterator[str]:
    for cluster in clusters:
        yield cluster.id
        yield from _ids(cluster.clusters)


def _label(lines: Sequence[Line], width: int | None = None, max_lines: int | None = None) -> str:
    """Quoted; empty for nothing to see."""
    sizes = [size for size in (width, max_lines) if size is not None]
    parts = []
    for line in lines:
        for part in wrapped(line.text, *sizes):
            shown = _entities(part)
            parts.append(f"<b>{shown}</b>" if line.strong else shown)
    return f'"{"<br/>".join(parts)}"' if parts else ""


def _entities(text: str) -> str:
    """One line of text, with an entity for each character that would be taken for more than itself."""
    marker = _MARKER.match(text)
    start = marker.end() if marker else 0
    opening = "".join(character if character.isdigit() else f"#{ord(character)};" for character in text[:start])
    rest = _TIGHT_COLON.sub("\0\\g<0>", text[start:])
    return opening + "".join(
        f"#{ord(character)};" if character in _SPECIAL or before == "\0" else character
        for before, character in zip(" " + rest, rest, strict=False)
        if character != "\0"
    )
