"""When a failed request is tried again, after how long, and when no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from reconciler.platform.errors import HostUnreachable, PlatformError, RateLimited, RequestTimedOut, ServerError

_BACKOFF = wait_random_exponential(multiplier=0.5, max=30)
"""Full jitter: between 0 and 0.5·2ⁿ seconds, 30 at most."""
_FIRST_CONTACT_DEADLINE = 10.0
"""Seconds of retries of a host that never answered: a mistyped region should be told soon."""

Result = TypeVar("Result")


class Retries:
    """Repeats requests of one process; remembers which hosts have ever answered."""

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._answered: set[str] = set()

    def answered(self, host: str) -> None:
        """Notes that the host exists and answers."""
        self._answered.add(host)

    async def run(self, attempt: Callable[[], Awaitable[Result]], *, repeatable: bool, deadline: float) -> Result:
        """Calls until it succeeds, fails for good, or would be tried again later than the deadline allows.

        Args:
            attempt: Sends the request once.
            repeatable: Whether it does no harm to send it again when it is not known whether it arrived.
            deadline: Seconds, counted from the first failure: the wait for one's turn in the rate limiter is free.

        Raises:
            PlatformError: the last failure, with ``attempts`` and ``final`` set.
        """
        end: float | None = None

        def is_over(state: RetryCallState) -> bool:
            nonlocal end
            now = self._clock()
            if end is None:
                end = now + (min(deadline, _FIRST_CONTACT_DEADLINE) if self._is_unknown(_failure(state)) else deadline)
            return now + state.upcoming_sleep > end

        retrying = AsyncRetrying(
            sleep=self._sleep,
            retry=retry_if_exception(lambda error: _is_worth_repeating(error, repeatable)),
            wait=_pause,
            stop=is_over,
            reraise=True,
        )
        try:
            return await retrying(attempt)
        except PlatformError as error:
            if not error.final:
                error.attempts = max(1, int(retrying.statistics.get("attempt_number", 1)))
                if error.attempts > 1:
                    error.message += f" Tried {error.attempts} times."
                # A login inside a request has had its retries; the request must not start them again.
                error.final = True
            raise

    def _is_unknown(self, failure: BaseException | None) -> bool:
        return isinstance(failure, HostUnreachable) and failure.host not in self._answered


def _is_worth_repeating(error: BaseException, repeatable: bool) -> bool:
    match error:
        case PlatformError(final=True):
            return False
        case RateLimited():
            return True
        case ServerError():
            told = error.status == 503 and error.retry_after is not None
            return error.status != 501 and (repeatable or told)
        case HostUnreachable() | RequestTimedOut():
            return repeatable or not error.sent
        case _:
            return False


def _pause(state: RetryCallState) -> float:
    failure = _failure(state)
    asked = failure.retry_after if isinstance(failure, PlatformError) else None
    # The longer one: "Retry-After: 0" over and over must not become a stream of requests.
    return max(asked or 0.0, _BACKOFF(state))


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
