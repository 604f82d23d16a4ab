"""Who is at which number: the cast's personas, and whoever sits at the phone page."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from workflows.identity import phone_number

from .exchange import Exchange
from .line import Line
from .personas import Character, Kind, Person
from .traffic import Call, Pickup, Text, nobody
from .transfer import Manner

if TYPE_CHECKING:
    from .app import World

PATIENCE = 4.0
"""Seconds that an unknown number rings on the page before its stand-in persona picks up."""


@dataclass
class _Ringing:
    """A call that rings on the page. ``choice`` becomes answer or decline."""

    call: Call
    choice: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class PhoneBook:
    """Everybody with a phone."""

    def __init__(self, world: World) -> None:
        self.exchange = Exchange(world, self)
        self.default: Kind | str = "books_and_shows"
        """The persona that answers an unknown number when nobody at the page does; ``nobody``: no one."""
        self.desk: dict[str, Manner] = {}
        """How the colleague at a number takes calls that are put through; whoever is not here takes them."""
        self._cast: dict[str, Person] = {}
        self._strangers: dict[str, Person] = {}
        self._ringing: dict[str, _Ringing] = {}

    def register(self, who: Character) -> None:
        """Give ``who`` the phone of their number."""
        self._cast[phone_number(who.number)] = Person(who, self.exchange)

    def choose(self, kind: str) -> None:
        """Set :attr:`default`. Raises ValueError on an unknown one."""
        if kind != "nobody" and kind not in get_args(Kind):
            raise ValueError(f"no persona {kind!r}; choose one of {', '.join(get_args(Kind))}, nobody")
        self.default = kind
        self._strangers.clear()

    # -- what the exchange asks -----------------------------------------------------------------------------------

    async def ring(self, call: Call) -> Pickup | None:
        """Ring the phone at the call's far end; who picks up. Cancelled when it stops ringing."""
        if person := self._cast.get(call.far):
            return await person.ring(call)
        ringing = self._ringing[call.sid] = _Ringing(call)
        try:
            choice = await asyncio.wait_for(ringing.choice, PATIENCE)
        except TimeoutError:
            stranger = self._stranger(call.far)
            if stranger is None:
                await asyncio.sleep(3600)
                return None
            self._ringing.pop(call.sid, None)
            return await stranger.ring(call)
        # A person at the page: what they do comes through the page's requests.
        return Pickup("human", nobody) if choice == "answer" else Pickup("busy", nobody)

    def stopped(self, call: Call) -> None:
        """The phone of this call rings no more."""
        self._ringing.pop(call.sid, None)
        if person := self._cast.get(call.far) or self._strangers.get(call.far):
            person.stopped(call)

    def caller(self, call: Call) -> Person | _Page:
        """Who is calling us."""
        return self._cast.get(call.far) or self._strangers.get(call.far) or _Page()

    def reachable(self, number: str) -> bool:
        """Whether texts to ``number`` arrive. Numbers ending in 0000 are dead, for tests of delivery."""
        return not number.endswith("0000")

    def received(self, text: Text) -> None:
        if person := self._cast.get(text.to) or self._strangers.get(text.to):
            person.received(text)

    def name_of(self, number: str) -> str:
        """Whose number it is, for the pages; empty for nobody's."""
        person = self._cast.get(number)
        return person.who.name if person else ""

    def _stranger(self, number: str) -> Person | None:
        if self.default == "nobody":
            return None
        if number not in self._strangers:
            who = Character.model_validate(
                {"kind": self.default, "number": number, "seed": zlib.crc32(number.encode())}
            )
            self._strangers[number] = Person(who, self.exchange)
        return self._strangers[number]

    # -- the person at the page -------------------------------------------------------------------------------------

    def choice(self, sid: str, choice: str) -> None:
        """Answer or decline a ringing call. Raises KeyError when it does not ring (any more)."""
        ringing = self._ringing[sid]
        if not ringing.choice.done():
            ringing.choice.set_result(choice)

    def call_from(self, number: str) -> Call:
        """The person at the page rings our number; what they say is typed. Raises ValueError on no number or when they
        are on the line already."""
        number = phone_number(number)
        if self.exchange.live_with(number):
            raise ValueError("that phone is in use")
        self._strangers.pop(number, None)
        return self.exchange.ring_us(number)

    @property
    def rings(self) -> list[str]:
        """The sids of calls that wait for the page."""
        return list(self._ringing)


class _Page:
    """A caller who types on the page: what they do comes through the page's requests."""

    async def converse(self, line: Line) -> None:
        await nobody(line)
