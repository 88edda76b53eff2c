"""The commands, each loaded when it is asked for: most of a short command's time would go into loading the others."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

NAMES = (
    "init",
    "validate",
    "plan",
    "show",
    "apply",
    "rollback",
    "verify",
    "smoke",
    "drift",
    "promote",
    "status",
    "history",
    "audit",
    "adoption",
    "limits",
    "graph",
    "notify",
    "unlock",
    "schema",
    "completion",
    "sandbox",
)
"""In the order of the help; each is a module beside this one with a function ``register``."""


class CommandsOnDemand(TyperGroup):
    """A group that imports a command's module when somebody names the command or asks for help."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the help."""
        return list(NAMES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; for an unknown one all are loaded, so that near matches can be offered."""
        for name in (cmd_name,) if cmd_name in NAMES else NAMES:
            if name not in self.commands:
                self.add_command(_load(name), name)
        return super().get_command(ctx, cmd_name)


def _load(name: str) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.callback()(lambda: None)
    import_module(f"reconciler.cli.{name}").register(alone)
    return typer.main.get_group(alone).commands[name]
