"""The lead in a played conversation: it answers actions from a small ledger, as the lead's workflow would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from workflows import events as ev
from workflows.messages import Answer, Brief

from .scenario import LedgerSays, booked

QUICK = timedelta(milliseconds=150)
"""How long the lead takes for an action."""
PATIENCE = timedelta(seconds=24)
"""After this long without an answer the gateway says that none came."""
_OFFERED = 3


@dataclass(frozen=True)
class Asked:
    """One action that reached the lead: on which version, and what it was answered."""

    action: ev.Action
    version: int
    answer: Answer


@dataclass
class Ledger:
    """``slots`` are free, in this order. What it is told to say comes before what it holds."""

    slots: tuple[ev.Slot, ...]
    brief: Brief
    autonomy: Mapping[str, str] = field(default_factory=dict)
    """By action, as the playbook grants it: what is left to a person is not done."""
    version: int = 10
    asked: list[Asked] = field(default_factory=list)
    bookings: list[tuple[ev.Slot, ev.Booking]] = field(default_factory=list)
    booking: ev.Booking | None = None
    offered: tuple[ev.Slot, ...] = ()
    learned: dict[str, str] = field(default_factory=dict)
    _told: list[LedgerSays] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.booking, self.offered = self.brief.booking, self.brief.offered
        self.learned = dict(self.brief.learned)

    def tell(self, says: LedgerSays) -> None:
        """Answer the next actions so."""
        self._told += [says] * says.answers

    def act(self, action: ev.Action) -> tuple[Answer | None, timedelta]:
        """The answer, and how long it takes; None when none comes."""
        told = self._told.pop(0) if self._told else LedgerSays()
        if told.never:
            return None, PATIENCE
        before = self.version
        self.version += 1
        left = self.autonomy.get(action.kind, "act")
        rule = told.rule or ("" if left == "act" else f"autonomy_{left}")
        answer = (
            Answer(allowed=False, rule=rule, version=self.version) if rule else self._held(action)
        )
        self.asked.append(Asked(action, before, answer))
        return answer, told.after or QUICK

    def learn(self, learned: Iterable[ev.Learned]) -> None:
        """What the conversation reported."""
        self.version += 1
        self.learned.update({each.field: each.value for each in learned})

    def brief_again(self) -> Brief:
        """What a new gateway is told when it takes up the same call."""
        return self.brief.model_copy(
            update={
                "version": self.version,
                "learned": dict(self.learned),
                "booking": self.booking,
                "booked_here": bool(self.bookings),
                "node": "confirmation" if self.bookings else self.brief.node,
                "offered": self.offered,
                "resumed": True,
            }
        )

    def _held(self, action: ev.Action) -> Answer:
        if isinstance(action, ev.OfferSlots):
            free = [slot for slot in self.slots if _wanted(slot, action)][:_OFFERED]
            self.offered = tuple(free)
            return Answer(
                allowed=bool(free), rule="" if free else "no_slots", slots=self.offered, version=self.version
            )
        if isinstance(action, ev.Book):
            found = next((slot for slot in self.slots if slot.id == action.slot), None)
            if found is None:
                return Answer(allowed=False, rule="slot_taken", version=self.version)
            self.booking = booked(found, f"b{self.version}")
            self.bookings.append((found, self.booking))
            self.slots = tuple(slot for slot in self.slots if slot is not found)
            return Answer(allowed=True, booking=self.booking, version=self.version)
        if isinstance(action, ev.Cancel):
            self.booking = None
        return Answer(allowed=True, version=self.version)


def _wanted(slot: ev.Slot, action: ev.OfferSlots) -> bool:
    return (
        slot.id not in action.refused
        and not (action.not_before and slot.start < action.not_before)
        and not (action.not_after and slot.start >= action.not_after)
    )
