"""Real flows of other people: their Archy substitutions render, and what they hold is found at its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from specs_support import Tree

from reconciler.archy.yaml import load, locate

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yaml", ".yml"))
SUBSTITUTION = re.compile(r"\{\{([^{}\s]+)\}\}")

pytestmark = pytest.mark.skipif(
    not FILES, reason="the corpus of real flows lies beside the repository, and is not here"
)


@pytest.mark.parametrize("file", FILES or [CORPUS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_real_flow_renders_to_what_archy_would_send(tmp_path: Path, file: Path) -> None:
    tree = Tree(tmp_path)
    text = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    names = sorted(set(SUBSTITUTION.findall(text)))
    values = {name: "en-us" if "language" in name else f"The {name.replace('_', ' ')}" for name in names}
    lines = "".join(f'  "{name}": "{value}"\n' for name, value in values.items())
    tree.write(
        "environments/prod.yaml", "org: {region: eu-west-1}\nvariables:\n" + lines if names else "org: {region: a}\n"
    )
    tree.write("flows/flow.yaml", "{#\n#}" + text)
    (desired,) = tree.load().resources.values()
    expected = SUBSTITUTION.sub(lambda match: values[match[1]], text)
    assert desired.content.text.strip() == "\n".join(expected.split("\n")).strip()
    assert desired.content.body == load(expected)[desired.root]
    for reference in desired.references:
        line, _column = locate(expected, reference.path)
        assert desired.locate(reference.path).line == line + 1
