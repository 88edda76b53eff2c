"""Writes down what our client sends and reads and what our sandbox answers, in any process of a test run.

Nothing in the product knows of this. The seams are the class of which the sandbox's ASGI application is made,
``httpx.AsyncClient.send``, through which our client sends everything, and the methods by which it reads answers
into models; they are wrapped as soon as their modules are imported. Each process has a file of its own in the
folder that ``FOLDER`` names, and each exchange is one line, written at once: what a killed process wrote stays
readable, but for its very last line.

Only the standard library is imported here, because every process that a test starts pays for it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Union, cast, get_args, get_origin

FOLDER = "RECONCILER_ORACLE_FOLDER"
"""Names the folder of a recording; without it nothing is recorded."""
OUR_CLIENT = "genesys-reconciler"
"""How the User-Agent header of our client begins."""
FAULT_HEADER = "x-sandbox-fault"
"""With it the sandbox marks an answer that went wrong on demand; its value names the fault."""
JUDGED = ("/api/", "/oauth/")
"""Bodies of other paths are flows and administration of the sandbox; only their length is kept."""

LIST = "list of "

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Exchange:
    """A request of our client (``by`` "client"), or an answer of our sandbox to anybody ("sandbox").

    Also an answer that our client reads into a model ("reader"): ``content_type`` is then the model's name, after
    ``LIST`` where items of a list are read, and ``body`` what ``fields_of`` says of it.
    """

    by: str
    method: str
    path: str
    """As on the wire, percent-encoded."""
    query: str
    body: str | None
    """None when there was none, or when it is not judged."""
    length: int
    """Bytes of the body."""
    content_type: str
    authorization: str = ""
    """The scheme alone: Basic, Bearer."""
    status: int = 0
    fault: str = ""
    """Of an answer that went wrong on demand: the fault's name."""
    test: str = ""

    def line(self) -> bytes:
        """As written."""
        return json.dumps(vars(self), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


class _Writer:
    """The file of this process; a process that was forked from it gets another."""

    def __init__(self) -> None:
        self._pid = -1
        self._descriptor = -1
        self._turn = threading.Lock()

    def write(self, line: bytes) -> None:
        folder = os.environ.get(FOLDER)
        if not folder:
            return
        with self._turn:
            if self._pid != os.getpid():
                path = Path(folder) / f"{os.getpid()}.jsonl"
                self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                self._pid = os.getpid()
            while line:
                line = line[os.write(self._descriptor, line) :]


_writer = _Writer()


def read(folder: Path) -> Iterator[Exchange]:
    """All exchanges of a recording; the unfinished last line of a killed process is left out."""
    for file in sorted(folder.glob("*.jsonl")):
        with file.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield Exchange(**json.loads(line))


def _record(**what: Any) -> None:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    _writer.write(Exchange(**what, test=test).line())


def _text(path: str, content: bytes) -> str | None:
    return content.decode("utf-8", "backslashreplace") if content and path.startswith(JUDGED) else None


def _record_client(httpx: ModuleType) -> None:
    """Wraps ``httpx.AsyncClient.send``: what our client sends is recorded, whoever answers it."""
    send = httpx.AsyncClient.send

    async def recording(self: Any, request: Any, **options: Any) -> Any:
        if request.headers.get("user-agent", "").startswith(OUR_CLIENT):
            path, _, query = request.url.raw_path.decode("ascii").partition("?")
            content = await request.aread()
            _record(
                by="client",
                method=request.method,
                path=path,
                query=query,
                body=_text(path, content),
                length=len(content),
                content_type=request.headers.get("content-type", ""),
                authorization=request.headers.get("authorization", "").partition(" ")[0],
            )
        return await send(self, request, **options)

    httpx.AsyncClient.send = recording


def _record_sandbox(app: ModuleType) -> None:
    """Replaces the class of the sandbox's application by one that records what is sent, and only that."""
    plain = app.Starlette

    class Recording(plain):  # type: ignore[misc]
        async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Send) -> None:
            if scope["type"] != "http":
                await super().__call__(scope, receive, send)
                return
            start: MutableMapping[str, Any] = {}
            parts: list[bytes] = []

            async def tapped(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    start.update(message)
                else:
                    parts.append(message.get("body", b""))
                    if not message.get("more_body", False):
                        _record_answer(scope, start, b"".join(parts))
                await send(message)

            await super().__call__(scope, receive, tapped)

    app.Starlette = Recording  # type: ignore[attr-defined]


def _record_answer(scope: MutableMapping[str, Any], start: MutableMapping[str, Any], content: bytes) -> None:
    headers = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in start.get("headers", ())}
    path = scope["raw_path"].decode("ascii").partition("?")[0]
    _record(
        by="sandbox",
        method=scope["method"],
        path=path,
        query=scope["query_string"].decode("latin-1"),
        body=_text(path, content),
        length=len(content),
        content_type=headers.get("content-type", ""),
        status=start["status"],
        fault=headers.get(FAULT_HEADER, ""),
    )


def _record_reader(responses: ModuleType) -> None:
    """Wraps the methods of ``Reply``: which fields our client reads from which answers is recorded, once each."""
    read, read_list = responses.Reply.read, responses.Reply.read_list
    seen: set[tuple[str, str, str]] = set()

    def note(reply: Any, model: Any, prefix: str) -> None:
        key = (reply.method, reply.path, prefix + model.__name__)
        if key not in seen:
            seen.add(key)
            fields = json.dumps(fields_of(model))
            _record(
                by="reader",
                method=reply.method,
                path=reply.path,
                query="",
                body=fields,
                length=len(fields),
                content_type=prefix + model.__name__,
            )

    def reading(self: Any, model: Any) -> Any:
        note(self, model, "")
        return read(self, model)

    def reading_list(self: Any, model: Any, items: Any) -> Any:
        note(self, model, LIST)
        return read_list(self, model, items)

    responses.Reply.read, responses.Reply.read_list = reading, reading_list


def fields_of(annotation: Any) -> Any:
    """A pydantic model as ``{name on the wire: type}``; a type is a name, ``[of items]``, or such a mapping."""
    if hasattr(annotation, "model_fields"):
        return {field.alias or name: fields_of(field.annotation) for name, field in annotation.model_fields.items()}
    inner = [one for one in get_args(annotation) if one not in (type(None), ...)]
    if get_origin(annotation) in (list, tuple):
        return [fields_of(inner[0])]
    if get_origin(annotation) in (Union, UnionType):
        return fields_of(inner[0]) if len(inner) == 1 else "any"
    return annotation.__name__ if annotation in (str, int, float, bool) else "any"


_SEAMS: dict[str, Callable[[ModuleType], None]] = {
    "httpx": _record_client,
    "reconciler.sandbox.app": _record_sandbox,
    "reconciler.platform.responses": _record_reader,
}


class _AfterImport(importlib.abc.MetaPathFinder):
    """Wraps the seams of a module right after it was imported; modules are not imported for the sake of it."""

    def __init__(self) -> None:
        self._busy = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _SEAMS or self._busy:
            return None
        self._busy = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._busy = False
        if spec is None or spec.loader is None:
            return None
        loader = cast(Any, spec.loader)
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _SEAMS[fullname](module)

        loader.exec_module = exec_module
        return spec


def install() -> None:
    """Starts recording in this process, once; modules that are imported already are wrapped at once."""
    if any(isinstance(finder, _AfterImport) for finder in sys.meta_path):
        return
    for name, wrap in _SEAMS.items():
        if name in sys.modules:
            wrap(sys.modules[name])
    sys.meta_path.insert(0, _AfterImport())
