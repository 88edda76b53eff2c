"""What our client can ask for is read from its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.reach import Unreadable, asks

MODULE = """\
class Api:
    async def act(self, session, id):
        path = path_of("flows", id, "versions")
        await fetch_pages(numbered(session, path))
        await session.request("POST", self._path(id, "rows"), body={})
        await list_all(session, path_of("users"), User)

    async def act(self, session, id):
        await self._act(session, "publish", id)
        await self._act(session, "unlock", id)

    async def _act(self, session, action, id):
        await session.request("POST", path_of("flows", "actions", action), query={"flow": id})

    def _path(self, *segments):
        return path_of("architect", self.collection, *segments)
"""


def test_paths_are_followed_through_variables_helpers_and_literal_arguments(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text(MODULE, encoding="utf-8")
    assert [(ask.method, ask.path) for ask in asks(tmp_path)] == [
        ("GET", "/api/v2/flows/*/versions"),
        ("GET", "/api/v2/users"),
        ("POST", "/api/v2/architect/*/*/rows"),
        ("POST", "/api/v2/flows/actions/publish"),
        ("POST", "/api/v2/flows/actions/unlock"),
    ]


def test_a_path_that_goes_to_an_unknown_function_is_not_left_out_in_silence(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text(MODULE.replace("list_all", "somehow"), encoding="utf-8")
    with pytest.raises(Unreadable, match=r"api\.py:6"):
        asks(tmp_path)


def test_the_modules_of_our_client_can_be_read() -> None:
    assert {"GET /api/v2/flows", "PUT /api/v2/architect/*/*", "POST /api/v2/users/search"} <= {
        f"{ask.method} {ask.path}" for ask in asks()
    }
