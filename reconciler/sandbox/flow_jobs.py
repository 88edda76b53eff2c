"""Deploy jobs: register, upload the YAML, poll (facts §3.3; SDK ``RegisterArchitectJobResponse``,
``ArchitectJobStateResponse``).

The job runs inside the upload's transaction and is seen as done when its time has come, so that a
killed process leaves a job either not started or finished.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sqlite3
import uuid
from typing import Any

from reconciler.sandbox import faults
from reconciler.sandbox.call import API, Call, Endpoint, Reply
from reconciler.sandbox.errors import ApiError, bad_request, not_found
from reconciler.sandbox.flow_reading import FlowRefused
from reconciler.sandbox.flow_shapes import FLOWS
from reconciler.sandbox.objects import Edit
from reconciler.sandbox.publishing import Publisher
from reconciler.sandbox.wire import iso, without_none

DEPLOY = "deploy"
COMMAND = "Publish"

Outcome = tuple[str, list[str] | None, str | None]
"""Status, messages (None is ``null``), flow id."""
NEVER = 1e18
"""When a job is done that stays in Started."""


def register(call: Call) -> Reply:
    """``POST /flows/jobs {createStubs?}``: an address to upload the YAML to."""
    body = call.json()
    if body is not None and not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.")
    create_stubs = (body or {}).get("createStubs") or False
    if not isinstance(create_stubs, bool):
        raise bad_request("The field 'createStubs' must be a boolean.")
    request = {
        "createStubs": create_stubs,
        "client_id": call.caller.client_id,
        "user_id": call.caller.user_id,
    }
    job_id, signature = add_job(call, DEPLOY, request)
    return Reply(
        {
            "id": job_id,
            "presignedUrl": f"{call.base_url}/uploads/flows/jobs/{job_id}?signature={signature}",
            "headers": upload_headers(job_id),
            "selfUri": f"{FLOWS}/jobs/{job_id}",
        }
    )


def add_job(call: Call, kind: str, request: dict[str, Any], *, job_id: str | None = None) -> tuple[str, str]:
    """Keeps a new job; returns its id and the signature of its upload or download address."""
    job_id, signature = job_id or str(uuid.uuid4()), secrets.token_urlsafe(24)
    call.db.execute(
        "INSERT INTO jobs (id, kind, request, signature, status, messages, created) VALUES (?,?,?,?,?,?,?)",
        (job_id, kind, json.dumps(request), signature, "Registered", "[]", call.now),
    )
    return job_id, signature


def upload_headers(job_id: str) -> dict[str, str]:
    """Headers that the upload must carry, as a presigned address demands."""
    return {"x-amz-tagging": f"jobId={job_id}"}


def job_of(call: Call, kind: str, job_id: str, *, flow_id: str | None = None) -> sqlite3.Row:
    """A job by id, of that flow where one is given; raises 404."""
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM jobs WHERE id = ? AND kind = ?", (job_id, kind)).fetchone()
    if row is None or flow_id not in (None, row["flow_id"]):
        raise not_found(f"Could not find the job with id '{job_id}'.")
    return row


def check_signature(call: Call, job: sqlite3.Row) -> None:
    """Presigned addresses need no token but their own signature, and end some time; raises 403."""
    if not hmac.compare_digest(job["signature"].encode(), (call.one("signature") or "").encode()):
        raise ApiError(403, "not.authorized", "The signature of this address is not valid.")
    lifetime = call.settings.address_seconds
    if lifetime is not None and call.now >= job["created"] + lifetime:
        raise ApiError(403, "not.authorized", "Request has expired")


def upload(call: Call) -> Reply:
    """``PUT`` to a job's upload address: runs the job. A repeated upload is answered and ignored."""
    job = job_of(call, DEPLOY, call.params["jobId"])
    check_signature(call, job)
    for header, value in upload_headers(job["id"]).items():
        if call.headers.get(header) != value:
            raise ApiError(403, "not.authorized", f"The upload lacks the header '{header}' that the job demands.")
    if job["started"] is None:
        _run(call, job)
    return Reply(content=b"", media_type="application/xml")


def _run(call: Call, job: sqlite3.Row) -> None:
    done = call.now + call.settings.job_seconds
    request = json.loads(job["request"])
    text = call.content.decode("utf-8", "replace")
    fault = faults.take_job_fault(call.db, text)
    if fault is not None:
        done = NEVER if fault.status == "Started" else done
        outcome: Outcome = fault.status, fault.messages, None
    else:
        publisher = Publisher(
            db=call.db,
            # An upload carries no token: its author is who registered the job.
            edit=Edit(
                call.now,
                request["user_id"] or request["client_id"],
                call.settings.list_lag_seconds,
                request["client_id"],
            ),
            client_id=request["client_id"],
            user_id=request["user_id"],
            visible_at=done,
            create_missing=call.settings.missing_references == "create",
            create_stubs=request["createStubs"],
        )
        outcome = _deploy(call.db, publisher, text)
    status, messages, flow_id = outcome
    finish(call, job["id"], status, messages, flow_id=flow_id, done=done)


def _deploy(db: sqlite3.Connection, publisher: Publisher, text: str) -> Outcome:
    """Publishes, or leaves the org as it was and says why not."""
    db.execute("SAVEPOINT deploy")
    try:
        flow = publisher.deploy(text)
    except FlowRefused as refused:
        db.execute("ROLLBACK TO deploy")
        return "Failure", refused.messages, None
    finally:
        db.execute("RELEASE deploy")
    return "Success", [], flow.id


def finish(
    call: Call, job_id: str, status: str, messages: list[str] | None, *, flow_id: str | None = None, done: float
) -> None:
    """Keeps a job's outcome, to be seen from ``done`` on."""
    call.db.execute(
        "UPDATE jobs SET status=?, messages=?, flow_id=?, started=?, done=? WHERE id=?",
        (status, json.dumps(messages), flow_id, call.now, done, job_id),
    )


def show(call: Call) -> dict[str, Any]:
    """``GET /flows/jobs/{id}?expand=messages``."""
    job = job_of(call, DEPLOY, call.params["jobId"])
    status = seen_status(job, call.now)
    flow = {"id": job["flow_id"], "selfUri": f"{FLOWS}/{job['flow_id']}"} if job["flow_id"] else None
    return without_none(
        {
            "id": job["id"],
            "flow": flow if status != "Registered" else None,
            "status": status,
            "command": COMMAND,
            "selfUri": f"{FLOWS}/jobs/{job['id']}",
        }
    ) | seen_messages(call, job, status)


def seen_status(job: sqlite3.Row, now: float) -> str:
    """Registered until the upload, Started until the time is up, then the outcome."""
    if job["started"] is None:
        return "Registered"
    return str(job["status"]) if job["done"] <= now else "Started"


def seen_messages(call: Call, job: sqlite3.Row, status: str) -> dict[str, Any]:
    """``messages`` when asked for with ``expand=messages``, nothing otherwise; empty until the job is done."""
    if "messages" not in call.many("expand"):
        return {}
    if status not in ("Success", "Failure"):
        return {"messages": []}
    kind = "Error" if status == "Failure" else "Unknown"
    messages = json.loads(job["messages"])
    if messages is None:
        return {"messages": None}
    shown = [{"dateTime": iso(job["done"]), "type": kind, "text": text, "details": []} for text in messages]
    return {"messages": shown}


ENDPOINTS = (
    Endpoint("POST", f"{API}/flows/jobs", register),
    Endpoint("GET", f"{API}/flows/jobs/{{jobId}}", show, query=("expand",)),
    Endpoint("PUT", "/uploads/flows/jobs/{jobId}", upload, query=("signature",), authenticated=False),
)
