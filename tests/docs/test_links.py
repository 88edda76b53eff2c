"""Every relative link and anchor in README.md and docs/ leads somewhere, and docs/README.md leads to every page."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = ("http://", "https://", "mailto:")


def prose(page: Path) -> str:
    """The text without fenced blocks, whose brackets are not links."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: Path) -> set[str]:
    """Those that GitHub and GitLab make of the headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 1
        while anchor in found:
            anchor, number = f"{anchor}-{number}", number + 1
        found.add(anchor)
    return found


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(prose(page)) if not link.startswith(ELSEWHERE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_anchor_leads_somewhere(page):
    lost = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost, f"{page.relative_to(ROOT)} leads nowhere with: {', '.join(lost)}"


def test_the_index_leads_to_every_page():
    index = ROOT / "docs/README.md"
    led = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    missing = sorted(str(page.relative_to(ROOT)) for page in set(PAGES) - led - {index, ROOT / "README.md"})
    assert not missing, f"docs/README.md does not lead to: {', '.join(missing)}"
