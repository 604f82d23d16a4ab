"""Our side of the line in a played conversation: how long our words take, and what was heard of them.

It stands for the carrier's text-to-speech: pieces are spoken one after the other at an even pace; what may be cut off is
cut off where the other side breaks in. Instants are the play's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.conversation.signals import Speak

PACE = 15.0
"""Characters of speech in a second."""
FIRST_SOUND = timedelta(milliseconds=350)
"""From the first token to the first sound."""


@dataclass(slots=True)
class _Piece:
    speak: Speak
    starts: datetime
    ends: datetime


class Line:
    """What we say, as it is played. The play asks it what is due and tells it the time."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._open = False
        """The last message has not had its last piece."""
        self.sounding = False
        """The other side hears us, and was told so."""
        self.until: datetime | None = None
        """When what was handed in so far is spoken."""

    def take(self, speak: Speak, now: datetime) -> None:
        """One more piece. A new message cuts off what may be cut off for it."""
        if not self._open and speak.text and any(p.speak.preemptible for p in self._pieces):
            self._pieces = [p for p in self._pieces if not p.speak.preemptible]
            self.until = max((p.ends for p in self._pieces), default=now)
        self._open = not speak.last
        if not speak.text:
            return
        after_silence = not self._pieces and not self.sounding
        starts = max(now + (FIRST_SOUND if after_silence else timedelta()), self.until or now)
        self.until = starts + timedelta(seconds=len(speak.text) / PACE)
        self._pieces.append(_Piece(speak, starts, self.until))

    @property
    def busy(self) -> bool:
        """Something is being said, or is about to be."""
        return bool(self._pieces) or self.sounding

    @property
    def next_at(self) -> datetime | None:
        """When it next begins, or comes to an end."""
        if not self._pieces:
            return self.until if self.sounding else None
        return self._pieces[-1].ends if self.sounding else self._pieces[0].starts

    @property
    def firm(self) -> bool:
        """What is being said now may not be broken into."""
        return bool(self._pieces) and not self._pieces[0].speak.interruptible

    def text(self) -> str:
        """All that is being said or about to be."""
        return "".join(p.speak.text for p in self._pieces)

    def heard(self, now: datetime) -> str:
        """What of it was heard until ``now``, in whole words."""
        out = ""
        for piece in self._pieces:
            if piece.ends <= now:
                out += piece.speak.text
            elif piece.starts < now:
                part = piece.speak.text[: int((now - piece.starts).total_seconds() * PACE)]
                whole = len(part) == len(piece.speak.text) or piece.speak.text[len(part) :][:1] == " "
                out += part if whole else part[: part.rfind(" ") + 1]
        return out.strip()

    def when_heard(self, words: int) -> datetime | None:
        """When ``words`` of our words will have been heard; the end, when there are not so many; None while more of
        the message may come."""
        count = 0
        for piece in self._pieces:
            text = piece.speak.text
            for at, char in enumerate(text):
                if char != " " and (at + 1 == len(text) or text[at + 1] == " "):
                    count += 1
                    if count >= words:
                        return piece.starts + timedelta(seconds=(at + 1.5) / PACE)
        if self._open or not self._pieces:
            return None
        return self._pieces[-1].ends - timedelta(milliseconds=20)

    def began_at(self, now: datetime) -> datetime:
        """When what is being said began."""
        return self._pieces[0].starts if self._pieces else now

    def finish(self) -> str:
        """All was played: what it was."""
        text = self.text()
        self._pieces = []
        return text

    def cut(self, now: datetime) -> str:
        """They broke in, or the line is gone: what was heard; the rest is dropped."""
        heard = self.heard(now)
        self._pieces, self._open = [], False
        self.sounding, self.until = False, now
        return heard
