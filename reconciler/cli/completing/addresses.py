"""Addresses of the specs, found quickly: names that are written out are read, others are rendered.

What was found is kept until a file below ``environments/``, ``flows/`` or ``shared/`` changes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.archy.flowtypes import by_root
from reconciler.archy.yaml import YamlError, load
from reconciler.cli.completing.table import remember, remembered

FOLDERS = ("environments", "flows", "shared")
_DOCUMENT = re.compile(r"^---(?:\s.*)?$", re.MULTILINE)
_ROOT = re.compile(r"^(\w+):\s*(?:#.*)?$", re.MULTILINE)
_NAME = re.compile(r"^( +)name:[ \t]+(.*)$", re.MULTILINE)
_INDENT = re.compile(r"^( +)\S", re.MULTILINE)
_STATEMENT = re.compile(r"^\{%-?\s*(?:for|if|macro|call|filter|block|extends|raw)\b|^\{\{", re.MULTILINE)


def addresses(root: Path, environment: str) -> list[str]:
    """All addresses, sorted; those of files that cannot be read are left out."""
    files = {path.relative_to(root).as_posix(): path for folder in FOLDERS for path in _yaml_files(root / folder)}
    key = _key(root, environment, files.values())
    kept = remembered("addresses", key)
    if kept is not None:
        return list(kept)
    found: set[str] = set()
    unread = []
    for name, path in files.items():
        if name.startswith("environments/") or any(part.startswith(("_", ".")) for part in name.split("/")):
            continue
        plain = _written_out(path.read_text(encoding="utf-8", errors="replace"))
        if plain is None:
            unread.append(name)
        else:
            found.update(plain)
    if unread:
        found.update(_rendered(root, environment, unread))
    remember("addresses", key, sorted(found))
    return sorted(found)


def _yaml_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        # Includes count as well: a macro may write a name.
        if path.is_file() and path.suffix in (".yaml", ".yml", ".j2"):
            yield path


def _key(root: Path, environment: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{root}\n{environment}\n".encode("utf-8", "surrogatepass"))
    for path in files:
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _written_out(text: str) -> list[str] | None:
    """The addresses in a file whose names can be read without rendering it; None where they cannot."""
    if _STATEMENT.search(text):
        return None
    found = []
    for document in _DOCUMENT.split(text):
        roots = _ROOT.findall(document)
        if not roots:
            if ":" in re.sub(r"^\s*[#{].*$", "", document, flags=re.MULTILINE):
                return None
            continue
        name = _name(document[document.index(f"{roots[0]}:") :])
        if name is None or len(roots) > 1:
            return None
        flow_type = by_root(roots[0])
        found.append(f"{flow_type.root if flow_type else roots[0]}/{name}")
    return found


def _name(body: str) -> str | None:
    indent = _INDENT.search(body)
    named = next((match[2] for match in _NAME.finditer(body) if indent and match[1] == indent[1]), None)
    if named is None or "{{" in named or "{%" in named:
        return None
    try:
        value = load(f"name: {named}")["name"]
    except YamlError:
        return None
    return value if isinstance(value, str) else None


def _rendered(root: Path, environment: str, files: list[str]) -> Iterator[str]:
    """Addresses of files that must be rendered first."""
    from reconciler.archy.yaml import load_documents
    from reconciler.problems import SpecError
    from reconciler.specs import WorkingTree, load_environment
    from reconciler.specs.template import Renderer
    from reconciler.specs.variables import with_placeholders

    source = WorkingTree(root)
    try:
        variables = load_environment(source, environment).variables
    except SpecError:
        return
    renderer = Renderer(source, with_placeholders(variables), environment)
    for path in files:
        try:
            documents = load_documents(renderer.render(path).text)
        except (SpecError, YamlError):
            continue
        for document in documents:
            if isinstance(document.data, dict) and len(document.data) == 1:
                ((kind, body),) = document.data.items()
                name = body.get("name") if isinstance(body, dict) else None
                if isinstance(name, str):
                    flow_type = by_root(kind)
                    yield f"{flow_type.root if flow_type else kind}/{name}"
