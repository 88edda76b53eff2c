"""All endpoints of the API that the sandbox has, area by area."""

from __future__ import annotations

from reconciler.sandbox import (
    analytics,
    audits,
    auth,
    datatable_rows,
    datatables,
    dids,
    directory,
    directory_queries,
    divisions,
    executions,
    export_jobs,
    faults,
    flow_actions,
    flow_jobs,
    flow_versions,
    flows,
    history,
    ivrs,
    limits,
    organization,
    prompts,
    schedules,
    tracking,
    traffic,
    validate_jobs,
)

ENDPOINTS = tuple(
    endpoint
    for area in (
        auth,
        organization,
        limits,
        divisions,
        directory,
        directory_queries,
        prompts,
        flows,
        flow_versions,
        flow_actions,
        history,
        flow_jobs,
        export_jobs,
        validate_jobs,
        executions,
        tracking,
        schedules,
        ivrs,
        dids,
        datatables,
        datatable_rows,
        audits,
        analytics,
        traffic,
        faults,
    )
    for endpoint in area.ENDPOINTS
)
