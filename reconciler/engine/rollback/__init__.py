"""The way back: plans that undo a run, or go back to a commit.

The ledger's rows remember what each address was before the last runs (``ledger.trail``). ``request`` finds out what
is to be undone, ``former`` and ``desired`` how the objects were then, ``destination`` puts that together. ``plan``
makes a plan of it, for the specs of ``catalog`` and with the last word of ``settling``; ``steps`` carries it out.
``retreat`` does so for a run that failed.
"""
