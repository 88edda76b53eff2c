"""A sandbox org inside this process: for the default environment and for tests."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

from reconciler.sandbox.running import Server, address, listen, open_org
from reconciler.sandbox.settings import MissingReferences, Settings
from reconciler.sandbox.store import Store

START_SECONDS = 10.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Running:
    """A sandbox org that answers; ``stop`` it when done. Also a context manager."""

    api_url: str
    login_url: str
    client_id: str
    client_secret: str = field(repr=False)
    _server: Server = field(repr=False)
    _thread: threading.Thread = field(repr=False)
    _store: Store = field(repr=False)
    _listener: socket = field(repr=False)

    def stop(self) -> None:
        """Stops answering and closes the data file; stopping twice is harmless."""
        self._server.stop()
        self._thread.join(STOP_SECONDS)
        self._listener.close()
        if not self._thread.is_alive():
            self._store.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def start(
    data: Path,
    *,
    seed: Path | None = None,
    missing_references: MissingReferences = "reject",
    port: int = 0,
    strict: bool = True,
    settings: Settings | None = None,
    faults: Path | None = None,
) -> Running:
    """Serves the data file (made and seeded on first use) from a thread of this process.

    Answers when it returns. ``settings`` replaces ``missing_references`` and ``strict`` where given;
    ``faults`` is a file of fault rules. Raises ``StoreError``, ``SeedError``, ``FaultFileError``, or
    ``OSError`` when the port is taken.
    """
    in_force = settings or Settings(missing_references=missing_references, strict=strict)
    listener = listen(port)
    try:
        store = open_org(data, seed, in_force, faults)
    except BaseException:
        listener.close()
        raise
    ready = threading.Event()
    server = Server(store, in_force, ready.set)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="sandbox-org", daemon=True
    )
    thread.start()
    credentials = store.credentials()
    base = address(listener)
    running = Running(base, base, credentials.client_id, credentials.client_secret, server, thread, store, listener)
    if not ready.wait(START_SECONDS):
        running.stop()
        raise RuntimeError(f"the sandbox org at {base} did not start")
    return running
