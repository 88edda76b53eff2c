"""Checks trails: each link of a chain, what each run should have left, and the ledger's memory of the heads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from reconciler.engine.audit.additions import beyond, unknown
from reconciler.engine.audit.reading import Line, TrailFile, TrailRun, runs_of, seals
from reconciler.engine.audit.record import FIRST, SHORT, TORN, AuditRecord, canonical, hash_of
from reconciler.ledger import LOST_AUDIT, RunRecord, stamp


class FileCheck(BaseModel):
    """What came of one file."""

    model_config = ConfigDict(frozen=True)

    file: str
    records: int
    runs: int
    first: int | None
    """Number of its first record, 1 unless it is a part of a trail; None for an empty one."""
    head: str | None
    problems: tuple[str, ...] = ()
    """What should not be in an untouched trail."""
    notices: tuple[str, ...] = ()
    """What there may be in one: traces of killed runs, and where it begins."""


class LedgerCheck(BaseModel):
    """The trails beside what the environment's ledger remembers."""

    model_config = ConfigDict(frozen=True)

    runs: int
    """Runs that the ledger remembers with the head of their trail."""
    found: int
    """Those whose record is in one of the files, with the same hash."""
    elsewhere: tuple[str, ...] = ()
    """Those whose trail is in none of the files, a sentence each."""
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class Verification(BaseModel):
    """Everything that ``audit verify`` found."""

    model_config = ConfigDict(frozen=True)

    environment: str
    files: tuple[FileCheck, ...]
    ledger: LedgerCheck | None
    """None where the ledger was not asked: then nothing proves that the end is there."""
    intact: bool
    """Nothing was changed, taken out or cut off, as far as it was checked."""
    complete: bool
    """Every run that the ledger remembers with a trail is in the files; True where it was not asked."""


def verify(
    environment: str,
    files: Sequence[TrailFile],
    runs: Sequence[RunRecord] | None,
    *,
    parts: bool,
    holder: str | None = None,
) -> Verification:
    """Checks files together.

    Args:
        environment: Whose ledger it is; records of others are checked only as links.
        files: The trails.
        runs: What the ledger remembers; None where it was not asked.
        parts: The files may be parts of trails, that begin in the midst of one.
        holder: The run whose lock the ledger has, also one that has run out.
    """
    checks = tuple(_check(file, parts=parts) for file in files)
    checks = _joined(files, checks)
    ledger = _beside_ledger(environment, files, runs, holder) if runs is not None else None
    intact = not any(check.problems for check in checks) and not (ledger and ledger.problems)
    complete = not (ledger and ledger.elsewhere)
    return Verification(environment=environment, files=checks, ledger=ledger, intact=intact, complete=complete)


def _check(file: TrailFile, *, parts: bool) -> FileCheck:
    problems, notices = list(_links(file.lines)), list(_torn(file))
    records = file.records
    first = records[0].seq if records else None
    if first is not None and first != 1:
        words = f"It begins with record {first}; what came before is not in this file."
        (notices if parts else problems).append(words)
    runs = runs_of(records)
    for run in runs:
        bad, good = _run(run, last=run is runs[-1], partly=first != 1)
        problems += bad
        notices += good
    return FileCheck(
        file=str(file.path),
        records=len(records),
        runs=len(runs),
        first=first,
        head=file.head.short if file.head else None,
        problems=tuple(problems),
        notices=tuple(notices),
    )


def _links(lines: Sequence[Line]) -> Iterator[str]:
    """What is wrong with the chain itself, line by line; each line is held against the one before it."""
    before: AuditRecord | None = None
    left: list[Line] = []
    for line in lines:
        record = line.record
        if record is None:
            left.append(line)
            continue
        if any(one.raw for one in left) and not seals(record, [one.raw for one in left]):
            yield f"Line {left[0].number} is no record of a trail: it was changed, or put in."
        left = []
        assert line.value is not None
        if hash_of(line.value) != record.hash:
            yield f"Line {line.number} (record {record.seq}) does not fit its hash: it was changed."
        elif canonical(line.value).encode() != line.raw:
            yield f"Line {line.number} (record {record.seq}) is not written as a trail writes it: it was written anew."
        yield from _follows(line.number, before, record)
        before = record
    if any(one.raw for one in left):
        yield f"Line {left[0].number} is no record of a trail: it was changed, or put in."


def _follows(number: int, before: AuditRecord | None, record: AuditRecord) -> Iterator[str]:
    if before is None:
        if record.seq == 1 and record.previous != FIRST:
            yield f"Line {number} is the first record of a trail, but names one before it."
        return
    if record.seq == before.seq + 1:
        if record.previous != before.hash:
            yield f"Line {number} (record {record.seq}) does not follow from record {before.seq}: one was changed."
    elif record.seq > before.seq + 1:
        missing = record.seq - before.seq - 1
        named = f"record {before.seq + 1}" if missing == 1 else f"records {before.seq + 1} to {record.seq - 1}"
        yield f"Before line {number}, {named} {'is' if missing == 1 else 'are'} missing: taken out."
    else:
        yield f"Line {number} (record {record.seq}) comes after record {before.seq}: put in, or moved."


def _torn(file: TrailFile) -> Iterator[str]:
    for number, record in ((line.number, line.record) for line in file.lines):
        if record is not None and record.event == TORN:
            yield f"Before line {number} stands half a record of a run that was killed while it wrote; it is sealed."
    if file.torn:
        size = "1 byte" if len(file.torn) == 1 else f"{len(file.torn)} bytes"
        yield (f"The last line is incomplete ({size}): a run was killed while it wrote. The next run seals it.")


def _run(run: TrailRun, *, last: bool, partly: bool) -> tuple[list[str], list[str]]:
    """What a run should have left and did not; what may happen to one."""
    if run.started is None:
        # Of a part of a trail, the first run may be cut in two.
        return ([], []) if partly else ([f"Run {run.run} has no beginning."], [])
    if run.ended is None:
        when = " or is not over yet" if last else ""
        return [], [f"Run {run.run} ({stamp(run.begin)}) has no end: it was killed{when}."]
    told = Counter(change.outcome or "?" for change in run.changes)
    if dict(told) != dict(run.ended.counts):
        return [f"Run {run.run} ended with {_counts(run.ended.counts)}, but the trail has {_counts(told)}."], []
    return [], []


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "no changes"


def _joined(files: Sequence[TrailFile], checks: Sequence[FileCheck]) -> tuple[FileCheck, ...]:
    """The checks, with what the files say of each other: where one goes on with another, and which heads they name."""
    known = _Known(files)
    joined = []
    for file, check in zip(files, checks, strict=True):
        problems, notices = list(check.problems), list(check.notices)
        records = file.records
        if records and records[0].seq != 1 and records[0].previous in known.hashes:
            notices = [text for text in notices if not text.startswith("It begins with record")]
        for run in runs_of(records):
            named = run.started.before if run.started else None
            match known.has(named):
                case False:
                    problems.append(f"Run {run.run} names the run before it, whose record is another now: rewritten.")
                case None if named and named != LOST_AUDIT:
                    notices.append(f"The run before run {run.run} is in a file that is not among these.")
        joined.append(check.model_copy(update={"problems": tuple(problems), "notices": tuple(notices)}))
    return tuple(joined)


class _Known:
    """The records of all files, by what the ledger keeps of them."""

    def __init__(self, files: Sequence[TrailFile]) -> None:
        self.hashes = {record.hash for file in files for record in file.records}
        self._short = {hash[:SHORT] for hash in self.hashes}
        self._chains = {file.head.chain[:8] for file in files if file.head}

    def has(self, short: str | None) -> bool | None:
        """Whether a record is there; None where its whole chain is not."""
        chain, _, rest = (short or "").partition(":")
        if rest.partition(":")[2] in self._short:
            return True
        return False if chain in self._chains else None


def _beside_ledger(
    environment: str, files: Sequence[TrailFile], runs: Sequence[RunRecord], holder: str | None
) -> LedgerCheck:
    known = _Known(files)
    ended = {run.run for file in files for run in runs_of(file.records, environment) if run.ended is not None}
    last = {file.records[-1].run for file in files if file.records}
    problems, notices, elsewhere = [], [], []
    without = [run for run in runs if run.audit is None]
    kept = [run for run in runs if run.audit is not None]
    found = 0
    for run in kept:
        whose = f"Run {run.run} of {stamp(run.at)} by {run.by}"
        there = known.has(run.audit)
        if run.audit == LOST_AUDIT:
            problems.append(f"{whose} could not write all of its records: they are lost.")
        elif there:
            found += 1
            # A run that others follow in its file was killed: what was cut out between them would show.
            # One that has its lock still did not come to its end, which is written after the lock is given back.
            if run.run in last and run.run not in ended and run.run != holder:
                problems.append(
                    f"{whose} is there, but not its end: cut off, or killed right after it wrote the ledger."
                )
            problems += [f"{whose} {what}" for what in beyond(run, files)]
        elif there is None:
            elsewhere.append(f"{whose} is in none of these files: give the file of the machine that it ran on.")
        else:
            problems.append(f"{whose} is missing, though the ledger knows it: the trail was cut off, or rewritten.")
    if without:
        many = "1 run that the ledger remembers" if len(without) == 1 else f"{len(without)} runs in the ledger"
        notices.append(f"{many} kept no trail: it was switched off, or the tool was older.")
    notices += unknown(environment, files, runs)
    return LedgerCheck(
        runs=len(kept),
        found=found,
        elsewhere=tuple(elsewhere),
        problems=tuple(problems),
        notices=tuple(notices),
    )
