"""Deploy, export and validate jobs with the official SDK."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from flow_driver import new_flow, transferring
from sdk import Sdk, another, genesys, refused
from support import flow, module

from reconciler.archy.yaml import load


def registered(sdk: Sdk) -> Any:
    """A deploy job that waits for its file."""
    return sdk.architect.post_flows_jobs()


def messages(state: Any) -> list[str]:
    """What a job says."""
    return [message.text for message in state.messages]


def failed(sdk: Sdk, text: str) -> list[str]:
    """The messages of a deploy job that must fail, as errors."""
    state = sdk.deploy(text)
    assert state.status == "Failure"
    assert state.flow is None
    assert {message.type for message in state.messages} == {"Error"}
    for message in state.messages:
        assert abs(datetime.now(UTC) - message.date_time) < timedelta(minutes=1)
    return messages(state)


def exported(sdk: Sdk, *flows: dict[str, Any]) -> bytes:
    """What an export job of these entries has to download."""
    job = sdk.architect.post_flows_export_jobs({"flows": list(flows)})
    assert (job.status, job.total_flows) == ("Registered", len(flows))
    state = sdk.architect.get_flows_export_job(job.id, expand=["messages"])
    assert (state.status, state.command, state.messages) == ("Success", "Export", [])
    # The address is called as it was given, without a token.
    return sdk.admin.get(state.download_url).raise_for_status().content


class TestDeploy:
    """``POST /flows/jobs``, the upload, and what becomes of it."""

    def test_a_flow_is_made_and_published_by_its_file(self, sdk):
        job = registered(sdk)
        assert sdk.architect.get_flows_job(job.id).status == "Registered"

        answer = sdk.admin.put(job.presigned_url, headers=job.headers, content=flow("Deployed").encode())

        assert answer.status_code == 200  # The Terraform provider takes no other (facts §4).
        state = sdk.architect.get_flows_job(job.id, expand=["messages"])
        assert (state.id, state.status, state.command, state.messages) == (job.id, "Success", "Publish", [])
        assert sdk.architect.get_flow(state.flow.id).name == "Deployed"
        assert sdk.architect.get_flow(state.flow.id).published_version.id == "1.0"

    def test_messages_come_only_where_they_are_asked_for(self, sdk):
        job = sdk.upload("inboundCall: {name: X}")

        assert sdk.architect.get_flows_job(job).messages is None
        assert sdk.architect.get_flows_job(job, expand=["messages"]).messages

    def test_the_same_file_twice_makes_two_versions(self, sdk):
        flow_id = sdk.publish(flow("Twice"))

        assert sdk.publish(flow("Twice")) == flow_id
        assert sdk.architect.get_flow(flow_id).published_version.id == "2.0"

    def test_a_flow_is_known_by_its_name_and_its_type(self, sdk):
        assert sdk.publish(flow("Namesake")) != sdk.publish(module("Namesake"))

    def test_a_job_is_started_while_it_runs_and_nobody_sees_its_effect_yet(self, alone):
        alone.settings(job_seconds=0.3)

        job = alone.upload(flow("Runs"))

        state = alone.architect.get_flows_job(job, expand=["messages"])
        assert (state.status, state.messages) == ("Started", [])
        assert alone.architect.get_flows(name="Runs").entities == []
        for _attempt in range(50):
            state = alone.architect.get_flows_job(job)
            if state.status != "Started":
                break
            time.sleep(0.05)
        assert state.status == "Success"
        assert alone.architect.get_flow(state.flow.id).published_version.id == "1.0"

    def test_an_upload_without_the_headers_of_the_job_is_refused_and_can_be_made_good(self, sdk):
        job = registered(sdk)

        assert sdk.admin.put(job.presigned_url, content=b"x").status_code == 403
        assert sdk.architect.get_flows_job(job.id).status == "Registered"

        sdk.admin.put(job.presigned_url, headers=job.headers, content=flow("Made good").encode()).raise_for_status()
        assert sdk.architect.get_flows_job(job.id).status == "Success"

    def test_an_upload_to_an_address_that_was_tampered_with_is_refused(self, sdk):
        job = registered(sdk)

        answer = sdk.admin.put(f"{job.presigned_url}x", headers=job.headers, content=flow("Forged").encode())

        assert answer.status_code == 403
        assert sdk.architect.get_flows(name="Forged").entities == []

    def test_a_repeated_upload_does_nothing_more(self, sdk):
        job = registered(sdk)
        for says in ("First.", "Second."):
            content = flow("Repeated", says=says).encode()
            sdk.admin.put(job.presigned_url, headers=job.headers, content=content).raise_for_status()

        flow_id = sdk.architect.get_flows_job(job.id).flow.id

        assert sdk.architect.get_flow_versions(flow_id).total == 1

    def test_stubs_are_made_for_flows_that_are_not_there_yet(self, sdk):
        assert any("Late" in message for message in failed(sdk, transferring("Early", "Late")))

        state = sdk.deploy(transferring("Early", "Late"), create_stubs=True)

        assert state.status == "Success"
        stub = sdk.architect.get_flows(name="Late").entities[0]
        assert (stub.type, stub.active) == ("INBOUNDCALL", True)

    def test_two_flows_that_transfer_to_each_other_come_up_through_a_stub(self, sdk):
        first = sdk.deploy(transferring("Ping", "Pong"), create_stubs=True)
        second = sdk.deploy(transferring("Pong", "Ping"))

        assert (first.status, second.status) == ("Success", "Success")
        assert sdk.architect.get_flow(second.flow.id).published_version.id == "2.0"

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            pytest.param("", "empty", id="an empty upload"),
            pytest.param("inboundCall: [", "The YAML cannot be read", id="no YAML"),
            pytest.param("pizza: {name: X}", "'pizza' is not a flow type", id="an unknown type"),
            pytest.param(flow("One") + "---\n" + flow("Two"), "exactly one flow", id="two flows in a file"),
            pytest.param(flow("a/b"), "must not contain '/'", id="a slash in the name"),
            pytest.param(flow("X-debug"), "must not end with '-debug'", id="a reserved ending"),
            pytest.param(flow("'…'"), "at least one letter or digit", id="no letter in the name"),
            pytest.param(flow("L" * 201), "at most 200", id="a long name"),
            pytest.param(flow("Calls", modules=("Nowhere",)), "Nowhere", id="a module that is not there"),
            pytest.param(transferring("X", "Nowhere"), "Nowhere", id="a flow that is not there"),
            pytest.param(flow("Lost").replace("task[Main_10]", "task[Gone]"), "Gone", id="a jump to nowhere"),
        ],
    )
    def test_a_file_that_cannot_be_published_fails_its_job_and_says_why(self, sdk, text, says):
        before = sdk.architect.get_flows().total

        assert any(says in message for message in failed(sdk, text))

        assert sdk.architect.get_flows().total == before

    def test_a_flow_held_by_another_fails_the_job_in_archys_words(self, sdk):
        flow_id = sdk.publish(flow("Held"))
        colleague = another(sdk, name="Colleague")
        colleague.architect.post_flows_actions_checkout(flow_id)

        (text,) = failed(sdk, flow("Held", says="Again."))

        assert text.startswith("The flow 'Held' (type: 'inboundcall') is locked by another entity.")
        assert "--forceUnlock" in text
        assert sdk.architect.get_flow(flow_id).published_version.id == "1.0"
        assert colleague.deploy(flow("Held", says="Mine.")).status == "Success"
        colleague.close()

    def test_a_job_that_nobody_registered_is_not_found(self, sdk):
        assert refused(sdk.architect.get_flows_job, "nothing") == (404, "not.found")


class TestExport:
    """``POST /flows/export/jobs`` and what is downloaded."""

    def test_one_flow_comes_as_yaml_that_can_be_deployed_as_it_stands(self, sdk):
        flow_id = sdk.publish(flow("Exported", says="Good morning."))

        text = exported(sdk, {"flow": {"id": flow_id}}).decode()

        body = load(text)["inboundCall"]
        assert (body["name"], body["initialGreeting"]["tts"]) == ("Exported", "Good morning.")
        assert sdk.publish(text) == flow_id

    def test_a_flow_is_exported_by_name_and_type_with_the_models_of_the_sdk(self, sdk):
        sdk.publish(flow("By name"))
        models = genesys.models
        reference, details, wanted = (
            models.ArchitectFlowReference(),
            models.ExportDetails(),
            models.RegisterArchitectExportJob(),
        )
        reference.name, reference.type = "By name", "INBOUNDCALL"
        details.flow, details.file_name, details.export_type = reference, "mine", "Yaml"
        wanted.flows = [details]

        job = sdk.architect.post_flows_export_jobs(wanted)

        answer = sdk.admin.get(sdk.architect.get_flows_export_job(job.id).download_url)
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''mine.yaml"
        assert load(answer.text)["inboundCall"]["name"] == "By name"

    @pytest.mark.parametrize(
        ("version", "says"), [("1.0", "First."), ("2.0", "Second."), ("published", "Second."), (None, "Draft.")]
    )
    def test_the_version_asked_for_is_exported_and_the_draft_where_none_is(self, sdk, version, says):
        name = f"Versions {version}"
        flow_id = sdk.publish(flow(name, says="First."))
        sdk.publish(flow(name, says="Second."))
        sdk.architect.post_flows_actions_checkout(flow_id)
        sdk.architect.post_flow_versions(flow_id, load(flow(name, says="Draft.")))

        text = exported(sdk, {"flow": {"id": flow_id, **({"version": version} if version else {})}}).decode()

        assert load(text)["inboundCall"]["initialGreeting"]["tts"] == says

    def test_several_flows_come_in_one_zip_each_under_a_name_of_its_own(self, sdk):
        first, second = sdk.publish(flow("Zipped one")), sdk.publish(flow("Zipped two"))

        content = exported(
            sdk,
            {"flow": {"id": first}, "fileName": "same"},
            {"flow": {"id": second}, "fileName": "same"},
            {"flow": {"id": second}},
        )

        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {load(archive.read(name).decode())["inboundCall"]["name"] for name in archive.namelist()}
            assert archive.namelist() == ["same.yaml", "same (2).yaml", "Zipped two_v1-0.yaml"]
        assert names == {"Zipped one", "Zipped two"}

    def test_the_architect_type_is_base64_of_quoted_json(self, sdk):
        flow_id = sdk.publish(flow("Native", says="Æbler & pærer."))

        content = exported(sdk, {"flow": {"id": flow_id}, "exportType": "Architect"})

        native = json.loads(unquote(base64.b64decode(content).decode()))
        assert native["inboundCall"]["initialGreeting"]["tts"] == "Æbler & pærer."

    def test_an_export_is_started_while_it_runs_and_has_no_address_yet(self, alone):
        flow_id = alone.publish(flow("Slow"))
        alone.settings(export_seconds=0.3)
        job = alone.architect.post_flows_export_jobs({"flows": [{"flow": {"id": flow_id}}]})

        state = alone.architect.get_flows_export_job(job.id)

        assert (state.status, state.download_url) == ("Started", None)
        time.sleep(0.35)
        state = alone.architect.get_flows_export_job(job.id)
        assert state.status == "Success"
        assert alone.admin.get(state.download_url).status_code == 200

    @pytest.mark.parametrize(
        ("reference", "says"),
        [
            ({"id": "nothing"}, "could not find the flow with id 'nothing'; exit code: 107"),
            ({"name": "Nobody", "type": "inboundcall"}, "could not find the flow with name 'Nobody'; exit code: 107"),
        ],
    )
    def test_a_flow_that_is_not_there_fails_the_export_in_archys_words(self, sdk, reference, says):
        job = sdk.architect.post_flows_export_jobs({"flows": [{"flow": reference}]})

        state = sdk.architect.get_flows_export_job(job.id, expand=["messages"])

        assert (state.status, state.download_url, messages(state)) == ("Failure", None, [says])

    def test_a_flow_without_content_and_a_version_that_is_not_there_fail_it_too(self, sdk):
        empty, flow_id = new_flow(sdk), sdk.publish(flow("Has one version"))
        for reference in ({"id": empty}, {"id": flow_id, "version": "7.0"}):
            job = sdk.architect.post_flows_export_jobs({"flows": [{"flow": reference}]})
            assert sdk.architect.get_flows_export_job(job.id).status == "Failure"

    def test_a_dropped_draft_cannot_be_exported(self, sdk):
        flow_id = sdk.publish(flow("Had a draft"))
        sdk.architect.post_flows_actions_checkout(flow_id)
        draft = sdk.architect.post_flow_versions(flow_id, load(flow("Had a draft", says="Draft.")))
        sdk.architect.post_flows_actions_revert(flow_id)

        job = sdk.architect.post_flows_export_jobs({"flows": [{"flow": {"id": flow_id, "version": draft.id}}]})

        assert sdk.architect.get_flows_export_job(job.id).status == "Failure"

    def test_a_download_needs_the_signature_of_its_address(self, sdk):
        flow_id = sdk.publish(flow("Signed"))
        job = sdk.architect.post_flows_export_jobs({"flows": [{"flow": {"id": flow_id}}]})

        address = sdk.architect.get_flows_export_job(job.id).download_url

        assert sdk.admin.get(address.partition("?")[0]).status_code == 403
        assert sdk.admin.get(f"{address}x").status_code == 403

    @pytest.mark.parametrize(
        "body", [{}, {"flows": []}, {"flows": ["x"]}, {"flows": [{}]}, {"flows": [{"flow": {}, "exportType": "Pdf"}]}]
    )
    def test_a_request_without_proper_flows_is_refused(self, sdk, body):
        assert refused(sdk.architect.post_flows_export_jobs, body) == (400, "bad.request")


class TestValidate:
    """``POST /flows/validate/jobs``, a preview API."""

    def test_a_sound_flow_is_valid(self, sdk):
        flow_id = sdk.publish(flow("Sound"))

        job = sdk.architect.post_flows_validate_jobs({"flows": [{"flow": {"id": flow_id}}]})

        assert job.total_flows == 1
        state = sdk.architect.get_flows_validate_job(job.id, expand=["messages"])
        assert (state.status, state.command, state.messages) == ("Success", "Validate", [])

    def test_a_flow_whose_module_is_gone_is_not(self, sdk):
        module_id = sdk.publish(module("Goes"))
        flow_id = sdk.publish(flow("Stays", modules=("Goes",)))
        sdk.architect.put_flow(module_id, {"name": "Went"})
        # Renamed, it is still the one meant.
        job = sdk.architect.post_flows_validate_jobs({"flows": [{"flow": {"id": flow_id}}]})
        assert sdk.architect.get_flows_validate_job(job.id).status == "Success"

        sdk.architect.post_flows_actions_deactivate(module_id)

        job = sdk.architect.post_flows_validate_jobs({"flows": [{"flow": {"id": flow_id}}]})
        state = sdk.architect.get_flows_validate_job(job.id, expand=["messages"])
        assert state.status == "Failure"
        assert all(message.startswith("Stays: ") for message in messages(state))
        assert any("Went" in message for message in messages(state))
