"""``reconciler schema``: JSON Schema of specs and environments, for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from reconciler.cli.options import command
from reconciler.cli.output import document, say
from reconciler.files import replace_file
from reconciler.kinds.registry import kind_of_root, known_roots
from reconciler.problems import ReconcilerError
from reconciler.schemas import DRAFT, model_schema, one_of
from reconciler.specs import SMOKE_ROOT, environment_schema, smoke_schema
from reconciler.suggest import near

ENVIRONMENT = "environment"
SPEC = "spec"
NOTIFICATION = "notification"
"""Of what hooks are sent, for whoever writes a receiver."""
BOTH = (ENVIRONMENT, SPEC)
"""What an editor needs for a whole repository."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "schema", schema)


def schema(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="A root key such as ivr, or `environment`; all specs by default."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write files for an editor into this folder: NAME.schema.json."),
    ] = None,
) -> int:
    """Print JSON Schema: of one kind, of environment files, or of all spec documents."""
    if out is None:
        document(_text(_schema(kind)))
        return 0
    for name, text in schema_files([kind] if kind else BOTH).items():
        _write(out / name, text)
    return 0


def schema_files(kinds: Sequence[str] = BOTH) -> dict[str, str]:
    """File name → text of the schema of each kind.

    Raises:
        ReconcilerError: there is no such kind.
    """
    return {f"{kind}.schema.json": _text(_schema(kind)) for kind in kinds}


def _schema(kind: str | None) -> dict[str, Any]:
    if kind == ENVIRONMENT:
        return environment_schema()
    if kind == NOTIFICATION:
        from reconciler.notify.document import Notification

        return {"$schema": DRAFT, **model_schema(Notification)}
    if kind == SMOKE_ROOT:
        return one_of({SMOKE_ROOT: smoke_schema()})
    roots = known_roots() if kind in (None, SPEC) else [kind for kind in (kind,) if kind in known_roots()]
    if not roots:
        known = [ENVIRONMENT, SPEC, SMOKE_ROOT, NOTIFICATION, *known_roots()]
        raise ReconcilerError(
            f"There is no kind {kind!r}.", remedy=f"{near(kind or '', known)}Known: {', '.join(known)}."
        )
    return one_of({root: found.body_schema(root) for root in roots if (found := kind_of_root(root)) is not None})


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text)
    except OSError as error:
        raise ReconcilerError(
            f"{path}: the schema cannot be written there: {error.strerror}.",
            remedy="Name a folder that you may write to.",
        ) from None
    say([Text(f"Wrote {path}.")])
