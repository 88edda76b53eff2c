"""A notification as an Adaptive Card in the envelope that a webhook of Teams (Workflows) takes.

Only rich text blocks are used: they know no Markdown, so that what others wrote cannot become a link or a mention.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from reconciler.notify.document import Notification
from reconciler.notify.wording import Message, message_of

MOST_BYTES = 28 * 1024
"""Teams' own limit of a message."""
ROOM = 24 * 1024
"""What we allow ourselves of it; letters beyond ASCII are counted as they are sent, as escapes."""
SIZES = ((30, 300), (15, 300), (7, 300), (3, 150), (0, 80))
"""Lines of a list, and characters of a text: the first that fits is taken, and the last always does."""
LINK = 500
_BRACES = re.compile(r"\{(?=\{)")


def teams_message(told: Notification) -> dict[str, Any]:
    """What a webhook made with a Teams workflow takes."""
    message = message_of(told)
    for lines, characters in SIZES:
        made = _envelope(message, lines, characters)
        if len(json.dumps(made)) <= ROOM:
            break
    return made


def _envelope(message: Message, lines: int, characters: int) -> dict[str, Any]:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": list(_body(message, lines, characters)),
    }
    if message.link and len(message.link) <= LINK:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "The pipeline job", "url": message.link}]
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _body(message: Message, lines: int, characters: int) -> Iterator[dict[str, Any]]:
    def run(text: str, **style: Any) -> dict[str, Any]:
        return _run(text if len(text) <= characters else f"{text[: characters - 1]}…", **style)

    yield _block(run(message.headline, weight="Bolder", size="Medium", color=message.tone))
    for label, value in message.facts:
        yield _block(run(f"{label}: ", weight="Bolder"), run(value))
    for section in message.sections:
        yield {**_block(run(section.title, weight="Bolder")), "separator": True, "spacing": "Medium"}
        for line in section.lines[:lines]:
            yield {**_block(run(f"• {line}")), "spacing": "None"}
        more = max(0, len(section.lines) - lines) + section.left_out
        if more:
            yield {**_block(run(f"… and {more} more", isSubtle=True)), "spacing": "None"}


def _block(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: Any) -> dict[str, Any]:
    # `{{DATE(…)}}` is the one thing that a card computes out of a text.
    return {"type": "TextRun", "text": _BRACES.sub("{ ", text), **style}
