"""SVG through Graphviz, whose program ``dot`` lays charts out."""

from __future__ import annotations

import shutil
import subprocess

from reconciler.problems import ReconcilerError

PROGRAM = "dot"
PATIENCE = 120
"""Seconds; an estate of a thousand resources takes some."""


def svg(dot: str) -> str:
    """A picture of a Graphviz digraph.

    Raises:
        ReconcilerError: Graphviz is not on this machine, or cannot draw this.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise ReconcilerError(
            "SVG needs Graphviz, whose program `dot` is not on this machine.",
            remedy="Install the package graphviz (apt-get install graphviz, brew install graphviz), "
            "or use --format mermaid or --format dot.",
        )
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the chart goes in by stdin
            [program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ReconcilerError(
            f"Graphviz did not finish drawing within {PATIENCE} s.",
            remedy="Draw less, such as one address, or use --format dot and another layout program.",
        ) from None
    except OSError as error:
        raise ReconcilerError(f"Graphviz ({program}) could not be started: {error.strerror}.") from None
    if done.returncode:
        raise ReconcilerError(
            f"Graphviz could not draw the chart: {done.stderr.decode(errors='replace').strip()}",
            remedy="Use --format mermaid, and tell the maintainers of reconciler.",
        )
    return done.stdout.decode()
