"""``reconciler schema``: JSON Schema of specs and environments, for editors."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from reconciler.cli.options import command
from reconciler.cli.output import document
from reconciler.kinds.registry import kind_of_root, known_roots
from reconciler.problems import ReconcilerError
from reconciler.specs import environment_schema

ENVIRONMENT = "environment"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "schema", schema)


def schema(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="A root key such as ivr, or `environment`; all by default.")
    ] = None,
) -> int:
    """Print JSON Schema: of one kind, of environment files, or of all spec documents."""
    document(json.dumps(_schema(kind), indent=2, ensure_ascii=False))
    return 0


def _schema(kind: str | None) -> dict[str, Any]:
    if kind == ENVIRONMENT:
        return environment_schema()
    if kind is not None and kind not in known_roots():
        raise ReconcilerError(
            f"There is no kind {kind!r}.", remedy=f"Known: {ENVIRONMENT}, {', '.join(known_roots())}."
        )
    roots = [kind] if kind else list(known_roots())
    bodies = {root: found.body_schema() for root in roots if (found := kind_of_root(root)) is not None}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": bodies,
    }
