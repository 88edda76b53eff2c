"""A plan as one HTML file that needs nothing but itself."""

from reconciler.report.html.page import plan_html

__all__ = ["plan_html"]
