"""The steps that read: plan, and which plans have something to apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.pipelines.forges import write_comment
from reconciler.pipelines.running import Ran, log, reconciler
from reconciler.pipelines.settings import Settings
from reconciler.pipelines.skipping import not_concerned, skipped
from reconciler.pipelines.telling import block, marked, marker, output, signed, summary
from reconciler.problems import ReconcilerError


def plan(settings: Settings) -> int:
    """Plans, saves the plan, and shows it on the change; changes pending are no failure."""
    environment = settings.needs_environment()
    if skipped(settings.around) or not_concerned(settings):
        return 0
    settings.plan_file.unlink(missing_ok=True)
    settings.plan_file.parent.mkdir(parents=True, exist_ok=True)
    ran = reconciler(
        "plan", "--env", environment, "--out", str(settings.plan_file), "--detailed-exitcode", *settings.arguments
    )
    document = _document(settings, environment, ran)
    summary(document)
    _outputs(settings.plan_file, ran.code)
    if settings.comment and settings.around.change is not None:
        forge = settings.around.open(settings.token)
        body = signed(document, settings.around.footer, forge.longest)
        output("comment-url", write_comment(forge, marker("plan", environment), body).url)
    return 0 if ran.code == 2 else ran.code


def pending(settings: Settings) -> int:
    """Which environments have a saved plan, somewhere in the folder, that changes something and may be applied."""
    plans = [load(path) for path in sorted(settings.plan_file.rglob("*.plan.json"))]
    names = sorted({plan["environment"] for plan in plans if plan["changes"] and not _errors(plan)})
    output("environments", json.dumps(names))
    log(f"Something to apply in: {', '.join(names) or 'no environment'}.")
    summary(f"Something to apply in: {', '.join(f'`{name}`' for name in names) or 'no environment'}.\n")
    return 0


def load(path: Path) -> dict[str, Any]:
    """A saved plan.

    Raises:
        ReconcilerError: the file is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document["changes"], list) and isinstance(document["environment"], str):
            return dict(document)
    except OSError as error:
        raise ReconcilerError(f"{path}: {error.strerror}.", remedy="Run the step that plans before.") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise ReconcilerError(f"{path} is no saved plan.", remedy="Plan again.")


def _document(settings: Settings, environment: str, ran: Ran) -> str:
    if ran.code in (0, 1, 2) and settings.plan_file.exists():
        shown = reconciler("show", str(settings.plan_file), "--format", "markdown", quiet=True)
        if shown.code == 0:
            return marked("plan", environment, shown.document)
    return marked("plan", environment, f"## No plan for `{environment}`\n\n{block(ran.said)}\n")


def _outputs(plan_file: Path, code: int) -> None:
    output("exit-code", code)
    if plan_file.exists():
        output("plan-file", str(plan_file))
        output("changes", len(load(plan_file)["changes"]))
    output("changes-pending", code == 2)


def _errors(plan: dict[str, Any]) -> bool:
    return any(finding.get("severity") == "error" for finding in plan.get("findings", ()))
