"""Keeps what others wrote from acting on the reader's terminal.

Names, messages and exports come from an org; a control character in them could clear the screen, rewrite a
line that was printed before, or turn the order of letters round. They are shown as escapes instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with control characters, and those that no encoding has, as JSON writes them: ``\\u001b``."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class PlainConsole(Console):
    """A console that shows control characters and obeys none but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See ``Console.render``."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
