"""What rendering one file may cost: a count of work that is the same on every machine, and a clock behind it.

Each step is small – ``bounds`` sees to that – but steps add up: loops in loops, includes that include twice,
filters mapped over filters, large values hoarded in a list. So every loop round, call, include, filter and value
is charged, and a file that asks for too much ends with a message.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Context

MAX_WORK = 20_000_000
"""Units for one file: about characters computed. Real files take some thousands."""
MAX_SECONDS = 10.0
"""CPU time for one file, should the count miss something; real ones take milliseconds."""
MAX_TOKENS = 100_000
"""Words and signs inside the ``{{ }}`` and ``{% %}`` of one template, which must be compiled before anything runs."""
STEP = 20
"""Units of a loop round or a call."""
INCLUDE = 2_000
"""Units of an include or an import, which is set up anew each time."""
ITEM = 4
"""Units of an item of a list or a mapping."""


class TooMuch(TemplateRuntimeError):
    """A template used more time or memory than a spec may."""


class Budget:
    """What is left for the file in hand."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new file: everything is left."""
        self._left = MAX_WORK
        self._deadline = time.thread_time() + MAX_SECONDS

    def spend(self, units: int = STEP) -> None:
        """Charges for work that is done or about to be done.

        Raises:
            TooMuch: nothing is left, or the time is over.
        """
        self._left -= units
        if self._left < 0:
            raise TooMuch("Rendering takes too much work: a loop, an include or a filter goes over too many values.")
        if time.thread_time() > self._deadline:
            raise TooMuch(f"Rendering takes more than {MAX_SECONDS:.0f} seconds.")

    def spend_on(self, *values: Any) -> None:
        """Charges for values by all that is in them."""
        self.spend(STEP + sum(cost(value, self._left) for value in values))

    def counted(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values, each charged as it is taken; for what is computed one by one."""
        for value in values:
            self.spend_on(value)
            yield value


def cost(value: Any, most: int = MAX_WORK) -> int:
    """Units of a value with all that is in it; counting stops above ``most``.

    A list may hold the same long list many times; whoever writes it out writes it as often.
    """
    total = 0
    waiting = [value]
    while waiting and total <= most:
        part = waiting.pop()
        if isinstance(part, str):
            total += str.__len__(part)
        elif isinstance(part, range):
            total += ITEM * len(part)
        elif isinstance(part, list | tuple):
            total += ITEM * len(part)
            waiting.extend(part)
        elif isinstance(part, Mapping) and not isinstance(part, Context):
            total += 2 * ITEM * len(part)
            waiting.extend(part)
            waiting.extend(part.values())
    return total
