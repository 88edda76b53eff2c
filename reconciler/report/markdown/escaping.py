"""Keeps names and texts of others from acting as Markdown, as HTML, or as a call to somebody.

A comment goes through Markdown, then HTML, then what the site makes of plain text: mentions, references to issues,
smileys, formulas. Entities stop the first two. The third sees through entities, so an invisible space, which both
GitHub and GitLab take for the end of a word, breaks what it would see. Within code, the sites leave text alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from markupsafe import Markup

from reconciler.report.visible import visible
from reconciler.report.words import MARKED

_BREAK = "&#8203;"
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u2065\ufeff]")
"""Marks that nobody sees and that turn, join or part what stands around them."""
_SPECIAL = re.compile(
    r"""
    (?P<mention> @ | \#(?=\w) | %(?=[\w"]) | ~(?=[\w"]) | \^(?=\w) | &(?=\d) | !(?=\d) )
    | (?P<issue> (?<!\w) [Gg][HhLl]- (?=\d) )
    | (?P<link> :(?=//) | (?<=[Ww]{3}) \. )
    | (?P<smiley> :(?=[a-zA-Z+-][\w+-]*:) )
    | (?P<formula> \$ )
    | (?P<sign> [\\`*_\[\]<>|&~^\#] )
    """,
    re.VERBOSE,
)
_SIGNS = re.compile(r"[\\`*_\[\]<>|&~^#@$:\"]")
_OPENING = re.compile(r"(?P<sign>[-=](?!\w)|\+(?!\S))|(?P<number>\d+)(?P<after>[.)])(?!\S)")
"""What would make a list, a heading or a rule of the text that it begins."""
_PLAIN_CODE = re.compile(r"[^`|<\\]+")
_TICKS = re.compile("`+")
_COMMENT = re.compile("<(?=!--)")
_NAMES_SHOWN = 300
_ENVIRONMENT_SHOWN = 150


def one_line(text: str) -> str:
    """The text without line breaks, and with every character that could act on the reader's screen made visible."""
    return _seen(" ".join(text.split()))


def cut(text: str, length: int) -> str:
    """The text, or its beginning and an ellipsis; to be used before anything is escaped."""
    return text if len(text) <= length else f"{text[:length].rstrip()}…"


def quiet(text: str) -> Markup:
    """Prose: right in a paragraph, a cell of a table, an item of a list, and within HTML."""
    shown = one_line(text)
    opening = _OPENING.match(shown)
    if opening is None:
        return Markup(_SPECIAL.sub(_silenced, shown))  # noqa: S704
    head = _entity(opening["sign"]) if opening["sign"] else f"{opening['number']}{_entity(opening['after'])}"
    return Markup(head + _SPECIAL.sub(_silenced, shown[opening.end() :]))  # noqa: S704


def code(text: str) -> Markup:
    """A name as people type it; in Markdown."""
    shown = one_line(cut(text, _NAMES_SHOWN))
    return Markup(f"`{shown}`") if _PLAIN_CODE.fullmatch(shown) else tag(text)  # noqa: S704


def tag(text: str) -> Markup:
    """The same; right within HTML as well."""
    shown = one_line(cut(text, _NAMES_SHOWN))
    return Markup(f"<code>{_SIGNS.sub(lambda match: _entity(match[0]), shown)}</code>")  # noqa: S704


def fence(lines: Iterable[str], language: str) -> Markup:
    """A block of code that nothing within it ends."""
    listed = [_COMMENT.sub("<\u200b", line) for line in lines]
    longest = max((len(ticks) for line in listed for ticks in _TICKS.findall(line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return Markup("\n".join((f"{ticks}{language}", *listed, ticks)))  # noqa: S704


def literal(text: str) -> str:
    """One line for a block of code."""
    return _seen(" ⏎ ".join(text.splitlines()))


def word_changes(detail: str) -> Markup:
    """``[-…-]`` and ``{+…+}`` as what was struck out and what was put in."""
    parts = []
    for part in MARKED.split(one_line(detail)):
        if part.startswith("[-") and part.endswith("-]"):
            parts.append(f"<del>{quiet(part[2:-2])}</del>")
        elif part.startswith("{+") and part.endswith("+}"):
            parts.append(f"<ins>{quiet(part[2:-2])}</ins>")
        else:
            parts.append(_spaced(part))
    return Markup("".join(parts))  # noqa: S704


def marker(what: str, environment: str) -> Markup:
    """The first line, by which a pipeline finds its comment again: one for each environment, and a comment in HTML."""
    name = "".join(one if one.isalnum() or one in " ._/-" else _percent(one) for one in environment)
    name = name.replace("--", "-%2D")
    if len(name) > _ENVIRONMENT_SHOWN:
        name = f"{name[:100]}…{hashlib.sha256(environment.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    return Markup(f"<!-- reconciler {what}: {name} -->")  # noqa: S704


def quote(block: str) -> Markup:
    """The lines as a quote."""
    return Markup("\n".join(f"> {line}".rstrip() for line in block.strip().split("\n")))  # noqa: S704


def _seen(text: str) -> str:
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", visible(text))


def _spaced(text: str) -> str:
    """Prose with the blanks at its ends kept."""
    inner = text.strip()
    return f"{' ' * text.startswith(' ')}{quiet(inner)}{' ' * (text.endswith(' ') and bool(inner))}"


def _silenced(match: re.Match[str]) -> str:
    text = match[0]
    match match.lastgroup:
        case "mention":
            return (_entity(text) if text in "&~^#" else text) + _BREAK
        case "issue" | "smiley":
            return text + _BREAK
        case "link":
            return text + _BREAK if text == ":" else _BREAK + text
        case "formula":
            # The form that GitHub's own documentation gives for a dollar that is no formula.
            return "<span>$</span>"
    return _entity(text)


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
