"""Small servers on this machine: an org of two answers with or without TLS, and a proxy. Threads, real sockets."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ORGANIZATION = {"id": "org-1", "name": "Nordlys"}


@dataclass
class Served:
    """A server that runs."""

    port: int
    seen: list[str] = field(default_factory=list)
    """Requests, ``METHOD target``."""
    arrivals: dict[str, list[float]] = field(default_factory=dict)
    """Monotonic times of API requests by token."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that the client breaks off is what some tests are about."""


@contextmanager
def org(
    *, tls: ssl.SSLContext | None = None, answer: Callable[[str], tuple[int, dict[str, str]]] | None = None
) -> Iterator[Served]:
    """An org that hands out a new token at each login, and tells its name to everybody."""
    served = Served(0)
    lock = threading.Lock()
    logins: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                served.seen.append(f"POST {self.path}")
                logins.append(1)
                number = len(logins)
            self._send(200, {"access_token": f"token-{number}", "token_type": "bearer", "expires_in": 86400})

        def do_GET(self) -> None:
            with lock:
                served.seen.append(f"GET {self.path}")
                served.arrivals.setdefault(self.headers.get("Authorization", ""), []).append(time.monotonic())
            status, headers = answer(self.path) if answer else (200, {})
            self._send(status, ORGANIZATION if status == 200 else {"message": "No", "status": status}, headers)

        def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Tests are quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served.port = server.server_address[1]
    with _running(server):
        yield served


@contextmanager
def proxy(upstream: int, *, login: str | None = None, status: int = 200) -> Iterator[Served]:
    """An HTTP proxy that leads every CONNECT to one port of this machine.

    Args:
        upstream: The port.
        login: ``Proxy-Authorization`` that it asks for.
        status: Anything but 200 refuses everybody.
    """
    served = Served(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            served.seen.append(f"CONNECT {self.path}")
            given = self.headers.get("Proxy-Authorization")
            code = 407 if login is not None and given != login else status
            self.send_response(code)
            if code != 200:
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.end_headers()
            with socket.create_connection(("127.0.0.1", upstream)) as far:
                back = threading.Thread(target=_pump, args=(far, self.connection), daemon=True)
                back.start()
                _pump(self.connection, far)
                back.join(5)
            self.close_connection = True

        def do_GET(self) -> None:
            served.seen.append(f"GET {self.path}")
            self.send_error(502)

        do_POST = do_GET

        def log_message(self, format: str, *arguments: Any) -> None:
            """Tests are quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    served.port = server.server_address[1]
    with _running(server):
        yield served


@contextmanager
def _running(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
