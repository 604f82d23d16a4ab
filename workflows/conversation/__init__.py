"""The conversation: a guardrailed graph driven by signals, the same for calls, texts and tests.

:class:`~workflows.conversation.core.Conversation` takes typed inputs and gives typed outputs
(:mod:`~workflows.conversation.signals`). A turn of the language model passes four guards: its shape (``turn``),
authority (``authority``), grounding (``grounding``), and the commit, which is the lead's own answer to an action.

Each input becomes a new version of the state first (``reduce``), with who speaks and what was heard in one place
(``floor``); then it is decided on: what they say in ``hearing`` and ``local``, what is due because nobody said anything
in ``timers``, what the model proposes in ``moves``.
"""

from .core import Conversation

__all__ = ["Conversation"]
