"""Commands are loaded one at a time, and nobody notices."""

from __future__ import annotations

import subprocess
import sys

from reconciler.cli.commands import NAMES


def test_the_help_lists_every_command_in_its_order(cli, capsys):
    said = cli("--help").out
    places = [said.index(f"\n  {name} ") for name in NAMES]
    assert places == sorted(places)


def test_a_misspelt_command_is_suggested(cli):
    done = cli("valdate")
    assert done.code == 1
    assert "Did you mean 'validate'?" in done.err


def test_validate_loads_neither_the_other_commands_nor_what_they_need():
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, reconciler.cli.validate; print('\\n'.join(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not {"networkx", "deepdiff", "reconciler.engine.planner", "reconciler.cli.apply"} & set(loaded)
