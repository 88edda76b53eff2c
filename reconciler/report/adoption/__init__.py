"""What `adoption` tells: as text for a terminal, as Markdown, as an HTML page."""

from reconciler.report.adoption.markdown import adoption_markdown
from reconciler.report.adoption.page import adoption_html
from reconciler.report.adoption.text import adoption_text

__all__ = ["adoption_html", "adoption_markdown", "adoption_text"]
