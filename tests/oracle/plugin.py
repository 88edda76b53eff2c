"""Records and judges a run of pytest, and fails it when something deviates.

The process that the person started makes the folder of the recording; its workers and whatever they start record
into it, because they inherit its environment. The judging is done there, once, when all have ended.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from oracle import recording, report
from oracle.reach import asks
from oracle.sdk import Sdk
from oracle.verdict import Verdict, judged

CHILD = Path(__file__).with_name("child")
"""Holds the ``sitecustomize`` that makes other Python processes record."""
FOLDER = pytest.StashKey[Path]()
VERDICT = pytest.StashKey[Verdict]()
WHOLE = pytest.StashKey[bool]()
"""Whether all tests ran, and passed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--oracle``."""
    parser.addoption(
        "--oracle",
        choices=("off", "on", "report"),
        default="on",
        help="judge all HTTP exchanges by the official SDK; 'report' prints what was checked",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Starts recording."""
    if config.getoption("oracle") == "off":
        return
    if hasattr(config, "workerinput"):
        recording.install()
        return
    folder = Path(tempfile.mkdtemp(prefix="oracle-"))
    config.stash[FOLDER] = folder
    os.environ[recording.FOLDER] = str(folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHILD), os.environ.get("PYTHONPATH")]))
    recording.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Drops the recording."""
    if FOLDER in config.stash:
        os.environ.pop(recording.FOLDER, None)
        shutil.rmtree(config.stash[FOLDER])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Judges when all workers have ended."""
    if FOLDER not in session.config.stash:
        return
    verdict = judged(recording.read(session.config.stash[FOLDER]), Sdk(), asks=asks())
    whole = _asked_for_all(session.config) and exitstatus == pytest.ExitCode.OK
    session.config.stash[VERDICT], session.config.stash[WHOLE] = verdict, whole
    if exitstatus == pytest.ExitCode.OK and any(report.problems(verdict, whole=whole)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints what deviates, or what was checked."""
    verdict = config.stash.get(VERDICT, None)
    if verdict is None or not verdict.exchanges:
        return
    terminalreporter.section("wire oracle")
    if config.getoption("oracle") == "report":
        for line in report.full(verdict):
            terminalreporter.write_line(line)
    whole = config.stash[WHOLE]
    for line in report.problems(verdict, whole=whole):
        terminalreporter.write_line(line)
    terminalreporter.write_line(report.summary(verdict, whole=whole))


def _asked_for_all(config: pytest.Config) -> bool:
    narrowed = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise", "collectonly")
    return config.args == config.getini("testpaths") and not any(config.getoption(name, None) for name in narrowed)
