"""The tool as a command that starts at once: a process that has loaded everything forks for each call.

Most of a short command's time goes into importing. A page of documentation with twenty commands is run as it stands
by putting ``script`` where the page expects the tool; each call is still a process of its own.
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

SHIM = """\
#!{python} -IS
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
server.sendmsg([b"{{"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
call = {{"folder": os.getcwd(), "arguments": sys.argv[1:], "environ": dict(os.environ)}}
server.sendall(json.dumps(call).encode()[1:])
server.shutdown(socket.SHUT_WR)
sys.exit(int(server.recv(8)))
"""


LATE = ("anyio._backends._asyncio", "certifi", "httpcore", "uvicorn.lifespan.on", "uvicorn.protocols.http.auto")
"""What libraries load only when they are used."""


@dataclass(frozen=True)
class ForkServer:
    """A running server."""

    address: str

    def script(self, path: Path) -> None:
        """Makes ``path`` the tool."""
        path.write_text(SHIM.format(python=sys.executable, address=self.address), encoding="utf-8")
        path.chmod(0o755)


@contextmanager
def serving(folder: Path) -> Iterator[ForkServer]:
    """Serves for as long as the block lasts; what a call prints, where it runs and its variables are the caller's."""
    address = str(folder / "server")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        descriptor = listening.fileno()
        server = subprocess.Popen([sys.executable, __file__, str(descriptor)], pass_fds=[descriptor])
    try:
        yield ForkServer(address)
    finally:
        server.terminate()
        server.wait()


def _serve(listening: socket.socket) -> NoReturn:
    import reconciler

    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in LATE:
        importlib.import_module(name)
    gc.freeze()
    while True:
        client, _ = listening.accept()
        call, ancillary, _, _ = client.recvmsg(1, socket.CMSG_SPACE(12))
        while more := client.recv(65536):
            call += more
        streams = array.array("i", ancillary[0][2])
        worker = os.fork()
        if worker == 0:
            listening.close()
            _run(json.loads(call), streams)
        for stream in streams:
            os.close(stream)
        _, ended = os.waitpid(worker, 0)
        client.sendall(str(os.waitstatus_to_exitcode(ended)).encode())
        client.close()


def _run(call: dict[str, Any], streams: array.array[int]) -> NoReturn:
    from reconciler.cli.main import run

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environ"])
    code = run(call["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
