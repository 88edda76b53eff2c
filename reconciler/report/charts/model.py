"""A chart as such: boxes, arrows and frames with text, in no particular language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """Outlines, so different that a chart can be read without colours."""

    BOX = "box"
    LIST = "list"
    """A box whose lines are set to the left."""
    ROUNDED = "rounded"
    PILL = "pill"
    SLANTED = "slanted"
    DIAMOND = "diamond"
    HEXAGON = "hexagon"
    CYLINDER = "cylinder"
    SUBROUTINE = "subroutine"
    """A box with a bar at each side."""
    ARROW = "arrow"
    TRAPEZOID = "trapezoid"
    STOP = "stop"


class Tone(StrEnum):
    """What a colour stands for."""

    PLAIN = "plain"
    QUIET = "quiet"
    """Of less interest: switched off, outside, unchanged."""
    START = "start"
    END = "end"
    SPEECH = "speech"
    CHOICE = "choice"
    DECISION = "decision"
    DATA = "data"
    TRANSFER = "transfer"
    MODULE = "module"
    PHONE = "phone"
    HOURS = "hours"
    CREATE = "create"
    UPDATE = "update"
    REPUBLISH = "republish"
    ADOPT = "adopt"
    DELETE = "delete"
    REACHED = "reached"


class Stroke(StrEnum):
    """How an arrow is drawn."""

    SOLID = "solid"
    DASHED = "dashed"
    DOTTED = "dotted"


class Direction(StrEnum):
    """Where the arrows of a chart lead by and large."""

    DOWN = "down"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text, which writers wrap; it may hold anything."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One box."""

    id: str
    """Letters and digits, a letter first; unique among the nodes and clusters of a chart."""
    lines: tuple[Line, ...]
    shape: Shape = Shape.BOX
    tone: Tone = Tone.PLAIN
    dashed: bool = False
    """A broken outline: not there (any more), or not taken."""
    heavy: bool = False
    """A thick outline."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow between two nodes."""

    source: str
    target: str
    label: str = ""
    stroke: Stroke = Stroke.SOLID
    loose: bool = False
    """It shall not push its ends apart, such as a way back."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A frame around nodes."""

    id: str
    title: str
    nodes: tuple[str, ...]
    clusters: tuple[Cluster, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole picture. A node stands in at most one cluster."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...] = ()
    direction: Direction = Direction.DOWN
