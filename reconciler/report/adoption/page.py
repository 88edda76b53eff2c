"""Adoption as one HTML file that loads nothing and runs no script.

All names are untrusted: the template escapes everything, and the policy lets in nothing but our style, by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.engine.adoption.document import AdoptionReport
from reconciler.report.adoption import figures, overview, words
from reconciler.report.adoption.picture import HEIGHT, WIDTH, bars, shares
from reconciler.report.adoption.sparks import most_an_hour
from reconciler.report.html.page import common_style
from reconciler.report.visible import visible

_PACKAGE = "reconciler.report.adoption"


def adoption_html(report: AdoptionReport) -> str:
    """The document as one HTML file, in ASCII, so that it reads the same however a shell writes it."""
    summary = list(overview.summary(report))
    page = (
        _templates()
        .get_template("page.html.j2")
        .render(
            report=report,
            zone=report.time_zone,
            summary=summary,
            bad=any(bad for _, bad in summary),
            nothing=overview.nothing(report),
            policy=f"default-src 'none'; style-src '{_digest(_style())}'; base-uri 'none'; form-action 'none'",
            style=Markup(_style()),  # noqa: S704 - our own file
            width=WIDTH,
            height=HEIGHT,
        )
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


@cache
def _style() -> str:
    return common_style() + resources.files(_PACKAGE).joinpath("page.css").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader(_PACKAGE, package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(figures=figures, overview=overview, words=words, bars=bars, most=most_an_hour, shares=shares)
    return made
