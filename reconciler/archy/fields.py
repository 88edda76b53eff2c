"""Which keys stand where in a flow: tables for completion in editors, no rules.

Flow keys, settings and containers are those of facts/archy-yaml §1 and §2. Fields of actions are those that real
flows show; an action that stands in no table here has fields all the same. Nothing is refused for want of an entry.
"""

from __future__ import annotations

FLOW_KEYS: dict[str, str] = {
    "name": "Name of the flow in the org, and what other documents name it by.",
    "description": "What the flow is for, as people see it in Architect.",
    "division": "Name of its division; the environment's `division` if left out.",
    "startUpRef": 'The menu, task, state or bot that it starts in, e.g. `"/inboundCall/tasks/task[Main_10]"`.',
    "defaultLanguage": "Language that it starts in, e.g. `en-gb`.",
    "supportedLanguages": "Its languages: a key each, e.g. `en-gb: {defaultLanguageSkill: {noValue: true}}`.",
    "initialGreeting": "What callers hear first, e.g. `{tts: Welcome.}`.",
    "variables": "Variables of the whole flow, `Flow.…`; of a common module `Common.…`, with its inputs and outputs.",
    "settingsActionDefaults": "Defaults of actions: how long to wait for input, for data actions, …",
    "settingsErrorHandling": "What happens when the flow meets an error.",
    "settingsPrompts": "Which media the prompts must have.",
}
"""Keys below the root key of most flows → what they are for."""

KEYS_OF_MEDIA: dict[str, dict[str, str]] = {
    "call": {
        "settingsMenu": "Defaults of menus: how long to wait for a key, how often to repeat.",
        "settingsSpeechRec": "Speech recognition.",
    },
    "email": {"settingsInboundEmailHandling": "What becomes of an email at the end."},
    "bot": {
        "settingsBotFlow": "Settings of the bot.",
        "settingsUserInput": "How often and how long the bot waits for an answer, and what it says then.",
        "settingsKnowledge": "The knowledge base that the bot answers from.",
        "settingsVirtualAgent": "Settings of the virtual agent.",
        "settingsNaturalLanguageUnderstanding": "Intents, utterances and slots.",
    },
}
KEYS_OF_ROOT: dict[str, dict[str, str]] = {
    "inqueueCall": {
        "settingsInQueueCall": "What callers hear in the queue, e.g. `holdMusic`.",
        "startUpTaskVariables": "Variables of the task, `Task.…`.",
    },
    "outboundCall": {"settingsOutboundCall": "Contact list and wrap-up code of the campaign."},
    "commonModule": {"settingsCommonModule": "Which types of flow may call the module: `compatibleFlowTypes`."},
    "workitem": {"worktype": "The type of work, `{name: …}`."},
}

CONTAINER_KEYS: dict[str, str] = {
    "name": "Its name, as Architect shows it.",
    "refId": "What references inside the flow name it by, e.g. `Main_10`.",
    "variables": "Variables of this task or state alone, `Task.…` or `State.…`.",
    "actions": "What is done, one after the other.",
    "choices": "What the caller may press or say.",
    "audio": "What callers hear in the menu.",
    "outputPaths": "Named ways out of the task.",
    "settingsMenu": "Settings of this menu.",
    "settingsSpeechRec": "Speech recognition in this menu.",
}
CONTAINER_FIELDS: dict[str, tuple[str, ...]] = {
    "menu": ("name", "refId", "audio", "choices", "settingsMenu", "settingsSpeechRec"),
    "task": ("name", "refId", "variables", "actions", "outputPaths"),
    "state": ("name", "refId", "variables", "actions"),
    "bot": ("name", "refId", "actions"),
}

VARIABLE_TYPES = (
    "stringVariable",
    "integerVariable",
    "booleanVariable",
    "dateTimeVariable",
    "jsonVariable",
    "queueVariable",
)
VARIABLE_KEYS: dict[str, str] = {
    "name": "With its scope: `Flow.…`, `Task.…`, `State.…` or `Common.…`.",
    "description": "What it holds.",
    "initialValue": "`{noValue: true}`, `{lit: …}` or `{exp: …}`.",
    "isInput": "`true` where callers of a common module or bot give it a value.",
    "isOutput": "`true` where callers of a common module or bot read it afterwards.",
}

VALUE_FORMS: dict[str, str] = {
    "lit": "A value as it is: a text, a number, or `{name: …}` for an object of the org.",
    "exp": "An expression, e.g. `Flow.attempts + 1`.",
    "var": "The variable that receives the value.",
    "noValue": "`true`: not set.",
    "tts": "Text that is spoken.",
    "prompt": "A prompt, e.g. `Prompt.Welcome` or `PromptSystem.on_hold_music`.",
}
_VALUES = """
    acdSkill audio bargeInEnabled bcc callbackNumber cc communication condition confirmationMode conversationId
    currentIndex customValidation directAgent disposition duration emergencyGroup estimatedWaitTime evaluate exitReason
    externalId externalResult failureTransferAudio findId findName findResult initialGreeting initialValue inputAudio
    inputData inputText inServiceSchedules intent interDigitTimeout inviteBody inviteSubject languageSkill lookupValue
    loopCount messageBody messageBodyStyle noEntryTimeout noInput noMatch participantId playStyle preferredAgents
    preTransferAudio priority processingPrompt prompt question reminderBody reminderSubject replyTo roundingInterval
    scheduleGroup selectedSchedule targetAddress targetQueue timeout voiceEndOfInputTimeout voicemailGreeting
"""
VALUES = frozenset(_VALUES.split())
"""Fields that hold one of the forms of a value wherever real flows show them; ``evaluate`` of a switch does not."""

LISTS = frozenset(("acdSkills", "attributes", "specificRoundingIntervals", "statements"))
"""Fields that hold a list of their own."""

_TRANSFER = "preTransferAudio failureTransferAudio failureOutputs"
_TO_ACD = "targetQueue preTransferAudio failureTransferAudio overrideInQueueFlow acdSkills priority preferredAgents"
_ASK = "question noInput noMatch voiceEndOfInputTimeout"

ACTION_FIELDS: dict[str, str] = {
    "abortSurveyInvite": "disposition",
    "askForBoolean": _ASK,
    "askForIntent": _ASK,
    "askForSlot": f"slot {_ASK} customValidation confirmationMode",
    "callBotFlow": "inputText exitReason intent botFlow",
    "callCommonModule": "commonModule",
    "callData": "processingPrompt timeout category",
    "callTask": "targetTaskRef",
    "changeState": "targetStateRef",
    "collectInput": (
        "inputData digits interDigitTimeout noEntryTimeout inputAudio acceptJustStar acceptJustPound verificationType"
    ),
    "communicate": "communication",
    "completeSurveyInvite": "targetAddress inviteSubject inviteBody reminderSubject reminderBody",
    "dataTableLookup": "lookupValue dataTable",
    "decision": "condition",
    "disconnectWorkitem": "failureOutputs",
    "endTask": "outputPath",
    "endWorkflow": "exitReason",
    "evaluateSchedule": "evaluationType",
    "evaluateScheduleGroup": "inServiceSchedules evaluate scheduleGroup emergencyGroup",
    "findQueue": "findName findResult",
    "findQueueById": "findId findResult",
    "getConversationData": "conversationId participantId attributes",
    "getExternalContact": "externalId externalResult",
    "getParticipantData": "attributes",
    "holdMusic": "prompt bargeInEnabled playStyle",
    "jumpToMenu": "targetMenuRef",
    "jumpToTask": "targetTaskRef",
    "loop": "currentIndex loopCount",
    "playAudio": "audio",
    "playEstimatedWaitTime": "estimatedWaitTime roundingInterval specificRoundingIntervals playbackMode",
    "sendAutoReply": "from replyTo cc bcc messageBody replyMode",
    "sendResponse": "messageBody messageBodyStyle",
    "setConversationData": "conversationId participantId attributes",
    "setParticipantData": "attributes",
    "setScreenPop": "screenPopScript",
    "switch": "evaluate",
    "transferToAcd": f"{_TO_ACD} languageSkill directAgent appendSkills failureOutputs",
    "transferToFlow": f"targetFlow {_TRANSFER}",
    "transferToVoicemail": f"{_TRANSFER} destination",
    "updateData": "statements",
    "wait": "duration trimDurationNearMaxRunningTime",
}
"""Action → its own fields, besides ``name`` and ``outputs``."""

CHOICE_FIELDS: dict[str, str] = {
    "dtmf": "The key that the caller presses: `digit_1`, `star`, `pound`.",
    "globalDtmf": "Whether the key is a global one.",
    "globalSpeechRecTerms": "Whether the spoken terms are global ones.",
    "speechRecTerms": "What the caller may say instead.",
}
KEYPAD = (*(f"digit_{digit}" for digit in range(10)), "star", "pound")

ERROR_HANDLING: dict[str, str] = {
    "disconnect": "Hang up: `{none: true}`.",
    "exit": "Leave the flow.",
    "endWorkflow": "End the workflow.",
    "queue": "Put the caller in a queue: `{targetQueue: …}`.",
    "task": "Go to a task: `{targetTaskRef: …}`.",
}
"""What ``settingsErrorHandling.errorHandling`` may hold, one of them."""

FIELDS: dict[str, str] = {
    "acdSkills": "Skills that the agent must have: a list of `acdSkill: {lit: {name: …}}`.",
    "attributes": "A list of `attribute: {name: …, value: …}`.",
    "botFlow": "Name of the bot flow, below it `ver_latestPublished` with inputs and outputs.",
    "category": "Name of the integration, below it `dataAction:`, the name of the data action, its inputs and outputs.",
    "commonModule": "Name of the common module, below it `ver_latestPublished` with inputs and outputs.",
    "dataTable": "Name of the data table, below it `foundOutputs` and `failureOutputs`.",
    "digits": "How many digits: `{exact: 8}`.",
    "overrideInQueueFlow": "The in-queue flow that callers hear, `{name: …}`.",
    "outputs": "What is done for each outcome; an outcome that is left out goes on below the action.",
    "screenPopScript": "Name of the script.",
    "statements": "What is set: a list such as `string: {variable: Flow.x, value: {lit: …}}`.",
    "targetFlow": "The flow that takes over, `{name: …}`.",
    "targetMenuRef": 'The menu to go to, e.g. `"/inboundCall/menus/menu[Main Menu_11]"`.',
    "targetQueue": "The queue, `{lit: {name: …}}`.",
    "targetStateRef": 'The state to go to, e.g. `"/workflow/states/state[Next_12]"`.',
    "targetTaskRef": 'The task to go to, e.g. `"/inboundCall/tasks/task[Billing_12]"`.',
}
"""Field of an action → what it holds; the others are told by their names."""
