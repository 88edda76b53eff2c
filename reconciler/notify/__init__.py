"""Tells people and systems what is done to an environment: webhooks, chats and in-house handlers.

Nothing here can stop or slow a run: what is told is written to disk first, sent in the background, and kept where it
could not be delivered. ``telling`` makes the documents, ``delivery`` sends them, ``outbox`` keeps them.
"""
