"""The graph of a catalog as mermaid or dot text."""

from __future__ import annotations

from reconciler.engine.graph import Graph


def mermaid(graph: Graph) -> str:
    """A mermaid flow chart: arrows go from a resource to what it needs."""
    ids = {address: f"n{number}" for number, address in enumerate(sorted(graph))}
    lines = ["flowchart LR"]
    lines += [f'    {ids[address]}["{_escaped(address)}"]' for address in sorted(graph)]
    lines += [f"    {ids[source]} --> {ids[target]}" for source, target in sorted(graph.edges)]
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """A Graphviz digraph with the same arrows."""
    lines = ["digraph reconciler {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {_quoted(address)};" for address in sorted(graph)]
    lines += [f"  {_quoted(source)} -> {_quoted(target)};" for source, target in sorted(graph.edges)]
    return "\n".join([*lines, "}"]) + "\n"


def _escaped(text: str) -> str:
    """Mermaid takes HTML entities where a character would end the label."""
    return "".join(f"#{ord(character)};" if character in '"#<>&`' else character for character in text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
