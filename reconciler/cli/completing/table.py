"""Commands and options as completion needs them, kept in the user's cache: loading all commands takes too long."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.cache import cache_folder
from reconciler.files import read_file, replace_file
from reconciler.version import VERSION

Table = Mapping[str, Any]
"""A command: ``help``, ``options``, ``arguments``, ``commands`` (name → command)."""
FOLDER = "completion"


def command_table() -> Table:
    """The command line as a whole; from the cache unless the tool has changed since."""
    key = _key()
    kept = remembered("commands", key)
    if kept is not None:
        return dict(kept)
    table = _read()
    remember("commands", key, table)
    return table


def remembered(name: str, key: str) -> Any:
    """What was kept under that name, or None where it belongs to another key."""
    try:
        kept = json.loads(read_file(_path(name)))
        return kept["value"] if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(name: str, key: str, value: Any) -> None:
    """Keeps a value; where that cannot be done, it is found out again next time."""
    with suppress(OSError):
        replace_file(_path(name), json.dumps({"key": key, "value": value}))


def _path(name: str) -> Path:
    return cache_folder() / FOLDER / f"{name}.json"


def _key() -> str:
    """Version and age of the commands' modules."""
    modules = sorted(Path(__file__).parents[1].glob("*.py"))
    ages = [(module.name, module.stat().st_mtime_ns) for module in modules]
    return hashlib.sha256(f"{VERSION} {ages}".encode()).hexdigest()


def _read() -> dict[str, Any]:
    import typer

    from reconciler.cli.main import app
    from reconciler.cli.schema import BOTH
    from reconciler.kinds.registry import known_roots

    root = typer.main.get_group(app)
    context = typer.Context(root)
    table = _command(root)
    table["commands"] = {name: _command(root.get_command(context, name)) for name in root.list_commands(context)}
    table["kinds"] = [*BOTH, *known_roots()]
    return table


def _command(command: Any) -> dict[str, Any]:
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    options = [_option(parameter) for parameter in shown if parameter.param_type_name == "option"]
    return {
        "help": _first_sentence(command.help),
        "options": [
            *options,
            {"names": ["--help"], "takes": None, "choices": [], "many": False, "help": "Show what there is"},
        ],
        "arguments": [_values(parameter) for parameter in shown if parameter.param_type_name == "argument"],
        "commands": {name: _command(inner) for name, inner in getattr(command, "commands", {}).items()},
    }


def _option(option: Any) -> dict[str, Any]:
    return {
        "names": [name for name in (*option.opts, *option.secondary_opts) if name.startswith("--")],
        "many": bool(option.multiple),
        "help": _first_sentence(option.help),
        **(_values(option) if not option.is_flag else {"takes": None, "choices": []}),
    }


def _values(parameter: Any) -> dict[str, Any]:
    """``takes``: what stands for the value in the help, such as ``PLANFILE``; ``choices`` where there are only some."""
    described = parameter.type_descriptor
    choices = described.choices if described.is_choice else ()
    return {
        "takes": (parameter.metavar or "VALUE").strip("[]"),
        "choices": [str(getattr(choice, "value", choice)) for choice in choices or ()],
    }


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split()).partition(". ")[0].rstrip(".:")
