"""A chain of records in a file: several processes, kills and full disks, and what each change of it shows as."""

from __future__ import annotations

import json
import multiprocessing
from itertools import groupby
from pathlib import Path

import pytest

from reconciler.engine.audit.chain import Chain, NotATrailError
from reconciler.engine.audit.checking import Verification, verify
from reconciler.engine.audit.reading import read_trail
from reconciler.engine.audit.record import sealed

AT = "2026-11-26T19:00:00.000Z"


def started(run: str = "r1") -> dict:
    return {"at": AT, "environment": "test", "event": "run-started", "holder": "Ada", "run": run}


def change(name: str, run: str = "r1") -> dict:
    about = {"action": "update", "address": f"inboundCall/{name}", "outcome": "applied"}
    return {"at": AT, "environment": "test", "event": "change", "run": run, **about}


def ended(count: int, run: str = "r1") -> dict:
    return {"at": AT, "counts": {"applied": count}, "environment": "test", "event": "run-ended", "run": run}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "deep" / "trail.jsonl"


@pytest.fixture
def trail(path) -> Path:
    """A run with three changes."""
    Chain(path).append([started(), change("A"), change("B"), change("Ünïcode \u2028 \x7f"), ended(3)])
    return path


def checked(*paths: Path, parts: bool = False) -> Verification:
    return verify("test", [read_trail(path) for path in paths], None, parts=parts)


def problems(path: Path) -> list[str]:
    return list(checked(path).files[0].problems)


def rewrite(path: Path, edit) -> None:
    """Changes the lines of a trail."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(edit(lines)) + "\n", encoding="utf-8")


def altered(line: str, **what) -> str:
    return json.dumps({**json.loads(line), **what}, sort_keys=True, separators=(",", ":"))


def resealed(line: str, **what) -> str:
    """As somebody who knows how hashes are made would forge it."""
    value = json.loads(line) | what
    body = {key: item for key, item in value.items() if key not in ("seq", "previous", "hash")}
    return json.dumps(sealed(body, value["seq"], value["previous"]), sort_keys=True, separators=(",", ":"))


def test_an_untouched_chain_is_whole_however_often_it_was_opened(trail):
    for number in range(3):
        Chain(trail).append([started(f"s{number}"), ended(0, f"s{number}") | {"counts": {}}])

    found = checked(trail)

    assert found.intact, found
    assert found.files[0].records == 11
    assert found.files[0].head.split(":")[1] == "11"


TAMPERED = {
    "changed": (lambda a, b, c, d, e: [a, b, altered(c, outcome="failed"), d, e], "3) does not fit its hash"),
    "sealed anew": (lambda a, b, c, d, e: [a, b, resealed(c, holder="x"), d, e], "4) does not follow from record 3"),
    "taken out": (lambda a, b, c, d, e: [a, b, d, e], "Before line 3, record 3 is missing: taken out."),
    "two out": (lambda a, b, c, d, e: [a, d, e], "Before line 2, records 2 to 3 are missing: taken out."),
    "first out": (lambda a, b, c, d, e: [b, c, d, e], "It begins with record 2"),
    "swapped": (lambda a, b, c, d, e: [a, c, b, d, e], "comes after record 3: put in, or moved"),
    "doubled": (lambda a, b, c, d, e: [a, b, c, b, d, e], "comes after record 3: put in, or moved"),
    "put in": (lambda a, b, c, d, e: [a, b, "nothing", c, d, e], "Line 3 is no record of a trail"),
    "put behind": (lambda a, b, c, d, e: [a, b, c, d, e, "nothing"], "Line 6 is no record of a trail"),
    "blanks": (lambda a, b, c, d, e: [a, b, c.replace(",", ", ", 1), d, e], "is not written as a trail writes it"),
    "key twice": (lambda a, b, c, d, e: [a, b, c.replace("{", '{"action":"x",', 1), d, e], "was written anew"),
    "other counts": (lambda a, b, c, d, e: [a, b, c, d, resealed(e, counts={"applied": 2})], "but the trail has 3"),
    "other start": (lambda a, b, c, d, e: [resealed(altered(a, previous="f" * 64)), b, c, d, e], "names one before it"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_each_way_of_tampering_is_told_with_its_place(trail, how):
    edit, said = TAMPERED[how]
    rewrite(trail, lambda lines: edit(*lines))

    assert not checked(trail).intact
    assert any(said in problem for problem in problems(trail)), problems(trail)


def test_a_chain_forged_from_one_record_on_holds_in_itself(trail):
    """Which is why the ledger keeps the heads."""

    def forge(lines: list[str]) -> list[str]:
        last, made = json.loads(lines[1])["hash"], lines[:2]
        for line in lines[2:]:
            made.append(resealed(line, previous=last, user="Mallory"))
            last = json.loads(made[-1])["hash"]
        return made

    rewrite(trail, forge)

    assert checked(trail).intact


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_half_a_line_of_a_killed_process_is_told_from_tampering_and_sealed(trail, cut):
    whole = trail.read_bytes()
    lines = whole.splitlines(keepends=True)
    trail.write_bytes(b"".join(lines[:4]) + lines[4][:cut])
    killed = checked(trail)
    assert killed.intact
    assert f"The last line is incomplete ({cut} byte" in killed.files[0].notices[0]

    Chain(trail).append([started("r2"), ended(0, "r2") | {"counts": {}}])

    found = checked(trail)
    assert found.intact, found
    assert any("half a record" in notice for notice in found.files[0].notices)
    assert any("Run r1 (2026-11-26 19:00 UTC) has no end: it was killed" in told for told in found.files[0].notices)
    assert read_trail(trail).records[4].fragment == lines[4][:cut].decode()
    rewrite(trail, lambda lines: [*lines[:4], lines[4] + "x", *lines[5:]])
    assert problems(trail) == ["Line 5 is no record of a trail: it was changed, or put in."]


def test_a_process_killed_while_it_seals_leaves_something_that_is_sealed_too(trail):
    whole = trail.read_bytes()
    trail.write_bytes(whole[:-40])
    Chain(trail).append([started("r2")])
    twice = trail.read_bytes()
    trail.write_bytes(twice[: twice.rindex(b"torn") + 9])

    Chain(trail).append([started("r3")])

    found = checked(trail)
    assert found.intact, found
    assert [record.event for record in read_trail(trail).records][-2:] == ["torn", "run-started"]


def test_a_last_line_without_its_end_is_gone_on_with(trail):
    """As after an editor that takes the last line break away."""
    trail.write_bytes(trail.read_bytes().rstrip(b"\n"))
    assert checked(trail).intact

    Chain(trail).append([started("r2")])

    assert checked(trail).intact
    assert len(read_trail(trail).records) == 6


def test_a_changed_last_record_is_not_built_upon(trail):
    rewrite(trail, lambda lines: [*lines[:4], altered(lines[4], counts={"applied": 9})])
    before = trail.read_bytes()

    with pytest.raises(NotATrailError, match="does not fit its hash"):
        Chain(trail).append([started("r2")])

    assert trail.read_bytes() == before


def test_a_file_of_something_else_is_not_written_to(path):
    path.parent.mkdir()
    path.write_text("first,second\n1,2\n", encoding="utf-8")
    with pytest.raises(NotATrailError, match="not an audit trail"):
        Chain(path).check()
    assert path.read_text(encoding="utf-8") == "first,second\n1,2\n"


def test_a_full_disk_is_told_and_nothing_half_done_is_taken_for_a_record(tmp_path):
    full = tmp_path / "full.jsonl"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        Chain(full).append([started()])


def test_parts_of_a_trail_are_checked_together(trail, tmp_path):
    lines = trail.read_text(encoding="utf-8").splitlines(keepends=True)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("".join(lines[:3]), encoding="utf-8")
    second.write_text("".join(lines[3:]), encoding="utf-8")

    alone, both = checked(second, parts=True), checked(first, second, parts=True)

    assert alone.intact
    assert alone.files[0].notices == ("It begins with record 4; what came before is not in this file.",)
    assert both.intact
    assert not both.files[1].notices


def write(path: Path, run: str) -> None:
    chain = Chain(path)
    for _ in range(40):
        chain.append([{"at": AT, "environment": "test", "event": "note", "run": run}], wait=30)


def test_processes_that_append_at_once_make_one_chain(path):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write, args=(path, name)) for name in ("one", "two", "three")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]

    found = checked(path)

    assert found.intact, found
    assert found.files[0].records == 120
    runs = [record.run for record in read_trail(path).records]
    assert len({run for run, _ in groupby(runs)}) == 3
