"""All targets by name."""

from __future__ import annotations

from fuzz import answer_targets, file_targets, spec_targets  # noqa: F401 - importing registers
from fuzz.harness import TARGETS

__all__ = ["TARGETS"]
