"""``python -m oracle FOLDER``: judges a recording that was made outside pytest, and prints the whole report.

To record any program: ``RECONCILER_ORACLE_FOLDER=FOLDER PYTHONPATH=tests/oracle/child python …``.
"""

import sys
from pathlib import Path

from oracle import recording, report
from oracle.sdk import Sdk
from oracle.verdict import judged

verdict = judged(recording.read(Path(sys.argv[1])), Sdk())
problems = list(report.problems(verdict, whole=False))
print("\n".join([*report.full(verdict), *problems, report.summary(verdict, whole=False)]))
sys.exit(bool(problems))
