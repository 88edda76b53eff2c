"""docs/promotion.md shows `reconciler status` as it is really printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.engine.status import EnvironmentStatus
from reconciler.report.status import status_text

PAGE = Path(__file__).parents[2] / "docs/promotion.md"
NOW = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)


def stands(name: str, commit: str, applied: timedelta, run: int, **more: object) -> EnvironmentStatus:
    told = {"pending": 0, "drift": 0, "errors": 0, "behind": 0, "exit_code": 0} | more
    by = f"Jane Smith (GitHub run {run})"
    return EnvironmentStatus(environment=name, commit=commit, applied_at=NOW - applied, applied_by=by, **told)


def test_the_sample_is_what_is_printed():
    found = [
        stands("dev", "139d5cb0050a", timedelta(hours=2), 8813, pending=1, drift=1),
        stands("prod", "f0f1e4158345", timedelta(days=6), 8702, release="139d5cb0050a", behind=1, pending=4),
        stands("test", "139d5cb0050a", timedelta(hours=2), 8812),
    ]

    printed = "".join(f"{line.plain}\n" for line in status_text(found, NOW))

    assert f"```text\n{printed}```" in PAGE.read_text(encoding="utf-8"), printed
