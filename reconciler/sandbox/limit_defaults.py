"""Namespaces of limits, and the few limits whose default is public.

The platform has hundreds of limits; their keys and defaults are not in the SDK. Those that a source names are
here with it. Others come from the seed file (``limits``) where a test or a team knows them, and from nowhere
else: an unknown limit is left out, not made up.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMESPACES: frozenset[str] = frozenset(
    """
    users.rules voice.transcription agent.assistant agentic.virtual.agents analytics.agents analytics.alerting
    analytics.data.extraction analytics analytics.realtime analytics.reporting.settings anomaly.detection
    architect audiohook audiohook.monitor audit auth.api authorization automation.testing bots bots.voice
    business.rules callback case.management cobrowse content.management conversation copilot dataactions
    datatables directory dsar email employee.engagement event.orchestration external.contacts
    external.events.data.ingestion gamification gcv gdpr groups guides historical.adherence infrastructureascode
    integrations intent.miner internal.messaging journey knowledge language.understanding learning limit.registry
    marketplace mcp.analytics.aggregates mcp media.communications messaging micro.frontend multi.org notifications
    onboarding organization.notice outbound platform.api predictive.routing presence quality recording
    response.management routing scim screen.monitoring sda search secondary.automation.testing skills social.media
    speech.and.text.analytics speech.integration supportability task.management telephony.configuration usage
    users web.deployments web.messaging webchat webhooks workforce.management.adherence
    workforce.management.agent.availability workforce.management.forecast workforce.management
    workforce.management.scheduling.preferences workforce.management.self.schedule
    workforce.management.shift.trading system
    """.split()  # noqa: SIM905 - a list of that many strings would be a screen long
)
"""SDK ``Limit.namespace``."""


@dataclass(frozen=True, slots=True)
class Documented:
    """A limit whose default somebody documents."""

    namespace: str
    key: str
    value: int
    description: str
    per_token: bool = False
    """The sandbox's own ``rate_limit``, where set, is this limit."""


DOCUMENTED: tuple[Documented, ...] = (
    Documented(
        "platform.api",
        "client.credentials.token.rate.per.minute",
        300,
        "Requests a minute of one client-credentials token; default as documented (facts §2, pages P2 and P3).",
        per_token=True,
    ),
    Documented(
        "platform.api",
        "token.rate.per.minute",
        300,
        "Requests a minute of one token; default as documented (facts §2, pages P2 and P3).",
        per_token=True,
    ),
    Documented(
        "platform.api",
        "org.app.user.rate.per.minute",
        3000,
        "Requests a minute of one user and application; default as documented (facts §2, page P24; a post says 300).",
    ),
    Documented(
        "platform.api",
        "request.bytes.max",
        512000,
        "Largest request body in bytes; default as documented (facts §2, page P2).",
    ),
)
