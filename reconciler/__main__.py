"""Entry point of ``reconciler`` and of ``python -m reconciler``.

Imports the tool inside the guard, so that Ctrl-C also ends it quietly while it is still loading.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from contextlib import suppress

NEW_OBJECTS = 50_000
"""How many may be made before a collection. A command makes many and few circles of them: the default of 700 costs
a tenth of its time and frees next to nothing."""


def main() -> None:
    """Runs one command and leaves with its exit code."""
    gc.set_threshold(NEW_OBJECTS)
    try:
        from reconciler.cli.main import run

        code = run()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        code = 1
    if threading.active_count() > 1:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """Ends the process now: Python would wait for thread pools that a handler of notifications has begun, for ever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
