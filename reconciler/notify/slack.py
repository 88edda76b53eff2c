"""A notification as a Slack message: blocks, and a plain text for what shows no blocks.

What others wrote stands in code spans with Slack's three control characters escaped, so that neither a flow's name
nor an error can mention a channel, make a link or change how the rest looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from reconciler.notify.document import Notification
from reconciler.notify.wording import Message, Section, message_of

HEADER = 150
"""Slack's own limit of a header's text."""
TEXT = 3000
"""Slack's own limit of any other text."""
ROOM = 2000
"""Of a section: all of them together stay below what Slack takes for one message, which is some 13,000."""
FACTS_ROOM = 2800
LINK = 500
"""Characters of an address that is made a link; a longer one is left out."""
_SIGNS = {"good": "✅", "attention": "⚠️", "default": "ℹ️"}


def slack_message(told: Notification) -> dict[str, Any]:
    """What an incoming webhook of Slack takes."""
    message = message_of(told)
    headline = f"{_SIGNS[message.tone]} {message.headline}"
    return {"text": escaped(headline), "mrkdwn": False, "blocks": list(_blocks(message, headline))}


def escaped(text: str) -> str:
    """Text in which Slack finds nothing to obey."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(message: Message, headline: str) -> Iterator[dict[str, Any]]:
    header = _cut(headline, HEADER)
    yield {"type": "header", "text": {"type": "plain_text", "text": header, "emoji": False}}
    facts = (f"*{label}:* {_code(value)}" for label, value in message.facts)
    yield _section(_fitted(facts, FACTS_ROOM, 0))
    for section in message.sections:
        yield _section(_listed(section))
    if message.link and len(message.link) <= LINK:
        # Nothing that ends a link or begins another one is left in the address.
        address = escaped(quote(message.link, safe="!#$%&'()*+,/:;=?@[]~"))
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{address}|The pipeline job>"}]}


def _listed(section: Section) -> str:
    lines = (f"• {_code(line)}" for line in section.lines)
    return f"*{section.title}*\n{_fitted(lines, ROOM, section.left_out)}"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _code(text: str) -> str:
    """A code span; a backtick would end it."""
    return f"`{escaped(text.replace('`', 'ʹ')) or ' '}`"


def _fitted(lines: Iterable[str], room: int, left_out: int) -> str:
    """As many lines as there is room for, and how many more there are."""
    lines = list(lines)
    shown: list[str] = []
    for line in lines:
        if sum(map(len, shown)) + len(shown) + len(line) > room:
            break
        shown.append(line)
    more = len(lines) - len(shown) + left_out
    return "\n".join([*shown, *([f"… and {more} more"] if more else [])]) or "–"


def _cut(text: str, most: int) -> str:
    """Escaped and not longer than ``most``; no escape is cut in two."""
    whole = escaped(text)
    while len(whole) > most:
        text = text[: len(text) - max(1, (len(whole) - most) // 5) - 1]
        whole = escaped(text) + "…"
    return whole
