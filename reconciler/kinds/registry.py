"""Finds the kinds: every module of this package that defines one registers it on import."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from reconciler import kinds
from reconciler.kinds.base import Kind


@cache
def all_kinds() -> tuple[Kind, ...]:
    """One instance of every kind, in the order of their module names."""
    for module in pkgutil.iter_modules(kinds.__path__):
        importlib.import_module(f"{kinds.__name__}.{module.name}")
    concrete = sorted(_concrete(Kind), key=lambda cls: (cls.__module__, cls.__name__))  # type: ignore[type-abstract]
    return tuple(cls() for cls in concrete)


@cache
def kind_of_root(root: str) -> Kind | None:
    """The kind whose documents start with this root key, or None."""
    return next((kind for kind in all_kinds() if root in kind.roots), None)


@cache
def kind_of(name: str) -> Kind:
    """The kind behind the first part of an address.

    Raises:
        KeyError: no kind has that name.
    """
    for kind in all_kinds():
        if name in kind.kinds:
            return kind
    raise KeyError(name)


def known_roots() -> tuple[str, ...]:
    """All root keys that a document may have, sorted."""
    return tuple(sorted(root for kind in all_kinds() for root in kind.roots))


def _concrete(cls: type[Kind]) -> list[type[Kind]]:
    found = [sub for sub in cls.__subclasses__() if not getattr(sub, "__abstractmethods__", None)]
    for sub in cls.__subclasses__():
        found.extend(_concrete(sub))
    return found
