"""Data tables and their rows."""

import httpx
import pytest
from platform_support import Org, ok, page, problem

from reconciler.platform import BadRequest, Conflict, MalformedResponse, NotFound

TABLES = "/api/v2/flows/datatables"
ROWS = f"{TABLES}/t/rows"


def test_a_table_is_found_by_its_exact_name() -> None:
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"key": {}}}
    tables = [{"id": "1", "name": "reconciler"}, {"id": "2", "name": "Reconciler", "schema": schema}]
    org = Org().on(f"GET {TABLES}", page(tables))
    found = org.run(lambda platform: platform.data_tables.find("Reconciler"))
    assert found is not None
    assert (found.id, found.table_schema) == ("2", schema)
    assert dict(org.requests(f"GET {TABLES}")[0].url.params) == {
        "name": "Reconciler",
        "expand": "schema",
        "pageSize": "100",
        "pageNumber": "1",
    }
    assert org.run(lambda platform: platform.data_tables.find("Other")) is None


def test_a_table_is_made_with_its_schema() -> None:
    org = Org().on(f"POST {TABLES}", ok({"id": "t", "name": "Ledger"}))
    org.run(lambda platform: platform.data_tables.create("Ledger", "Ours", {"type": "object"}))
    assert org.bodies(f"POST {TABLES}") == [{"name": "Ledger", "description": "Ours", "schema": {"type": "object"}}]


def test_rows_come_with_all_their_fields() -> None:
    org = Org().on(f"GET {ROWS}", page([{"key": "a", "n": 1, "ok": True}, {"key": "b", "n": 2, "ok": False}]))
    assert org.run(lambda platform: platform.data_tables.rows("t")) == [
        {"key": "a", "n": 1, "ok": True},
        {"key": "b", "n": 2, "ok": False},
    ]
    assert org.requests(f"GET {ROWS}")[0].url.params["showbrief"] == "false"


def test_rows_come_by_smaller_pages_where_large_ones_are_refused() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        too_large = int(request.url.params["pageSize"]) > 100
        return problem(400, "invalid.query.param.value", "pageSize") if too_large else page([{"key": "a"}])

    org = Org().on(f"GET {ROWS}", answer)
    assert org.run(lambda platform: platform.data_tables.rows("t")) == [{"key": "a"}]


def test_a_missing_row_is_none() -> None:
    org = Org().on(f"GET {ROWS}/x", problem(404, "flows.datatables.row.not.found"))
    assert org.run(lambda platform: platform.data_tables.row("t", "x")) is None


@pytest.mark.parametrize("body", [[], {"no": "key"}, {"key": 1}, None])
def test_a_row_without_a_key_is_malformed(body: object) -> None:
    with pytest.raises(MalformedResponse):
        Org().on(f"GET {ROWS}/x", ok(body)).run(lambda platform: platform.data_tables.row("t", "x"))


@pytest.mark.parametrize("refusal", [problem(409, "general.conflict"), problem(400, "flows.datatables.syntax.error")])
def test_a_key_that_exists_is_a_conflict_however_the_org_says_it(refusal: httpx.Response) -> None:
    org = Org().on(f"POST {ROWS}", refusal).on(f"GET {ROWS}/~lock", ok({"key": "~lock"}))
    with pytest.raises(Conflict):
        org.run(lambda platform: platform.data_tables.create_row("t", {"key": "~lock"}))


def test_another_refusal_of_a_row_stays_one() -> None:
    org = Org().on(f"POST {ROWS}", problem(400, "flows.datatables.syntax.error", "unknown field"))
    with pytest.raises(BadRequest, match="unknown field"):
        org.run(lambda platform: platform.data_tables.create_row("t", {"key": "a", "x": 1}))


def test_a_new_row_is_never_sent_twice_after_a_lost_answer() -> None:
    org = Org().on(f"POST {ROWS}", httpx.ReadError("cut"))
    with pytest.raises(Exception, match="broke"):
        org.run(lambda platform: platform.data_tables.create_row("t", {"key": "~lock"}))
    assert len(org.requests(f"POST {ROWS}")) == 1


def test_rows_are_replaced_and_deleted_by_encoded_keys() -> None:
    org = Org().on(f"PUT {ROWS}/ivr%2FSales%20Line", ok({"key": "ivr/Sales Line"}))
    org.on(f"DELETE {ROWS}/ivr%2FSales%20Line", httpx.Response(204), problem(404))

    async def work(platform: object) -> None:
        tables = platform.data_tables  # type: ignore[attr-defined]
        assert await tables.update_row("t", "ivr/Sales Line", {"key": "ivr/Sales Line"}) == {"key": "ivr/Sales Line"}
        await tables.delete_row("t", "ivr/Sales Line")
        await tables.delete_row("t", "ivr/Sales Line")

    org.run(work)
    assert len(org.requests(f"DELETE {ROWS}/ivr%2FSales%20Line")) == 2


def test_replacing_a_missing_row_is_an_error() -> None:
    with pytest.raises(NotFound):
        Org().run(lambda platform: platform.data_tables.update_row("t", "x", {"key": "x"}))
