"""docs/tutorial.md and "Try it" of README.md work as they stand: commands in their order, edits, all that they show."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fork_server import ForkServer
from walkthrough import Commands, compare, steps

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("environments", "flows", "shared")
FILES = (".gitignore", "Makefile", "pyproject.toml", "requirements.lock")
NOT_THE_READERS = ("GENESYSCLOUD_", "GITHUB_", "GITLAB_", "GIT_", "MAKE")
"""Variables that begin so would make a reader's run another one."""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The variables of somebody who has just sat down at a machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_THE_READERS) and name != "CI"}
    return kept | {
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "MAKEFLAGS": "--no-print-directory",
        "GIT_AUTHOR_NAME": "Jane Smith",
        "GIT_AUTHOR_EMAIL": "jane@example.com",
        "GIT_COMMITTER_NAME": "Jane Smith",
        "GIT_COMMITTER_EMAIL": "jane@example.com",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


@pytest.fixture
def clone(tmp_path: Path, environ: dict[str, str], fork_server: ForkServer) -> Path:
    """A fresh clone, with the tool in ``.venv`` already."""
    folder = tmp_path / "clone"
    for name in FOLDERS:
        shutil.copytree(REPOSITORY / name, folder / name)
    for name in FILES:
        shutil.copy(REPOSITORY / name, folder / name)
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "As cloned"]):
        subprocess.run(["git", *arguments], cwd=folder, env=environ, check=True)
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/.run").touch()
    fork_server.script(folder / ".venv/bin/reconciler")
    return folder


def test_every_command_of_the_tutorial_works_and_prints_what_it_shows(clone, environ):
    told = list(steps((REPOSITORY / "docs/tutorial.md").read_text(encoding="utf-8")))

    for step in told:
        step.do(clone, environ)

    assert sum(isinstance(step, Commands) for step in told) > 10
    assert not (clone / ".reconciler").exists()


def test_try_it_of_the_readme_works_and_prints_what_it_shows(clone, environ):
    page = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    before, _, rest = page.partition("\n## Try it\n")

    told = list(steps(rest.partition("\n### ")[0], above=before.count("\n") + 2))
    for step in told:
        step.do(clone, environ)

    assert sum(isinstance(step, Commands) for step in told) == 3


def test_a_page_that_shows_what_is_not_printed_is_found():
    compare("…\nRun 676548305267: 1 applied\n", "started\nRun 0f6548305267: 1 applied\n", "as it is")
    with pytest.raises(AssertionError, match="2 applied"):
        compare("…\nRun 676548305267: 1 applied\n", "started\nRun 0f6548305267: 2 applied\n", "another number")
    with pytest.raises(AssertionError, match="and more"):
        compare("started\n", "started\nand more\n", "a line that the page leaves out")
