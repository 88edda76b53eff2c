"""The audit trail for people, and for what collects events: text, Elastic Common Schema, CEF."""

from reconciler.report.audit.cef import cef_line
from reconciler.report.audit.comparison import comparison_text
from reconciler.report.audit.ecs import ecs_event
from reconciler.report.audit.text import trail_text
from reconciler.report.audit.verification import verification_text

__all__ = ["cef_line", "comparison_text", "ecs_event", "trail_text", "verification_text"]
