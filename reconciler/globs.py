"""Patterns for addresses, the same ones on the command line, in policies and in silences."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(address: str, patterns: Iterable[str]) -> bool:
    """Whether an address matches one of the globs (``*`` also matches ``/``; case counts)."""
    return any(address == pattern or fnmatchcase(address, pattern) for pattern in patterns)
