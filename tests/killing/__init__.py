"""Kills and suspends applies at each single HTTP exchange, and lets them race; see ``matrix`` and ``rivals``."""

import sys
from pathlib import Path

PROGRAM = (
    sys.executable,
    "-c",
    f"import sys; sys.path[:0] = [{str(Path(__file__).parents[1])!r}]; "
    "from killing.__main__ import main; sys.exit(main())",
)
"""How to start it as a process of its own; arguments follow."""
