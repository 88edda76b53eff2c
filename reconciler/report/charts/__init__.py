"""Pictures: a neutral model of a chart, what draws flows and estates into it, and two writers of text.

``flow.flow_chart`` and ``estate.estate_chart`` make charts; ``dot`` and ``mermaid`` write one down.
"""

from reconciler.report.charts.dot import dot
from reconciler.report.charts.mermaid import beyond_mermaid, mermaid
from reconciler.report.charts.model import Chart

__all__ = ["Chart", "beyond_mermaid", "dot", "mermaid"]
