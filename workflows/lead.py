"""A lead: what is true now. ``workflows/story`` folds what happens into it, ``workflows/plan.py`` decides from it what
to do next. Pure: the same code runs in Temporal, in property tests and over recorded leads."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from . import events as ev
from .calling import Purpose
from .channels import Way
from .crm import Known
from .effects import CallNote, Card, Entry, ToDo, Transition
from .messages import Answer, Item, Resolved, Touched, Transfer
from .model import Instant, Model
from .playbook import Part
from .rulebook import Day, Sent

Stage = Literal[
    "new", "attempting", "contacted", "interested", "qualified", "booked", "confirmed", "rescheduled", "recovered",
    "no_show", "showed", "closed",
]  # fmt: skip


class Preference(Model):
    """When they told us to call them, on their own clock: in which ``parts`` of the day, not before or after what hour
    (``HH:MM``), on which weekdays. What is empty is left open."""

    parts: tuple[Part, ...] = ()
    after: str = ""
    before: str = ""
    days: tuple[Day, ...] = ()
    words: str = ""
    """Theirs."""


class LiveCall(Model):
    """A call under way. ``state``: queued (asked of the carrier), placed, ambiguous, connected, ended (the gateway's
    last word is in, the carrier's is not)."""

    attempt: str
    state: Literal["queued", "placed", "ambiguous", "connected", "ended"] = "queued"
    since: Instant
    """When this state began: deadlines count from here."""
    sid: str = ""
    inbound: bool = False
    touch: str = ""
    queued: bool = False
    """It waits in the carrier's own queue, as far as we know."""
    transfers: bool = False
    """The carrier can put it through to a phone."""
    transfer: Transfer | None = None
    """The colleague to whom it is put through, or was to be."""
    left: bool = False
    """Somebody took the lead over while it went on: the agent leaves it."""


class Bar(Model):
    """A rule that stood against a contact at its dispatch, and holds until ``until`` (None: for good), or until they
    tell us something new."""

    channel: Sent
    purpose: Purpose
    rule: str
    since: Instant
    until: Instant | None = None
    times: int = 1
    """How often in a row it was met for want of knowledge."""


class Broken(Model):
    """A conversation that broke off without a close: in which call, where in the graph, and when."""

    attempt: str
    node: str
    at: Instant

    @property
    def touch(self) -> str:
        """The touch under which it is taken up again."""
        return f"resumption/{self.attempt}"


class DueText(Model):
    """A text that answers something: due at once."""

    key: str
    message: str
    booking: ev.Booking | None = None
    """The meeting that it speaks of, when it no longer stands."""
    body: str = ""
    """The words themselves, where no template has them."""
    post: ev.Post | None = None
    """The e-mail that it answers."""
    page: str = ""
    """The rep's own page, on which they can book."""
    since: Instant | None = None
    """When it became due."""


class Unanswered(Model):
    """A text or an e-mail of the lead's that waits for an answer."""

    id: str
    text: str
    at: Instant
    post: ev.Post | None = None
    """Of an e-mail: it is answered by one."""


class Thread(Model):
    """The talk by text, as far as the next text needs it: its last lines, where in the graph it stands, and the field
    that was asked for last."""

    lines: tuple[ev.Line, ...] = ()
    node: str = ""
    asked: str = ""


class Unknown(Model):
    """A meeting of which nobody knows whether it was held: since when, and how often somebody was asked."""

    booking: str
    since: Instant
    asked: int = 0
    last: Instant


class Approval(Model):
    """An action of the agent's that waits for a person. ``until`` nobody decides, it is dropped."""

    request: ev.ActionAsked
    until: Instant
    slot: ev.Slot | None = None
    booking: str = ""
    """The meeting that stood when it was asked for: with another one it is stale."""


class Before(Model):
    """How the lead stood before the last change of its meeting: what an undo brings back."""

    made: str = ""
    """The booking that the change made; none when it was a cancellation."""
    booking: ev.Booking | None = None
    missed: ev.Booking | None = None
    booked_at: Instant | None = None
    stage: Stage = "new"
    moves: int = 0
    owner: str = ""
    callback_at: Instant | None = None


class Gave(Model):
    """How a lead stood when it went into another, as far as that ended it here: what it goes on from should the other one
    be gone."""

    stage: Stage
    disposition: ev.Disposition = ""
    reason: str = ""
    closed_at: Instant | None = None
    callback_at: Instant | None = None
    doubts: tuple[ev.Meet, ...] = ()
    items: tuple[Item, ...] = ()


class Owed(Model):
    """Something the next reflection carries to the CRM or the reps' channel."""

    version: int
    call: CallNote | None = None
    card: Card | None = None
    todo: ToDo | None = None


class Lead(Model):
    """The state. Instants are UTC; counts and ids are ours unless they say whose."""

    lead: str
    audience: str
    playbook: str
    version: int = 0
    settled: int = 0
    """The version at which booking, consent or ownership last changed: what was authorised on an older one is stale."""

    stage: Stage = "new"
    stage_since: Instant | None = None
    """When it came to its stage."""
    furthest: str = "new"
    milestones: dict[str, Instant] = Field(default_factory=dict)
    disposition: ev.Disposition = ""
    reason: str = ""
    closed_at: Instant | None = None

    person: ev.Form | None = None
    handles: tuple[str, ...] = ()
    doubts: tuple[ev.Meet, ...] = ()
    """Leads that may be the same person; a person decides."""
    beside: tuple[str, ...] = ()
    """Leads of other people who share a handle: their number is not dialled while a call to it is under way."""
    joining: tuple[ev.Joining, ...] = ()
    """Leads of the same person, about to be taken into this one."""
    absorbed: tuple[str, ...] = ()
    """Those that were."""
    yielding: str = ""
    """The lead into which this one is about to go."""
    merged_into: str = ""
    """The lead that has the story from here on."""
    gave: Gave | None = None
    """What it went into that lead with."""
    twins_seen_at: Instant | None = None
    """When the leads for whose sake it does nothing were last looked for."""
    unwatched: bool = False
    """They are not looked for: the lead's history is from before that was done."""
    wrong_numbers: tuple[str, ...] = ()
    """Hashes of numbers that turned out to be somebody else's."""
    consents: dict[str, ev.Consent] = Field(default_factory=dict)
    """By the hash of the number that each was given for."""
    zones: tuple[str, ...] = ()
    zone: str = "UTC"
    submissions: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    touches: tuple[Touched, ...] = ()
    dials: int = 0
    pass_no: int = 0
    pass_kind: Literal["first", "recovery"] = "first"
    pass_began: Instant | None = None
    next_touch: int = 0
    passed: dict[str, str] = Field(default_factory=dict)
    """The touches of the cadence that were left out in this life, by key, each with its rule."""
    life_began: Instant | None = None
    """When a closed lead came back: its cadence is counted from here."""
    last_touch_at: Instant | None = None
    """When the last touch of ours went out: the cadence counts from here."""
    last_over_at: Instant | None = None
    """When the last call was over: the least gap counts from here too."""
    not_before: Instant | None = None
    bars: tuple[Bar, ...] = ()
    """What the calling gate said at dispatches: at most one for each channel and purpose."""
    failures: int = 0
    sends_late: bool = False
    """What is late is sent all the same: the lead's history is from before it was left out."""
    homeless: str = ""
    """The booking whose rep left, until another has it or a person knows."""
    outside: ev.CalendarChanged | None = None
    """What was done to the meeting in the rep's calendar and has yet to be followed."""
    clash: str = ""
    """The event that stands at the meeting's time in the rep's calendar beside it."""
    invitation: Literal["", "accepted", "declined"] = ""
    """Their answer to the calendar's invitation."""
    engaged_at: Instant | None = None
    """When they last looked at times on their own page."""
    wrote_at: Instant | None = None
    """When they last texted us."""
    prefers: Preference | None = None
    refuses: tuple[Way, ...] = ()
    """The channels that they refused while another is welcome; an opt-out refuses all."""
    reached: bool = False
    texted_back: bool = False
    callback_at: Instant | None = None

    call: LiveCall | None = None
    strays: tuple[LiveCall, ...] = ()
    """Calls that must not go on: they are ended through the carrier."""
    broken: Broken | None = None
    """The talk that is to go on where it broke off."""
    transfers: dict[str, Transfer] = Field(default_factory=dict)
    """By attempt, how calls that are over stood with the colleague they were put through to, until a person acts on the
    lead: a word of theirs that comes late still counts."""
    talks: dict[str, CallNote] = Field(default_factory=dict)
    """What the gateway said of calls whose end the carrier has not reported yet."""

    requests: tuple[ev.ActionAsked, ...] = ()
    answers: dict[str, Answer] = Field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    """What waits for a person's word, oldest first."""
    offered: tuple[ev.Slot, ...] = ()
    refused: tuple[str, ...] = ()
    booking: ev.Booking | None = None
    booked_at: Instant | None = None
    missed: ev.Booking | None = None
    booked_for: str = ""
    """Whose the meeting is, by the name and e-mail address that they had when it was first booked ..."""
    booked_email: str = ""
    """... for a number that two people share has the newer form's on record."""
    before: Before | None = None
    """Before the last change of the meeting, while that can be undone."""
    bookings: int = 0
    moves: int = 0
    reminded: tuple[str, ...] = ()
    due_texts: tuple[DueText, ...] = ()
    due_mails: tuple[DueText, ...] = ()
    """What is to go out by e-mail alone: its text went without it, or there is no number."""
    bad_mails: tuple[str, ...] = ()
    """E-mail addresses that cannot be delivered to."""
    unanswered: tuple[Unanswered, ...] = ()
    thread: Thread = Thread()
    attendance: ev.AttendanceReported | None = None
    """What counts: the strongest of ``evidence``, the newest of equals."""
    evidence: tuple[ev.AttendanceReported, ...] = ()
    """All that was reported of who came to the last meeting, oldest first."""
    unknown: Unknown | None = None
    """Nobody knows whether they came."""
    expected_at: Instant | None = None
    """When they come by their own word, if later than the meeting begins."""
    guesses: bool = False
    """Without evidence they counted as absent: the lead's history holds such a guess, from before somebody was asked."""
    outcome_due: bool = False

    learned: dict[str, ev.Learned] = Field(default_factory=dict)
    signs: tuple[ev.Sign, ...] = ()
    objections: dict[str, int] = Field(default_factory=dict)
    concerns: dict[str, ev.Concern] = Field(default_factory=dict)
    """By name, as they stand: open, softened, resolved or accepted."""

    opted_out_at: Instant | None = None
    opt_out_words: str = ""
    opt_out_kept: bool = False
    suspended_at: Instant | None = None
    """Since when a person is awaited to say whether they opted out; see ``workflows/story/suspension.py``."""
    taken_over_by: str = ""
    held_by: str = ""
    held_scope: str = ""
    owner: str = ""
    crm_contact: str = ""
    crm: Known | None = None
    """What the CRM says of them, once it could be asked."""
    overwrite: tuple[str, ...] = ()
    """Fields of the CRM that a person wants written over what another person set there."""
    review: str = ""
    """The kind of the open item that matters most, for lists; see ``workflows/review.py``."""
    items: tuple[Item, ...] = ()
    """What a person should look at, oldest first."""
    resolved: tuple[Resolved, ...] = ()
    """What people did about such items, the last ones."""
    review_version: int = 0
    """The version at which what people are called to, or did about it, changed last."""
    kept_back: str = ""
    """The rule that keeps the next touch back now."""

    entries: tuple[Entry, ...] = ()
    transitions: tuple[Transition, ...] = ()
    """The changes of the stage since the last reflection."""
    owed: tuple[Owed, ...] = ()
    person_version: int = 0
    reflected: int = 0
    """The version that record, CRM and reps' channel were last brought up to."""
    reflected_stage: str = ""
    unwritten: tuple[Owed, ...] = ()
    """What a vendor refused for good: owed again when somebody has it retried."""

    @model_validator(mode="before")
    @classmethod
    def _reviewed_before_there_were_items(cls, kept: Any) -> Any:
        """A state that was written when a lead had one word for all of it."""
        if isinstance(kept, dict) and kept.get("review") and "items" not in kept:
            since = next((kept[at] for at in ("closed_at", "last_over_at", "last_touch_at", "pass_began") if kept.get(at)), None)
            if since is not None:
                kind = kept["review"]
                return {**kept, "items": [{"id": kind, "kind": kind, "since": since}]}
        return kept

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def phone(self) -> str:
        return self.person.phone if self.person else ""

    @property
    def takes_texts(self) -> bool:
        """Whether there is a number, and they have nothing against texts."""
        return bool(self.phone) and "text" not in self.refuses

    @property
    def email(self) -> str:
        """The address on record, unless it cannot be delivered to."""
        address = self.person.email if self.person else ""
        return "" if address.lower() in self.bad_mails else address

    def but(self, **changes: Any) -> Lead:
        """This state with ``changes``."""
        return self.model_copy(update=changes)


def touch_of(state: Lead, attempt: str) -> Touched | None:
    """The touch of this attempt, if the lead knows it."""
    return next((t for t in reversed(state.touches) if t.attempt == attempt), None)
