"""What changed inside a long text, word by word."""

from __future__ import annotations

from difflib import SequenceMatcher

from reconciler.archy.meaning.alignment import MAX_PAIRS

LONG = 60
"""Characters from which two texts are better told by their words than side by side."""
_ALIKE = 0.4
"""Share of words in common below which a text counts as another one."""
_CONTEXT = 6
"""Unchanged words shown around a change."""


def word_changes(before: str, after: str) -> str | None:
    """``We are [-closed-]{+open+} today``, unchanged stretches cut; None where hardly a word is left as it was."""
    old, new = before.split(), after.split()
    if len(old) * len(new) > MAX_PAIRS:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return None
    codes = matcher.get_opcodes()
    parts: list[str] = []
    for number, (tag, old_from, old_to, new_from, new_to) in enumerate(codes):
        if tag == "equal":
            parts += _shortened(old[old_from:old_to], first=number == 0, last=number == len(codes) - 1)
            continue
        gone, come = " ".join(old[old_from:old_to]), " ".join(new[new_from:new_to])
        parts.append((f"[-{gone}-]" if gone else "") + (f"{{+{come}+}}" if come else ""))
    return " ".join(parts)


def _shortened(words: list[str], *, first: bool, last: bool) -> list[str]:
    """An unchanged stretch: the words next to the changes."""
    at_start, at_end = 0 if first else _CONTEXT, 0 if last else _CONTEXT
    if len(words) <= at_start + at_end + 1:
        return words
    return [*words[:at_start], "…", *words[len(words) - at_end :]]
