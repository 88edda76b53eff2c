"""How full an org is: its own limits, what counts against them, and what a plan adds."""
