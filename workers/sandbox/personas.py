"""People who have a phone: they answer or do not, react to what they hear, and come to the meeting or do not.

A persona reacts to cues in what was just said, never to how many turns there were, and acts only over the wire: it
picks up and talks, texts, and follows the link in a text it got. How it words things is drawn from its own seed.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Literal

import aiohttp

from workflows.model import Strict

from .line import Line
from .traffic import Call, Pickup, Text, nobody

if TYPE_CHECKING:
    from .exchange import Exchange

Kind = Literal[
    "books_and_shows",
    "voicemail_then_books",
    "rings_back",
    "no_show_recovered",
    "not_interested",
    "says_stop",
    "twice",
    "cut_off",
    "behind_screening",
    "behind_menu",
    "slow_greeting",
    "breaks_in",
    "bad_line",
    "fax",
]
CAST: tuple[Kind, ...] = (
    "books_and_shows",
    "voicemail_then_books",
    "rings_back",
    "no_show_recovered",
    "not_interested",
    "says_stop",
    "twice",
    "cut_off",
)
"""Who takes part in a run of the demo."""
KINDS: tuple[Kind, ...] = (
    *CAST, "behind_screening", "behind_menu", "slow_greeting", "breaks_in", "bad_line", "fax",
)  # fmt: skip


class Character(Strict):
    """Who somebody is, and what they say when asked. ``slot`` is which of the offered times they take, from 0;
    ``aside`` a question of their own that they put once."""

    kind: Kind
    number: str
    name: str = "Sam Doe"
    email: str = "sam.doe@northwind.example"
    company: str = "Northwind"
    use_case: str = "keeping our stock counts right"
    team_size: int = 25
    timeline: str = "this quarter"
    role: str = "I decide on that myself"
    slot: int = 0
    aside: str = ""
    seed: int = 0


# A time as it is said aloud: "3:30 PM", "10 AM", "10:31 AM and 30 seconds".
_TIME = re.compile(r"\b\d{1,2}(?::\d{2})? ?[AP]\.?M\.?(?: and \d{1,2} seconds)?", re.IGNORECASE)
_LINK = re.compile(r"https?://\S+/j/[^\s<>]+")
_START = re.compile(r"<time[^>]*\bdatetime=[\"']([^\"']+)[\"']")
_CLOSING = re.compile(
    r"\bgood ?bye\b|\bhave a (?:great|good|nice|wonderful)\b|\ball the best\b|\bwill not hear from us\b", re.I
)
_WAIT = re.compile(
    r"^\W*(?:ok(?:ay)?|all right|sure|great|thanks?(?: you)?)?\W*(?:just )?(?:one|a) (?:moment|second|sec)\b[^?]*$"
    r"|^\W*(?:let me (?:check|see|look)|hold on|bear with me|i am (?:checking|looking))\b[^?]*$",
    re.I,
)
_SETTLE = 0.25
"""Seconds of quiet after which somebody takes it that they are asked to speak."""


def _cues(*pairs: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern, re.I), topic) for pattern, topic in pairs)


_ASKED = _cues(
    (r"anything else|any (?:other |more )?questions|anything open", "done"),
    (r"still there|can you hear|hear me|cut off", "here"),
    (r"e-?mail|address should the invitation", "email"),
    (r"how many|team size|how (?:big|large)|number of (?:people|users)|size of", "team_size"),
    (
        r"in place|timeline|time ?frame|how soon|this (?:quarter|year)|just looking|by when|looking to (?:start|have)",
        "timeline",
    ),
    (r"decide|decision|sign off", "role"),
    (
        r"help you with|use it for|use case|hop(?:e|ing) to|challenge|problem|need help|looking for|brings you|solve|goes? wrong|rid of",
        "use_case",
    ),
    (r"(?:which|what|your) company|where do you work|company (?:name|are you)", "company"),
    (r"who am i (?:speaking|talking)|your (?:full )?name|whom am i", "name"),
    (r"shall i (?:book|hold|reserve|take)|book (?:it|that|this)|is that (?:right|correct)|correct\?|to confirm", "yes"),
    (r"speaking (?:with|to)|talking (?:with|to)|is (?:this|that) |right person|person who asked", "identity"),
    (r"(?:new|another|different|better) (?:time|day|moment)|reschedule|other (?:time|day)", "new_time"),
    (
        r"good (?:moment|time)|(?:a|one) (?:moment|minute)|time to talk|can we talk|have (?:a )?(?:moment|time)",
        "moment",
    ),
    (r"help you\?|do for you|calling about\?", "wish"),
    (
        r"which (?:of|one|time|day|suits)|suits? you|what time|when (?:would|can|should|is)|works? (?:best|for you)",
        "any_time",
    ),
)


class Person:
    """One persona with a phone."""

    def __init__(self, who: Character, exchange: Exchange) -> None:
        self.who = who
        self._exchange = exchange
        self._random = Random(who.seed)
        self._rung = 0
        self._missed = False
        self._aside = who.aside
        self._said: dict[str, int] = {}
        self._meeting: datetime | None = None
        self._link = ""
        self._to_miss = 1 if who.kind == "no_show_recovered" else 0
        self._answers = 0
        """How often they answered something in this call."""

    # -- the phone ------------------------------------------------------------------------------------------------

    async def ring(self, call: Call) -> Pickup | None:
        """It rings: who picks up, and after how long; waits for ever when nobody does."""
        self._rung += 1
        kind = self.who.kind
        if kind == "rings_back" and self._rung == 1:
            self._missed = True
            await asyncio.sleep(3600)
        if kind == "voicemail_then_books" and self._rung == 1:
            await asyncio.sleep(self._between(1.2, 1.8))
            return Pickup("machine", self._machine)
        await asyncio.sleep(self._between(0.6, 1.4))
        if kind == "fax":
            return Pickup("fax", nobody)
        if kind == "slow_greeting":  # machine detection often takes the silence after a greeting for a machine's
            return Pickup("human", self._greet_slowly, taken_for="machine_end_silence")
        behind = {"behind_screening": self._screen, "behind_menu": self._menu}.get(kind)
        return Pickup("human", behind, taken_for="unknown") if behind else Pickup("human", self.converse)

    def stopped(self, call: Call) -> None:
        """It stopped ringing, answered or not."""
        if self._missed and not call.answered:
            self._missed = False
            self._exchange.world.spawn(self._ring_back())

    async def _ring_back(self) -> None:
        """They saw the missed call."""
        await asyncio.sleep(self._between(1.0, 2.0))
        if not self._exchange.live_with(self.who.number):
            self._exchange.ring_us(self.who.number)

    async def _machine(self, line: Line) -> None:
        """A voicemail box: its greeting, the tone, and silence until somebody hangs up."""
        await asyncio.sleep(0.3)
        greeting = f"Hi, you have reached the voicemail of {self.who.name}. Please leave a message after the tone."
        line.say(greeting)
        await asyncio.sleep(self._exchange.pace.word * len(greeting.split()) + 0.2)
        line.toned.set()
        quiet = 0.0
        while not line.over.is_set() and quiet < 8:
            quiet = 0.0 if await line.hear(2) is not None or line.busy else quiet + 2
        line.hang_up()

    async def _screen(self, line: Line) -> None:
        """A service asks who calls, and puts the call through a moment later."""
        await asyncio.sleep(0.3)
        line.say("Hi. If you record your name and reason for calling, I'll see if this person is available.")
        if not await self._told(line, r"\bautomated assistant of\b"):
            line.hang_up()
            return
        line.say("Thanks. Please stay on the line.")
        await asyncio.sleep(self._between(1.0, 1.5))
        line.say("Hello?")
        await self.converse(line)

    async def _menu(self, line: Line) -> None:
        """A menu, whose operator has one of its keys."""
        await asyncio.sleep(0.3)
        line.say(f"Thank you for calling {self.who.company}. For sales, press 1. For the operator, press 0.")
        if await line.key(8) != "0":
            line.hang_up()
            return
        line.say("Please hold while I connect you.")
        await asyncio.sleep(self._between(0.8, 1.2))
        line.say(f"Hello, {self.who.name.split()[0]} speaking.")
        await self.converse(line)

    async def _greet_slowly(self, line: Line) -> None:
        await asyncio.sleep(1.2)
        line.say("Hello?")
        await asyncio.sleep(1.0)
        line.say("Hello?")
        await self.converse(line)

    async def _told(self, line: Line, pattern: str) -> bool:
        """Whether something like ``pattern`` is said on the line within a while."""
        for _ in range(10):
            words = await line.hear(1.0)
            if words and re.search(pattern, words, re.I):
                return True
        return False

    async def converse(self, line: Line) -> None:
        """Listen and react until the call is over."""
        self._answers = 0
        restless = asyncio.ensure_future(self._break_in(line) if self.who.kind == "breaks_in" else nobody(line))
        try:
            await self._talk(line)
        finally:
            restless.cancel()

    async def _break_in(self, line: Line) -> None:
        """While the other side speaks: a cough, a sign of listening, a word in between."""
        for disturb in (line.cough, lambda: line.say("Mm-hm."), lambda: line.say("Sorry, go on."), line.cough):
            await line.speaks.wait()
            await asyncio.sleep(self._between(0.25, 0.4))
            if line.busy:
                disturb()
            await line.quiet.wait()

    def _say(self, line: Line, answer: str) -> None:
        """Answer, or be cut off in the middle of it."""
        self._answers += 1
        if self.who.kind == "cut_off" and self._rung == 1 and self._answers == 3:
            line.break_off(answer)
            return
        line.say(answer)
        if self.who.kind == "bad_line" and self._answers == 2:
            line.lost.set()

    async def _talk(self, line: Line) -> None:
        heard, quiet = "", 0.0
        while not line.over.is_set():
            words = await line.hear(_SETTLE if heard else 1.0)
            if words is not None:
                heard, quiet = f"{heard} {words}".strip(), 0.0
                continue
            if line.over.is_set():
                return
            if not heard or line.busy or _WAIT.search(heard):
                quiet = 0.0 if line.busy else quiet + 1
                if quiet >= 12:
                    line.hang_up()
                continue
            if _CLOSING.search(heard):
                await self._wait_for_the_end(line)
                return
            answer, heard = self.answer(heard), ""
            if answer is not None:
                await asyncio.sleep(self._between(0.2, 0.5))
                self._say(line, answer)

    async def _wait_for_the_end(self, line: Line) -> None:
        """After a goodbye: hang up, unless the other side does first."""
        try:
            await asyncio.wait_for(line.over.wait(), 1.5)
        except TimeoutError:
            line.hang_up()

    # -- what they say --------------------------------------------------------------------------------------------

    def answer(self, heard: str) -> str | None:
        """What they say to ``heard``; None when nothing in it asks for words."""
        if self.who.kind == "says_stop":
            return self._pick(
                "Please stop calling me.",
                "Take me off your list, please.",
                "Don't call me again.",
                "Stop calling this number. Remove my number, please.",
                "I don't want any more calls. Please take my number off your list.",
            )
        if self.who.kind == "not_interested":
            return self._decline()
        question = _question(heard)
        times = list(dict.fromkeys(match.group(0) for match in _TIME.finditer(heard)))
        topic = next((topic for cue, topic in _ASKED if cue.search(question)), "")
        if len(times) > 1 and topic not in {"done", "here"}:
            return self._choose(times)
        if times and topic in {"any_time", "new_time"}:
            return self._pick(f"Yes, {times[0]} works for me.", f"{times[0]} is good.")
        if not topic and not question:
            return None
        if self._aside and topic in {"use_case", "team_size", "timeline"}:
            aside, self._aside = self._aside, ""
            return aside
        return self._about(topic)

    def _about(self, topic: str) -> str:
        who, first = self.who, self.who.name.split()[0]
        pick = self._pick
        known = {
            "done": lambda: pick(
                "No, that's all. Thank you!", "No, thank you, that's everything.", "No, that's it, thanks."
            ),
            "here": lambda: pick("Yes, I'm here.", "Yes, I can hear you."),
            "email": lambda: pick(f"It's {who.email}.", f"{who.email}, please.", f"You can use {who.email}."),
            "team_size": lambda: pick(
                f"About {who.team_size} people.", f"We are {who.team_size}.", f"Around {who.team_size}, I would say."
            ),
            "timeline": lambda: pick(
                f"Ideally {who.timeline}.", f"I'd say {who.timeline}.", f"{who.timeline.capitalize()}, if possible."
            ),
            "role": lambda: pick(
                f"{who.role}.", f"Well, {who.role[0].lower() if who.role[:2] != 'I ' else 'I'}{who.role[1:]}."
            ),
            "use_case": lambda: pick(
                f"Mostly {who.use_case}.", f"It is about {who.use_case}.", f"We need help with {who.use_case}."
            ),
            "company": lambda: pick(f"I'm with {who.company}.", f"{who.company}."),
            "name": lambda: pick(f"This is {who.name}.", f"My name is {who.name}.", f"{who.name} here."),
            "identity": lambda: pick(f"Yes, this is {first}.", "Yes, speaking.", "Yes, that's me."),
            "yes": lambda: pick("Yes, please.", "Yes, that's right.", "Yes, perfect."),
            "moment": lambda: pick("Yes, sure.", "Yes, go ahead.", "Sure, now is fine."),
            "new_time": lambda: pick("Yes, let's find a new time.", "Yes please, let's find another time."),
            "wish": lambda: pick(
                "You tried to reach me. I asked for a demo and would like to find a time for it.",
                "I missed your call. It was about the demo, and I would like to book it.",
            ),
            "any_time": lambda: pick("Any time is fine, the sooner the better.", "The earliest you have, please."),
        }
        return known[topic]() if topic else pick("Yes.", "Yes, sure.", "Yes, please.")

    def _choose(self, times: list[str]) -> str:
        mine = min(self.who.slot, len(times) - 1)
        ordinal = ("first", "second", "third")[min(mine, 2)]
        said = times[mine]
        return self._pick(
            f"{said} works for me.", f"The {ordinal} one, please.", f"Let's take {said}.", f"{said} is perfect."
        )

    def _decline(self) -> str:
        times = self._said["no"] = self._said.get("no", 0) + 1
        if times == 1:
            return self._pick(
                "No thanks, I'm not interested.", "I'm not interested, thank you.", "Sorry, I'm not interested."
            )
        return self._pick("No, really, I'm not interested.", "No. I'm not interested in this.")

    def _pick(self, *wordings: str) -> str:
        return self._random.choice(wordings)

    def _between(self, least: float, most: float) -> float:
        return self._random.uniform(least, most)

    # -- texts and the meeting --------------------------------------------------------------------------------------

    def received(self, text: Text) -> None:
        """A text arrived."""
        if found := _LINK.search(text.body):
            self._exchange.world.spawn(self._look(found.group(0).rstrip(".,;)")))
        if re.search(r"\breply (?:c|yes)\b", text.body, re.I) and not self._said.get("confirmed"):
            self._said["confirmed"] = 1
            self._exchange.world.spawn(self._reply("C"))

    async def _reply(self, words: str) -> None:
        await asyncio.sleep(self._between(0.5, 1.0))
        await self._exchange.text_us(self.who.number, words)

    async def _look(self, link: str) -> None:
        """The phone previews the link at once; the person notes when the meeting is, and comes then, or not."""
        page = ""
        for pause in (0.5, 1, 2, 4, 8):
            page = await self._fetch("GET", link)
            if page:
                break
            await asyncio.sleep(pause)
        found = _START.search(page)
        if not found:
            return
        start = datetime.fromisoformat(found.group(1).replace("Z", "+00:00"))
        self._link = link
        if start == self._meeting:
            return
        self._meeting = start
        await asyncio.sleep(max((start - datetime.now(UTC)).total_seconds(), 0) + self._between(0.1, 1.0))
        if self._meeting != start:
            return  # moved meanwhile
        if self._to_miss:
            self._to_miss -= 1
            return
        for _ in range(5):
            if await self._fetch("POST", self._link):
                return
            await asyncio.sleep(1)

    async def _fetch(self, method: str, link: str) -> str:
        """The page at ``link``; empty when it cannot be had."""
        agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 16) Mobile"}
        try:
            async with self._exchange.world.http.request(method, link, headers=agent) as answer:
                return await answer.text() if answer.status < 400 else ""
        except (aiohttp.ClientError, TimeoutError):
            return ""


def _question(heard: str) -> str:
    """The last sentence of ``heard`` that is a question; empty when nothing is asked."""
    sentences = re.split(r"(?<=[.?!])\s+", heard.strip())
    return next((s for s in reversed(sentences) if s.endswith("?")), "")
