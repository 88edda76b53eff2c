"""Completion, as the shells do it: real ones, with real TAB keys where they need a terminal for it."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import flow, module

from reconciler.cli.completing import table as tables
from reconciler.cli.completing.bash import read_line, written

COMMAND = Path(sys.executable).parent / "reconciler"
IVR = """\
# The name comes from the environment.
ivr:
  name: {{ line.name | yaml }}
  openHoursFlow: Main
"""
ODD = """\
{% for day in ["Mon", "Tue"] %}
---
schedule: {name: "{{ day }}: $5 \\"off\\"", start: 2026-01-05T08:00:00, end: 2026-01-05T18:00:00}
{% endfor %}
"""


@pytest.fixture
def estate(tmp_path, monkeypatch):
    """A repository; ``reconciler`` on the PATH completes as it does, and else shows what it was given."""
    root = tmp_path / "repository"
    for path, text in {
        "environments/_base.yaml": "org: {region: eu-west-1}\nvariables: {line: {name: Hot Line}}\n",
        "environments/local.yaml": "extends: _base\n",
        "environments/prod.yaml": "extends: _base\nvariables: {line: {name: Real Line}}\n",
        "environments/local.seed.yaml": "queues: []\n",
        "shared/modules.yaml": module("Authenticate Caller") + "---\n" + module("Authenticate by 'PIN'"),
        "shared/_blocks/block.yaml": "inboundCall:\n  name: Not a Spec\n",
        "flows/main.yaml": flow("Main"),
        "flows/waiting.yaml": "inQueueCall:\n  name: Waiting\n",
        "flows/line.yaml": IVR,
        "flows/odd.yaml": ODD,
        ".reconciler/prod.plan.json": "{}",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    own = tmp_path / "bin" / "reconciler"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\n[ "$1" = completion ] && exec {COMMAND} "$@"\nprintf "<%s>" "$@"; echo\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{own.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(root)
    return root


def values(cli, *words):
    """The values offered behind some words."""
    done = cli("completion", "fish", "--", *words)
    assert done.code == 0
    return [line.partition("\t")[0] for line in done.out.splitlines()]


def test_commands_options_and_values(estate, cli):
    assert {"init", "plan", "apply", "schema", "completion"} <= set(values(cli, ""))
    assert values(cli, "dr") == ["drift"]
    assert values(cli, "plan", "--en") == ["--env"]
    assert "--env" not in values(cli, "plan", "--env", "prod", "--")
    assert "--target" in values(cli, "plan", "--target", "ivr/*", "--")
    assert values(cli, "plan", "--env", "") == ["local", "prod"]
    assert values(cli, "plan", "--env=pr") == ["--env=prod"]
    assert {"text", "json", "markdown"} <= set(values(cli, "plan", "--format", ""))
    assert values(cli, "promote", "lo") == ["local"]
    assert values(cli, "sandbox", "") == ["serve"]
    assert values(cli, "sandbox", "serve", "--se") == ["--seed"]
    assert values(cli, "schema", "iv") == ["ivr"]
    assert values(cli, "completion", "") == ["bash", "zsh", "fish"]
    assert values(cli, "init", "new", "--pipelines", "git") == ["github", "gitlab"]
    assert values(cli, "show", "") == [".reconciler/prod.plan.json"]
    assert values(cli, "plan", "--out", "") == [":files"]
    assert "--detailed-exitcode" in values(cli, "plan", "")


def test_addresses_are_those_of_the_environment_and_follow_the_files(estate, cli):
    expected = [
        "commonModule/Authenticate Caller",
        "commonModule/Authenticate by 'PIN'",
        "inboundCall/Main",
        "inqueueCall/Waiting",
        "ivr/Hot Line",
        'schedule/Mon: $5 "off"',
        'schedule/Tue: $5 "off"',
    ]
    assert values(cli, "graph", "") == expected
    assert values(cli, "plan", "--env", "prod", "--target", "ivr") == ["ivr/Real Line", "ivr/*"]
    (estate / "flows/more.yaml").write_text(flow("More"), encoding="utf-8")
    assert "inboundCall/More" in values(cli, "apply", "--exclude", "inb")
    (estate / "flows/more.yaml").write_text("inboundCall: {name: [", encoding="utf-8")
    assert values(cli, "graph", "") == expected
    (estate / "environments/local.yaml").write_text("extends: nothing\n", encoding="utf-8")
    assert "inboundCall/Main" in values(cli, "graph", "")


def test_outside_a_repository_nothing_is_offered_and_nothing_said(tmp_path, cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (("plan", "--env", ""), ("graph", "x"), ("nonsense", ""), ("plan", "--nonsense=", "")):
        done = cli("completion", "fish", "--", *words)
        assert (done.code, done.err) == (0, "")
    assert values(cli, "plan", "--env", "") == []


def test_a_warm_answer_loads_neither_the_commands_nor_what_they_need(estate, cli):
    values(cli, "graph", "")
    program = (
        "import sys; from reconciler.cli.main import run; "
        "run(['completion', 'fish', '--', 'graph', '']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "ivr/Hot Line" in done.stdout
    heavy = {"networkx", "httpx", "jinja2", "reconciler.specs", "reconciler.engine", "reconciler.cli.plan"}
    assert not heavy & set(done.stderr.split())


def test_a_changed_tool_is_read_again(estate, cli, monkeypatch):
    assert values(cli, "graph", "--pl") == ["--plan"]
    monkeypatch.setattr(tables, "VERSION", "2")
    monkeypatch.setattr(tables, "_read", lambda: {"options": [], "arguments": [], "commands": {"new": {"help": ""}}})
    assert values(cli, "") == ["new"]


@pytest.mark.parametrize(
    ("line", "replaced", "candidate", "inserted"),
    [
        ("reconciler graph com", "com", "commonModule/A Caller", "commonModule/A\\ Caller"),
        (
            "reconciler graph commonModule/A\\ C",
            "commonModule/A\\ C",
            "commonModule/A Caller",
            "commonModule/A\\ Caller",
        ),
        ('reconciler graph "commonModule/A C', "commonModule/A C", 'commonModule/A C$"', 'commonModule/A C\\$\\"'),
        ("reconciler graph 'sch", "sch", "schedule/New Year's", "schedule/New Year'\\''s"),
        ("X=1 reconciler plan --env=pr", "pr", "--env=prod", "prod"),
        ("reconciler plan --env=", "", "--env=prod", "prod"),
        ("reconciler graph schedule/Mon:\\ ", "\\ ", "schedule/Mon: $5", "\\ \\$5"),
        ("reconciler graph ", "", "schedule/Ægir & Søn", "schedule/Ægir\\ \\&\\ Søn"),
        ("reconciler graph x", "x", "y", "y"),
    ],
)
def test_bash_gets_what_it_is_to_insert(line, replaced, candidate, inserted):
    assert written(candidate, read_line(line, "reconciler", replaced)) == inserted


def completed_by_bash(words, line, replaced):
    """COMPREPLY after the script's function ran, as bash calls it."""
    program = """
    source <(reconciler completion bash)
    COMP_LINE=$1 COMP_POINT=${#1} replaced=$2; shift 2
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _reconciler_completion reconciler "$replaced" "${COMP_WORDS[COMP_CWORD-1]}"
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", line, replaced, *words], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_bash_calls_the_script(estate):
    assert completed_by_bash(
        ["reconciler", "graph", "commonModule/Authenticate\\ C"],
        "reconciler graph commonModule/Authenticate\\ C",
        "commonModule/Authenticate\\ C",
    ) == ["commonModule/Authenticate\\ Caller"]


class Keyboard:
    """A shell in a terminal of its own."""

    def __init__(self, *command):
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.environ.update({"TERM": "dumb", "PS1": "ready> ", "INPUTRC": "/dev/null"})
            os.execvp(command[0], command)

    def press(self, keys, until):
        """Types, and reads until the text stands on the screen."""
        os.write(self._terminal, keys.encode())
        screen, end = "", time.monotonic() + 30
        while until not in screen:
            assert time.monotonic() < end, screen
            if select.select([self._terminal], [], [], 0.2)[0]:
                screen += os.read(self._terminal, 65536).decode(errors="replace")
        return screen

    def close(self):
        os.close(self._terminal)
        os.waitpid(self._process, 0)


@pytest.fixture(params=["bash", "zsh"])
def keyboard(request, estate, tmp_path):
    """A shell with the script loaded."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    options = ["--norc", "--noprofile", "-i"] if request.param == "bash" else ["-f", "-i"]
    shell = Keyboard(request.param, *options)
    if request.param == "zsh":
        shell.press(f"autoload -Uz compinit && compinit -u -d {tmp_path}/dump; echo lo''aded\n", "loaded")
    shell.press(f'eval "$(reconciler completion {request.param})"; reconciler graph; echo lo""aded\n', "loaded")
    yield shell
    shell.close()


@pytest.mark.slow
def test_a_tab_key_writes_names_with_blanks_as_one_word(keyboard):
    typed_and_given = {
        "graph commonModule/Authenticate\\ C": "<graph><commonModule/Authenticate Caller>",
        'plan --target "ivr/Ho': "<plan><--target><ivr/Hot Line>",
        "plan --env=pr": "<plan><--env=prod>",
        "plan --exclude schedule/M": '<plan><--exclude><schedule/Mon: $5 "off">',
    }
    for typed, given in typed_and_given.items():
        # The line is sent when the key has been answered: the shell reads one key after the other.
        keyboard.press(f"reconciler {typed}\t\n", given)


@pytest.mark.slow
def test_fish_offers_the_same(estate):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    for line, offered in {
        "reconciler graph 'commonModule/Authenticate C": ["commonModule/Authenticate Caller"],
        # fish shows what begins with a dot to those who typed it.
        "reconciler show .": [".reconciler/prod.plan.json"],
    }.items():
        program = f"reconciler completion fish | source; complete --do-complete {line!r}"
        done = subprocess.run(["fish", "--no-config", "-c", program], capture_output=True, text=True, timeout=60)
        assert [each.partition("\t")[0].strip("'").replace("\\ ", " ") for each in done.stdout.splitlines()] == offered


def test_shellcheck_has_nothing_against_the_script_for_bash(estate):
    script = Path(__file__).parents[2] / "reconciler/cli/completing/scripts/bash.sh"
    tool = Path(sys.executable).parent / "shellcheck"
    checked = subprocess.run([tool, "--shell=bash", script], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
