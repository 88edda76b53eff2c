"""Runs what a command does so that Ctrl-C is heard at once, however long the command would sleep."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_interruptible(doing: Coroutine[Any, Any, Result]) -> Result:
    """``asyncio.run``, which alone may miss a Ctrl-C until its loop wakes for another reason.

    Python only notes that a signal came, and acts when it runs next. A loop that falls asleep in that very moment, or
    a signal that reaches another thread, such as the sandbox's, does not end the sleep, which may be half a minute.
    So signals are written to a socket, too, that the loop listens to.
    """
    return asyncio.run(_listening(doing))


async def _listening(doing: Coroutine[Any, Any, Result]) -> Result:
    if threading.current_thread() is not threading.main_thread():
        return await doing  # Only the main thread is told of signals.
    loop = asyncio.get_running_loop()
    hears, told = socket.socketpair()
    with hears, told:
        hears.setblocking(False)
        told.setblocking(False)
        loop.add_reader(hears, hears.recv, 4096)
        before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        try:
            return await doing
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(hears)
