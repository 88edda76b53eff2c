"""Data tables and their rows."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_support import Client, call_flow

PATH = "/flows/datatables"


def table(client: Client, name: str = "Hours") -> Any:
    """A table with a field of each type."""
    properties = {
        "key": {"$id": "/properties/key", "type": "string", "title": "Line", "displayOrder": 0},
        "open": {"$id": "/properties/open", "type": "boolean", "title": "open", "displayOrder": 1},
        "count": {"$id": "/properties/count", "type": "integer", "title": "count", "default": 7, "displayOrder": 2},
        "rate": {"$id": "/properties/rate", "type": "number", "title": "rate", "displayOrder": 3},
        "text": {"$id": "/properties/text", "type": "string", "title": "text", "displayOrder": 4},
    }
    return client.post(PATH, {"name": name, "schema": {"properties": properties}})


def test_rows_are_filled_in_and_checked(client: Client) -> None:
    rows = f"{PATH}/{table(client)['id']}/rows"
    made = client.post(rows, {"key": "Sales", "open": True})
    assert made == {"key": "Sales", "open": True, "count": 7, "rate": 0, "text": ""}
    assert client.get(f"{rows}/Sales") == {"key": "Sales"}
    assert client.get(f"{rows}/Sales", showbrief="false") == made
    assert client.get(rows)["entities"] == [{"key": "Sales"}]
    assert client.get(rows, showbrief="false")["entities"] == [made]
    bad: list[dict[str, Any]] = [
        {"open": True},
        {"key": ""},
        {"key": 1},
        {"key": "B", "open": "yes"},
        {"key": "B", "count": 1.5},
        {"key": "B", "count": True},
        {"key": "B", "colour": "red"},
    ]
    for row in bad:
        assert client.refused("POST", rows, row) == (400, "invalid.value"), row


def test_a_key_is_taken_once(client: Client) -> None:
    rows = f"{PATH}/{table(client)['id']}/rows"
    client.post(rows, {"key": "Sales"})
    assert client.refused("POST", rows, {"key": "Sales"}) == (409, "general.conflict")
    assert client.refused("PUT", f"{rows}/Other", {"key": "Other"}) == (404, "not.found")
    assert client.refused("PUT", f"{rows}/Sales", {"key": "Other"}) == (400, "bad.request")
    assert client.put(f"{rows}/Sales", {"key": "Sales", "count": 1})["count"] == 1
    assert client.call("DELETE", f"{rows}/Sales").status_code == 204
    assert client.refused("DELETE", f"{rows}/Sales") == (404, "not.found")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12))
def test_any_key_survives_the_address(client: Client, key: str) -> None:
    found = client.get(PATH, name="Keys", expand="schema")["entities"]
    rows = f"{PATH}/{(found or [table(client, 'Keys')])[0]['id']}/rows"
    if key in (".", ".."):
        return  # Clients and servers take these for directories, encoded or not.
    client.post(rows, {"key": key, "text": key})
    assert client.get(f"{rows}/{quote(key, safe='')}", showbrief="false")["text"] == key
    assert client.call("DELETE", f"{rows}/{quote(key, safe='')}").status_code == 204


def test_rows_come_in_pages_by_key(client: Client) -> None:
    rows = f"{PATH}/{table(client)['id']}/rows"
    for number in range(5):
        client.post(rows, {"key": f"k{number}"})
    page = client.get(rows, pageSize=2, pageNumber=2)
    assert [row["key"] for row in page["entities"]] == ["k2", "k3"]
    assert (page["total"], page["pageCount"]) == (5, 3)
    assert client.get(rows, sortOrder="desc")["entities"][0] == {"key": "k4"}


def test_fields_can_be_added_and_not_taken_away(client: Client) -> None:
    made = table(client)
    one = f"{PATH}/{made['id']}"
    assert "schema" not in client.get(one)
    full = client.get(one, expand="schema")
    assert full["schema"]["$schema"] == "http://json-schema.org/draft-04/schema#"
    properties = full["schema"]["properties"]
    client.post(f"{one}/rows", {"key": "Sales"})
    more = {**full, "schema": {"properties": {**properties, "new": {"type": "string"}}}}
    assert client.put(one, more)["schema"]["properties"]["new"]
    fewer = {**full, "schema": {"properties": {"key": properties["key"]}}}
    assert client.refused("PUT", one, fewer) == (400, "invalid.value")
    assert client.refused("PUT", one, full) == (400, "invalid.value")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "T"},
        {"name": "T", "schema": {"properties": {}}},
        {"name": "T", "schema": {"properties": {"key": {"type": "integer"}}}},
        {"name": "T", "schema": {"properties": {"key": {"type": "string"}, "x": {"type": "list"}}}},
        {"name": "x" * 257, "schema": {"properties": {"key": {"type": "string"}}}},
    ],
)
def test_a_table_needs_a_sound_schema(client: Client, body: dict[str, Any]) -> None:
    assert client.refused("POST", PATH, body) == (400, "invalid.value")


def test_tables_are_found_by_name_with_wildcards(client: Client) -> None:
    table(client, "Opening Hours")
    table(client, "Hours")
    assert [item["name"] for item in client.get(PATH, name="hours")["entities"]] == ["Hours"]
    assert [item["name"] for item in client.get(PATH, name="*HOURS")["entities"]] == ["Hours", "Opening Hours"]
    assert client.refused("POST", PATH, {"name": "Hours", "schema": {"properties": {"key": {"type": "string"}}}}) == (
        409,
        "general.conflict",
    )


def test_a_table_that_a_flow_reads_goes_only_by_force(client: Client) -> None:
    made = table(client)
    action = """\
          - dataTableLookup:
              name: Look up
              lookupValue:
                lit: x
              dataTable:
                Hours:
                  failureOutputs:
                    errorType:
                      noValue: true
"""
    client.publish(call_flow("Main", action))
    one = f"{PATH}/{made['id']}"
    assert client.refused("DELETE", one) == (409, "architect.dependency.object.in.use.by.flow")
    assert client.call("DELETE", one, force="true").status_code == 204
    assert client.refused("GET", f"{one}/rows") == (404, "not.found")
