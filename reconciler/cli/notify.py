"""``reconciler notify``: what could not be delivered to webhooks and handlers; sends it again, or a test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reconciler.cli.options import DEFAULT_ENVIRONMENT, Env, ListFormat, command
from reconciler.cli.output import Listing, document, say
from reconciler.cli.session import STATE, holder, repository_root
from reconciler.engine.audit import surroundings_of
from reconciler.ledger import now_utc
from reconciler.notify.again import send_again
from reconciler.notify.making import about_nothing
from reconciler.notify.outbox import Entry, Outbox
from reconciler.notify.sending import Attempt, attempt
from reconciler.notify.targets import Target
from reconciler.notify.telling import FOLDER, outbox_of, targets_of
from reconciler.problems import ReconcilerError
from reconciler.report.words import plural, utc
from reconciler.specs import Environment, WorkingTree, load_environment
from reconciler.suggest import near


def register(app: typer.Typer) -> None:
    """Adds the command."""
    command(app, "notify", notify)


def notify(
    hooks: Annotated[
        list[str] | None, typer.Argument(metavar="HOOK", help="Only these hooks; all of the environment by default.")
    ] = None,
    env: Env = DEFAULT_ENVIRONMENT,
    retry: Annotated[bool, typer.Option("--retry", help="Send what is kept again, in order.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Forget what is kept, without sending it.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Send a test message, to see that it arrives.")] = False,
    format: ListFormat = Listing.TEXT,
) -> int:
    """List the notifications that were not delivered; send them again, or a test.

    Exits with 1 if something that was to be sent was not delivered.
    """
    if retry + drop + test > 1:
        raise ReconcilerError("--retry, --drop and --test do not go together.", remedy="Give one of them.")
    if format is Listing.JSON and (retry or drop or test):
        raise ReconcilerError("--format json is for the list.", remedy="Leave it out.")
    root = repository_root()
    environment = load_environment(WorkingTree(root), env)
    outbox = outbox_of(root / STATE, env)
    entries, unreadable = outbox.entries()
    _check_known(hooks or (), {*environment.hooks, *(entry.hook for entry in entries)}, env)
    entries = [entry for entry in entries if not hooks or entry.hook in hooks]
    if test:
        return _test(environment, hooks or list(environment.hooks))
    if retry:
        return _retry(environment, outbox, entries)
    if drop:
        return _drop(outbox, entries)
    if format is Listing.JSON:
        document(json.dumps(_json(env, entries), indent=2, ensure_ascii=False))
        return 0
    say(_listed(environment, entries))
    say(_aside(root, env, unreadable))
    return 0


def _check_known(hooks: Sequence[str], known: set[str], environment: str) -> None:
    for hook in hooks:
        if hook not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise ReconcilerError(
                f"The environment {environment} has no hook {hook!r}.",
                remedy=f"{near(hook, sorted(known))}Known: {listed}. Hooks stand below `notify:` of its file.",
            )


def _test(environment: Environment, hooks: Sequence[str]) -> int:
    if not hooks:
        raise ReconcilerError(
            f"The environment {environment.name} has no hooks.", remedy="Add one below `notify:` of its file."
        )
    targets = targets_of(environment, os.environ)
    failed = 0
    for hook in hooks:
        target = targets.get(hook)
        if target is None:
            raise ReconcilerError(f"There is no hook {hook!r} any more; something is kept for it.")
        link = surroundings_of(os.environ).link
        made = attempt(target, about_nothing(environment.name, at=now_utc(), who=holder(), link=link))
        failed += not made.delivered
        say([_line(made, "test", target.shown)])
    return 1 if failed else 0


def _retry(environment: Environment, outbox: Outbox, entries: Sequence[Entry]) -> int:
    if not entries:
        say([Text("There is nothing to send again.", style="green")])
        return 0
    targets = targets_of(environment, os.environ)
    left = send_again(outbox, targets, entries, lambda entry, made: say([_sent(entry, made, targets.get(entry.hook))]))
    if left:
        say([Text(f"{plural(left, 'notification')} still kept.", style="yellow")])
    return 1 if left else 0


def _drop(outbox: Outbox, entries: Sequence[Entry]) -> int:
    for entry in entries:
        outbox.drop(entry)
        say([Text(f"dropped    {_what(entry)}  {entry.hook}")])
    if not entries:
        say([Text("There is nothing to drop.", style="green")])
    return 0


def _sent(entry: Entry, made: Attempt, target: Target | None) -> Text:
    return _line(made, _what(entry), target.shown if target else entry.hook)


def _line(made: Attempt, what: str, hook: str) -> Text:
    line = Text()
    line.append("delivered  " if made.delivered else "failed     ", style="green" if made.delivered else "bold red")
    line.append(f"{what}  {hook}{'' if made.delivered else f': {made.problem}'}")
    return line


def _listed(environment: Environment, entries: Sequence[Entry]) -> Iterator[Text]:
    if not entries:
        yield Text(f"Everything that was to be told about {environment.name} was delivered.", style="green")
        return
    yield Text(f"Not delivered in {environment.name}: {plural(len(entries), 'notification')}", style="bold")
    for entry in entries:
        yield Text(f"  {_what(entry)}  {entry.hook}")
        tries = f"{plural(entry.kept.attempts, 'attempt')}, " if entry.kept.attempts else ""
        yield Text(f"      {tries}{entry.kept.problem or 'not sent yet'}", style="dim")
    yield Text(f"To send it again: reconciler notify --retry --env {environment.name}", style="dim")


def _what(entry: Entry) -> str:
    told = entry.kept.notification
    return f"{utc(told.at)}  {told.event:<11}"


def _aside(root: Path, environment: str, unreadable: Sequence[Path]) -> Iterator[Text]:
    """What else lies there, so that nobody takes one environment's list for all."""
    for path in unreadable:
        yield Text(
            f"{path.relative_to(root)} cannot be read as a notification; look at it, or delete it.", style="yellow"
        )
    folder = root / STATE / FOLDER
    for other in sorted(path.name for path in folder.glob("*") if path.is_dir() and path.name != environment):
        if count := len(outbox_of(root / STATE, other).entries()[0]):
            yield Text(f"Also kept: {plural(count, 'notification')} of {other}.", style="dim")


def _json(environment: str, entries: Sequence[Entry]) -> dict[str, object]:
    return {
        "environment": environment,
        "undelivered": [
            {
                "id": entry.kept.notification.id,
                "event": entry.kept.notification.event,
                "at": entry.kept.notification.at.isoformat(),
                "hook": entry.hook,
                "attempts": entry.kept.attempts,
                "problem": entry.kept.problem,
            }
            for entry in entries
        ],
    }
