"""The templates, and what stands between them and foreign text.

Whatever a template shows is made quiet, unless it is markup of ours already; so nobody can forget it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.report.markdown import escaping
from reconciler.report.words import ivr_text, moment, plural, utc

_GAPS = re.compile(r"\n{3,}")


def rendered(template: str, **values: Any) -> Markup:
    """The text of a template, without blank lines around it."""
    text = _templates().get_template(f"{template}.md.j2").render(values)
    return Markup(_GAPS.sub("\n\n", text).strip("\n"))  # noqa: S704


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("reconciler.report.markdown"),
        autoescape=True,
        finalize=_quiet,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "code": escaping.code,
        "tag": escaping.tag,
        "cut": escaping.cut,
        "word_changes": escaping.word_changes,
        "fence": escaping.fence,
        "quote": escaping.quote,
        "moment": moment,
        "utc": utc,
        "ivr_text": ivr_text,
    }
    made.globals |= {"plural": plural, "MESSAGE": 500, "NAME": 150}
    return made


def _quiet(value: Any) -> Any:
    return value if hasattr(value, "__html__") else escaping.quiet(str(value))
