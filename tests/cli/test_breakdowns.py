"""What nobody foresaw ends with one message and exit code 1; no traceback reaches a person."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from support import flow


@pytest.mark.parametrize("command", ["plan", "validate", "graph"])
def test_an_internal_error_is_one_message_that_names_the_log(repository, cli, monkeypatch, tmp_path, command):
    repository.write("flows/sales.yaml", flow("Sales"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def break_down(*_arguments, **_options):
        raise ZeroDivisionError("canary-detail")

    monkeypatch.setattr(f"reconciler.cli.{command}.open_workspace", break_down)

    broken = cli(command)

    assert broken.code == 1
    assert broken.out == ""
    assert "Error: Internal error: ZeroDivisionError." in broken.err
    assert "Traceback" not in broken.err
    assert "canary-detail" not in broken.err
    log = Path(re.search(r"\S+\.log", broken.err)[0])
    assert log.parent == tmp_path
    assert "ZeroDivisionError: canary-detail" in log.read_text(encoding="utf-8")


def test_a_sandbox_on_a_taken_port_says_so(cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = cli("sandbox", "serve", "--port", str(taken.getsockname()[1]))

    assert refused.code == 1
    assert refused.out == ""
    assert "The sandbox cannot be served" in refused.err
    assert "--port" in refused.err
    assert "Traceback" not in refused.err
