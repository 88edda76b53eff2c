"""Look-ups that come at about the same time share one request, the more so the less the rate limit has left."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.platform.batching import Batcher


@pytest.mark.parametrize(("crowded", "waited"), [(0.5, []), (0.9, []), (0.95, [1.5]), (1.0, [3.0])])
def test_look_ups_wait_longer_for_company_when_hardly_a_request_is_left(crowded: float, waited: list[float]) -> None:
    asked: list[list[str]] = []
    slept: list[float] = []

    async def look_up(ids: list[str]) -> dict[str, str]:
        asked.append(ids)
        return {id: id.upper() for id in ids}

    async def check() -> list[str | None]:
        late: list[asyncio.Task[str | None]] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            late.append(asyncio.create_task(batcher.get("c")))
            await asyncio.sleep(0)

        batcher = Batcher(look_up, window=0.0, crowded=lambda: crowded, sleep=sleep)
        found = await asyncio.gather(batcher.get("a"), batcher.get("b"))
        return [*found, *[await task for task in late]]

    assert asyncio.run(check()) == ["A", "B", *(["C"] if waited else [])]
    assert slept == pytest.approx(waited)
    assert asked == [["a", "b", *(["c"] if waited else [])]]
