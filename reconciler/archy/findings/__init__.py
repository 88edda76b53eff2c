"""What is wrong with a flow as a caller goes through it: findings with stable ids.

``check_flow`` runs every check of one flow; ``FINDINGS`` lists everything that can be found.
"""

from reconciler.archy.findings.checks import check_flow
from reconciler.archy.findings.registry import FINDINGS, FindingType

__all__ = ["FINDINGS", "FindingType", "check_flow"]
