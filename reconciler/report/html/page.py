"""Puts the page together: template, style, script and data in one file that loads nothing and runs nothing else.

All that a plan says is untrusted. It reaches the page by two ways only: through the template, which escapes
everything, and as JSON in a data block, without any character that could end the block. The content security
policy lets the browser run this script and this style, told by their digests, and nothing else.

The page is pure ASCII, so that it reads the same whatever encoding a shell writes it in.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.engine.document import Action, Plan
from reconciler.ledger import stamp
from reconciler.problems import Severity
from reconciler.report.charts.model import Tone
from reconciler.report.charts.palette import PAINTS
from reconciler.report.html.network import network
from reconciler.report.html.verdict import plural, verdict_of
from reconciler.report.html.view import PageView, kind_words
from reconciler.report.visible import visible
from reconciler.report.words import moment, plan_title

_PACKAGE = "reconciler.report.html"
_STYLES = ("common.css", "page.css", "changes.css", "picture.css")
_SCRIPTS = ("state.js", "filter.js", "layout.js", "part.js", "picture.js", "chosen.js", "page.js")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


def plan_html(plan: Plan) -> str:
    """The plan as one HTML file, in ASCII."""
    view = PageView(plan)
    template = _templates().get_template("page.html.j2")
    page = template.render(
        plan=plan,
        view=view,
        verdict=verdict_of(plan),
        title=plan_title(plan),
        made=stamp(plan.created_at),
        policy=_policy(),
        style=_markup(_style()),
        script=_markup(_script()),
        data=_markup(_json(network(plan))),
        actions=list(Action),
        severities=list(Severity),
    )
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader(_PACKAGE, package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["kind_words"] = kind_words
    made.filters["moment"] = moment
    made.globals["plural"] = plural
    return made


def _shown(value: Any) -> Any:
    """Control characters, and those that turn the order of letters round, as escapes that can be seen."""
    return value if isinstance(value, Markup) else visible(str(value))


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - our own files, and JSON without any markup


def common_style() -> str:
    """Colours, type and sheet, for every page."""
    return _file("common.css")


@cache
def _style() -> str:
    actions = {action.value: PAINTS[Tone(action.value)] for action in Action} | {"reached": PAINTS[Tone.REACHED]}
    colours = "".join(
        f"  --{name}-light: {paint.fill}; --{name}-dark: {paint.outline};\n" for name, paint in actions.items()
    )
    return f":root {{\n{colours}}}\n" + "".join(map(_file, _STYLES))


@cache
def _script() -> str:
    text = "".join(map(_file, _SCRIPTS))
    return _BEYOND_ASCII.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _file(name: str) -> str:
    return (resources.files(_PACKAGE) / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _policy() -> str:
    """Nothing is loaded, sent, framed or run, but for our own script and style."""
    return (
        f"default-src 'none'; script-src {_digest(_script())}; style-src {_digest(_style())}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('ascii')).digest()).decode('ascii')}'"


def _json(data: Any) -> str:
    """JSON in ASCII for a data block: without ``<``, ``>`` and ``&`` it cannot end the block or begin another."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
