"""The wire oracle: what goes over the wire while the tests run is judged by the official SDK.

``recording`` writes down each exchange, in every process that the tests start; ``sdk`` derives the table of
operations and models from the SDK's generated code; ``judge`` and ``reads`` hold the one against the other;
``reach`` lists what our client can ask for; ``exceptions`` is the one list of what may deviate; ``plugin`` does all
this for a run of pytest, and ``report`` puts it in words.
"""
