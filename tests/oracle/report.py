"""A verdict in words."""

from __future__ import annotations

from collections.abc import Iterator

from oracle.verdict import Verdict

TESTS_SHOWN = 3
DOES = {"client": "our client sent", "sandbox": "the sandbox answered", "reader": "our client reads"}


def summary(verdict: Verdict, *, whole: bool) -> str:
    """One line of figures."""
    sent = sum(tally.exchanges for (by, _), tally in verdict.tallies.items() if by == "client")
    failing = len(verdict.failing(whole=whole))
    return (
        f"{verdict.exchanges} exchanges checked against the SDK ({sent} requests of our client, "
        f"{verdict.exchanges - sent} answers of the sandbox): {verdict.operations} operations, "
        f"{verdict.fields} fields and {verdict.read} more that our client reads, {failing} deviations, "
        f"{len(verdict.excepted)} exceptions in use"
    )


def problems(verdict: Verdict, *, whole: bool) -> Iterator[str]:
    """What makes a run fail; after a part of the tests nothing can be said of what is missing."""
    for deviation, tests in sorted(verdict.failing(whole=whole).items(), key=lambda item: str(item[0])):
        yield deviation.operation
        yield f"    {deviation.place}: expected {deviation.expected}; {DOES[deviation.by]} {deviation.found}"
        for test, times in tests.most_common(TESTS_SHOWN):
            yield f"    in {test or 'no test'} ({times} times)"
        if len(tests) > TESTS_SHOWN:
            yield f"    and in {len(tests) - TESTS_SHOWN} more tests"
    if whole:
        for one in verdict.stale:
            yield f"exception without use: {one.by}, {one.operation}, {one.place}: delete it"
        for ask in verdict.never_sent:
            yield f"never sent by any test: {ask.method} {ask.path} of reconciler/platform/{ask.place}"


def full(verdict: Verdict) -> Iterator[str]:
    """All operations, with what was seen of each."""
    yield f"{'exchanges':>9}  {'fields seen/known':>17}  operation"
    for by, title in (("client", "requests of our client"), ("sandbox", "answers of the sandbox")):
        yield title
        for (one, operation), tally in sorted(verdict.tallies.items(), key=lambda item: item[0][1]):
            if one == by:
                seen = f"{len(tally.fields)}/{len(tally.known | tally.fields)}"
                yield f"{tally.exchanges:>9}  {seen:>17}  {operation}"
    yield "exceptions in use"
    for exception, times in verdict.excepted.items():
        yield f"{times:>9}  {exception.by}: {exception.operation}, {exception.place}: {exception.evidence}"
