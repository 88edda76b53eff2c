"""What a pipeline's own pages show: outputs and summary of a GitHub step, annotations, or plain lines elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.pipelines.running import log

LONGEST_SUMMARY = 1_000_000
"""Bytes; GitHub drops a summary that is longer than 1 MiB."""


def output(name: str, value: str | int | bool) -> None:
    """An output of the step, for the steps after it; nothing where steps have none."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\n" in text or "\r" in text:
        raise ValueError(f"The output {name} has several lines.")
    path = os.environ.get("GITHUB_OUTPUT")
    if path:
        _append(path, f"{name}={text}\n")


def summary(markdown: str) -> None:
    """Adds to the page of the run, where there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        _append(path, cut(markdown, LONGEST_SUMMARY // 4) + "\n")


def note(level: str, text: str) -> None:
    """``notice``, ``warning`` or ``error``, at the top of a GitHub run; a line in the log elsewhere."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        log(f"::{level} title=reconciler::{escaped}")
    else:
        log(f"{level.capitalize()}: {text}")


def marker(kind: str, environment: str) -> str:
    """The hidden first line by which a comment or an issue is found again."""
    return f"<!-- reconciler {kind}: {environment} -->"


def marked(kind: str, environment: str, document: str) -> str:
    """A document that surely begins with its marker."""
    line = marker(kind, environment)
    return document if document.startswith(line) else f"{line}\n{document}"


def signed(document: str, footer: str, longest: int) -> str:
    """A document with a last line that says where it is from, if the forge takes both; cut to what it takes."""
    text = document.rstrip("\n")
    ending = f"\n\n<sub>{footer}</sub>\n"
    return text + ending if footer and len(text) + len(ending) <= longest else cut(text, longest)


def block(text: str, *, longest: int = 20_000) -> str:
    """What a command said, as it is; of a long one the end, which says how it went."""
    lines = text.strip("\n")
    if len(lines) > longest:
        lines = "…" + lines[-longest:].split("\n", 1)[-1]
    fence = "```"
    while fence in lines:
        fence += "`"
    return f"{fence}text\n{lines}\n{fence}"


def cut(text: str, longest: int) -> str:
    """At most so many characters, cut between lines and without leaving a code block or a fold open."""
    if len(text) <= longest:
        return text
    ending = "\n\n… The rest is left out here; the plan file and the log have all of it."
    kept = text[: longest - len(ending) - 100].rsplit("\n", 1)[0]
    if kept.count("\n```") % 2:
        kept += "\n```"
    kept += "\n</details>" * max(kept.count("<details") - kept.count("</details>"), 0)
    return kept + ending


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)
