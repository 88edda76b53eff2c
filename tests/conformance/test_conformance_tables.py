"""Data tables with their rows, and prompts with their resources, with the official SDK."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from flow_driver import doing
from sdk import Sdk, genesys, refused
from support import flow

models = genesys.models
_NUMBERS = count(1)


def schema(**types: str) -> Any:
    """A table's schema with a key and these fields."""
    made = models.JsonSchemaDocument()
    made.type, made.required, made.additional_properties = "object", ["key"], False
    fields = {"key": "string", **types}
    made.properties = {
        name: {"$id": f"/properties/{name}", "type": kind, "title": name, "displayOrder": place}
        for place, (name, kind) in enumerate(fields.items())
    }
    return made


def table(**types: str) -> Any:
    """A data table to create."""
    made = models.DataTable()
    made.name, made.schema = f"Table {next(_NUMBERS)}", schema(**types)
    return made


@pytest.fixture
def opening(sdk: Sdk) -> Any:
    """A table of branches."""
    return sdk.architect.post_flows_datatables(table(City="string", Desks="integer", Rent="number", Open="boolean"))


class TestTables:
    """``/flows/datatables``."""

    def test_a_table_shows_its_schema_only_where_it_is_asked_for(self, sdk, opening):
        api = sdk.architect
        full = api.get_flows_datatable(opening.id, expand="schema")

        assert list(full.schema.properties) == ["key", "City", "Desks", "Rent", "Open"]
        assert full.schema.properties["Desks"]["type"] == "integer"
        assert full.schema.schema == "http://json-schema.org/draft-04/schema#"
        assert (full.schema.required, full.schema.additional_properties) == (["key"], False)
        assert full.division.name == "Home"
        assert api.get_flows_datatable(opening.id).schema is None
        (listed,) = api.get_flows_datatables(name=opening.name).entities
        assert (listed.id, listed.schema) == (opening.id, None)
        (listed,) = api.get_flows_datatables(name=opening.name, expand="schema").entities
        assert listed.schema.to_dict() == full.schema.to_dict()
        assert api.get_flows_datatables_divisionview(opening.id).name == opening.name
        assert api.get_flows_datatables_divisionviews(name=opening.name).total == 1

    def test_a_filter_by_name_takes_asterisks_and_any_case(self, sdk):
        made = table()
        made.name = "Öffnungszeiten Süd"
        sdk.architect.post_flows_datatables(made)
        tables = sdk.architect.get_flows_datatables

        assert [item.name for item in tables(name="öffnung*").entities] == ["Öffnungszeiten Süd"]
        assert [item.name for item in tables(name="*SÜD").entities] == ["Öffnungszeiten Süd"]
        assert tables(name="öffnung").entities == []

    def test_fields_can_be_added_and_nothing_else(self, sdk, opening):
        api = sdk.architect
        changed = api.get_flows_datatable(opening.id, expand="schema")
        changed.schema.properties["Manager"] = {"type": "string"}
        assert "Manager" in api.put_flows_datatable(opening.id, changed, expand="schema").schema.properties

        del changed.schema.properties["City"]
        assert refused(api.put_flows_datatable, opening.id, changed) == (400, "invalid.value")
        changed.schema.properties["City"] = {"type": "integer"}
        assert refused(api.put_flows_datatable, opening.id, changed) == (400, "invalid.value")

    @pytest.mark.parametrize(
        "wrong",
        [
            None,
            {"properties": {}},
            {"properties": {"key": {"type": "integer"}}},
            {"properties": {"key": {"type": "string"}, "Colour": {"type": "colour"}}},
        ],
        ids=["none", "no key", "a key that is no text", "an unknown type"],
    )
    def test_a_table_needs_a_proper_schema(self, sdk, wrong):
        made = {"name": f"Wrong {next(_NUMBERS)}", "schema": wrong}
        assert refused(sdk.architect.post_flows_datatables, made) == (400, "invalid.value")

    def test_a_name_is_taken_once_and_has_256_characters(self, sdk, opening):
        again, long = table(), table()
        again.name, long.name = opening.name, "L" * 257

        assert refused(sdk.architect.post_flows_datatables, again) == (409, "general.conflict")
        assert refused(sdk.architect.post_flows_datatables, long) == (400, "invalid.value")

    def test_a_table_in_use_goes_only_by_force(self, sdk):
        api = sdk.architect
        made = table(City="string")
        made = api.post_flows_datatables(made)
        looks_up = {"name": "Look up", "lookupValue": {"lit": "x"}, "dataTable": {made.name: {}}}
        sdk.publish(doing(f"Looks something up in {made.name}", {"dataTableLookup": looks_up}))

        in_use = (409, "architect.dependency.object.in.use.by.flow")
        assert refused(api.delete_flows_datatable, made.id) == in_use
        assert api.delete_flows_datatable(made.id, force=True) is None
        assert refused(api.get_flows_datatable, made.id) == (404, "not.found")


class TestRows:
    """``/flows/datatables/{id}/rows``."""

    def test_a_row_is_completed_with_what_its_fields_default_to(self, sdk, opening):
        made = sdk.architect.post_flows_datatable_rows(opening.id, {"key": "Aarhus", "Desks": 4})

        assert made == {"key": "Aarhus", "City": "", "Desks": 4, "Rent": 0, "Open": False}

    def test_a_row_is_read_by_its_key_alone_or_whole(self, sdk, opening):
        sdk.architect.post_flows_datatable_rows(opening.id, {"key": "Odense", "Open": True})
        row = sdk.architect.get_flows_datatable_row

        assert row(opening.id, "Odense") == {"key": "Odense"}
        assert row(opening.id, "Odense", showbrief=False)["Open"] is True
        assert sdk.architect.get_flows_datatable_rows(opening.id).entities == [{"key": "Odense"}]
        assert sdk.architect.get_flows_datatable_rows(opening.id, showbrief=False).entities[0]["Desks"] == 0

    @pytest.mark.parametrize(
        "key", ["plain", "with blank", "a/b", "50%", "æøå", "q?x=1&y", "#1", "+4570101010", "a;b", "..a", "日本"]
    )
    def test_any_key_leads_to_its_row(self, sdk, opening, key):
        api = sdk.architect
        api.post_flows_datatable_rows(opening.id, {"key": key, "City": "Before"})

        api.put_flows_datatable_row(opening.id, key, body={"key": key, "City": "After"})

        assert api.get_flows_datatable_row(opening.id, key, showbrief=False)["City"] == "After"
        assert api.delete_flows_datatable_row(opening.id, key) is None
        assert refused(api.get_flows_datatable_row, opening.id, key) == (404, "not.found")

    def test_an_update_replaces_the_whole_row(self, sdk, opening):
        sdk.architect.post_flows_datatable_rows(opening.id, {"key": "Ribe", "City": "Ribe", "Desks": 9})

        after = sdk.architect.put_flows_datatable_row(opening.id, "Ribe", body={"key": "Ribe", "Desks": 2})

        assert after == {"key": "Ribe", "City": "", "Desks": 2, "Rent": 0, "Open": False}

    def test_a_key_is_taken_once(self, sdk, opening):
        sdk.architect.post_flows_datatable_rows(opening.id, {"key": "Vejle"})

        again = refused(sdk.architect.post_flows_datatable_rows, opening.id, {"key": "Vejle"})
        assert again == (409, "general.conflict")

    @pytest.mark.parametrize(
        "row",
        [
            {"City": "no key"},
            {"key": ""},
            {"key": 5},
            {"key": "x", "Colour": "red"},
            {"key": "x", "Desks": "four"},
            {"key": "x", "Desks": 4.5},
            {"key": "x", "Desks": True},
            {"key": "x", "Open": "yes"},
            {"key": "x", "City": None},
        ],
    )
    def test_a_row_that_does_not_fit_the_schema_is_refused(self, sdk, opening, row):
        assert refused(sdk.architect.post_flows_datatable_rows, opening.id, row) == (400, "invalid.value")
        assert sdk.architect.get_flows_datatable_rows(opening.id).total == 0

    def test_a_row_keeps_its_key(self, sdk, opening):
        api = sdk.architect
        api.post_flows_datatable_rows(opening.id, {"key": "Old"})
        answer = refused(api.put_flows_datatable_row, opening.id, "Old", body={"key": "New"})
        assert answer == (400, "bad.request")
        assert refused(api.put_flows_datatable_row, opening.id, "None", body={"key": "None"}) == (404, "not.found")
        assert refused(api.get_flows_datatable_rows, "no table") == (404, "not.found")

    def test_rows_come_in_the_order_of_their_keys(self, sdk, opening):
        for key in ("b", "a", "c"):
            sdk.architect.post_flows_datatable_rows(opening.id, {"key": key})
        rows = sdk.architect.get_flows_datatable_rows

        assert [row["key"] for row in rows(opening.id).entities] == ["a", "b", "c"]
        assert [row["key"] for row in rows(opening.id, sort_order="descending").entities] == ["c", "b", "a"]


def prompt(sdk: Sdk, **fields: Any) -> Any:
    """A new prompt."""
    wanted = models.Prompt()
    wanted.name = f"Prompt_{next(_NUMBERS)}"
    for name, value in fields.items():
        setattr(wanted, name, value)
    return sdk.architect.post_architect_prompts(wanted)


def spoken(language: str, text: str) -> Any:
    """A resource that is spoken text."""
    made = models.PromptAssetCreate()
    made.language, made.tts_string, made.text, made.tags = language, text, text, {"filename": ["hello.wav"]}
    return made


class TestPrompts:
    """``/architect/prompts``."""

    def test_a_prompt_speaks_several_languages(self, sdk):
        api = sdk.architect
        made = prompt(sdk, description="Greets")
        api.post_architect_prompt_resources(made.id, spoken("en-us", "Hello."))
        danish = api.post_architect_prompt_resources(made.id, spoken("da-dk", "Goddag."))

        assert (danish.id, danish.prompt_id, danish.tts_string) == ("da-dk", made.id, "Goddag.")
        assert danish.tags == {"filename": ["hello.wav"]}
        assert danish.upload_status == "created"
        read = api.get_architect_prompt(made.id)
        assert (read.description, read.division.name) == ("Greets", "Home")
        assert {item.language: item.tts_string for item in read.resources} == {"en-us": "Hello.", "da-dk": "Goddag."}
        assert api.get_architect_prompt(made.id, include_resources=False).resources is None
        assert api.get_architect_prompt_resources(made.id).total == 2
        assert api.get_architect_prompt_resource(made.id, "da-dk").text == "Goddag."

    def test_the_resources_of_a_prompt_can_be_limited_to_languages(self, sdk):
        made = prompt(sdk)
        for language in ("en-us", "da-dk", "de-de"):
            sdk.architect.post_architect_prompt_resources(made.id, spoken(language, "…"))

        read = sdk.architect.get_architect_prompt(made.id, language=["da-dk", "de-de"])
        (listed,) = sdk.architect.get_architect_prompts(name=[made.name], language=["en-us"]).entities

        assert {item.language for item in read.resources} == {"da-dk", "de-de"}
        assert {item.language for item in listed.resources} == {"en-us"}

    def test_a_resource_is_spoken_anew_and_taken_away(self, sdk):
        api, made = sdk.architect, prompt(sdk)
        api.post_architect_prompt_resources(made.id, spoken("en-us", "Hello."))
        changed = models.PromptAsset()
        changed.tts_string = "Good morning."

        assert api.put_architect_prompt_resource(made.id, "en-us", changed).tts_string == "Good morning."

        api.delete_architect_prompt_resource(made.id, "en-us")
        assert refused(api.get_architect_prompt_resource, made.id, "en-us") == (404, "not.found")
        assert refused(api.put_architect_prompt_resource, made.id, "en-us", changed) == (404, "not.found")

    def test_a_language_is_taken_once_and_needed(self, sdk):
        made = prompt(sdk)
        sdk.architect.post_architect_prompt_resources(made.id, spoken("en-us", "Hello."))
        add = sdk.architect.post_architect_prompt_resources

        assert refused(add, made.id, spoken("en-us", "Hi.")) == (409, "general.conflict")
        assert refused(add, made.id, {"ttsString": "Hi."}) == (400, "invalid.value")

    @pytest.mark.parametrize("name", ["", "two words", "_first", "a-b", "L" * 201])
    def test_a_prompt_needs_a_proper_name(self, sdk, name):
        assert refused(sdk.architect.post_architect_prompts, {"name": name}) == (400, "invalid.value")

    def test_a_prompt_is_renamed_but_not_to_a_name_that_is_taken(self, sdk):
        api, first, second = sdk.architect, prompt(sdk), prompt(sdk)
        first.name = f"Renamed_{next(_NUMBERS)}"
        first.resources = None

        assert api.put_architect_prompt(first.id, first).name == first.name
        first.name = second.name
        assert refused(api.put_architect_prompt, first.id, first) == (409, "general.conflict")

    def test_a_prompt_with_resources_goes_only_with_all_of_them(self, sdk):
        api, made = sdk.architect, prompt(sdk)
        api.post_architect_prompt_resources(made.id, spoken("en-us", "Hello."))

        assert refused(api.delete_architect_prompt, made.id) == (409, "architect.prompt.has.resources")
        assert api.delete_architect_prompt(made.id, all_resources=True) is None
        assert refused(api.get_architect_prompt, made.id) == (404, "not.found")

    def test_a_prompt_in_use_stays(self, sdk):
        made = prompt(sdk)
        sdk.publish(flow(f"Plays {made.name}").replace("tts: Hello.", f"exp: Prompt.{made.name}"))

        in_use = (409, "architect.dependency.object.in.use.by.flow")
        assert refused(sdk.architect.delete_architect_prompt, made.id, all_resources=True) == in_use
