"""``reconciler promote``: pins an environment to the commit that another one has proven."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import command
from reconciler.cli.output import say
from reconciler.cli.session import connect, open_workspace, repository_root
from reconciler.engine.document import save_plan
from reconciler.engine.planner import Planning, make_plan
from reconciler.engine.promotion import require_committed, require_proven
from reconciler.engine.workspace import Scope, Workspace
from reconciler.files import replace_file
from reconciler.problems import ReconcilerError, SpecError
from reconciler.report.promotion import proof_text, step_text
from reconciler.report.text import plan_text
from reconciler.specs import GitError, WorkingTree, load_environment
from reconciler.specs.environment import Environment
from reconciler.specs.git import commit_state, resolve, uncommitted
from reconciler.specs.git_log import commit_named, commits_between, is_ancestor
from reconciler.specs.loader import DIRECTORIES
from reconciler.specs.pin import with_release


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "promote", promote)


@dataclass(frozen=True)
class _Step:
    """From which commit an environment goes to which."""

    root: Path
    source: Environment
    target: Environment
    commit: str

    @property
    def file(self) -> str:
        """The target's own file."""
        return self.target.files[0]


def promote(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The environment that proves the commit.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The environment that is pinned to it.")],
    commit: Annotated[
        str | None,
        typer.Option("--commit", metavar="REV", help="Promote this revision; FROM must run exactly that."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Save TO's plan for apply.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Prove and plan, but leave TO's file as it is.")] = False,
) -> int:
    """Pin TO to the commit that FROM runs, once a plan has shown that FROM has no pending changes and no drift."""
    step = _step(source, target, commit)
    proven = _plan(open_workspace(source, release=commit and step.commit))
    require_proven(proven)
    planned = _plan(open_workspace(target, release=step.commit))
    say(proof_text(proven, commit_named(step.root, step.commit)))
    _pin(step, dry_run=dry_run)
    say([Text()])
    say(plan_text(planned.plan))
    if out is not None:
        save_plan(planned.plan, out)
        say([Text(f"Saved as {out}.", style="dim")])
    if not dry_run:
        say([Text(f"Commit {step.file}; {_then(step, out)}", style="bold")])
    return 0


def _then(step: _Step, out: Path | None) -> str:
    name = step.target.name
    if out is None and step.target.policy.require_saved_plan:
        return f"`reconciler plan --env {name} --out FILE` then saves this plan for review."
    return f"`reconciler apply {shlex.quote(str(out)) if out else f'--env {name}'}` then does this."


def _step(source: str, target: str, commit: str | None) -> _Step:
    """What is to be promoted.

    Raises:
        ReconcilerError: an environment is unknown, both are one, or what FROM is planned from is in no commit.
    """
    root = repository_root()
    if source == target:
        raise ReconcilerError(
            f"{source} cannot be promoted to itself.", remedy="Name two environments: `reconciler promote test prod`."
        )
    tree = WorkingTree(root)
    proving, pinned = load_environment(tree, source), load_environment(tree, target)
    release = commit or proving.release
    try:
        state = commit_state(root, release)
        own = [*proving.files, *([] if release else DIRECTORIES)]
        changed = uncommitted(root, own) if state.commit else []
    except GitError as error:
        raise ReconcilerError(error.message, remedy=error.remedy) from None
    if state.commit is None:
        raise ReconcilerError(
            "There is no Git commit here that could be promoted.", remedy="Commit the specs, and apply them to FROM."
        )
    require_committed(source, changed)
    return _Step(root, proving, pinned, state.commit)


def _plan(workspace: Workspace) -> Planning:
    async def plan() -> Planning:
        async with connect(workspace) as connected:
            return await make_plan(workspace, connected.platform, connected.ledger, Scope())

    try:
        return run_interruptible(plan())
    except SpecError:
        raise
    except ReconcilerError as error:
        # Two orgs are asked, usually with credentials of their own.
        error.message = f"{workspace.environment.name}: {error.message}"
        raise


def _pin(step: _Step, *, dry_run: bool) -> None:
    before = step.target.release
    old = _resolved(step.root, before)
    say(
        step_text(
            step.target.name,
            step.file,
            before,
            step.commit,
            commits_between(step.root, old, step.commit, DIRECTORIES) if old else None,
            goes_back=bool(old) and not is_ancestor(step.root, old or "", step.commit),
        )
    )
    path = step.root / step.file
    text = path.read_bytes().decode("utf-8")
    edited = with_release(text, step.commit, step.file)
    if dry_run:
        say([Text(f"{step.file} is left as it is (--dry-run).", style="dim")])
    elif edited != text:
        replace_file(path, edited)


def _resolved(root: Path, release: str | None) -> str | None:
    try:
        return resolve(root, release) if release else None
    except GitError:
        return None
