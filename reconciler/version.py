"""The version of this tool, as it was installed."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("reconciler")
    except PackageNotFoundError:
        return "0+unknown"


VERSION = _installed()
