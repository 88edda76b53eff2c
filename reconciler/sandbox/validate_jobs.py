"""Validate jobs: check versions that are kept against the org as it is now (SDK ``RegisterArchitectValidateJob``,
``ArchitectValidateJobStateResponse``; a preview API)."""

from __future__ import annotations

from typing import Any

from reconciler.sandbox import export_jobs, exports, flow_jobs, supply
from reconciler.sandbox.call import API, Call, Endpoint
from reconciler.sandbox.flow_reading import FlowRefused, read_flow
from reconciler.sandbox.flow_shapes import FLOWS
from reconciler.sandbox.flow_store import kept
from reconciler.sandbox.resolving import Resolver
from reconciler.sandbox.wire import without_none

VALIDATE = "validate"


def register(call: Call) -> dict[str, Any]:
    """``POST /flows/validate/jobs {flows: [{flow: {id | name, type, version?}}]}``."""
    wanted = export_jobs.wanted_flows(call)
    problems: list[str] = []
    for item in wanted:
        entry, problem = export_jobs.find_version(call, item)
        problems += [problem] if problem is not None else []
        if entry is not None:
            problems += _problems(call, entry["flow"], entry["version"])
    job_id, _signature = flow_jobs.add_job(call, VALIDATE, {})
    done = call.now + call.settings.job_seconds
    flow_jobs.finish(call, job_id, "Failure" if problems else "Success", problems, done=done)
    return {
        "id": job_id,
        "status": "Registered",
        "totalFlows": len(wanted),
        "selfUri": f"{FLOWS}/validate/jobs/{job_id}",
    }


def _problems(call: Call, flow_id: str, number: int) -> list[str]:
    flow = kept(call.db, flow_id)
    assert flow is not None
    try:
        Resolver(call.db, call.now, supply.nothing).resolve(read_flow(exports.renamed_source(call.db, flow, number)))
    except FlowRefused as refused:
        return [f"{flow.name}: {message}" for message in refused.messages]
    return []


def show(call: Call) -> dict[str, Any]:
    """``GET /flows/validate/jobs/{id}?expand=messages``."""
    job = flow_jobs.job_of(call, VALIDATE, call.params["jobId"])
    status = flow_jobs.seen_status(job, call.now)
    return without_none(
        {
            "id": job["id"],
            "status": status,
            "command": "Validate",
            "selfUri": f"{FLOWS}/validate/jobs/{job['id']}",
        }
    ) | flow_jobs.seen_messages(call, job, status)


ENDPOINTS = (
    Endpoint("POST", f"{API}/flows/validate/jobs", register),
    Endpoint("GET", f"{API}/flows/validate/jobs/{{jobId}}", show, query=("expand",)),
)
