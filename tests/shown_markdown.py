"""What a site makes of a Markdown comment: parsed by a Markdown parser that is not ours, then read as HTML."""

from __future__ import annotations

from html.parser import HTMLParser

from markdown_it import MarkdownIt

VOID = {"br"}


class Shown(HTMLParser):
    """The comment as a reader has it: texts, code, tags; fails where tags do not close each other."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.tags: list[str] = []
        self.code: list[str] = []
        self.prose: list[str] = []
        self.comments: list[str] = []
        self.summaries: list[str] = []
        self._open: list[str] = []
        self.feed(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(text))
        self.close()
        assert self._open == [], f"left open: {self._open}"

    @property
    def text(self) -> str:
        """Everything to read, in order."""
        return " ".join("".join(self.prose).replace("\u200b", "").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""
        self.tags.append(tag)
        if tag in VOID:
            return
        self._open.append(tag)
        if tag == "code":
            self.code.append("")
        if tag == "summary":
            self.summaries.append("")

    def handle_endtag(self, tag: str) -> None:
        """See ``HTMLParser``."""
        if tag in VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> within {self._open}"
        self._open.pop()

    def handle_comment(self, data: str) -> None:
        """See ``HTMLParser``."""
        self.comments.append(data.strip())

    def handle_data(self, data: str) -> None:
        """See ``HTMLParser``."""
        if "summary" in self._open:
            self.summaries[-1] += data
        if "code" in self._open:
            self.code[-1] += data
        else:
            self.prose.append(data)
