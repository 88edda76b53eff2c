"""What may deviate from the SDK, and why: the only list of it.

An exception that no exchange of a whole run needs makes that run fail: it is to be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from oracle.judge import Deviation


@dataclass(frozen=True)
class Excepted:
    """Deviations that are meant; ``*`` stands for any text."""

    by: str
    """client, sandbox or reader."""
    operation: str
    place: str
    evidence: str
    """Who says, against the SDK, that this is right; or why it must be sent although it is wrong."""
    tests: str = "*"
    """The tests in which it may happen, by their ids."""

    def covers(self, deviation: Deviation, test: str) -> bool:
        """Whether this is about that deviation in that test."""
        return (
            self.by == deviation.by
            and fnmatchcase(deviation.operation, _literal(self.operation))
            and fnmatchcase(deviation.place, _literal(self.place))
            and fnmatchcase(test, _literal(self.tests))
        )


def _literal(pattern: str) -> str:
    """Brackets stand for themselves: places and ids of tests have them."""
    return pattern.replace("[", "[[]")


EXCEPTIONS: Sequence[Excepted] = ()
