"""What the repository around the working directory has to offer: environments, addresses, saved plans."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.cli.completing.addresses import addresses
from reconciler.cli.completing.candidates import Candidate
from reconciler.cli.completing.table import Table

_ENVIRONMENTS = frozenset(("E", "FROM", "TO"))
_FILES = frozenset(("FILE", "DIR", "PATH"))


def values(table: Table, takes: str, environment: str) -> Sequence[Candidate] | None:
    """What may stand for a value that the help calls ``takes``; None for any file."""
    root = _root()
    if takes == "KIND":
        return [Candidate(kind) for kind in table["kinds"]]
    if takes in _FILES or root is None:
        return None if takes in _FILES or takes == "PLANFILE" else ()
    if takes in _ENVIRONMENTS:
        return [Candidate(name) for name in _environments(root)]
    if takes in ("GLOB", "ADDRESS"):
        found = addresses(root, environment)
        kinds = sorted({address.partition("/")[0] for address in found}) if takes == "GLOB" else []
        return [*map(Candidate, found), *(Candidate(f"{kind}/*", "all of this kind") for kind in kinds)]
    if takes == "PLANFILE":
        return [Candidate(path) for path in _plans(root)] or None
    return ()


def _root() -> Path | None:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "environments").is_dir()), None)


def _environments(root: Path) -> list[str]:
    files = [path for path in (root / "environments").iterdir() if path.suffix in (".yaml", ".yml")]
    return sorted({path.stem for path in files if "." not in path.stem and not path.stem.startswith("_")})


def _plans(root: Path) -> list[str]:
    return sorted(os.path.relpath(path) for path in (root / ".reconciler").glob("*.plan.json"))
