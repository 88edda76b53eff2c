"""The types of flow that Archy writes, and what each is called where.

One type goes by three names: the root key of its YAML, the API's ``type`` and the name in dependency
tracking. Sources: root keys from facts/archy-yaml §1 (``ArchEnums.FLOW_TYPES`` of the Scripting SDK),
``api_type`` from SDK ``Flow.type``, ``tracking_type`` from SDK ``Dependency.type``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlowType:
    """One type of flow under each of its names."""

    root: str
    """Root key of the YAML, and the kind in addresses."""
    api_type: str
    """Upper case, as in API answers; lower case in queries and in ``compatibleFlowTypes``."""
    tracking_type: str
    media: str
    """``call``, ``message``, ``email``, ``chat``, ``workflow``, ``workitem``, ``survey``, ``bot``; ``any`` for
    common modules, which go into flows of any media."""
    containers: tuple[str, ...]
    """Keys below the root that hold menus, tasks, states, bots or start-up actions, in export order."""
    aliases: tuple[str, ...] = ()
    """Other spellings of the root key that are read, never written."""
    spelling_known: bool = True
    """False where no real file shows the root key: it is the SDK's property name (docs/fidelity.md)."""


_CALL = ("menus", "tasks")
_STATES = ("states", "tasks")
_BOTS = ("bots", "tasks")
_START_UP = ("startUpTaskActions", "tasks")

FLOW_TYPES: tuple[FlowType, ...] = (
    FlowType("inboundCall", "INBOUNDCALL", "INBOUNDCALLFLOW", "call", _CALL),
    FlowType("outboundCall", "OUTBOUNDCALL", "OUTBOUNDCALLFLOW", "call", _CALL),
    FlowType("secureCall", "SECURECALL", "SECURECALLFLOW", "call", _CALL),
    FlowType("inqueueCall", "INQUEUECALL", "INQUEUECALLFLOW", "call", _START_UP, ("inQueueCall",)),
    FlowType("commonModule", "COMMONMODULE", "COMMONMODULEFLOW", "any", _START_UP),
    FlowType("inboundEmail", "INBOUNDEMAIL", "INBOUNDEMAILFLOW", "email", _STATES),
    FlowType("inboundChat", "INBOUNDCHAT", "INBOUNDCHATFLOW", "chat", _STATES),
    FlowType("inboundShortMessage", "INBOUNDSHORTMESSAGE", "INBOUNDSHORTMESSAGEFLOW", "message", _STATES),
    FlowType("workflow", "WORKFLOW", "WORKFLOW", "workflow", _STATES),
    FlowType("surveyInvite", "SURVEYINVITE", "SURVEYINVITEFLOW", "survey", _STATES),
    FlowType("workitem", "WORKITEM", "WORKITEMFLOW", "workitem", _STATES),
    FlowType("botFlow", "BOT", "BOTFLOW", "bot", _BOTS, ("bot",)),
    FlowType("digitalBot", "DIGITALBOT", "DIGITALBOTFLOW", "bot", _BOTS, ("digitalBotFlow",)),
    FlowType(
        "inqueueEmail",
        "INQUEUEEMAIL",
        "INQUEUEEMAILFLOW",
        "email",
        _STATES,
        ("inQueueEmail",),
        spelling_known=False,
    ),
    FlowType(
        "inqueueShortMessage",
        "INQUEUESHORTMESSAGE",
        "INQUEUESHORTMESSAGEFLOW",
        "message",
        _STATES,
        ("inQueueShortMessage",),
        spelling_known=False,
    ),
    FlowType("voicemail", "VOICEMAIL", "VOICEMAILFLOW", "call", _CALL, spelling_known=False),
    FlowType("voiceSurvey", "VOICESURVEY", "VOICESURVEYFLOW", "survey", _BOTS, spelling_known=False),
    FlowType("voice", "VOICE", "VOICEFLOW", "call", _CALL, spelling_known=False),
    FlowType("emailSend", "EMAILSEND", "EMAILSENDFLOW", "email", _STATES, spelling_known=False),
)
"""Every type that can be written as YAML; the API's BUSINESSPROCESS and SPEECH cannot."""

_BY_ROOT = {root: flow_type for flow_type in FLOW_TYPES for root in (flow_type.root, *flow_type.aliases)}
_BY_API_TYPE = {flow_type.api_type: flow_type for flow_type in FLOW_TYPES}
_BY_TRACKING_TYPE = {flow_type.tracking_type: flow_type for flow_type in FLOW_TYPES}

ROOTS: tuple[str, ...] = tuple(_BY_ROOT)
"""Every root key of a flow, aliases included."""


def by_root(root: str) -> FlowType | None:
    """The flow type behind a root key or an alias of one; None for every other key."""
    return _BY_ROOT.get(root)


def by_api_type(api_type: str) -> FlowType | None:
    """The flow type behind the API's ``type``, in any case; None for types that Archy does not write."""
    return _BY_API_TYPE.get(api_type.upper())


def by_tracking_type(tracking_type: str) -> FlowType | None:
    """The flow type behind dependency tracking's type name; None for objects that are no flow."""
    return _BY_TRACKING_TYPE.get(tracking_type.upper())
