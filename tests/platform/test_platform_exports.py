"""Exports: batches, disguised rate limits, archives and what may be wrong with them."""

import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from platform_support import Org, ok, problem

from reconciler.platform import JobFailed, MalformedResponse, NotFound, Platform
from reconciler.platform import exports as exports_module
from reconciler.platform.exports import Wanted, file_name, unpack

JOBS = "POST /api/v2/flows/export/jobs"
THROTTLED = "Command failed: could not find the flow with id 'f1'. exit code: 107"


class ExportOrg(Org):
    """Answers export jobs; ``outcome`` decides each job's state from the flows asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[list[dict[str, Any]]] = []
        self.failures: list[str] = []
        self.broken: set[str] = set()
        self.on(JOBS, self._register)

    def _register(self, request: httpx.Request) -> httpx.Response:
        self.jobs.append(json.loads(request.content)["flows"])
        number = len(self.jobs)
        self.on(f"GET /api/v2/flows/export/jobs/job-{number}", self._state(number))
        self.on(f"GET /download/{number}", self._download)
        return ok({"id": f"job-{number}", "status": "Registered", "totalFlows": len(self.jobs[-1])})

    def _state(self, number: int) -> httpx.Response:
        ids = {entry["flow"]["id"] for entry in self.jobs[number - 1]}
        text = self.failures.pop(0) if self.failures else ("cannot export" if ids & self.broken else None)
        if text:
            return ok({"id": f"job-{number}", "status": "Failure", "messages": [{"type": "Error", "text": text}]})
        url = f"https://files.example.test/download/{number}?sig=x"
        return ok({"id": f"job-{number}", "status": "Success", "downloadUrl": url})

    def _download(self, request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        entries = self.jobs[int(request.url.path.rpartition("/")[2]) - 1]
        texts = {entry["fileName"]: f"name: {entry['flow']['id']} æ" for entry in entries}
        if len(texts) == 1:
            return httpx.Response(200, content=next(iter(texts.values())).encode())
        return httpx.Response(200, content=archive({f"{name}.yaml": text.encode() for name, text in texts.items()}))


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_one_flow_comes_as_a_file() -> None:
    org = ExportOrg()
    assert org.run(lambda platform: platform.flows.export([("f1", "3.0")])) == {("f1", "3.0"): "name: f1 æ"}
    [entry] = org.jobs[0]
    assert entry["flow"] == {"id": "f1", "version": "3.0"}
    assert entry["exportType"] == "Yaml"


def test_many_flows_come_in_archives_of_25() -> None:
    org = ExportOrg()
    wanted = [(f"flow-{number}", "1.0") for number in range(60)]
    texts = org.run(lambda platform: platform.flows.export([*wanted, wanted[0]]))
    assert texts == {key: f"name: {key[0]} æ" for key in wanted}
    assert [len(job) for job in org.jobs] == [25, 25, 10]


def test_nothing_wanted_costs_nothing() -> None:
    org = ExportOrg()
    assert org.run(lambda platform: platform.flows.export([])) == {}
    assert org.seen == []


def test_a_disguised_rate_limit_is_retried() -> None:
    org = ExportOrg()
    org.failures = [THROTTLED, THROTTLED]
    org.on("GET /api/v2/flows/f1", ok({"id": "f1", "name": "F", "type": "WORKFLOW"}))
    assert org.run(lambda platform: platform.flows.export([("f1", "3.0")]))
    assert len(org.jobs) == 3
    assert org.time.now > 1004


def test_a_disguised_rate_limit_that_stays_is_an_error() -> None:
    org = ExportOrg()
    org.failures = [THROTTLED] * 5
    org.on("GET /api/v2/flows/f1", ok({"id": "f1", "name": "F", "type": "WORKFLOW"}))
    with pytest.raises(JobFailed, match="rate limit"):
        org.run(lambda platform: platform.flows.export([("f1", "3.0")]))
    assert len(org.jobs) == 5


def test_a_flow_that_really_is_missing_is_not_retried() -> None:
    org = ExportOrg()
    org.failures = [THROTTLED]
    org.on("GET /api/v2/flows/f1", problem(410, "architect.flow.deleted"))
    with pytest.raises(NotFound, match="f1"):
        org.run(lambda platform: platform.flows.export([("f1", "3.0")]))
    assert len(org.jobs) == 1


def test_a_failing_batch_is_halved_until_the_flow_is_named() -> None:
    org = ExportOrg()
    org.broken = {"flow-6"}
    with pytest.raises(JobFailed, match=r"flow flow-6 version 1\.0 failed: cannot export"):
        org.run(lambda platform: platform.flows.export([(f"flow-{number}", "1.0") for number in range(8)]))
    assert len(org.jobs) <= 7


def test_a_job_without_a_download_address_is_malformed() -> None:
    org = Org().on(JOBS, ok({"id": "j"})).on("GET /api/v2/flows/export/jobs/j", ok({"id": "j", "status": "Success"}))
    with pytest.raises(MalformedResponse):
        org.run(lambda platform: platform.flows.export([("f", "1")]))


@given(st.lists(st.tuples(st.uuids().map(str), st.integers(1, 400).map(lambda n: f"{n}.0")), unique=True, max_size=30))
def test_file_names_are_unique_and_of_allowed_characters(wanted: list[Wanted]) -> None:
    names = [file_name(key) for key in wanted]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in names)


ONE, TWO = ("f1", "1.0"), ("f2", "1.0")


def test_files_may_lie_in_folders_and_carry_a_byte_order_mark() -> None:
    content = archive({f"export/{file_name(ONE)}.yaml": b"\xef\xbb\xbfa: 1", f"{file_name(TWO)}.yml": b"b: 2"})
    assert unpack(content, [ONE, TWO]) == {ONE: "a: 1", TWO: "b: 2"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive({f"{file_name(ONE)}.yaml": b"x"}), "lacks flow f2"),
        (archive({f"{file_name(ONE)}.yaml": b"x"})[:40], "cannot be read"),
        (b"inboundCall: {}", "no archive"),
        (archive({f"{file_name(key)}.yaml": b"\xff" for key in (ONE, TWO)}), "UTF-8"),
    ],
    # A zip holds the time: as the name of a test it would differ from worker to worker.
    ids=["a file is missing", "cut off", "no zip", "not UTF-8"],
)
def test_a_broken_archive_is_malformed(content: bytes, reason: str) -> None:
    with pytest.raises(MalformedResponse, match=reason):
        unpack(content, [ONE, TWO])


def test_an_archive_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports_module, "_MAX_UNPACKED", 100_000)
    content = archive({f"{file_name(key)}.yaml": b" " * 60_000 for key in (ONE, TWO)})
    assert len(content) < 1000
    with pytest.raises(MalformedResponse, match="unpacks to more"):
        unpack(content, [ONE, TWO])


@given(st.binary(max_size=200))
def test_no_download_whatever_escapes_the_exception_tree(content: bytes) -> None:
    for body in (content, b"PK\x03\x04" + content, b"PK\x05\x06" + content):
        try:
            unpack(body, [ONE, TWO])
        except MalformedResponse:
            continue


def test_exports_do_not_count_downloads_as_requests() -> None:
    async def work(platform: Platform) -> tuple[int, int]:
        await platform.flows.export([("f1", "3.0")])
        return platform.requests, platform.transfers

    assert ExportOrg().run(work) == (2, 1)
