"""A plan, and drift, as the text of a pull-request comment: GitHub and GitLab show it, and job summaries do.

``document`` puts it together from templates, ``fitting`` keeps it within what a comment may hold, ``picture`` draws
what is reached, and ``escaping`` keeps names and texts from acting as Markdown.
"""

from reconciler.report.markdown.document import LIMIT, drift_markdown, plan_markdown

__all__ = ["LIMIT", "drift_markdown", "plan_markdown"]
