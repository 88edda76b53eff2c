"""Targets that read what an org answers: a plan and an apply against a tape on which some answers are spoilt."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
from fuzz.choices import Choices
from fuzz.harness import target
from fuzz.materials import flows
from fuzz.mutations import TEXTS, VALUES, dumped, spoilt_bytes, spoilt_text, spoilt_tree
from fuzz.replay import CANARY, Answer, Tape, apply, bomb, plan, recorded

from reconciler.archy.canonical import canonical
from reconciler.archy.yaml import YamlError, load
from reconciler.engine.differences import flow_differences
from reconciler.platform.exports import file_name, unpack

HEADERS = (
    "retry-after",
    "inin-ratelimit-reset",
    "inin-ratelimit-count",
    "inin-correlation-id",
    "content-type",
    "content-encoding",
    "content-length",
    "location",
    "transfer-encoding",
)
HEADER_VALUES = (
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "9" * 400,
    "Fri, 31 Dec 9999 23:59:59 -0000",
    "Fri, 99 Foo 0000",
    "²",
    "gzip",
    "gzip, gzip",
    "br",
    "deflate",
    "zstd",
    "unheard-of",
    "application/json; charset=utf-16",
    "text/html",
    "http://127.0.0.1:1/",
    "A" * 5000,
)
STATUSES = (200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 408, 409, 410, 413, 418, 429, 500)
STATUSES += (501, 502, 503, 504, 599, 999)
CODES = ("general.conflict", "flow.is.locked.by.another.entity", "not.found", "", "missing.division.permission")
ERRORS = (
    httpx.ReadError("reset"),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("peer closed"),
    httpx.WriteError("broken pipe"),
    httpx.DecodingError("bad gzip"),
)


@target
def answers_to_plan(choices: Choices) -> None:
    """A plan against an org whose answers are spoilt."""
    plan(_spoilt(choices, recorded()[0]))


@target
def answers_to_apply(choices: Choices) -> None:
    """An apply against an org whose answers are spoilt."""
    apply(_spoilt(choices, recorded()[1]))


@target
def ledger_rows(choices: Choices) -> None:
    """Rows of the ledger's table that somebody else wrote, for a plan and for an apply."""
    applying = choices.chance(2)
    tape = recorded()[1 if applying else 0].fresh()
    for position, (key, _number) in enumerate(tape.order):
        if "/rows" in key and key.startswith("GET") and choices.chance(2):
            tape.spoil(position, lambda answer: _with_spoilt_rows(choices, answer), always=True)
    (apply if applying else plan)(tape)


@target
def exports(choices: Choices) -> None:
    """What comes out of an export: archives and YAML, compared with another flow."""
    batch = [("1-a", "1.0"), ("2-b", "2.0")][: choices.number(2) + 1]
    texts = {wanted: spoilt_text(choices, choices.pick(flows()[3:] or flows()), TEXTS) for wanted in batch}
    content = _archive(choices, {file_name(wanted): text for wanted, text in texts.items()})
    if choices.chance(4):
        content = spoilt_bytes(choices, content)
    forms = []
    for text in unpack(content, batch).values():
        try:
            loaded = load(text)
        except YamlError:
            continue
        if isinstance(loaded, dict) and len(loaded) == 1:
            forms.append(canonical(*next(iter(loaded.items()))))
    for form in forms:
        list(flow_differences(form, forms[0]))
        list(flow_differences(canonical("inboundCall", {"name": "x"}), form))


@target
def exports_in_plan(choices: Choices) -> None:
    """Spoilt exports where a plan compares them with what was applied."""
    tape = recorded()[0].fresh()
    for position, (key, _number) in enumerate(tape.order):
        if not key.startswith("GET /api/") and key.startswith("GET "):
            tape.spoil(position, lambda answer: replace(answer, body=_spoilt_download(choices, answer.body)))
    plan(tape)


def _spoilt(choices: Choices, recorded_tape: Tape) -> Tape:
    tape = recorded_tape.fresh()
    for _round in range(choices.pick((1, 1, 1, 2, 5))):
        position = choices.number(len(tape.order))
        tape.spoil(position, _change(choices, tape), always=choices.chance(2))
    return tape


def _change(choices: Choices, tape: Tape) -> Callable[[Answer], Answer]:
    match choices.number(12):
        case 0:
            return lambda answer: replace(answer, body=spoilt_bytes(choices, answer.body))
        case 1:
            status = choices.pick(STATUSES)
            return lambda answer: replace(answer, status=status)
        case 2:
            return lambda answer: _refusal(choices, answer)
        case 3:
            header = (choices.pick(HEADERS), choices.pick(HEADER_VALUES))
            return lambda answer: replace(answer, headers=(*answer.headers, header))
        case 4:
            error = choices.pick(ERRORS)
            return lambda answer: replace(answer, error=error)
        case 5:
            key, number = choices.pick(tape.order)
            return lambda _answer: tape.answers[key][number]
        case 6:
            return lambda answer: _strange_body(choices, answer)
        case _:
            return lambda answer: answer if answer.json is None else answer.with_json(spoilt_tree(choices, answer.json))


def _refusal(choices: Choices, answer: Answer) -> Answer:
    envelope = {
        "message": choices.pick(("No.", f"Wrong: {CANARY}", *TEXTS)),
        "code": choices.pick(CODES),
        "status": 400,
        "contextId": choices.pick(("ctx", "\x1b[2J", "\ud800")),
        "details": [{"errorCode": "X", "fieldName": choices.pick(TEXTS)}, choices.pick(VALUES)],
        "errors": [{"message": choices.pick(TEXTS)}],
        "messageParams": {"userName": choices.pick(TEXTS), "permissions": choices.pick(VALUES)},
    }
    body = spoilt_tree(choices, envelope) if choices.chance(2) else envelope
    return replace(answer.with_json(body), status=choices.pick((400, 400, 403, 404, 409, 409, 429, 500, 503)))


def _strange_body(choices: Choices, answer: Answer) -> Answer:
    match choices.number(40):
        case 0:
            packed = ("content-encoding", choices.pick(("gzip", "gzip, gzip", "deflate")))
            return replace(answer, body=bomb(1 + choices.number(2)), headers=(*answer.headers, packed))
        case 1:
            return replace(answer, body=b" " * 70_000_000)
        case 2:
            return replace(answer, body=b'{"entities": [' + b"{}," * 200_000 + b"{}]}")
        case number if number < 20:
            levels = choices.pick((100, 900, 1200, 100_000))
            return replace(answer, body=choices.pick((b"[", b'{"a":')) * levels)
        case number if number < 30:
            number_text = choices.pick((b"9" * 5000, b"1e999", b"NaN", b"-Infinity", b'"\\ud800"', b"1E400"))
            return replace(answer, body=b'{"entities": %b, "pageCount": %b}' % (number_text, number_text))
        case _:
            return replace(
                answer, body=choices.pick((b"", b"null", b"[]", b"0", b'""', b"<html>", b"\xff\xfe{\x00}\x00"))
            )


def _with_spoilt_rows(choices: Choices, answer: Answer) -> Answer:
    body = answer.json
    rows = body.get("entities", [body]) if isinstance(body, dict) else []
    for row in rows:
        if not isinstance(row, dict) or not choices.chance(2):
            continue
        cell = choices.pick(sorted(row))
        note = _json(row["note"]) if cell == "note" and choices.chance(2) else None
        if note is not None:
            row["note"] = dumped(spoilt_tree(choices, note))
        elif isinstance(row[cell], str):
            row[cell] = choices.pick((spoilt_text(choices, row[cell], TEXTS), choices.pick(VALUES)))
    return answer if body is None else answer.with_json(body)


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return None


def _spoilt_download(choices: Choices, body: bytes) -> bytes:
    files = unpack_names(body)
    if files is None:
        return _spoilt_export(choices, body.decode("utf-8", "replace")).encode("utf-8", "replace")
    return _archive(choices, {name: _spoilt_export(choices, text) for name, text in files.items()})


def _spoilt_export(choices: Choices, text: str) -> str:
    if choices.chance(2):
        return text
    return spoilt_text(choices, text, TEXTS) if choices.chance(4) else dumped(spoilt_tree(choices, load(text)))


def unpack_names(body: bytes) -> dict[str, str] | None:
    """Texts of an archive by their names without endings; None where it is none."""
    if not body.startswith(b"PK"):
        return None
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name.rpartition(".")[0]: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def _archive(choices: Choices, files: dict[str, Any]) -> bytes:
    if choices.chance(8) or not files:
        return next(iter(files.values()), "").encode("utf-8", "replace")
    odd = choices.chance(4)
    packing = choices.pick((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED)) if odd else zipfile.ZIP_DEFLATED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, text in files.items():
            folder = choices.pick(("flows/", "../../", "/etc/", "a\\b\\")) if odd else ""
            ending = choices.pick((".yml", "", ".a.yaml", "/")) if odd else ".yaml"
            archive.writestr(zipfile.ZipInfo(f"{folder}{name}{ending}"), text.encode("utf-8", "replace"), packing)
        if choices.chance(60):
            archive.writestr("bomb.yaml", bytes(choices.pick((1_000_000, 100_000_000))))
    return buffer.getvalue()
