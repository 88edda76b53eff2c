"""What every command does that tells hooks: begins, warns of hooks that lead nowhere, ends within a few seconds."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from reconciler.cli.output import say
from reconciler.cli.session import STATE, holder
from reconciler.engine.document import Plan
from reconciler.engine.workspace import Workspace
from reconciler.problems import ReconcilerError
from reconciler.report.findings import findings_text
from reconciler.report.words import plural
from reconciler.specs import EventName, Masker

if TYPE_CHECKING:
    from reconciler.notify.delivery import Delivery, Item
    from reconciler.notify.targets import Target
    from reconciler.notify.telling import Telling

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def telling(workspace: Workspace, *events: EventName, plan: Plan | None = None) -> Iterator[Telling | None]:
    """For the time of a command that may tell of these events; None where the environment has no hooks.

    The end of the block waits a few seconds for what is not delivered yet, and says what is left. ``plan`` is a saved
    one that is applied; its drift was told when it was made.
    """
    if not workspace.environment.hooks:
        yield None
        return
    told = _begin(workspace, events, plan)
    try:
        yield told
    except BaseException as error:
        told.broke_off(_why(error))
        raise
    finally:
        _end(told.delivery)
        say(_left(told.delivery.undelivered, told.faults, workspace.environment.name))


def _begin(workspace: Workspace, events: Sequence[EventName], plan: Plan | None) -> Telling:
    # A command that tells nobody need not load what sends.
    from reconciler.engine.audit import surroundings_of
    from reconciler.notify.delivery import Delivery
    from reconciler.notify.targets import unset_findings
    from reconciler.notify.telling import Telling, outbox_of, targets_of

    environment = workspace.environment
    targets = targets_of(environment, os.environ)
    concerned = {name: target for name, target in targets.items() if not set(events).isdisjoint(target.hook.events)}
    say(findings_text(unset_findings(environment, concerned)))
    delivery = Delivery(outbox_of(workspace.root / STATE, environment.name), targets)
    return Telling(
        environment=environment.name,
        delivery=delivery,
        who=holder(),
        mask=_mask(workspace, targets),
        link=surroundings_of(os.environ).link,
        drift_is_news=plan is None,
        plan=plan,
    )


def _mask(workspace: Workspace, targets: Mapping[str, Target]) -> Callable[[str], str]:
    """Takes out secrets, those of the hooks included."""
    masker = Masker(workspace.secrets)
    hidden = [secret for target in targets.values() for secret in target.secrets]

    def mask(text: str) -> str:
        text = masker.mask(text)
        for secret in hidden:
            text = text.replace(secret, "(secret)")
        return text

    return mask


def _why(error: BaseException) -> str:
    """Why a command ended before its time, without what only a maintainer understands."""
    if isinstance(error, ReconcilerError):
        return error.message
    return (
        "It was stopped by hand."
        if isinstance(error, KeyboardInterrupt)
        else f"Internal error: {type(error).__name__}."
    )


def _end(delivery: Delivery) -> None:
    """Lets the rest be delivered; a signal ends the wait and not the process, whose work is done."""
    signals = ENDING_SIGNALS if threading.current_thread() is threading.main_thread() else ()
    before = {each: signal.signal(each, signal.default_int_handler) for each in signals}
    try:
        delivery.close(waiting=_waiting)
    except KeyboardInterrupt:
        say([Text("Left for later.", style="dim")])
    finally:
        for each, handler in before.items():
            signal.signal(each, handler or signal.SIG_DFL)


def _waiting(count: int) -> None:
    what = plural(count, "notification")
    say([Text(f"Waiting a few seconds for {what} to be delivered; Ctrl-C leaves it for later.", style="dim")])


def _left(items: list[Item], faults: list[str], environment: str) -> Iterator[Text]:
    """What people must know of what was not delivered; of what they were warned of, they know."""
    untold = [item for item in items if item.target.problem is None or item.entry is None]
    for item in untold:
        kept = "kept" if item.entry else "lost, because it could not be written down"
        yield Text(f"Not delivered to {item.target.shown}: {item.told.event}: {item.problem}; {kept}.", style="yellow")
    if any(item.entry for item in untold):
        yield Text(f"To send it again: reconciler notify --retry --env {environment}", style="dim")
    for fault in faults:
        yield Text(f"A notification could not be made: {fault}", style="yellow")
