"""Serves a sandbox org in the foreground, for other people's clients (``reconciler sandbox serve``)."""

from __future__ import annotations

import json
import signal
import socket
import sys
import tempfile
from pathlib import Path
from types import FrameType

from reconciler.sandbox.app import build_app
from reconciler.sandbox.running import Server, address, listen, open_org
from reconciler.sandbox.settings import Settings

__all__ = ["build_app", "serve"]

STRICT_RATE_LIMIT = 300
"""Requests a minute and token, as the platform's default (facts §2)."""


def serve(
    port: int = 0,
    data: Path | None = None,
    seed: Path | None = None,
    *,
    strict: bool = False,
    settings: Settings | None = None,
    faults: Path | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; without ``data`` the org is temporary.

    Prints one JSON line on stdout when it answers: ``{"api_url", "login_url", "client_id",
    "client_secret"}``. ``strict`` refuses unknown query parameters and enforces the platform's rate limit;
    ``settings`` replaces it. ``faults`` is a file of fault rules. Raises ``StoreError``, ``SeedError``,
    ``FaultFileError``, or ``OSError`` when the port is taken.
    """
    in_force = settings or Settings(strict=strict, rate_limit=STRICT_RATE_LIMIT if strict else None)
    if data is not None:
        _serve(port, data, seed, in_force, faults)
        return
    with tempfile.TemporaryDirectory(prefix="sandbox-org-") as directory:
        _serve(port, Path(directory) / "org.sqlite", seed, in_force, faults)


def _serve(port: int, data: Path, seed: Path | None, settings: Settings, faults: Path | None) -> None:
    listener = listen(port)
    try:
        store = open_org(data, seed, settings, faults)
        credentials = store.credentials()
        base = address(listener)
        announcement = json.dumps(
            {
                "api_url": base,
                "login_url": base,
                "client_id": credentials.client_id,
                "client_secret": credentials.client_secret,
            }
        )

        def announce() -> None:
            sys.stdout.write(f"{announcement}\n")
            sys.stdout.flush()

        try:
            _run(Server(store, settings, announce), listener)
        finally:
            store.close()
    finally:
        listener.close()


def _run(server: Server, listener: socket.socket) -> None:
    """Runs until a signal asks to stop.

    uvicorn raises the signal again once it has stopped; a handler of our own keeps that from ending the
    process before the data file is closed.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.stop()

    before = {name: signal.signal(name, stop) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
