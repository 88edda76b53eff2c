"""Flows to read: our own fixtures, and real ones where the machine has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.archy.yaml import load

FIXTURES = Path(__file__).parent / "fixtures"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}|\$\{([^{}]+)\}")


@pytest.fixture(scope="session")
def front_door() -> str:
    return (FIXTURES / "front_door.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def corpus_texts() -> dict[str, str]:
    """Real flows by ``folder/file``, with placeholders replaced by their own names."""
    files = sorted(path for path in CORPUS.glob("*/*") if {".yaml", ".yml"} & set(path.suffixes))
    if not files:
        pytest.skip("the corpus of real flows is not on this machine (../shared/corpus)")
    return {
        f"{path.parent.name}/{path.name}": _PLACEHOLDER.sub(
            lambda match: match[1] or match[2], path.read_text(encoding="utf-8")
        )
        for path in files
    }


@pytest.fixture(scope="session")
def corpus(corpus_texts: dict[str, str]) -> dict[str, Any]:
    """The same, parsed."""
    return {name: load(text) for name, text in corpus_texts.items()}
