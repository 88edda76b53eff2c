"""Export jobs: register, poll, download (facts §3.3; SDK ``RegisterArchitectExportJob``,
``ArchitectExportJobStateResponse``)."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any
from urllib.parse import quote

from reconciler.archy.yaml import load
from reconciler.sandbox import exports, faults, flow_jobs, flow_store
from reconciler.sandbox.call import API, Call, Endpoint, Reply
from reconciler.sandbox.errors import bad_request, not_found
from reconciler.sandbox.flow_shapes import FLOWS
from reconciler.sandbox.flow_store import Flow
from reconciler.sandbox.wire import without_none

EXPORT = "export"
EXPORT_TYPES = ("Yaml", "Architect")


def register(call: Call) -> dict[str, Any]:
    """``POST /flows/export/jobs {flows: [{flow: {id | name, type, version?}, fileName?, exportType?}]}``."""
    wanted = wanted_flows(call)
    files: list[dict[str, Any]] = []
    problems: list[str] = []
    for item in wanted:
        entry, problem = find_version(call, item)
        if entry is not None:
            files.append(entry)
        if problem is not None:
            problems.append(problem)
    job_id, _signature = flow_jobs.add_job(call, EXPORT, {"files": files})
    outcome: tuple[str, list[str] | None] = ("Failure" if problems else "Success", problems or [])
    done = call.now + call.settings.export_seconds
    fault = faults.take_export_fault(call.db, [entry["flow"] for entry in files])
    if fault is not None:
        outcome = (fault.status, fault.messages)
        done = flow_jobs.NEVER if fault.status == "Started" else done
    flow_jobs.finish(call, job_id, *outcome, done=done)
    return {
        "id": job_id,
        "status": "Registered",
        "totalFlows": len(wanted),
        "selfUri": f"{FLOWS}/export/jobs/{job_id}",
    }


def wanted_flows(call: Call) -> list[dict[str, Any]]:
    """The entries of a request's ``flows``; raises 400."""
    wanted = call.object().get("flows")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, dict) for item in wanted):
        raise bad_request("The field 'flows' is required and must be a list of objects.")
    return wanted


def find_version(call: Call, item: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
    """What one entry of a request means, ``{flow, version, name, type}``, or what is wrong with it."""
    reference = item.get("flow")
    if not isinstance(reference, dict):
        raise bad_request("Each entry of 'flows' must hold a 'flow'.")
    export_type = item.get("exportType") or "Yaml"
    if export_type not in EXPORT_TYPES:
        raise bad_request(f"The field 'exportType' must be one of {', '.join(EXPORT_TYPES)}.")
    flow = _flow(call, reference)
    if flow is None:
        named = f"id '{reference['id']}'" if reference.get("id") else f"name '{reference.get('name')}'"
        return None, f"could not find the flow with {named}; exit code: 107"
    number = _number(flow, reference.get("version"))
    version = flow_store.version_of(call.db, flow.id, number) if number is not None else None
    if number is None or version is None or not exports.is_there(flow, version):
        return None, f"could not find the version '{reference.get('version')}' of the flow '{flow.name}'"
    name = item.get("fileName") or f"{flow.name}_v{number}-0"
    return {"flow": flow.id, "version": number, "name": str(name), "type": export_type}, None


def _flow(call: Call, reference: dict[str, Any]) -> Flow | None:
    if reference.get("id"):
        flow = flow_store.get(call.db, str(reference["id"]), call.now)
        return None if flow is None or flow.deleted else flow
    flow_type = str(reference.get("type") or "").upper()
    return flow_store.find(call.db, str(reference.get("name")), [flow_type] if flow_type else [], call.now)


def _number(flow: Flow, version: Any) -> int | None:
    """The number that a reference's ``version`` means: a number, ``published``, or the latest."""
    if version is None or version == "":
        return exports.latest_version(flow)
    if str(version).lower() == "published":
        return flow.published_version
    return flow_store.version_number(str(version))


def show(call: Call) -> dict[str, Any]:
    """``GET /flows/export/jobs/{id}?expand=messages``; ``downloadUrl`` once it is done."""
    job = flow_jobs.job_of(call, EXPORT, call.params["jobId"])
    status = flow_jobs.seen_status(job, call.now)
    address = f"{call.base_url}/downloads/flows/export/jobs/{job['id']}?signature={job['signature']}"
    return without_none(
        {
            "id": job["id"],
            "status": status,
            "command": "Export",
            "downloadUrl": address if status == "Success" else None,
            "selfUri": f"{FLOWS}/export/jobs/{job['id']}",
        }
    ) | flow_jobs.seen_messages(call, job, status)


def download(call: Call) -> Reply:
    """``GET`` of a job's download address: the file, or a zip of several."""
    job = flow_jobs.job_of(call, EXPORT, call.params["jobId"])
    flow_jobs.check_signature(call, job)
    if flow_jobs.seen_status(job, call.now) != "Success":
        raise not_found("The export is not done.")
    files = _contents(call, json.loads(job["request"])["files"])
    if len(files) == 1:
        ((name, content),) = files.items()
        disposition = f"attachment; filename*=UTF-8''{quote(name)}"
        return Reply(
            content=content, media_type="application/octet-stream", headers={"Content-Disposition": disposition}
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Reply(content=packed.getvalue(), media_type="application/zip")


def _contents(call: Call, files: list[dict[str, Any]]) -> dict[str, bytes]:
    """File name → content; names that repeat get a number, and none leaves its directory."""
    contents: dict[str, bytes] = {}
    for entry in files:
        flow = flow_store.kept(call.db, entry["flow"])
        assert flow is not None
        ending = ".yaml" if entry["type"] == "Yaml" else f".i3{flow.type.title()}Flow"
        stem = entry["name"].replace("/", "_").replace("\\", "_").removesuffix(ending)
        name, count = f"{stem}{ending}", 1
        while name in contents:
            count += 1
            name = f"{stem} ({count}){ending}"
        text = exports.export_version(call.db, flow, entry["version"])
        contents[name] = text.encode() if entry["type"] == "Yaml" else _native(text)
    return contents


def _native(text: str) -> bytes:
    """Architect's own format: Base64 of URL-encoded JSON (facts §5)."""
    return base64.b64encode(quote(json.dumps(load(text))).encode())


ENDPOINTS = (
    Endpoint("POST", f"{API}/flows/export/jobs", register),
    Endpoint("GET", f"{API}/flows/export/jobs/{{jobId}}", show, query=("expand",)),
    Endpoint("GET", "/downloads/flows/export/jobs/{jobId}", download, query=("signature",), authenticated=False),
)
