"""Shows a plan in the format that was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.cli.output import Format, document, say
from reconciler.engine.document import Plan
from reconciler.problems import ReconcilerError
from reconciler.report.html import plan_html
from reconciler.report.markdown import plan_markdown
from reconciler.report.text import plan_text


def show_plan(plan: Plan, format: Format) -> None:
    """Text goes to stderr, documents go to stdout."""
    match format:
        case Format.JSON:
            document(plan.model_dump_json(indent=2))
        case Format.MARKDOWN:
            document(plan_markdown(plan))
        case Format.HTML:
            document(plan_html(plan))
        case Format.TEXT:
            say(plan_text(plan))


@contextmanager
def failed_as_json(format: Format) -> Iterator[None]:
    """With ``--format json`` also a failure leaves one JSON document on stdout; the error goes on."""
    try:
        yield
    except ReconcilerError as error:
        if format is Format.JSON:
            document(
                json.dumps(
                    {
                        "error": error.message,
                        "remedy": error.remedy,
                        "findings": [finding.model_dump(mode="json") for finding in error.findings],
                    },
                    indent=2,
                    ensure_ascii=False,
                )
            )
        raise
