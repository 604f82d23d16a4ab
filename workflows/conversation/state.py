"""What is true in a conversation now. Owned by one :class:`~workflows.conversation.core.Conversation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..events import Action, Booking, Concern, ConversationEnded, Line, Sign, Slot, Verdict
from ..messages import Brief, Transfer
from ..playbook import Node, Playbook, Source
from ..wording import asked, first_name, names_time, promised, render, spoken_phone, spoken_time, spoken_times
from . import identity
from .dates import Said, label
from .ear import Ear
from .floor import Floor
from .moments import Noted, told
from .qualify import Fit, assess, known
from .signals import Timing
from .turn import Decision

_OFFERED_WITHIN = 20
"""Lines of the talk in which an offer is looked for."""


@dataclass(slots=True)
class Turn:
    """The model request under way. ``speaks``: its words may be said."""

    id: int
    actions: tuple[str, ...]
    decided: bool = False
    speaks: bool = False
    held: str = ""
    said: str = ""
    corrected: bool = False
    version: int = 0
    """The state version that it was asked on."""
    at: datetime | None = None
    """When it was asked, or last gave anything."""
    filled: bool = False
    """A filler was said while it was waited for."""


@dataclass(slots=True)
class Guess:
    """The model was asked on words that may still change; what came of it waits."""

    turn: Turn
    words: str
    """What it was asked on, in plain words."""
    node: str
    held: list[Any] = field(default_factory=list)
    """Its inputs."""


@dataclass(slots=True)
class Pending:
    """An action that the lead has been asked for and has not answered."""

    id: str
    action: Action
    windowed: bool = False
    """The slots were asked for within a span that the lead named."""
    retried: bool = False
    note: str = ""
    """Said before the result."""
    at: datetime | None = None
    filled: bool = False


@dataclass(slots=True)
class ReadBack:
    """Something doubtful that waits for a yes before it is relied on."""

    about: str
    """The learned field, or ``book`` for a slot."""
    value: str
    """As it is kept: the field's value, the slot's id."""
    spoken: str = ""
    """The words of ours that asked; their yes counts once these were heard (:meth:`State.was_heard`)."""
    quote: str = ""


@dataclass(slots=True)
class State:
    """Instants are UTC. ``version`` counts the inputs: each makes a new version before anything is decided on it."""

    playbook: Playbook
    brief: Brief
    node: str
    began: datetime
    now: datetime
    home: str = ""
    """Their zone on record; ``brief.zone`` is that in which they are."""
    instruction: str = ""
    """What the model is told under this playbook, written once."""
    errand: str = ""
    """What this person asked for, in the playbook's words."""
    promise: str = ""
    """What their form promised, in the playbook's words."""
    notices: tuple[str, ...] = ()
    """Who calls, and what else has to be heard before anything else, as long as it may not have been."""
    version: int = 0
    fresh: int = 0
    """The version at which the other side was last understood to say something: what was asked before is stale."""
    lead_version: int = 0
    turn_no: int = 0
    return_to: str = ""
    node_turns: int = 0
    path: list[str] = field(default_factory=list)
    """The nodes that the talk went through."""
    lines: list[Line] = field(default_factory=list)
    learned: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    """Where each learned field came from; ``said`` where it does not say."""
    signs: list[Sign] = field(default_factory=list)
    objections: dict[str, int] = field(default_factory=dict)
    concerns: dict[str, Concern] = field(default_factory=dict)
    """What they are concerned about, by the playbook's objection, as it stands (:mod:`.concerns`)."""
    concerns_told: dict[str, Concern] = field(default_factory=dict)
    """The concerns as they were reported last."""
    yielded: str = ""
    """The concern that came back after it was resolved: they were offered a person or another moment."""
    tasks: list[str] = field(default_factory=list)
    """The questions for which a person was asked already, in plain words."""
    referring: bool = False
    """They were asked who the right person is."""
    saved: bool = False
    """A half-hearted no was met with one more question; the next is taken."""
    link_sent: bool = False
    """They were texted the link: nothing is pushed after it."""
    comes: bool = False
    """They said yes to the meeting."""
    told_now: bool = False
    """They asked to be called now, and were told that they are."""
    promised: datetime | None = None
    """When they were told that they will be called, in place of the moment that they named."""
    span: Said | None = None
    """The days in which they want to be called, while the day or time is still open."""
    agreed: str = ""
    """The slot that was read back to them and that they said a clear yes to."""
    language: str = ""
    """The language, by the playbook's code, in which they were just offered somebody who speaks it, or were handed over."""
    outburst: str = ""
    """Their angry words, as long as it is open whether they calm down."""
    soothed: bool = False
    """We apologised for an outburst once: the next is a complaint."""
    chosen: str = ""
    """The offered slot that they chose, and that is booked once something else is settled first."""
    offered: tuple[Slot, ...] = ()
    past_offers: list[str] = field(default_factory=list)
    unwanted: list[Said] = field(default_factory=list)
    """The times that they refused by name in this talk."""
    step: int = 0
    """They asked for a later time than the one spoken of (1), or an earlier one (-1)."""
    wish: Said | None = None
    """The time that slots were looked for last."""
    booking: Booking | None = None
    asked: Turn | None = None
    pending: Pending | None = None
    identified: bool = False
    named: bool = False
    """They gave or confirmed the name on record (:mod:`.identity`)."""
    another: bool = False
    """They gave another name, or said that they are somebody else."""
    heard_lines: int = 0
    """How many of the lines were looked at for it."""
    wanted: tuple[Action | str, Verdict] | None = None
    """What waits until they have said who they are, and the verdict that had it wait."""
    ear: Ear = field(default_factory=Ear)
    human: bool = False
    """A human being was heard on the line."""
    machine: str = ""
    """What is on the line in place of a person: suspected, greeting, voicemail, screening, menu (:mod:`.machines`)."""
    machine_at: datetime | None = None
    """Since when it is waited for."""
    greeted: bool = False
    """The carrier says that its greeting is over."""
    toned: bool = False
    """The tone after its greeting was heard: what is said now is recorded."""
    restarted: bool = False
    """A message was broken off because the greeting went on."""
    told: int = 0
    """How often a screening was told who calls."""
    menu: str = ""
    """What a phone menu has said so far."""
    pressed: str = ""
    """The key that it got."""
    opted_out: bool = False
    opt_out_kept: bool = False
    closing: str = ""
    """Why the call is ending; set, nothing but its last words is said."""
    soft_close: bool = False
    """They may still go on."""
    over: bool = False
    outcome: str = ""
    transfer: Transfer | None = None
    """To whom the call is put through once our last words are said."""
    when_asked: int = 0
    last_asked: str = ""
    """The field that was asked for last."""
    asked_often: dict[str, int] = field(default_factory=dict)
    """How many turns began with this field as the open question."""
    no_slots: int = 0
    doubt: float = 0.0
    """How uncertain the transcript of the words at hand is: 0 (sure, or the recogniser does not say) to 1."""
    unsure: bool = False
    """The recogniser of these spoken words does not say how sure it is."""
    read_back: ReadBack | None = None
    """What was understood from doubtful words and asked back."""
    floor: Floor = field(default_factory=Floor)
    """Who speaks, what was planned, and what was heard."""
    suspended: Decision | None = None
    """What was decided when they broke in: authorised again, or dropped, once the new words are understood."""
    guess: Guess | None = None
    unread: bool = False
    """They said something while an action was under way: understood after its result."""
    read_to: int = 0
    """The lines before this one led to an action already."""
    waiting: tuple[str, ...] = ()
    """Words of ours that only bridge a wait ..."""
    bridging: frozenset[str] = frozenset()
    """... and whatever may have been heard of them."""
    keys: str = ""
    """Digits pressed in answer to a question for a number, so far."""
    key_at: datetime | None = None
    pauses: list[float] = field(default_factory=list)
    """How long they took to begin their last answers, in seconds."""
    prompted: list[str] = field(default_factory=list)
    """What their silences were met with: none of it is said again."""
    stalled: bool = False
    """They asked for a moment, and have said nothing since."""
    fillers: int = 0
    """How many waits were bridged with a filler."""
    moments: list[Noted] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)
    """Times that belong to the next turn, in seconds."""
    owed: str = ""
    """A result whose words were cut off: said again first."""
    result: str = ""
    """The last result spoken of."""
    quiet: int = 0
    """How many steps of a silence were met in a row."""
    quiet_at: datetime | None = None
    """When the last of them was."""
    fitted: tuple[tuple[tuple[str, str], ...], Fit] | None = None
    """The fit, and the known fields that it was computed from."""
    verdicts: list[Verdict] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    tokens_in: int = 0
    tokens_out: int = 0

    @classmethod
    def of(cls, playbook: Playbook, brief: Brief, now: datetime) -> State:
        learned, sources = dict(brief.learned), dict(brief.sources)
        for name in ("name", "email"):
            value = getattr(brief.person, name) if brief.person else ""
            if value and name not in learned:
                learned[name], sources[name] = value, "form"
        state = cls(
            playbook=playbook,
            brief=brief,
            node=_entry(playbook, brief),
            began=now,
            now=now,
            home=brief.zone,
            errand=asked(playbook, brief.person),
            promise=promised(playbook, brief.person, now - brief.asked_at if brief.asked_at else None),
            lead_version=brief.version,
            learned=learned,
            sources=sources,
            objections=dict(brief.objections),
            concerns={c.name: c for c in brief.concerns},
            concerns_told={c.name: c for c in brief.concerns},
            signs=list(brief.signs),
            offered=brief.offered,
            booking=brief.booking,
        )
        state.path.append(state.node)
        state.identified = brief.talked_before and bool(state.name)
        return state

    @property
    def here(self) -> Node:
        return self.playbook.graph[self.node]

    @property
    def name(self) -> str:
        return self.learned.get("name", "")

    @property
    def fit(self) -> Fit:
        known = (*self.learned.items(), *self.sources.items())
        if self.fitted is None or self.fitted[0] != known:
            self.fitted = known, assess(self.playbook, self.learned, self.sources)
        return self.fitted[1]

    @property
    def qualified(self) -> bool:
        """Fit, or once was: somebody with a meeting is not asked again."""
        return self.booking is not None or self.brief.missed is not None or self.fit.fits

    def knows(self, field: str) -> bool:
        """Whether ``field`` is known from somebody whose word counts, so that it is not asked for."""
        return known(self.playbook, self.learned, self.sources, field)

    def verdict_on(self, action: Action) -> Verdict | None:
        """The last verdict on an action of this kind."""
        return next((v for v in reversed(self.verdicts) if v.action == action.kind), None)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The actions that the model may name now."""
        actions = self.here.actions
        if not self.booking:
            actions = tuple(a for a in actions if a != "cancel")
        if not self.heard_offers:
            actions = tuple(a for a in actions if a != "book")
        return actions

    @property
    def doubtful(self) -> bool:
        """Whether the words at hand may have been misheard: what hangs on them is read back first."""
        return self.doubt > 1 - self.playbook.call.doubt

    def was_heard(self, text: str) -> bool:
        """Whether ``text`` of ours was heard to its end: the lines hold only what was."""
        return any(line.who == "agent" and text in line.text for line in reversed(self.lines))

    @property
    def last_words(self) -> str:
        """What the lead said since we last spoke and nothing was done about yet. Words of ours that only bridged a wait
        answered nothing."""
        said: list[str] = []
        for index in range(len(self.lines) - 1, self.read_to - 1, -1):
            line = self.lines[index]
            if line.who == "lead":
                said.append(line.text)
            elif line.text not in self.bridging:
                break
        return said[0] if len(said) == 1 else " ".join(reversed(said))

    @property
    def heard_offers(self) -> tuple[Slot, ...]:
        """Those of the offered times that the other side has heard of: in this talk, or in one before it."""
        return tuple(slot for slot in self.offered if slot in self.brief.offered or self.spoke_of(slot))

    def spoke_of(self, slot: Slot) -> bool:
        """Whether this talk named the time of ``slot`` lately."""
        told = [line for line in self.lines[-_OFFERED_WITHIN:] if line.who == "agent"]
        zones = {self.brief.zone, self.home}
        return any(names_time(line.text, slot.start, zone, line.at) for line in reversed(told) for zone in zones)

    def time(self, instant: datetime) -> str:
        """``instant`` as said to this lead now."""
        return spoken_time(instant, self.brief.zone, self.now) + self._by_which_clock

    def slots_in_words(self) -> str:
        times = spoken_times([slot.start for slot in self.offered], self.brief.zone, self.now)
        return times + self._by_which_clock if times else ""

    @property
    def _by_which_clock(self) -> str:
        """What is said after a time of those who are not at home."""
        return "" if self.brief.zone == self.home else f" {label(self.brief.zone)}"

    def facts(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the playbook's words are filled with."""
        book, meeting = self.playbook, identity.tellable(self)
        return {
            "name": first_name(self.name),
            "company": book.company.name,
            "agent": book.agent.name,
            "purpose": book.company.purpose,
            "asked": self.errand,
            "promise": self.promise,
            "phone": spoken_phone(book.company.phone),
            "slots": self.slots_in_words(),
            "time": self.time(meeting.start) if meeting else "",
            "rep": meeting.rep_name if meeting else "a specialist",
            **(extra or {}),
        }

    def words(self, template: str, **extra: str) -> str:
        """The playbook's ``template`` in this state."""
        return render(template, self.facts(extra))

    def ended(self, at: datetime) -> ConversationEnded:
        """The last word on this conversation."""
        outcome = self.outcome or ("talked" if self.human else "silent")
        return ConversationEnded(
            at=at,
            id=f"{self.brief.attempt}:{'transferred' if outcome == 'transferred' else 'ended'}",
            attempt=self.brief.attempt,
            node=self.node,
            path=tuple(self.path),
            moments=told(self.moments),
            concerns=tuple(self.concerns.values()),
            transcript=tuple(line for line in self.lines if line.text),
            verdicts=tuple(self.verdicts),
            timings=tuple(seconds for t in self.timings if (seconds := t.seconds())),
            outcome=outcome,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
        )


def _entry(playbook: Playbook, brief: Brief) -> str:
    """Where in the graph this conversation begins."""
    if brief.node in playbook.graph:
        return brief.node
    if brief.booking:
        return "reschedule"
    return "no_show_recovery" if brief.missed else "outreach"
