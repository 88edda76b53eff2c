"""Exports published versions as YAML: batches, retries of disguised rate limits, unpacking (facts §3.3)."""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from reconciler.platform.errors import JobFailed, MalformedResponse, NotFound, TransferRefused
from reconciler.platform.jobs import explain, finished, is_throttled
from reconciler.platform.looks import Looks
from reconciler.platform.models import ExportJob, JobState
from reconciler.platform.paging import batches, side_by_side
from reconciler.platform.session import Session, path_of

Wanted = tuple[str, str]
"""(flow id, version)."""

_BATCH = 25
_JOBS_AT_ONCE = 2
_MAX_UNPACKED = 64 * 1024 * 1024
"""Bytes of all files of one archive together."""
_MAX_FILES = 1000
_DIRECTORY_ENTRY = b"PK\x01\x02"
_THROTTLE_ATTEMPTS = 5
"""Jobs for one batch while the org throttles itself; the Terraform provider tries as often."""


class _Throttled(JobFailed):
    """The export job met the org's rate limit."""


class Exports:
    """Runs export jobs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._looks = Looks(session)

    async def run(self, wanted: Sequence[Wanted]) -> dict[Wanted, str]:
        """YAML text of each version.

        Raises:
            NotFound: a flow does not exist.
            JobFailed: a version cannot be exported; the flow is named.
            JobTimedOut: a job did not finish.
            MalformedResponse: the download is neither YAML text nor an archive with each flow in it.
        """
        parts = await side_by_side(self._batch, batches(wanted, _BATCH), at_once=_JOBS_AT_ONCE)
        return {key: text for part in parts for key, text in part.items()}

    async def _batch(self, batch: Sequence[Wanted]) -> dict[Wanted, str]:
        """One batch; when it fails it is halved, so that the error names the flow behind it."""
        try:
            state = await self._unthrottled(batch)
        except JobFailed:
            if len(batch) == 1:
                raise
            middle = len(batch) // 2
            return {**await self._batch(batch[:middle]), **await self._batch(batch[middle:])}
        try:
            content = await self._download(state)
        except TransferRefused:
            # The address has expired; asking the job again gives a fresh one.
            content = await self._download(await self._state(state.id, batch))
        return unpack(content, batch)

    async def _download(self, state: JobState) -> bytes:
        if not state.download_url:
            raise MalformedResponse(f"Export job {state.id} succeeded but names no download address.")
        return await self._session.download(state.download_url)

    async def _state(self, job_id: str, batch: Sequence[Wanted]) -> JobState:
        return await finished(self._looks, path_of("flows", "export", "jobs", job_id), f"Export of {_names(batch)}")

    async def _unthrottled(self, batch: Sequence[Wanted]) -> JobState:
        retrying = AsyncRetrying(
            sleep=self._session.sleep,
            retry=retry_if_exception_type(_Throttled),
            wait=wait_exponential_jitter(multiplier=2, max=60, jitter=5),
            stop=stop_after_attempt(_THROTTLE_ATTEMPTS),
            reraise=True,
        )
        return await retrying(self._job, batch)

    async def _job(self, batch: Sequence[Wanted]) -> JobState:
        flows = [
            {
                "flow": {"id": id, "version": version},
                "fileName": file_name((id, version)),
                "exportType": "Yaml",
            }
            for id, version in batch
        ]
        reply = await self._session.request(
            "POST", path_of("flows", "export", "jobs"), body={"flows": flows}, harmless=True
        )
        job = reply.read(ExportJob)
        what = f"Export of {_names(batch)}"
        state = await self._state(job.id, batch)
        if state.status == "Success":
            return state
        if not is_throttled(state):
            raise JobFailed(f"{what} failed: {explain(state)}.", messages=state.messages)
        await self._require_existing(batch)
        raise _Throttled(
            f"{what} failed: {explain(state)}. That is what Architect says when it exceeds a rate limit.",
            messages=state.messages,
            remedy="Wait some minutes and run the command again.",
        )

    async def _require_existing(self, batch: Sequence[Wanted]) -> None:
        """A flow that really does not exist gives the same text; asking for it tells the two apart."""
        for id, _ in batch:
            try:
                await self._session.request("GET", path_of("flows", id))
            except NotFound as error:
                raise NotFound(
                    f"Flow {id} cannot be exported: the org does not have it.",
                    status=error.status,
                    path=error.path,
                ) from error


def file_name(wanted: Wanted) -> str:
    """A name for the exported file that is unique to flow and version, of the characters that SDK
    ``ExportDetails`` allows: letters, digits, ``_`` and ``-``."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", f"{wanted[0]}_{wanted[1]}")


def unpack(content: bytes, batch: Sequence[Wanted]) -> dict[Wanted, str]:
    """The texts in a download: an archive with one file a flow, or the file itself where there is one flow.

    Raises:
        MalformedResponse: broken or oversized archive, a flow missing in it, or no UTF-8.
    """
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if len(batch) != 1:
            raise MalformedResponse(f"The export of {len(batch)} flows is no archive.")
        return {batch[0]: _text(content, batch[0])}
    files = _files(content)
    texts: dict[Wanted, str] = {}
    for wanted in batch:
        if file_name(wanted) not in files:
            raise MalformedResponse(f"The export archive lacks flow {wanted[0]}, version {wanted[1]}.")
        texts[wanted] = _text(files[file_name(wanted)], wanted)
    return texts


def _files(content: bytes) -> dict[str, bytes]:
    """File name without folder and extension → content; sizes are counted while reading: headers may lie."""
    files: dict[str, bytes] = {}
    left = _MAX_UNPACKED
    try:
        # Each entry of the directory becomes an object, before anybody could look how many there are.
        if content.count(_DIRECTORY_ENTRY) > 2 * _MAX_FILES:
            raise MalformedResponse(f"The export archive holds more than {_MAX_FILES} files.")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MAX_FILES:
                raise MalformedResponse(f"The export archive holds {len(entries)} files.")
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    # Python unpacks other methods in pieces of any size, whatever it is asked for.
                    raise MalformedResponse("The export archive is packed in a way that no export is.")
                with archive.open(entry) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise MalformedResponse(f"The export archive unpacks to more than {_MAX_UNPACKED // 2**20} MB.")
                files[PurePosixPath(entry.filename).stem] = data
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        EOFError,
    ) as error:
        raise MalformedResponse(f"The export archive cannot be read: {error}.") from error
    return files


def _text(content: bytes, wanted: Wanted) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedResponse(f"The export of flow {wanted[0]} is not UTF-8 text.") from error


def _names(batch: Sequence[Wanted]) -> str:
    if len(batch) == 1:
        return f"flow {batch[0][0]} version {batch[0][1]}"
    return f"{len(batch)} flows"
