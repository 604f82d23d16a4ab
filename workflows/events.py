"""Everything that can happen to a lead. A lead is the list of these; ``workflows/lead.py`` folds them.

Each event carries the instant at which it happened (UTC) and an ``id`` under which a repeat is recognised.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from .calling import Purpose, Refusal
from .crm import Conflict, Known
from .model import Duration, Instant, Model
from .playbook import Source

# ---- what events carry -------------------------------------------------------------------------------------


class Consent(Model):
    """The consent record of the form: the words shown, their version, when and from where they were accepted."""

    text: str = ""
    version: str = ""
    at: Instant | None = None
    address: str = ""
    kind: Literal["written", "oral", "none"] = "none"


class Form(Model):
    """What a marketing form (or an unknown caller) told us. ``phone`` is E.164, ``email`` lower-case;
    ``region`` an ISO 3166-2 code (``US-CA``) when a state or ZIP was given; ``zone`` an IANA name when known."""

    submission_id: str
    name: str = ""
    phone: str = ""
    email: str = ""
    company: str = ""
    message: str = ""
    source: str = ""
    utm: dict[str, str] = Field(default_factory=dict)
    region: str = ""
    zip: str = ""
    zone: str = ""
    promise: str = ""
    """What the form said would happen next."""
    page: str = ""
    consent: Consent = Consent()
    attributes: dict[str, str] = Field(default_factory=dict)
    phone_hash: str = ""
    """``identity.handle_id`` of the phone, and of the e-mail; the ids that opt-outs are kept under."""
    email_hash: str = ""
    crm_id: str = ""
    """The CRM's own id of the contact, where the form's sender knows it."""
    crm_hash: str = ""


class Slot(Model):
    """A time that a named rep's ledger and calendar can give. ``id`` is ``rep@start``, stable across offers."""

    id: str
    rep: str
    start: Instant
    end: Instant


class Booking(Model):
    """A meeting in the ledger and in the rep's calendar. ``id`` is unique to one booking; a move makes a new one."""

    id: str
    rep: str
    rep_name: str
    start: Instant
    end: Instant
    event_id: str = ""
    reason: str = ""
    """Why this rep."""
    replaces: str = ""
    invited: bool = False
    """The calendar's own vendor invited the lead, and tells them of each change."""
    meeting: str = ""
    """The first booking of the meeting that this one is now: its name in the lead's calendar through every move. Its
    own id when empty."""
    sequence: int = 0
    """How often the meeting changed (iCalendar's SEQUENCE)."""


class Learned(Model):
    """One field that somebody told us, with the words that show it."""

    field: str
    value: str
    quote: str = ""
    source: Source = "said"
    doubt: float = 0.0
    """How uncertain the recogniser was of these words (0 to 1), where that is more than ``call.doubt`` allows."""


class Sign(Model):
    """A sign of commitment, concern, confirmation, denial or hesitation, with its words and strength (0 to 1)."""

    sign: Literal["commitment", "concern", "confirmation", "denial", "hesitation"]
    about: str = ""
    quote: str = ""
    strength: float = 0.5
    at: Instant | None = None


class Concern(Model):
    """One objection through the talk. ``status``: open (raised, or raised again), softened (answered, and they came
    some way), resolved (not to be argued again), accepted (it stays; we go by it). ``words`` are theirs, the last;
    ``gave_way_to`` is the concern that took over from this one."""

    name: str
    status: Literal["open", "softened", "resolved", "accepted"] = "open"
    raised: int = 1
    answered: int = 0
    strength: float = 0.5
    words: str = ""
    at: Instant | None = None
    gave_way_to: str = ""


class Moment(Model):
    """One signal of a call, for its story: what kind, at which state version, and how long it lasted if it did."""

    kind: str
    at: Instant
    version: int
    seconds: float | None = None
    detail: str = ""
    """Never what was said: a node, a digit's meaning, who answered."""


class Line(Model):
    """One line of a transcript, as far as it was heard."""

    who: Literal["agent", "lead"]
    text: str
    at: Instant


class Post(Model):
    """What an e-mail says of itself: who wrote it (``handle`` is the hash of the address), and the thread that its answer
    takes up. ``forged``: the receiving server says that it does not come from there."""

    sender: str = ""
    handle: str = ""
    subject: str = ""
    id: str = ""
    """Its Message-ID."""
    references: tuple[str, ...] = ()
    """The Message-IDs before it, oldest first."""
    forged: bool = False


class Verdict(Model):
    """Why an action was allowed or not: what `lead why` and the review queue show."""

    action: str
    allowed: bool
    rule: str
    detail: str = ""
    threshold: float | None = None
    value: float | None = None
    evidence: tuple[str, ...] = ()
    version: int = 0
    at: Instant


# ---- actions that somebody asks the lead to perform -----------------------------------------------------------

Disposition = Literal[
    "",
    "showed",
    "not_interested",
    "opted_out",
    "wrong_person",
    "not_fit",
    "unresponsive",
    "no_show",
    "cancelled",
    "handed_off",
    "no_way_to_contact",
    "unknown",
    "merged",
]


class OfferSlots(Model):
    """Name a few free slots. ``not_before``/``not_after`` (UTC) narrow them; ``part`` is a part of the lead's day."""

    kind: Literal["offer_slots"] = "offer_slots"
    not_before: Instant | None = None
    not_after: Instant | None = None
    part: Literal["", "morning", "afternoon", "evening"] = ""
    refused: tuple[str, ...] = ()
    """Slots offered before and refused."""
    count: int = 0
    """How many; the playbook's number of offers when 0."""
    zone: str = ""
    """Where they are just now, when it is not their zone on record: parts of the day and civil hours are those there."""


class Book(Model):
    """Book an offered slot; when a meeting is booked already, move it there (book new, then release old)."""

    kind: Literal["book"] = "book"
    slot: str


class Cancel(Model):
    kind: Literal["cancel"] = "cancel"
    words: str = ""
    offer: bool = False
    """The rep cannot make it: the lead is offered new times."""


class OptOut(Model):
    """They said stop: nothing is sent or dialled again, on any channel."""

    kind: Literal["opt_out"] = "opt_out"
    words: str = ""


class Decline(Model):
    """Not interested, the wrong person, or not a fit: the lead closes."""

    kind: Literal["decline"] = "decline"
    disposition: Disposition
    words: str = ""


class CallBack(Model):
    """Ring again at a time the lead named; ``at`` UTC, as soon as allowed when None."""

    kind: Literal["call_back"] = "call_back"
    at: Instant | None = None
    words: str = ""


class HandOff(Model):
    """A person takes over: the rep is told, the machine stops."""

    kind: Literal["hand_off"] = "hand_off"
    why: str
    words: str = ""
    complaint: bool = False
    """They have a complaint: somebody sees to it first."""


class Task(Model):
    """Have a person look something up or do something; the call goes on."""

    kind: Literal["task"] = "task"
    what: str
    words: str = ""


class Refer(Model):
    """Interested, but somebody else is the right one: a person takes the name up; the lead is not called again."""

    kind: Literal["refer"] = "refer"
    name: str = ""
    contact: str = ""
    """A phone number or an e-mail address, as said."""
    words: str = ""


class SendLink(Model):
    """Text the link under which the lead can manage the meeting."""

    kind: Literal["send_link"] = "send_link"
    join: bool = False
    """The way into the meeting, for who does not get in."""
    address: bool = False
    """No link: they are asked to write their e-mail address, which could not be made out by ear."""


class Attend(Model):
    """What they say of coming to the meeting that stands: ``late`` (by ``minutes``; 0: they do not say), on the way in
    (``soon``), ``here`` already, or ``absent`` although it has begun. The rep is told at once."""

    kind: Literal["attend"] = "attend"
    how: Literal["late", "soon", "here", "absent"]
    minutes: int = 0
    words: str = ""


class Confirm(Model):
    """They say yes to the meeting."""

    kind: Literal["confirm"] = "confirm"
    words: str = ""


class Undo(Model):
    """Take back the last change of the meeting: what stood before it stands again. People ask for it, no conversation
    does."""

    kind: Literal["undo"] = "undo"
    words: str = ""


Action = Annotated[
    OfferSlots | Book | Cancel | OptOut | Decline | CallBack | HandOff | SendLink | Task | Refer | Attend | Confirm,
    Field(discriminator="kind"),
]


# ---- the events ----------------------------------------------------------------------------------------------


Likeness = Literal["same", "other", "doubt", "unrelated"]


class Meet(Model):
    """Another lead that shares a handle with this one, and whether it is the same person."""

    lead: str
    likeness: Likeness
    why: str = ""
    """In words, nothing personal."""
    waits: bool = False
    """This lead is the one that waits while there is doubt; the other goes on."""


class Joining(Model):
    """A lead of the same person, about to be taken into this one. ``by`` is empty when the handles say so; ``keep``
    is whose meeting stands where both have one."""

    lead: str
    by: str = ""
    keep: Literal["", "mine", "theirs"] = ""


class _Event(Model):
    at: Instant
    id: str = ""


class FormSubmitted(_Event):
    kind: Literal["form_submitted"] = "form_submitted"
    form: Form
    memory: dict[str, Any] | None = None
    """What the record remembered of this person when no execution was open (a LeadState), else None."""
    meets: tuple[Meet, ...] = ()
    """The other leads that share a handle with this one, as the record knew them."""


class DialQueued(_Event):
    """We decided to dial and asked the carrier's adapter for it: the durable claim."""

    kind: Literal["dial_queued"] = "dial_queued"
    attempt: str
    touch: str


class TouchPassed(_Event):
    """A touch of the cadence is left out: ``rule`` says why, ``why`` in words."""

    kind: Literal["touch_passed"] = "touch_passed"
    touch: str
    rule: str
    why: str = ""


class Lapsed(_Event):
    """A text or e-mail that was due is left out, for it came too late to have sense: ``rule`` says why, ``why`` in words."""

    kind: Literal["lapsed"] = "lapsed"
    touch: str
    message: str
    rule: str
    why: str = ""


class CallPlaced(_Event):
    kind: Literal["call_placed"] = "call_placed"
    attempt: str
    sid: str
    known: Known | None = None
    """What the CRM said before the dial, where it was asked."""
    queued: bool = False
    """The carrier was asked, and has yet to dial it."""


class CallNotPlaced(_Event):
    """The dial did not happen, for sure. ``why`` is a rule or the carrier's refusal."""

    kind: Literal["call_not_placed"] = "call_not_placed"
    attempt: str
    why: str
    permanent: bool = False
    held: str = ""
    """The paused scope that held it back, if that was it."""
    wait: Duration = timedelta(0)
    """How long the carrier asks us to wait before the next."""
    refusal: Refusal | None = None
    """The calling rule that stood against it at its dispatch."""
    known: Known | None = None
    """What the CRM said before the dial, where it was asked."""
    uncounted: bool = False
    """Who was never dialled is as new as before; in older histories a dial that was only begun had made the lead an
    attempted one."""


class CallAmbiguous(_Event):
    """Nobody knows whether the dial reached the carrier."""

    kind: Literal["call_ambiguous"] = "call_ambiguous"
    attempt: str
    error: str = ""


class CallConnected(_Event):
    """The live-call gateway has the other side on the line (or the lead rang us: ``attempt`` is then ``in-SID``)."""

    kind: Literal["call_connected"] = "call_connected"
    attempt: str
    sid: str
    inbound: bool = False
    transfers: bool = False
    """The carrier can put this call through to a phone."""


class LineFound(_Event):
    """Who takes the call now, in answer to ``request``: the rep and their number (E.164), or why nobody does."""

    kind: Literal["line_found"] = "line_found"
    request: str
    rep: str = ""
    name: str = ""
    phone: str = ""
    why: str = ""


class TransferTold(_Event):
    """The carrier's word on the call that is put through: the colleague took it, did not, or is through with it."""

    kind: Literal["transfer_told"] = "transfer_told"
    attempt: str
    status: Literal["taken", "missed", "over"]
    seconds: int = 0


class CallLearned(_Event):
    """What the conversation understood since the last report."""

    kind: Literal["call_learned"] = "call_learned"
    attempt: str
    turn: int
    node: str = ""
    learned: tuple[Learned, ...] = ()
    signs: tuple[Sign, ...] = ()
    objections: tuple[str, ...] = ()
    concerns: tuple[Concern, ...] = ()
    """The concerns that changed, as they stand now."""


class ConversationEnded(_Event):
    """The gateway's last word on a call: the transcript as heard, verdicts, timings, and tokens used."""

    kind: Literal["conversation_ended"] = "conversation_ended"
    attempt: str
    node: str = ""
    learned: tuple[Learned, ...] = ()
    signs: tuple[Sign, ...] = ()
    objections: tuple[str, ...] = ()
    concerns: tuple[Concern, ...] = ()
    path: tuple[str, ...] = ()
    """The nodes of the graph in the order in which the talk went through them."""
    moments: tuple[Moment, ...] = ()
    transcript: tuple[Line, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    timings: tuple[dict[str, float], ...] = ()
    outcome: Literal["talked", "voicemail", "screened", "silent", "dropped", "paused", "transferred"] = "talked"
    tokens_in: int = 0
    tokens_out: int = 0


class CallEnded(_Event):
    """The carrier's final word: ``status`` completed, busy, no-answer, failed or canceled."""

    kind: Literal["call_ended"] = "call_ended"
    attempt: str
    sid: str
    status: Literal["completed", "busy", "no-answer", "failed", "canceled"]
    answered_by: str = ""
    """The carrier's answering machine detection: human, machine_*, fax, unknown or nothing."""
    seconds: int = 0
    sequence: int = 0


class CallUnknown(_Event):
    """The carrier was read after the deadline and knows of no such call: it counts as an attempt."""

    kind: Literal["call_unknown"] = "call_unknown"
    attempt: str


class TextSent(_Event):
    kind: Literal["text_sent"] = "text_sent"
    touch: str
    message: str
    sid: str = ""
    segments: int = 0
    mail: str = ""
    """Of the e-mail that went with it, as in Dispatched."""


class TextNotSent(_Event):
    kind: Literal["text_not_sent"] = "text_not_sent"
    touch: str
    message: str = ""
    why: str
    permanent: bool = False
    held: str = ""
    wait: Duration = timedelta(0)
    """How long the carrier asks us to wait before the next."""
    mail: bool = False
    """An e-mail was to go with it."""
    refusal: Refusal | None = None
    """The calling rule that stood against it at its dispatch."""
    purpose: Purpose = "solicit"
    """What it was, for that rule."""


class TextAmbiguous(_Event):
    kind: Literal["text_ambiguous"] = "text_ambiguous"
    touch: str
    message: str = ""
    error: str = ""
    mail: bool = False
    """An e-mail was to go with it."""


class MailDue(_Event):
    """A touch of the cadence or a reminder goes out by e-mail: ``message`` names it in the playbook."""

    kind: Literal["mail_due"] = "mail_due"
    touch: str
    message: str


class MailSent(_Event):
    kind: Literal["mail_sent"] = "mail_sent"
    touch: str
    message: str


class MailNotSent(_Event):
    """The e-mail will not be sent: ``why`` is a rule, or the mail server's refusal."""

    kind: Literal["mail_not_sent"] = "mail_not_sent"
    touch: str
    message: str
    why: str


class MailBounced(_Event):
    """E-mail to ``address`` cannot be delivered for good, says the mail server that was to take it."""

    kind: Literal["mail_bounced"] = "mail_bounced"
    address: str


class TextFailed(_Event):
    """The carrier could not deliver: ``code`` is the vendor's."""

    kind: Literal["text_failed"] = "text_failed"
    touch: str
    code: str = ""


class MessageReceived(_Event):
    """A text or an e-mail from the lead; ``id`` is the carrier's message id, or made of the Message-ID."""

    kind: Literal["message_received"] = "message_received"
    text: str
    channel: Literal["text", "email"] = "text"
    post: Post | None = None
    """Of an e-mail."""


class TextAnswered(_Event):
    """What the machine made of the lead's texts ``messages``: what it writes back, and where the talk stands. With
    ``why`` it could not, and a person is told."""

    kind: Literal["text_answered"] = "text_answered"
    messages: tuple[str, ...]
    reply: str = ""
    why: str = ""
    node: str = ""
    asked: str = ""
    """The field that the reply asks for."""
    told: tuple[CallLearned, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


class ActionAsked(_Event):
    """Somebody asks the lead to act: the gateway in a call, a rep, an operator, a page. ``id`` is the request's own
    id (``CALL:TURN``, an update id); ``version`` the state version it was authorised on (0: not from a call)."""

    kind: Literal["action_asked"] = "action_asked"
    action: Action | Undo
    by: str
    attempt: str = ""
    version: int = 0
    verdict: Verdict | None = None
    """That of the conversation, with its evidence."""
    approved_by: str = ""
    """The person who approved it, where the playbook leaves the action to one."""


class SlotsFound(_Event):
    kind: Literal["slots_found"] = "slots_found"
    request: str
    slots: tuple[Slot, ...] = ()
    why: str = ""


class MeetingBooked(_Event):
    kind: Literal["meeting_booked"] = "meeting_booked"
    request: str
    booking: Booking
    adopted: bool = False
    """It follows its event, which somebody moved in the calendar."""


class BookingRefused(_Event):
    kind: Literal["booking_refused"] = "booking_refused"
    request: str
    why: str
    page: str = ""
    """Where the lead can book it themselves, once."""
    nearest: tuple[Slot, ...] = ()
    """The rep's free times nearest to the one refused, where a person asked for it."""


class MeetingCancelled(_Event):
    kind: Literal["meeting_cancelled"] = "meeting_cancelled"
    request: str
    booking: str
    words: str = ""


class ActionDone(_Event):
    """A request that needed no effect on the world, or is over, was answered."""

    kind: Literal["action_done"] = "action_done"
    request: str
    allowed: bool = True
    why: str = ""
    due: Instant | None = None
    """When the call that they asked for may be made: what is promised. ``why`` is then the rule that put it off."""


class ActionDeferred(_Event):
    """The playbook leaves the action to a person (``propose``): it waits ``until`` somebody approves or rejects it."""

    kind: Literal["action_deferred"] = "action_deferred"
    request: str
    until: Instant
    slot: Slot | None = None
    """The slot that it would book, which later offers may push out of the lead's memory."""


class ActionDecided(_Event):
    """A person approved or rejected a waiting action; ``by`` is empty when nobody did in time, which drops it."""

    kind: Literal["action_decided"] = "action_decided"
    request: str
    approved: bool
    by: str = ""
    words: str = ""
    text: str = ""
    """The template of the text that tells the lead of a drop; none when it is approved."""


class MeetingConfirmed(_Event):
    """The lead said yes to the booked time, by text or on the page."""

    kind: Literal["meeting_confirmed"] = "meeting_confirmed"
    booking: str
    by: str = "lead"


class AttendanceReported(_Event):
    """Evidence about who came. By source, the stronger outrank the weaker (``workflows/story/attendance.py``): the
    lead's own word, a click by a person through the join link, the mark of the scheduler that holds the meeting, the
    rep's. ``absent`` was a guess for want of any, which older leads hold."""

    kind: Literal["attendance_reported"] = "attendance_reported"
    booking: str
    present: bool
    source: Literal["join_link", "rep", "absent", "provider", "lead"]
    by: str = ""


class OutcomeAsked(_Event):
    """Nobody knows whether they came to ``booking``: the rep is asked, once more, and at last (``review``) whoever looks
    through what waits for a person. The question can be answered ``until`` then."""

    kind: Literal["outcome_asked"] = "outcome_asked"
    booking: str
    until: Instant
    review: bool = False


class RepLeft(_Event):
    """``rep`` takes no meetings any more, or not now: their meeting with this lead, and the lead, go to another."""

    kind: Literal["rep_left"] = "rep_left"
    rep: str
    name: str
    by: str = ""
    why: str = ""


class NotRehomed(_Event):
    """Nobody else can take the meeting ``booking`` at its time: a person has to find another way."""

    kind: Literal["not_rehomed"] = "not_rehomed"
    booking: str
    why: str


class CalendarChanged(_Event):
    """Somebody changed the meeting ``booking`` in a calendar: ``moved`` it to ``slot``, ``removed`` it; the lead
    ``booked`` ``slot`` on the rep's own page (without a ``booking`` of ours),
    ``accepted`` or ``declined`` the invitation; somebody marked them ``absent`` there; or something else stands at its time (``clash``) or does no longer
    (``clear``). ``event`` is the calendar's id of what it is about, ``by`` who did it, as people call them."""

    kind: Literal["calendar_changed"] = "calendar_changed"
    booking: str
    change: Literal["booked", "moved", "removed", "accepted", "declined", "clash", "clear", "absent"]
    slot: Slot | None = None
    event: str = ""
    by: str = ""


class NotAdopted(_Event):
    """The time to which the meeting ``booking`` was moved in a calendar cannot be had, or (without one) what the lead
    booked there: a person sorts it out."""

    kind: Literal["not_adopted"] = "not_adopted"
    booking: str
    why: str


class OptOutKept(_Event):
    """The OptOutWorkflows of all this lead's handles run."""

    kind: Literal["opt_out_kept"] = "opt_out_kept"


class TakenOver(_Event):
    kind: Literal["taken_over"] = "taken_over"
    by: str


class OptedIn(_Event):
    """They want to hear from us again, as ``by`` was told in ``words``."""

    kind: Literal["opted_in"] = "opted_in"
    by: str
    words: str


class Released(_Event):
    kind: Literal["released"] = "released"
    by: str


class Held(_Event):
    """Contact with this lead is paused."""

    kind: Literal["held"] = "held"
    by: str


class Resumed(_Event):
    """A pause is over: that of ``scope``, or every one that held this lead when it names none. ``spread`` later the
    next touch may go out."""

    kind: Literal["resumed"] = "resumed"
    by: str = ""
    scope: str = ""
    spread: Duration | None = None


class CallCancelled(_Event):
    """A ringing or live call was ended on purpose through the carrier."""

    kind: Literal["call_cancelled"] = "call_cancelled"
    attempt: str


class Reflected(_Event):
    """The record, the CRM and the reps' channel were brought up to ``version``."""

    kind: Literal["reflected"] = "reflected"
    version: int
    stage: str = ""
    rotated: bool = False
    """Whether the rotation was told how the meeting went."""
    crm_contact: str = ""
    owner: str = ""
    failed: tuple[str, ...] = ()
    meets: tuple[Meet, ...] = ()
    """Other leads that the record found to share a handle."""

    known: Known | None = None
    """What the CRM says by now, and what of it could not be brought up to date: as in ReflectionDone."""
    conflicts: tuple[Conflict, ...] = ()
    left_out: tuple[str, ...] = ()


class TwinsMet(_Event):
    """Other leads were found that share a handle with this one."""

    kind: Literal["twins_met"] = "twins_met"
    meets: tuple[Meet, ...]


class MergeAsked(_Event):
    """A person says that ``joining.lead`` is the same person as this one."""

    kind: Literal["merge_asked"] = "merge_asked"
    joining: Joining
    words: str = ""


class KeptApart(_Event):
    """A person says that ``lead`` is somebody else."""

    kind: Literal["kept_apart"] = "kept_apart"
    lead: str
    by: str
    words: str = ""


class Yielding(_Event):
    """This lead is about to go into ``into``: nothing new is begun."""

    kind: Literal["yielding"] = "yielding"
    into: str


class GoneInto(_Event):
    """This lead went into ``into``, which has its story from here on."""

    kind: Literal["gone_into"] = "gone_into"
    into: str
    by: str = ""


class TookIn(_Event):
    """The lead of the same person, as it stood, was taken into this one. ``released`` is the meeting that does not
    stand any more, where both had one."""

    kind: Literal["took_in"] = "took_in"
    joining: Joining
    asked: str = ""
    """The lead that was asked for, where another had taken that in before."""
    state: dict[str, Any] | None = None
    released: Booking | None = None


class NotTakenIn(_Event):
    """``lead`` could not be taken into this one: a person decides. Empty ``why``: there is nothing to decide."""

    kind: Literal["not_taken_in"] = "not_taken_in"
    lead: str
    why: str = ""


class TwinsLooked(_Event):
    """The leads for whose sake this one does nothing were looked for. ``gone``: their executions are over, by memory or by
    hand; ``moved``: they went into another lead."""

    kind: Literal["twins_looked"] = "twins_looked"
    gone: tuple[str, ...] = ()
    moved: dict[str, str] = Field(default_factory=dict)


class CrmKnown(_Event):
    """The CRM's word on the lead came after the dial."""

    kind: Literal["crm_known"] = "crm_known"
    known: Known


class LeadClosed(_Event):
    """Nothing more is started for this lead; it is remembered for the playbook's memory period."""

    kind: Literal["lead_closed"] = "lead_closed"
    disposition: Disposition
    reason: str = ""


class RecoveryBegan(_Event):
    """After a no-show: a new pass over the recovery cadence."""

    kind: Literal["recovery_began"] = "recovery_began"


class Waiting(_Event):
    """A rule keeps the next touch back: told once for each rule, so that "why not called" has an answer."""

    kind: Literal["waiting"] = "waiting"
    rule: str
    reason: str = ""
    until: Instant | None = None


class ReviewResolved(_Event):
    """``by`` resolved the open ``item`` in this ``way``; see ``workflows/story/reviewed.py``."""

    kind: Literal["review_resolved"] = "review_resolved"
    item: str
    way: Literal["retry", "undo", "correct", "hand_over", "approve", "reject", "done"]
    by: str
    words: str = ""
    field: str = ""
    value: str = ""
    to: str = ""


class Faulted(_Event):
    """Our own code failed on something; it was set aside for a person, and the lead goes on."""

    kind: Literal["faulted"] = "faulted"
    where: str
    error: str = ""
    request: str = ""


class PlaybookMoved(_Event):
    """An operator moved the lead to another version of its playbook."""

    kind: Literal["playbook_moved"] = "playbook_moved"
    playbook: str
    by: str


Event = Annotated[
    FormSubmitted
    | DialQueued
    | TouchPassed
    | Lapsed
    | CallPlaced
    | CallNotPlaced
    | CallAmbiguous
    | CallConnected
    | LineFound
    | TransferTold
    | CallLearned
    | ConversationEnded
    | CallEnded
    | CallUnknown
    | TextSent
    | TextNotSent
    | TextAmbiguous
    | MailDue
    | MailSent
    | MailNotSent
    | MailBounced
    | TextFailed
    | MessageReceived
    | TextAnswered
    | ActionAsked
    | SlotsFound
    | MeetingBooked
    | BookingRefused
    | MeetingCancelled
    | ActionDone
    | ActionDeferred
    | ActionDecided
    | MeetingConfirmed
    | AttendanceReported
    | OutcomeAsked
    | RepLeft
    | NotRehomed
    | CalendarChanged
    | NotAdopted
    | OptOutKept
    | OptedIn
    | TakenOver
    | Released
    | Held
    | Resumed
    | CallCancelled
    | Reflected
    | TwinsMet
    | TwinsLooked
    | MergeAsked
    | KeptApart
    | Yielding
    | GoneInto
    | TookIn
    | NotTakenIn
    | CrmKnown
    | LeadClosed
    | RecoveryBegan
    | ReviewResolved
    | Faulted
    | Waiting
    | PlaybookMoved,
    Field(discriminator="kind"),
]
