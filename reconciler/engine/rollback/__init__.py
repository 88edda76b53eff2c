"""The way back: plans that undo a run, or go back to a commit.

The ledger's rows remember what each address was before the last runs (``ledger.trail``). ``request`` finds out what
is to be undone, ``former`` how the objects were then, ``plan`` makes a plan of it, ``steps`` carries it out.
"""
