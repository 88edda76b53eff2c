"""``reconciler unlock``: drops a left-over ledger lock, after showing whose it is."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.interruptible import run_interruptible
from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, command
from reconciler.cli.output import interactive, say
from reconciler.cli.session import connect, open_workspace
from reconciler.engine.workspace import Workspace
from reconciler.ledger import LockInfo, stamp


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "unlock", unlock)


def unlock(
    env: Env = DEFAULT_ENVIRONMENT,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, also when the lock has not expired.")] = False,
) -> int:
    """Drop a lock that a dead run left behind."""
    return run_interruptible(_unlock(open_workspace(env, offline=True), yes))


async def _unlock(workspace: Workspace, yes: bool) -> int:
    async with connect(workspace) as connected:
        lock = await connected.ledger.lock()
        if lock is None:
            say([Text(f"{workspace.environment.name} is not locked.", style="green")])
            return 0
        expired = lock.expired(connected.ledger.now())
        say([Text(_whose(lock, expired))])
        if not (yes or expired or _confirmed()):
            say([Text("The lock stays. `--yes` drops it without asking.", style="yellow")])
            return 1
        dropped = await connected.ledger.break_lock(lock)
    if not dropped:
        say([Text("The lock has changed hands meanwhile and was left alone; look again.", style="yellow")])
        return 3
    say([Text("The lock is dropped.", style="green")])
    return 0


def _whose(lock: LockInfo, expired: bool) -> str:
    state = "expired" if expired else "expires"
    return (
        f"Locked by {lock.holder} (run {lock.run}) since {stamp(lock.acquired_at)}; {state} {stamp(lock.expires_at)}."
    )


def _confirmed() -> bool:
    return interactive() and typer.confirm("Drop it? A run that is still alive stops writing.", err=True)
