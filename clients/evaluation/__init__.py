"""Conversations as files: they are played against the conversation core with any model, and judged.

The package stands with those who ask from outside: it drives the pure core as the gateway does, with time, line, lead
and ledger of its own, and asks the language model through the vendor module's plain function. The scripted model lives
in the sandbox, which this room never imports; whoever wants it (the tests) hands it in.

``scenario`` is the file format, ``play`` drives one conversation, ``judge`` compares it with what was expected,
``corrupt`` spoils the transcript as a recogniser does, ``coverage`` counts what was reached, ``suite`` runs many, and
``report`` draws the result.
"""
