"""The files of a new repository: templates that come with the tool, filled in, and the schemas for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from reconciler.cli.installed import action_reference
from reconciler.cli.schema import schema_files

TEMPLATES = "scaffold"
"""Folder of the package. ``dot_x`` in it becomes ``.x``, so that it means nothing to Git and editors here."""
_PIPELINES = {"github": (".github",), "gitlab": ()}
"""Forge → where its files go; those of GitLab stand at the root."""
_ACTION = f"OWNER/REPO@{'0' * 40} # replace, see above"
"""Stands in workflows for the repository of the tool, which is known where the tool was installed from one."""
_EXAMPLE_REGION = "eu-west-2"
_FILL_IN = "FILL IN: the AWS region of this org"


@dataclass(frozen=True)
class Choices:
    """What a new team says about itself."""

    name: str
    region: str | None
    pipelines: str
    """``github``, ``gitlab`` or ``none``."""
    requirement: str | None
    """Line of requirements.txt; None where nobody else could get the tool from where it came."""


def files_of(choices: Choices) -> dict[str, str]:
    """Path → text of every file, in the order of the paths."""
    root = files("reconciler") / TEMPLATES
    found = {path: _filled(path, text, choices) for path, text in _tree(root / "repository")}
    how = "pinned" if choices.requirement else "on-path"
    told = (root / "tool" / f"{how}.md").read_text(encoding="utf-8").strip()
    found["README.md"] = found["README.md"].replace("@@TOOL@@", told)
    if choices.requirement:
        found["requirements.txt"] = f"{choices.requirement}\n"
    if choices.pipelines in _PIPELINES:
        folder = root / "pipelines" / choices.pipelines
        action = action_reference(choices.requirement)
        for path, text in _tree(folder):
            known = text.replace(_ACTION, action) if action else text
            found["/".join((*_PIPELINES[choices.pipelines], path))] = known
    found |= {f"schemas/{name}": text for name, text in schema_files().items()}
    return dict(sorted(found.items()))


def _tree(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Every file below a folder; nothing where there is no such folder."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        name = f".{entry.name[4:]}" if entry.name.startswith("dot_") else entry.name
        path = f"{above}{name}"
        if entry.is_dir():
            yield from _tree(entry, f"{path}/")
        else:
            yield path, entry.read_text(encoding="utf-8")


def _filled(path: str, text: str, choices: Choices) -> str:
    # In YAML the name stands between double quotes.
    name = json.dumps(choices.name, ensure_ascii=False)[1:-1] if path.endswith(".yaml") else choices.name
    region = choices.region or f"{_EXAMPLE_REGION}  # {_FILL_IN}"
    return text.replace("@@NAME@@", name).replace("@@REGION@@", region)
