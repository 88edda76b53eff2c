"""The place from which other packages import ``near``; the code itself is ``reconciler.suggest``."""

from reconciler.suggest import near

__all__ = ["near"]
