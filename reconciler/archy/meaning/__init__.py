"""The diff of meaning: what changed in a flow, told in containers and actions instead of paths."""

from reconciler.archy.meaning.compare import Edit, compare_flows

__all__ = ["Edit", "compare_flows"]
