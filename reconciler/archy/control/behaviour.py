"""How each action of Architect passes on control: a table, no behaviour.

Sources: the Scripting SDK (``docs/types.d.ts`` of release 0.67.2), whose class ``ArchActionXxx`` is the key ``xxx``
and whose base class says which outputs there are; facts/archy-yaml §2, which counts how often real flows show each.
What stands in no set and has no outcomes is passed through: control goes on below.
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
"""Leave the flow when they succeed (the SDK's "fake success"); their outcomes are the ways that stay in it."""

JUMPS: dict[str, str] = {
    "jumpToTask": "targetTaskRef",
    "jumpToMenu": "targetMenuRef",
    "changeState": "targetStateRef",
}
"""Action → the field that names where it goes to; it does not come back."""

CALLS: dict[str, str] = {"callTask": "targetTaskRef"}
"""Action → the field that names what it calls; control comes back."""

LOOPS = frozenset(("loop", "loopUntil", "loopAnythingElse"))

ANSWERED = "answered"
"""Our own word for the way on from a question that was answered; the platform has no output for it."""

_YES_NO = ("yes", "no")
_FOUND = ("found", "notFound")
_SUCCESS = ("success", "failure")
_SUCCESS_TIMEOUT = ("success", "failure", "timeout")
_SCHEDULE_GROUP = ("open", "closed", "holiday", "emergency")
_NOT_ANSWERED = ("maxNoInputs", "maxNoMatches")

OUTCOMES: dict[str, tuple[str, ...]] = {
    "decision": _YES_NO,
    "askForBoolean": (*_YES_NO, *_NOT_ANSWERED),
    "askForIntent": ("noIntent", "maxNoInputs"),
    "askForSlot": (ANSWERED, *_NOT_ANSWERED),
    "askSurveyQuestion": (ANSWERED, *_NOT_ANSWERED),
    "digitalMenu": _NOT_ANSWERED,
    "evaluateSchedule": ("active", "inactive"),
    "evaluateScheduleGroup": _SCHEDULE_GROUP,
    "detectSilence": ("success", "timeout"),
    "playAudioOnSilence": ("success", "timeout"),
    "processVoicemailInput": ("voicemail", "noInput", "failure"),
    **dict.fromkeys(TRANSFERS, ("failure",)),
    "dialByExtension": ("failure", "timeout"),
    "findUsersById": ("found", "partiallyFound", "notFound"),
    "searchExternalContacts": ("matchExact", "matchMultiple", "notFound"),
    "dataTableLookup": ("found", "notFound", "failure"),
    "getAssignedCustomerIntents": ("found", "notFound", "failure"),
    **dict.fromkeys(("callBridge", "callData", "callDataSecure", "callGuide"), _SUCCESS_TIMEOUT),
    **dict.fromkeys(
        (
            "associateExternalContact",
            "findEmergencyGroup",
            "findGrammar",
            "findGrammarById",
            "findGroup",
            "findKnowledgeBaseDocumentById",
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
            "findUtilizationLabel",
            "getConversationData",
            "getExternalContact",
            "getExternalOrganization",
            "getJourneyOutcome",
            "getJourneyOutcomeScoresBySession",
            "getJourneySegment",
            "getJourneySession",
            "getJourneySessionDetails",
            "getJourneySessionsByCustomer",
            "getJourneySessionsByExternalContact",
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
            "deflect",
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
            "setExternalTag",
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

BOTS = frozenset(
    f"call{name}" for name in ("BotConnector", "DialogEngineBot", "DialogflowBot", "LexBot", "LexV2Bot", "NuanceMixBot")
)
"""Calls of other vendors' bots: one outcome for each intent, and ``failure``."""

DYNAMIC_OUTCOMES = BOTS | frozenset(
    (
        "askForAuthentication",
        "askForIntent",
        "askForPayment",
        "callDialogflowCxBot",
        "callTask",
        "detectIntent",
        "digitalMenu",
        "loopUntil",
        "switch",
    )
)
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
        "clearActiveIntent",
        "clearPostFlow",
        "clearSlot",
        "clearVoicemailSnippet",
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
        "playUserGreeting",
        "playUserName",
        "sendDigitalCarousel",
        "sendDigitalContent",
        "setFlowOutcome",
        "setIntent",
        "setLanguage",
        "setParticipantData",
        "setPostFlow",
        "setScreenPop",
        "setUUIData",
        "showKnowledgeArticle",
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

ANSWERS = (
    frozenset(name for name in OUTCOMES if name.startswith("ask"))
    | BOTS
    | frozenset(
        (
            "askForAuthentication",
            "askForPayment",
            "callAgenticVirtualAgent",
            "callAudioConnector",
            "callBotFlow",
            "callDialogflowCxBot",
            "callDigitalBotFlow",
            "callVoiceFlow",
            "collectInput",
            "dialByExtension",
            "digitalMenu",
            "getResponse",
            "loopAnythingElse",
            "processVoicemailInput",
            "waitForInput",
        )
    )
)
"""Actions that wait for what the caller or customer says, writes or presses."""

SAY_ONLY = frozenset(
    (
        "addFlowMilestone",
        "communicate",
        "decision",
        "flushAudio",
        "initializeFlowOutcome",
        "jumpToMenu",
        "jumpToTask",
        "changeState",
        "loopExit",
        "loopNext",
        "playAudio",
        "playUserGreeting",
        "sendResponse",
        "setFlowOutcome",
        "setLanguage",
        "setParticipantData",
        "setScreenPop",
        "setUUIData",
        "setWrapupCode",
        "switch",
    )
)
"""Actions after which every condition over the variables of the flow is as it was before."""
