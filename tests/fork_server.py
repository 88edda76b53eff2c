"""The tool as a command that starts at once: a process that has loaded everything forks for each call.

Most of a short command's time goes into importing. A page of documentation with twenty commands is run as it stands
by putting ``script`` where the page expects the tool, and a job of a pipeline by putting ``pipeline`` where the job
expects that; each call is still a process of its own. Signals do not reach it: where they matter, start the tool
itself.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

SHIM = """\
#!{python} -IS
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
server.sendmsg([b"{{"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
call = {{"program": {program!r}, "arguments": sys.argv[{skipped}:]}}
call |= {{"folder": os.getcwd(), "environ": dict(os.environ)}}
server.sendall(json.dumps(call).encode()[1:])
server.shutdown(socket.SHUT_WR)
sys.exit(int(server.recv(8)))
"""


PYTHON = "python"
"""What a pipeline's commands take for the interpreter that they run in."""
LATE = ("anyio._backends._asyncio", "certifi", "httpcore", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto")
"""What libraries load only when they are used."""


@dataclass(frozen=True)
class ForkServer:
    """A running server."""

    address: str

    def script(self, path: Path) -> None:
        """Makes ``path`` the tool."""
        self._write(path, "reconciler")

    def pipeline(self, path: Path) -> None:
        """Makes ``path`` the command ``reconciler-pipeline``, which runs the tool the same way."""
        self._write(path, "reconciler-pipeline")

    @property
    def tool(self) -> Path:
        """The tool as a script."""
        return Path(self.address).with_name("reconciler")

    @property
    def python(self) -> Path:
        """What takes ``-m reconciler`` and arguments, and nothing else, as if it were Python."""
        return Path(self.address).with_name(PYTHON)

    def _write(self, path: Path, program: str, skipped: int = 1) -> None:
        text = SHIM.format(python=sys.executable, address=self.address, program=program, skipped=skipped)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def begin(self) -> None:
        """Writes what a caller may run."""
        self.script(self.tool)
        self._write(self.python, "reconciler", len(["python", "-m", "reconciler"]))


@contextmanager
def serving(folder: Path) -> Iterator[ForkServer]:
    """Serves for as long as the block lasts; what a call prints, where it runs and its variables are the caller's."""
    address = str(folder / "server")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        descriptor = listening.fileno()
        server = subprocess.Popen([sys.executable, __file__, str(descriptor), address], pass_fds=[descriptor])
    made = ForkServer(address)
    made.begin()
    try:
        yield made
    finally:
        server.terminate()
        server.wait()


def load_everything() -> None:
    """Imports all that a command may need, so that forks of this process need not: commands load when called."""
    import reconciler

    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    gc.freeze()


def _serve(listening: socket.socket, address: str) -> NoReturn:
    load_everything()
    while True:
        client, _ = listening.accept()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        # One call may make another and wait for it, so that each is waited for apart.
        if os.fork() == 0:
            listening.close()
            _answer(client, address)
        client.close()


def _answer(client: socket.socket, address: str) -> NoReturn:
    call, ancillary, _, _ = client.recvmsg(1, socket.CMSG_SPACE(12))
    while more := client.recv(65536):
        call += more
    streams = array.array("i", ancillary[0][2])
    worker = os.fork()
    if worker == 0:
        client.close()
        _run(json.loads(call), streams, address)
    for stream in streams:
        os.close(stream)
    _, ended = os.waitpid(worker, 0)
    client.sendall(str(os.waitstatus_to_exitcode(ended)).encode())
    os._exit(0)


def _run(call: dict[str, Any], streams: array.array[int], address: str) -> NoReturn:
    from reconciler.cli.main import run
    from reconciler.pipelines.__main__ import run as run_pipeline

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environ"])
    if call["program"] == "reconciler-pipeline":
        sys.executable = str(Path(address).with_name(PYTHON))
        code = run_pipeline(call["arguments"])
    else:
        code = run(call["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2])
