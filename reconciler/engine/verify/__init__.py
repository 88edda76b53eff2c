"""Linkage proved: asks the org itself whether callers get what the specs say, and never takes silence for a yes.

``report`` holds what came of it, ``scope`` which resources are looked at, ``view`` the org as the checks see it;
``fields``, ``numbers`` and ``copies`` are the checks; ``run`` puts them together.
"""
