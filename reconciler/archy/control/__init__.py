"""Control flow: which action runs after which, where a flow ends, and what nothing leads to."""
