"""How each action of Architect passes on control: a table, no behaviour.

Source: facts/archy-yaml §2, which counts how often real flows show each; outcomes are ``OUTPUT_IDS`` of the
Scripting SDK. What stands in no set and has no outcomes is passed through: control goes on below.
"""

from __future__ import annotations

from enum import StrEnum


class Ending(StrEnum):
    """How a path through a flow or a task comes to its end."""

    DISCONNECT = "disconnect"
    """The conversation is hung up or closed."""
    TRANSFER = "transfer"
    """Somebody or something else takes the conversation over."""
    END = "end"
    """The flow ends by an action that says so; a bot or workflow gives back to whoever started it."""
    RETURN = "return"
    """The task or module ends and its caller goes on."""
    RAN_OUT = "ran out"
    """There is no further action in a place that returns to nobody."""
    RESUME = "resume"
    """The flow waits for what happens next, such as a caller's message."""


ENDS: dict[str, Ending] = {
    "disconnect": Ending.DISCONNECT,
    "disconnectWorkitem": Ending.DISCONNECT,
    "terminateWorkitem": Ending.DISCONNECT,
    "endWorkflow": Ending.END,
    "endTask": Ending.RETURN,
    "endState": Ending.END,
    "exitBotFlow": Ending.END,
    "exitWorkitemFlow": Ending.END,
    "abortSurveyInvite": Ending.END,
    "completeSurveyInvite": Ending.END,
    "completeSend": Ending.END,
    "returnToAgent": Ending.TRANSFER,
    "waitForInput": Ending.RESUME,
}
"""Actions after which nothing runs."""

MAY_FAIL = frozenset(("disconnectWorkitem", "terminateWorkitem"))
"""Ends that have an outcome ``failure``, after which control goes on."""

TRANSFERS = frozenset(
    (
        "transferToAcd",
        "transferToFlow",
        "transferToFlowSecure",
        "transferToGroup",
        "transferToNumber",
        "transferToUser",
        "transferToVoicemail",
        "dialByExtension",
    )
)
"""Leave the flow when they succeed; when they fail, control goes on."""

JUMPS: dict[str, str] = {
    "jumpToTask": "targetTaskRef",
    "jumpToMenu": "targetMenuRef",
    "changeState": "targetStateRef",
}
"""Action → the field that names where it goes to; it does not come back."""

CALLS: dict[str, str] = {"callTask": "targetTaskRef"}
"""Action → the field that names what it calls; control comes back."""

LOOPS = frozenset(("loop", "loopUntil", "loopAnythingElse"))

_YES_NO = ("yes", "no")
_FOUND = ("found", "notFound")
_SUCCESS = ("success", "failure")
_SUCCESS_TIMEOUT = ("success", "failure", "timeout")
_SCHEDULE_GROUP = ("open", "closed", "holiday", "emergency")

OUTCOMES: dict[str, tuple[str, ...]] = {
    "decision": _YES_NO,
    "askForBoolean": (*_YES_NO, "maxNoInputs", "maxNoMatches"),
    "askForIntent": ("noIntent", "maxNoInputs"),
    "askForSlot": ("maxNoInputs", "maxNoMatches"),
    "digitalMenu": ("maxNoInputs", "maxNoMatches"),
    "evaluateSchedule": ("active", "inactive"),
    "evaluateScheduleGroup": _SCHEDULE_GROUP,
    "detectSilence": ("success", "timeout"),
    "playAudioOnSilence": ("success", "timeout"),
    "processVoicemailInput": ("voicemail", "noInput", "failure"),
    "setExternalTag": ("failure",),
    "findUsersById": ("found", "partiallyFound", "notFound"),
    "searchExternalContacts": ("matchExact", "matchMultiple", "notFound"),
    "dataTableLookup": ("found", "notFound", "failure"),
    "getAssignedCustomerIntents": ("found", "notFound", "failure"),
    **dict.fromkeys(("callData", "callDataSecure", "callGuide"), _SUCCESS_TIMEOUT),
    **dict.fromkeys(
        (
            "findEmergencyGroup",
            "findGroup",
            "findLanguageSkill",
            "findQueue",
            "findQueueById",
            "findSchedule",
            "findScheduleGroup",
            "findSkill",
            "findSystemPrompt",
            "findUser",
            "findUserById",
            "findUserPrompt",
            "getConversationData",
            "getExternalContact",
            "getExternalOrganization",
            "getJourneyOutcomeScoresBySession",
            "getJourneySession",
        ),
        _FOUND,
    ),
    **dict.fromkeys(
        (
            "callAudioConnector",
            "callDecisionTable",
            "clearUtilizationLabel",
            "collectInput",
            "decryptData",
            "disconnectWorkitem",
            "encryptData",
            "getRawSIPHeaders",
            "getResponse",
            "getSIPHeaders",
            "getSecuredData",
            "promoteExternalContact",
            "sendAutoReply",
            "sendInteractiveApplication",
            "sendKnowledgeFeedback",
            "sendNotification",
            "sendResponse",
            "sendRichLink",
            "setConversationData",
            "setPriority",
            "setSecuredData",
            "setSkills",
            "setUtilizationLabel",
            "setWhisperAudio",
            "setWrapupCode",
            "terminateWorkitem",
            "updateWorkitem",
        ),
        _SUCCESS,
    ),
}
"""Action → its outcomes, in Architect's order. One that a flow does not list has no actions of its own."""

DYNAMIC_OUTCOMES = frozenset(
    ("askForIntent", "callTask", "digitalMenu", "loopUntil", "switch", "askForAuthentication", "askForPayment")
) | frozenset(f"call{name}" for name in ("LexBot", "LexV2Bot", "Dialogflow", "DialogflowCx", "NuanceMix"))
"""Actions whose outcomes the author names: intents, paths, cases."""

PASS_THROUGH = frozenset(
    (
        "addFlowMilestone",
        "audioMonitoring",
        "callAgenticVirtualAgent",
        "callBotFlow",
        "callCommonModule",
        "callDigitalBotFlow",
        "callVoiceFlow",
        "clearPostFlow",
        "clearSlot",
        "communicate",
        "createCallback",
        "enableParticipantRecord",
        "extractSecureData",
        "flushAudio",
        "getParticipantData",
        "holdMusic",
        "initializeFlowOutcome",
        "playAudio",
        "playEstimatedWaitTime",
        "playPositionInQueue",
        "setFlowOutcome",
        "setIntent",
        "setLanguage",
        "setParticipantData",
        "setPostFlow",
        "setScreenPop",
        "setUUIData",
        "transcription",
        "updateData",
        "wait",
    )
)
"""Actions with one way on, below them."""

MENU_ONLY = frozenset(("subMenu", "task", "repeatMenu", "previousMenu", "disconnect", "dialByExtension"))
"""What choices of a menu do besides the actions above, the ``menu`` before it taken off."""

_CONTROL = frozenset(("loopNext", "loopExit", "previousMenu", "repeatMenu", "jumpToMenu", "switch"))

KNOWN_ACTIONS: frozenset[str] = (
    frozenset(ENDS)
    | TRANSFERS
    | frozenset(JUMPS)
    | frozenset(CALLS)
    | LOOPS
    | frozenset(OUTCOMES)
    | DYNAMIC_OUTCOMES
    | PASS_THROUGH
    | _CONTROL
)
"""Every action key that a source shows; another one is walked by its outputs, and pointed out."""
