"""What Architect writes into an export where the author wrote nothing (facts archy-yaml §1, §6).

Only values that the published exports of the corpus agree on; an action that no export shows is
exported as it was written.
"""

from __future__ import annotations

from typing import Any

_NO_VALUE: dict[str, Any] = {"noValue": True}


def _seconds(seconds: int) -> dict[str, Any]:
    return {"lit": {"seconds": seconds}}


_CALL_ACTION_DEFAULTS: dict[str, Any] = {
    "playAudioOnSilence": {"timeout": _seconds(40)},
    "detectSilence": {"timeout": _seconds(40)},
    "callData": {"processingPrompt": _NO_VALUE},
    "callBridge": {"processingPrompt": _NO_VALUE},
    "collectInput": {"noEntryTimeout": _seconds(5)},
    "dialByExtension": {"interDigitTimeout": _seconds(6)},
    "transferToUser": {"connectTimeout": _NO_VALUE},
    "transferToNumber": {"connectTimeout": _NO_VALUE},
    "transferToGroup": {"connectTimeout": _NO_VALUE},
    "transferToFlowSecure": {"connectTimeout": _seconds(15)},
}
_CALL_ERRORS: dict[str, Any] = {
    "errorHandling": {"disconnect": {"none": True}},
    "preHandlingAudio": {"tts": "Sorry, an error occurred. Please try your call again."},
}
_PROMPTS: dict[str, Any] = {
    "ensureAudioInPrompts": False,
    "promptMediaToValidate": [{"mediaType": "audio"}, {"mediaType": "tts"}],
}
_MENU: dict[str, Any] = {
    "extensionDialingMaxDelay": _seconds(1),
    "listenForExtensionDialing": {"lit": True},
    "menuSelectionTimeout": _seconds(10),
    "repeatCount": {"lit": 3},
}
_SPEECH: dict[str, Any] = {
    "completeMatchTimeout": {"lit": {"ms": 100}},
    "incompleteMatchTimeout": {"lit": {"ms": 1500}},
    "maxSpeechLengthTimeout": _seconds(20),
    "minConfidenceLevel": {"lit": 50},
    "asrCompanyDir": "none",
    "asrEnabledOnFlow": True,
    "suppressRecording": False,
}
_CALL: dict[str, dict[str, Any]] = {
    "settingsActionDefaults": _CALL_ACTION_DEFAULTS,
    "settingsErrorHandling": _CALL_ERRORS,
    "settingsMenu": _MENU,
    "settingsPrompts": _PROMPTS,
    "settingsSpeechRec": _SPEECH,
}
_VOICE_ACTIONS = {"voiceEndOfInputTimeout": _seconds(1)}
_BOT: dict[str, dict[str, Any]] = {
    "settingsActionDefaults": dict.fromkeys(
        ("askForIntent", "askForBoolean", "askForSlot", "loopAnythingElse"), _VOICE_ACTIONS
    ),
    "settingsErrorHandling": {
        "errorHandling": {"exit": {"none": True}},
        "enableAgentEscalation": {"lit": True},
        "recognitionFailureEventHandling": {"exit": {"none": True}},
    },
    "settingsPrompts": _PROMPTS,
}
_MESSAGE: dict[str, dict[str, Any]] = {"settingsErrorHandling": {"errorHandling": {"disconnect": {"none": True}}}}

SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "INBOUNDCALL": _CALL,
    "OUTBOUNDCALL": _CALL,
    "SECURECALL": _CALL,
    "INQUEUECALL": {
        "settingsInQueueCall": {"holdMusic": {"lit": {"name": "PromptSystem.on_hold_music"}}},
        "settingsActionDefaults": _CALL_ACTION_DEFAULTS,
        "settingsErrorHandling": _CALL_ERRORS,
        "settingsPrompts": _PROMPTS,
    },
    "COMMONMODULE": {
        "settingsActionDefaults": {
            "callData": {"processingPrompt": _NO_VALUE},
            "callDataSecure": {"processingPrompt": _NO_VALUE},
        },
        "settingsPrompts": _PROMPTS,
    },
    "INBOUNDSHORTMESSAGE": _MESSAGE,
    "INBOUNDCHAT": _MESSAGE,
    "INBOUNDEMAIL": {
        "settingsInboundEmailHandling": {"emailHandling": {"disconnect": {"none": True}}},
        **_MESSAGE,
    },
    "WORKFLOW": {"settingsErrorHandling": {"errorHandling": {"endWorkflow": {"none": True}}}},
    "WORKITEM": {"settingsErrorHandling": {"errorHandling": {"endFlow": {"none": True}}}},
    "BOT": _BOT,
}
"""API type → settings block → its defaults."""

SPOKEN = frozenset(("INBOUNDCALL", "OUTBOUNDCALL", "SECURECALL", "INQUEUECALL"))
"""Types whose languages carry a voice and a language skill."""

MENU_SETTINGS: dict[str, dict[str, Any]] = {
    "settingsMenu": dict.fromkeys(_MENU, _NO_VALUE),
    "settingsSpeechRec": dict.fromkeys(
        ("completeMatchTimeout", "incompleteMatchTimeout", "maxSpeechLengthTimeout", "minConfidenceLevel"), _NO_VALUE
    ),
}
"""What a menu of its own shows where the flow's settings hold."""

MENU_CHOICE: dict[str, Any] = {"globalDtmf": False, "globalSpeechRecTerms": False}

ACTIONS: dict[str, dict[str, Any]] = {
    "transferToAcd": {"preferredAgents": _NO_VALUE, "languageSkill": _NO_VALUE},
    "callData": {"processingPrompt": _NO_VALUE},
    "collectInput": {"interDigitTimeout": _NO_VALUE, "noEntryTimeout": _NO_VALUE},
    "callBotFlow": {"exitReason": _NO_VALUE},
    "endWorkflow": {"exitReason": _NO_VALUE},
    "askForIntent": {"voiceEndOfInputTimeout": _NO_VALUE},
    "askForSlot": {"customValidation": _NO_VALUE, "voiceEndOfInputTimeout": _NO_VALUE},
    "askForBoolean": {"voiceEndOfInputTimeout": _NO_VALUE},
    "sendAutoReply": dict.fromkeys(("from", "replyTo", "cc", "bcc"), _NO_VALUE),
    "getConversationData": {"participantId": _NO_VALUE},
    "setConversationData": {"participantId": _NO_VALUE},
    "evaluateScheduleGroup": {"inServiceSchedules": _NO_VALUE},
}
"""Action → fields that an export always shows; menu choices that do the same have them too."""
