"""A webhook's other end: a small server on this machine that answers as it is told and keeps what it got."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reconciler.ledger import now_utc
from reconciler.notify.document import Notification
from reconciler.notify.making import about_nothing

SILENT = 0
"""In place of a status: takes the request and never answers."""


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """A server that runs."""

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """What the next requests are answered with; 200 when there are no more."""
    always: tuple[int, dict[str, str]] = (200, {})
    says: bytes = b"ok"
    closing: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Its address; the path stands for what must not be shown."""
        return f"http://127.0.0.1:{self.port}/services/T0SECRET/path-canary-5d1c"

    @property
    def events(self) -> list[str]:
        """The events that were received as JSON."""
        return [got.json["event"] for got in self.got]

    def wait_for(self, count: int, seconds: float = 10.0) -> None:
        """Waits until so many requests have come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), f"only {len(self.got)} came"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is what some tests are about."""


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver for the time of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with receiver.arrived:
                status, extra = receiver.answers.pop(0) if receiver.answers else receiver.always
                receiver.got.append(Got(self.path, headers, body, time.monotonic()))
                receiver.arrived.notify_all()
            if status == SILENT:
                receiver.closing.wait(30)
                return
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.says)))
            self.end_headers()
            self.wfile.write(receiver.says)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Tests are quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        thread.join(5)
        server.server_close()


def notification(event: str = "applied") -> Notification:
    """One that says next to nothing."""
    return about_nothing("test", at=now_utc(), who="ann@desk", link=None).model_copy(update={"event": event})
