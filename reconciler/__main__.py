"""Entry point of ``reconciler`` and of ``python -m reconciler``.

Imports the tool inside the guard, so that Ctrl-C also ends it quietly while it is still loading.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Runs one command and leaves with its exit code."""
    try:
        from reconciler.cli.main import run

        code = run()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
