"""Deploy and export jobs: the part that both share, from registered to finished."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.platform.errors import JobTimedOut
from reconciler.platform.looks import Looks
from reconciler.platform.models import JobState

Progress = Callable[[str], None]
_THROTTLED = ("could not find the flow", "107")


async def finished(looks: Looks, path: str, what: str, progress: Progress | None = None) -> JobState:
    """Polls a job that begins now until it has succeeded or failed.

    Any other status than ``Success`` and ``Failure`` means that it still runs (facts §4: the Terraform
    provider takes ``Registered`` for an error and is wrong).

    Args:
        looks: When to look, shared by all jobs of its kind.
        path: Path of the job.
        what: What the job does, for messages.
        progress: Told when the status changes.

    Raises:
        JobTimedOut: not finished after ``Connection.job_deadline`` seconds.
    """
    session, look = looks.session, looks.begin()
    state: JobState | None = None
    try:
        while await look.wait():
            told = state.status if state else ""
            state = (await session.request("GET", path, query={"expand": "messages"})).read(JobState)
            if state.status in ("Success", "Failure"):
                return state
            if progress and state.status != told:
                progress(f"{what}: {state.status.lower()}")
    finally:
        # A job that fails may do so early on; how long it took says nothing of the others.
        look.ended(usual=state is not None and state.status == "Success")
    assert state is not None
    raise JobTimedOut(
        f"{what} did not finish within {session.connection.job_deadline:.0f} seconds "
        f"(job {state.id}, status {state.status}).",
        path=path,
    )


def is_throttled(state: JobState) -> bool:
    """Whether a failure is the org's own rate limit in disguise.

    Architect's engine then says that it could not find the flow, exit code 107 (facts §3.3, §5).
    """
    text = _text(state).lower()
    return all(mark in text for mark in _THROTTLED)


def is_locked(state: JobState) -> bool:
    """Whether a failure says that somebody else has the flow checked out (facts §3.3)."""
    return "is locked by another entity" in _text(state).lower()


def explain(state: JobState) -> str:
    """Why a job failed, in the org's words: errors first, and something to read where it says nothing."""
    errors = [message.text for message in state.messages if message.type == "Error" and message.text]
    texts = errors or [message.text for message in state.messages if message.text]
    return "; ".join(text.strip().rstrip(".") for text in texts) or "Architect gave no reason"


def _text(state: JobState) -> str:
    return "\n".join(message.text for message in state.messages)
