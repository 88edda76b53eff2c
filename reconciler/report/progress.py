"""Live progress of an apply: what runs, what waits for what, how long, n of m. Written to stderr."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live as LiveDisplay
from rich.text import Text

from reconciler.engine.document import Change, Plan
from reconciler.engine.outcome import Outcome, Result
from reconciler.engine.smoke_report import SmokeResult
from reconciler.report.smoke import SmokeLines, smoke_head
from reconciler.report.text import result_text
from reconciler.report.words import plural

WAITING_SHOWN = 5


class Progress:
    """Listens to a run. On a terminal the running changes are redrawn; elsewhere each event is a line."""

    def __init__(self, console: Console, *, live: bool = True) -> None:
        """``live`` False prints lines also on a terminal, as pipelines want it."""
        self._console = console
        self._may_redraw = live and console.is_terminal and not console.is_dumb_terminal
        self._changes: dict[str, Change] = {}
        self._running: dict[str, float] = {}
        self._waits: dict[str, str] = {}
        self._done: set[str] = set()
        self._applied: set[str] = set()
        self._smoke = SmokeLines()
        self._verifying: str | None = None
        self._display: LiveDisplay | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.stop()

    def notice(self, text: str) -> None:
        """Says something in between, above the live display."""
        self._console.print(Text(text, style="yellow"), soft_wrap=True)

    def run_started(self, plan: Plan) -> None:
        """See ``Listener``."""
        self._changes = {change.address: change for change in plan.changes}
        # A run that takes its changes back begins a second time.
        self._done.clear()
        self._applied.clear()
        if self._changes and self._may_redraw and self._display is None:
            self._display = LiveDisplay(
                console=self._console, get_renderable=self._picture, refresh_per_second=4, transient=True
            )
            self._display.start()

    def change_started(self, change: Change) -> None:
        """See ``Listener``."""
        self._running[change.address] = time.monotonic()
        if self._display is None:
            self._console.print(
                Text(f"started     {change.action.value:<9} {change.address}", style="dim"), soft_wrap=True
            )

    def change_waits(self, address: str, what: str) -> None:
        """See ``Listener``."""
        if self._waits.get(address) != what:
            self._waits[address] = what
            if self._display is None and address in self._running:
                self._console.print(Text(f"            {address}: {what}", style="dim"), soft_wrap=True)

    def change_ended(self, result: Result) -> None:
        """See ``Listener``."""
        self._running.pop(result.address, None)
        self._waits.pop(result.address, None)
        self._done.add(result.address)
        if result.outcome is Outcome.APPLIED:
            self._applied.add(result.address)
        line = Text(f"[{len(self._done)}/{len(self._changes)}] ", style="dim")
        line.append_text(result_text(result))
        self._console.print(line, soft_wrap=True)

    def verify_started(self, count: int) -> None:
        """See ``Listener``; said on a terminal only, since it mostly takes no time."""
        self._verifying = f"verifying {plural(count, 'resource')} in the org"

    def verify_waits(self, what: str) -> None:
        """See ``Listener``."""
        waits = f"verifying: waiting for {what}"
        if self._display is None and waits != self._verifying:
            self._console.print(Text(waits, style="dim"), soft_wrap=True)
        self._verifying = waits

    def verify_ended(self) -> None:
        """See ``Listener``."""
        self._verifying = None

    def smoke_started(self, org: str, count: int, of: int) -> None:
        """See ``Listener``."""
        self._console.print(smoke_head(org, count, of), soft_wrap=True)

    def smoke_ended(self, result: SmokeResult) -> None:
        """See ``Listener``."""
        for line in self._smoke.of(result):
            self._console.print(line, soft_wrap=True)

    def _picture(self) -> Group:
        now = time.monotonic()
        lines = [Text(f"{len(self._done)} of {len(self._changes)} done, {len(self._running)} running", style="bold")]
        if self._verifying:
            lines.append(Text(f"  ▸ {self._verifying}", style="dim"))
        for address, since in self._running.items():
            line = Text("  ▸ ")
            line.append(f"{self._changes[address].action.value:<9} {address}")
            line.append(f"  {now - since:.0f} s  {self._waits.get(address, '')}", style="dim")
            lines.append(line)
        blocked = [
            (address, left)
            for address, change in self._changes.items()
            if address not in self._done
            and address not in self._running
            and (left := [other for other in change.depends_on if other not in self._done])
        ]
        for address, left in blocked[:WAITING_SHOWN]:
            lines.append(Text(f"    {address} waits for {', '.join(left)}", style="dim"))
        if len(blocked) > WAITING_SHOWN:
            lines.append(Text(f"    … and {len(blocked) - WAITING_SHOWN} more wait", style="dim"))
        return Group(*lines)
