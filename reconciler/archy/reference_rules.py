"""What is known about the fields of Archy YAML that name objects of the org: tables, no behaviour.

Source: facts/archy-yaml §3 and §4, where each shape is listed with how often real flows show it.
"""

from __future__ import annotations

OBJECT_KINDS: dict[str, str] = {
    "flow": "flow",
    "agenticVirtualAgent": "agentic virtual agent",
    "queue": "queue",
    "skill": "skill",
    "languageSkill": "language skill",
    "wrapupCode": "wrap-up code",
    "contactList": "contact list",
    "prompt": "user prompt",
    "dataTable": "data table",
    "dataAction": "data action",
    "schedule": "schedule",
    "scheduleGroup": "schedule group",
    "emergencyGroup": "emergency group",
    "user": "user",
    "group": "group",
    "script": "script",
    "division": "division",
    "surveyForm": "survey form",
    "knowledgeBase": "knowledge base",
    "flowOutcome": "flow outcome",
    "flowMilestone": "flow milestone",
    "worktype": "worktype",
    "ttsEngine": "text-to-speech engine",
    "sttEngine": "speech-to-text engine",
}
"""Kind of a reference → what people call such an object."""

VALUE_FIELDS = {
    "targetQueue": "queue",
    "queue": "queue",
    "acdSkill": "skill",
    "languageSkill": "languageSkill",
    "defaultLanguageSkill": "languageSkill",
    "wrapupCode": "wrapupCode",
    "contactList": "contactList",
    "holdMusic": "prompt",
    "processingPrompt": "prompt",
    "prompt": "prompt",
    "selectedSchedule": "schedule",
    "inServiceSchedules": "schedule",
    "scheduleGroup": "scheduleGroup",
    "emergencyGroup": "emergencyGroup",
    "targetUser": "user",
    "directAgent": "user",
    "preferredAgents": "user",
    "targetGroup": "group",
}
# A literal with a name in a field that no source shows is still known by the end of the field's name.
FIELD_ENDINGS = {
    "ScheduleGroup": "scheduleGroup",
    "EmergencyGroup": "emergencyGroup",
    "Group": "group",
    "LanguageSkill": "languageSkill",
    "Skill": "skill",
    "Queue": "queue",
    "Schedule": "schedule",
    "Prompt": "prompt",
    "WrapupCode": "wrapupCode",
    "ContactList": "contactList",
    "User": "user",
}
NAMED_FIELDS = {
    "targetFlow": "flow",
    "overrideInQueueFlow": "flow",
    "flowOutcome": "flowOutcome",
    "milestone": "flowMilestone",
    "worktype": "worktype",
    "surveyForm": "surveyForm",
    "knowledgeBase": "knowledgeBase",
}
KEYED_FIELDS = {
    "commonModule": "flow",
    "botFlow": "flow",
    "digitalBotFlow": "flow",
    "voiceFlow": "flow",
    "agenticVirtualAgent": "agenticVirtualAgent",
    "dataTable": "dataTable",
    "screenPopScript": "script",
    "settingsKnowledge": "knowledgeBase",
    "textToSpeech": "ttsEngine",
}
CALLED_FLOW_TYPES = {
    "commonModule": "COMMONMODULE",
    "botFlow": "BOT",
    "digitalBotFlow": "DIGITALBOT",
    "voiceFlow": "VOICE",
}
NO_NAMES = frozenset(("name", "lit", "exp", "noValue", "none", "inputs", "outputs", "defaultEngine", "knowledgeBase"))
FIND_ACTIONS = {
    "findQueue": "queue",
    "findSkill": "skill",
    "findLanguageSkill": "languageSkill",
    "findUser": "user",
    "findUserPrompt": "prompt",
    "findGroup": "group",
    "findSchedule": "schedule",
    "findScheduleGroup": "scheduleGroup",
    "findEmergencyGroup": "emergencyGroup",
}
TYPED_VALUES = {
    kind: kind for kind in ("queue", "skill", "languageSkill", "user", "group", "prompt", "schedule", "scheduleGroup")
} | {"emergencyGroup": "emergencyGroup"}
AUTHORS_KEYS = frozenset(("inputs", "successOutputs", "failureOutputs", "foundOutputs"))
# Intents, utterances and entities: the author's words, no objects of the org, and the bulk of a bot flow.
SKIPPED = frozenset(("settingsNaturalLanguageUnderstanding", "referencedObjects"))

TRANSFER_TARGETS = {
    "call": ("INBOUNDCALL", "OUTBOUNDCALL"),
    "message": ("INBOUNDSHORTMESSAGE",),
    "email": ("INBOUNDEMAIL",),
    "chat": ("INBOUNDCHAT",),
    "workitem": ("WORKITEM",),
}
IN_QUEUE_FLOWS = {
    "call": ("INQUEUECALL",),
    "message": ("INQUEUESHORTMESSAGE",),
    "chat": ("INQUEUESHORTMESSAGE",),
    "email": ("INQUEUEEMAIL",),
}
POST_FLOWS = ("VOICESURVEY", "INBOUNDCALL", "INBOUNDSHORTMESSAGE")
