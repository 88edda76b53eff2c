"""The step that needs no org: validate."""

from __future__ import annotations

import json

from reconciler.pipelines.environments import every_environment
from reconciler.pipelines.github import GitHub
from reconciler.pipelines.running import log, reconciler
from reconciler.pipelines.settings import Settings
from reconciler.pipelines.telling import note, output, summary


def validate(settings: Settings) -> int:
    """Checks one environment or all; on GitHub, findings stand at their lines, each once."""
    names = [settings.environment] if settings.environment else every_environment()
    form = "github" if settings.around.forge == "GitHub" else "text"
    codes: dict[str, int] = {}
    annotations: dict[str, None] = {}
    for name in names:
        ran = reconciler("validate", "--env", name, "--format", form, *settings.arguments)
        codes[name] = ran.code
        if form == "github":
            log(f"{name}: {'valid' if ran.code == 0 else 'has errors'}")
        # Most findings are the same in every environment.
        annotations |= dict.fromkeys(ran.document.splitlines())
        if settings.sarif:
            _upload(settings, name)
    for line in annotations:
        log(line)
    lines = [f"| `{name}` | {'valid' if code == 0 else '**has errors**'} |" for name, code in codes.items()]
    summary("\n".join(["| Environment | Specs |", "|---|---|", *lines]) + "\n")
    code = max(codes.values(), default=0)
    output("exit-code", code)
    return code


def _upload(settings: Settings, environment: str) -> None:
    """Hands the findings over to GitHub's code scanning, one analysis an environment."""
    around = settings.around
    forge = around.open(settings.token)
    if not isinstance(forge, GitHub) or around.from_fork:
        note("notice", "Findings go to code scanning only on GitHub, and not from forks.")
        return
    ran = reconciler("validate", "--env", environment, "--format", "sarif", quiet=True)
    found = json.loads(ran.document)
    found["runs"][0]["automationDetails"] = {"id": f"reconciler/{environment}/"}
    forge.upload_sarif(json.dumps(found), commit=around.checked_out, ref=around.ref)
