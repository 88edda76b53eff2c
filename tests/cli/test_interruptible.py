"""Ctrl-C ends a command that sleeps."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import pytest

from reconciler.cli.interruptible import run_interruptible


@pytest.fixture
def as_in_a_terminal():
    """Ctrl-C interrupts; workers of a test run may have other plans with it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_signal_that_does_not_wake_the_main_thread_still_ends_its_sleep(as_in_a_terminal):
    def press():
        # To the main thread it is as one that comes just before it falls asleep: noted, but no end of the sleep.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    async def sleeping():
        threading.Timer(0.1, press).start()
        await asyncio.sleep(20)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_interruptible(sleeping())

    assert time.monotonic() - began < 10


def test_signals_are_nobodys_business_afterwards(as_in_a_terminal):
    async def answer():
        return 42

    assert run_interruptible(answer()) == 42
    before = signal.set_wakeup_fd(-1)
    assert before == -1
