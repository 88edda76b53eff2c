"""Opens a data file and serves it with uvicorn on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.sandbox import faults
from reconciler.sandbox.app import build_app
from reconciler.sandbox.seed import seed_org
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.store import Store

HOST = "127.0.0.1"
BACKLOG = 128
TICK_SECONDS = 0.1
SHUTDOWN_SECONDS = 2.0
"""How long requests that are being served may take when the org stops."""


class Protocol(H11Protocol):
    """HTTP/1.1 that lets the application cut its connection (faults on demand)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Shows the transport to the application as ``scope["state"]["transport"]``."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def open_org(data: Path, seed: Path | None, settings: Settings, fault_rules: Path | None = None) -> Store:
    """The data file, made and seeded where needed; raises ``StoreError`` and ``SeedError``.

    The rules of a file of fault rules replace those in force; raises ``FaultFileError``.
    """
    store = Store(data)
    try:
        seed_org(store, seed, settings)
        if fault_rules is not None:
            rules = faults.read_rules(fault_rules)
            with store.transaction(write=True) as db:
                faults.replace_rules(db, rules)
    except BaseException:
        store.close()
        raise
    return store


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. Raises ``OSError`` when it is taken."""
    listener = _bound(HOST, port)
    try:
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _bound(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio switches delayed sending off only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def address(listener: socket.socket) -> str:
    """The base address of a listening socket."""
    return f"http://{HOST}:{cast(int, listener.getsockname()[1])}"


class Server(uvicorn.Server):
    """uvicorn around an org: quiet (warnings and errors only, to stderr), and quick to stop."""

    def __init__(self, store: Store, settings: Settings, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                build_app(store, settings, self._begin_outage),
                http=Protocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                timeout_keep_alive=75,
            )
        )
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked = asyncio.Event()
        self._outage: asyncio.Task[None] | None = None

    def _begin_outage(self, seconds: float) -> None:
        """Cuts all connections and lets nobody in for that long (faults on demand)."""
        if self._outage is None or self._outage.done():
            self._outage = asyncio.get_running_loop().create_task(self._be_out(seconds))

    async def _be_out(self, seconds: float) -> None:
        reserved = []
        for server in self.servers:
            place = server.sockets[0].getsockname()
            server.close()
            # Bound and not listening: connections are refused, and the port stays ours.
            reserved.append(_bound(*place))
        try:
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(seconds)
            for listener in reserved:
                listener.listen(BACKLOG)
            await super().startup(sockets=reserved)
        except BaseException:
            for listener in reserved:
                listener.close()
            raise

    def stop(self) -> None:
        """Asks to stop; may be called from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop_asked.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn, then says that it answers."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def main_loop(self) -> None:
        """As uvicorn, but ``stop`` is heard at once."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop_asked.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn, but without waiting where nobody is served: tests start and stop many orgs."""
        if self._outage is not None:
            self._outage.cancel()
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        state = self.server_state
        while (state.connections or state.tasks) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()
