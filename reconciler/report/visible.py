"""Keeps what others wrote from acting on the reader's terminal, and readers who leave from acting on the command.

Names, messages and exports come from an org; a control character in them could clear the screen, rewrite a
line that was printed before, or turn the order of letters round. They are shown as escapes instead. And who
pipes a command into ``head`` must not end an apply with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import IO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with control characters, and those that no encoding has, as JSON writes them: ``\\u001b``."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def discard(stream: IO[str]) -> None:
    """Lets what else is written to the stream, and what is still on its way, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class PlainConsole(Console):
    """A console that shows control characters and obeys none but its own; it goes on when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """See ``Console.on_broken_pipe``, which would end the process, in the middle of an apply too."""
        discard(self.file)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See ``Console.render``."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
