"""Which endpoint lists which object class; paths, filters and maxima as in the SDK.

Page sizes: 500 where the Terraform provider uses it (facts §2), else 100, which every endpoint takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.platform.listings import Cursor, DataActions, Listing, Numbered, Searched, Users, Worktypes
from reconciler.platform.session import path_of

LISTINGS: Mapping[str, Listing] = {
    "queue": Numbered(path_of("routing", "queues"), size=500),
    "skill": Numbered(path_of("routing", "skills"), size=500),
    "languageSkill": Numbered(path_of("routing", "languages")),
    "wrapupCode": Numbered(path_of("routing", "wrapupcodes")),
    # Without allowEmptyResult the endpoint has no empty page to give (SDK get_outbound_contactlists).
    "contactList": Numbered(path_of("outbound", "contactlists"), query={"allowEmptyResult": True}),
    "prompt": Numbered(path_of("architect", "prompts"), names_at_once=50),
    "schedule": Numbered(path_of("architect", "schedules")),
    "scheduleGroup": Numbered(path_of("architect", "schedulegroups")),
    "emergencyGroup": Numbered(path_of("architect", "emergencygroups")),
    "dataTable": Numbered(path_of("flows", "datatables")),
    "flowOutcome": Numbered(path_of("flows", "outcomes")),
    "flowMilestone": Numbered(path_of("flows", "milestones")),
    "dataAction": DataActions(),
    "ttsEngine": Numbered(path_of("integrations", "speech", "tts", "engines")),
    "sttEngine": Numbered(path_of("integrations", "speech", "stt", "engines")),
    "agenticVirtualAgent": Numbered(path_of("agentic", "virtualagents")),
    "user": Users(path_of("users")),
    "group": Searched(path_of("groups")),
    "script": Numbered(path_of("scripts")),
    "division": Numbered(path_of("authorization", "divisions")),
    "surveyForm": Numbered(path_of("quality", "forms", "surveys")),
    "knowledgeBase": Cursor(path_of("knowledge", "knowledgebases")),
    "worktype": Worktypes(path_of("taskmanagement", "worktypes", "query")),
}
"""Object class → how it is listed."""
