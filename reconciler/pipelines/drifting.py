"""The nightly step: what somebody changed by hand, in one issue for as long as it is there."""

from __future__ import annotations

from reconciler.pipelines.forges import close_issues, write_issue
from reconciler.pipelines.running import reconciler, show
from reconciler.pipelines.settings import Settings
from reconciler.pipelines.skipping import skipped
from reconciler.pipelines.telling import marked, marker, note, output, signed, summary


def drift(settings: Settings) -> int:
    """Compares, and opens, updates or closes the issue; drift is no failure of the step."""
    environment = settings.needs_environment()
    if skipped(settings.around):
        return 0
    ran = reconciler("drift", "--env", environment, "--format", "markdown", *settings.arguments)
    output("exit-code", ran.code)
    if ran.code not in (0, 2):
        # Who could not look knows nothing: the issue stays as it is.
        return ran.code
    output("drift-found", ran.code == 2)
    show(ran.document)
    summary(ran.document)
    if settings.comment:
        _issue(settings, environment, ran.document, found=ran.code == 2)
    if ran.code == 2:
        note("warning", f"{environment}: somebody changed the org since it was applied.")
    return 0


def _issue(settings: Settings, environment: str, document: str, *, found: bool) -> None:
    forge = settings.around.open(settings.token)
    line = marker("drift", environment)
    if found:
        body = signed(marked("drift", environment, document), settings.around.footer, forge.longest)
        title = f"Drift in {environment}: somebody changed the org since it was applied"
        output("issue-url", write_issue(forge, line, title, body).url)
        return
    remark = f"No drift any more: `{environment}` is as it was applied last.\n\n<sub>{settings.around.footer}</sub>"
    for post in close_issues(forge, line, remark):
        output("issue-url", post.url)
