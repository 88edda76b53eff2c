"""Starts the recording in processes that tests start: this folder is on their PYTHONPATH, and Python imports
this module by itself, before anything else runs."""

import sys
from pathlib import Path

_tests = str(Path(__file__).resolve().parents[2])
sys.path.insert(0, _tests)
try:
    from oracle import recording
finally:
    sys.path.remove(_tests)

recording.install()
