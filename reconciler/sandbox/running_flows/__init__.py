"""Runs workflow flows, as far as it can do so truthfully.

``runner`` walks a flow; ``actions`` holds what each action does, ``expressions`` and ``evaluating`` what
expressions mean, ``functions`` what functions return, ``scope`` the variables, ``world`` what a flow can ask
the org. Whatever is not certain from public material ends a run with ``CannotRun``, which names it: an
execution fails here rather than do something else than the platform would.
"""
