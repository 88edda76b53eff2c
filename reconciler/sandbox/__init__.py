"""A local Genesys Cloud org on real HTTP, for laptops and tests (design §10).

It knows nothing of our client, so that agreeing with it means something. ``embedded.start`` runs one
inside a process, ``server.serve`` in the foreground for other people's clients.
"""
