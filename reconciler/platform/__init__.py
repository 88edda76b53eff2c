"""The Genesys Cloud client: the only package that talks HTTP to an org.

``Platform`` is the way in; its methods take and give frozen models of the wire and raise ``PlatformError``.
"""

from reconciler.platform.analytics import AnalyticsApi, FlowCount
from reconciler.platform.audits import AuditEvent, AuditsApi
from reconciler.platform.client import Platform
from reconciler.platform.connection import REGIONS, Connection, connection_for_region, is_loopback
from reconciler.platform.crud import CrudApi
from reconciler.platform.data_tables import DataTablesApi
from reconciler.platform.dids import Did, DidsApi
from reconciler.platform.directory import Directory
from reconciler.platform.divisions import DivisionsApi
from reconciler.platform.errors import (
    AuthenticationFailed,
    BadRequest,
    Conflict,
    ErrorDetail,
    FlowLocked,
    Gone,
    HostUnreachable,
    JobFailed,
    JobTimedOut,
    MalformedResponse,
    NoSuchVersion,
    NotFound,
    PermissionDenied,
    PlatformError,
    ProxyRefused,
    RateLimited,
    RequestAbandoned,
    RequestTimedOut,
    ServerError,
    TrackingIncomplete,
    UnsafeAddress,
    UntrustedHost,
    VersionConflict,
)
from reconciler.platform.executions import Execution, ExecutionsApi
from reconciler.platform.flows import DeployedFlow, FlowsApi
from reconciler.platform.hurry import hurrying
from reconciler.platform.ivrs import IvrsApi
from reconciler.platform.limiter import RateLimiter
from reconciler.platform.locks import FlowLock
from reconciler.platform.models import (
    DataTable,
    Dependency,
    Division,
    Flow,
    FlowVersion,
    Ivr,
    IvrBody,
    JobMessage,
    Operation,
    Organization,
    Ref,
    Schedule,
    ScheduleBody,
    ScheduleGroup,
    ScheduleGroupBody,
    TelephonyBody,
    TelephonyObject,
    TrackingStatus,
)
from reconciler.platform.request_log import FILE as RATE_FILE
from reconciler.platform.tracking import TrackingApi
from reconciler.platform.variables import gateway_from, proxy_from, tokens_of
from reconciler.platform.waiting import Patience

__all__ = [
    "RATE_FILE",
    "REGIONS",
    "AnalyticsApi",
    "AuditEvent",
    "AuditsApi",
    "AuthenticationFailed",
    "BadRequest",
    "Conflict",
    "Connection",
    "CrudApi",
    "DataTable",
    "DataTablesApi",
    "Dependency",
    "DeployedFlow",
    "Did",
    "DidsApi",
    "Directory",
    "Division",
    "DivisionsApi",
    "ErrorDetail",
    "Execution",
    "ExecutionsApi",
    "Flow",
    "FlowCount",
    "FlowLock",
    "FlowLocked",
    "FlowVersion",
    "FlowsApi",
    "Gone",
    "HostUnreachable",
    "Ivr",
    "IvrBody",
    "IvrsApi",
    "JobFailed",
    "JobMessage",
    "JobTimedOut",
    "MalformedResponse",
    "NoSuchVersion",
    "NotFound",
    "Operation",
    "Organization",
    "Patience",
    "PermissionDenied",
    "Platform",
    "PlatformError",
    "ProxyRefused",
    "RateLimited",
    "RateLimiter",
    "Ref",
    "RequestAbandoned",
    "RequestTimedOut",
    "Schedule",
    "ScheduleBody",
    "ScheduleGroup",
    "ScheduleGroupBody",
    "ServerError",
    "TelephonyBody",
    "TelephonyObject",
    "TrackingApi",
    "TrackingIncomplete",
    "TrackingStatus",
    "UnsafeAddress",
    "UntrustedHost",
    "VersionConflict",
    "connection_for_region",
    "gateway_from",
    "hurrying",
    "is_loopback",
    "proxy_from",
    "tokens_of",
]
