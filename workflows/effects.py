"""All that the workflows can do to the world: the activities they declare, by name, request and answer.

``activities/`` implements each under the same name; a test holds the two together. The bodies here never run.
Errors are raised as ``ApplicationError`` whose ``type`` is one of the four kinds in :data:`ErrorKind`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from temporalio import activity

from .calling import Contact, Refusal
from .crm import Conflict, Known
from .events import Booking, CallLearned, Concern, Form, Line, Meet, Moment, Sign, Slot, Verdict
from .messages import Brief, Item, Judged, Resolved
from .model import Duration, Instant, Model

ErrorKind = Literal["retry_after", "retry", "permanent", "ambiguous"]
"""``retry_after`` carries the vendor's delay as next_retry_delay; ``permanent`` and ``ambiguous`` never retry by
themselves: an ambiguous effect may have happened and is reconciled first."""


class Gate(Model):
    """What every dispatch asks before it acts: is anyone of these handles opted out, is anything paused?

    The answer is read at the moment of dispatch; if it cannot be had, nothing is sent."""

    lead: str
    audience: str
    handles: tuple[str, ...]
    """Hashes of the lead's phone and e-mail."""
    beside: tuple[str, ...] = ()
    """Other leads that share the number: it is not dialled while one of them has a call under way."""


class Look(Model):
    """Whom to look up in the CRM before the first call. ``must``: without its word nothing is dialled."""

    name: str = ""
    email: str = ""
    must: bool = False


class PlaceCall(Model):
    """Dial ``to`` (E.164). ``attempt`` goes into the callback addresses; nothing is dialled after ``not_after``."""

    gate: Gate
    attempt: str
    to: str
    ring: Duration
    longest: Duration
    not_after: Instant
    playbook: str = ""
    """Content hash: it says how the carrier is to speak and listen, and what rules bind."""
    contact: Contact | None = None
    """What the calling gate needs to know; without it nothing is dialled."""
    look: Look | None = None
    """To be asked of the CRM first."""


class Dispatched(Model):
    """What became of a dial or a text. ``refused`` names the rule when the gate said no (``opted_out``,
    ``paused:SCOPE``, ``late``, or that of ``refusal``), else ``sid`` is the carrier's id."""

    sid: str = ""
    refused: str = ""
    refusal: Refusal | None = None
    """The calling rule that stood against it."""
    known: Known | None = None
    """What the CRM says of them, where it was asked."""
    segments: int = 0
    mail: str = ""
    """Of the e-mail that rode along: ``sent``, ``later`` (to be sent by itself), or why it never will be."""


class EndCall(Model):
    """End a ringing or live call; with ``say``, the other side hears these words first."""

    sid: str
    say: str = ""


class FindCall(Model):
    """Ask the carrier what became of an attempt: by ``sid``, or among the calls to ``to`` since ``since`` when
    the sid is unknown."""

    attempt: str
    to: str
    since: Instant
    sid: str = ""


class FoundCall(Model):
    """``status`` is empty when the carrier knows of no such call."""

    sid: str = ""
    status: str = ""
    answered_by: str = ""
    seconds: int = 0


class Mail(Model):
    """An e-mail to ``to``. ``touch`` names what it is about: a repeat has the same Message-ID. In ``body`` links are
    filled as in SendText, and ``[words](address)`` is a link with words, and ``{stop_link}`` the
    link that stops all contact. With ``method`` it carries an invitation to
    ``booking``, or takes it back."""

    touch: str
    to: str
    name: str = ""
    sender: str = ""
    """The company, as the sender's name."""
    subject: str
    body: str
    booking: Booking | None = None
    links: str = ""
    """The booking that the links lead to; to free times when empty."""
    title: str = ""
    """What the meeting is called in the lead's calendar."""
    method: Literal["", "REQUEST", "CANCEL"] = ""
    answers: str = ""
    """The Message-ID of the e-mail that it answers, and ``references`` those before it."""
    references: tuple[str, ...] = ()
    at: Instant
    """When it was decided on: its date, the same in each repeat."""
    expires: Instant
    """When the links die."""


class SendMail(Model):
    gate: Gate
    mail: Mail
    not_after: Instant


class Mailed(Model):
    """``refused`` names the rule when it was not sent: the gate's, ``late``, or ``no_mail_server``."""

    refused: str = ""


class SendText(Model):
    """Text ``body`` to ``to``. ``{join_link}`` and ``{manage_link}`` in the body are filled with signed links to
    ``booking`` (``manage_link`` works without one). ``not_after`` bounds the carrier's own queue."""

    gate: Gate
    touch: str
    to: str
    body: str
    booking: str = ""
    expires: Instant | None = None
    """When the links die."""
    not_after: Instant
    mail: Mail | None = None
    """The same by e-mail, once the text has gone."""
    playbook: str = ""
    """Content hash: what rules bind."""
    contact: Contact | None = None
    """What the calling gate needs to know; without it nothing is sent."""


class FindText(Model):
    """Ask the carrier for a text of this exact ``body`` (links unfilled, as in SendText) to ``to`` since ``since``."""

    text: SendText
    since: Instant


class FindSlots(Model):
    """Free slots for a lead, at most ``count``; all instants UTC. ``now`` is the asker's instant. The owner's
    slots come first, else those of the team's next in turn. ``ignore`` is the lead's own booking."""

    lead: str
    team: str
    playbook: str
    now: Instant
    zone: str
    owner: str = ""
    rep: str = ""
    """Only this rep's, when set (a move keeps the rep)."""
    count: int
    not_before: Instant | None = None
    not_after: Instant | None = None
    part: str = ""
    exclude: tuple[str, ...] = ()
    """Ids of slots offered and refused before."""
    ignore: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    """What the team's routes may ask of the lead."""


class SlotsAnswer(Model):
    """``why`` says, for people, why there are none or whose calendar could not be read."""

    slots: tuple[Slot, ...] = ()
    why: str = ""


class BookMeeting(Model):
    """Book ``slot`` as ``booking``: hold in the ledger, live free/busy, write the event, commit. Idempotent by
    ``booking``; whatever was done is undone when it answers ``refused``."""

    lead: str
    team: str
    playbook: str
    booking: str
    slot: Slot
    now: Instant
    title: str
    notes: str
    attendee: str = ""
    """The lead's e-mail, invited by the calendar's vendor where it does that (Booking.invited)."""
    attendee_name: str = ""
    zone: str
    owner: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    replaces: Booking | None = None
    """The booking that this one moves: released after this one stands."""
    adopt: str = ""
    """The event that stands at ``slot`` already, because the rep moved it there by hand: it is taken over, whatever
    caps and buffers say."""
    nearest: int = 0
    """So many of the rep's free times nearest to ``slot`` are named where it is refused."""


class Booked(Model):
    booking: Booking | None = None
    refused: str = ""
    """Why not, in words for people: the slot was taken, the calendar could not be read."""
    unreleased: Booking | None = None
    """The booking that this one moved, when its event could not be taken out at once: to be released again."""
    page: str = ""
    """Where the lead can book it themselves, once: the rep's calendar takes no booking from us."""
    nearest: tuple[Slot, ...] = ()
    """Free times of the same rep, where it was refused and they were wanted."""


class FindLine(Model):
    """Who of ``team`` takes a call now: the ``owner`` of the lead, else who is on call, in their working hours."""

    team: str
    owner: str = ""
    now: Instant


class FoundLine(Model):
    """``phone`` (E.164) of the rep, or ``why`` nobody takes it."""

    rep: str = ""
    name: str = ""
    phone: str = ""
    why: str = ""


class ReleaseMeeting(Model):
    """Take ``booking`` out of calendar and ledger and give the turn back. Idempotent."""

    team: str
    booking: Booking
    now: Instant
    why: str
    keep_event: bool = False


class Converse(Model):
    """Answer what the lead wrote: ``text`` (several messages, a line each), after ``thread``. ``message`` is the
    carrier's id of the last of them; actions asked of the lead carry it, so that a repeat repeats nothing."""

    brief: Brief
    thread: tuple[Line, ...] = ()
    text: str
    message: str
    now: Instant
    """When it is answered."""


class Conversed(Model):
    """What to write back (nothing, when there is nothing to say) and what was understood; the actions were asked of
    the lead already. ``node``: where in the graph the talk stands now."""

    reply: str = ""
    node: str = ""
    asked: str = ""
    """The field that the reply asks for."""
    told: tuple[CallLearned, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


class KeepOptOut(Model):
    """Start the OptOutWorkflow of each handle, and of each e-mail address, if it does not run yet."""

    handles: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    """Those of theirs that we learned in a talk or that a person corrected: no handle was made of them."""
    lead: str
    channel: str
    at: Instant
    words: str = ""


class Entry(Model):
    """One line of a lead's story for the record: what happened or was decided, and why."""

    at: Instant
    kind: str
    version: int
    text: str
    """One readable line."""
    rule: str = ""
    data: dict[str, str] = Field(default_factory=dict)
    """Small facts by name (attempt, sid, touch, seconds, segments, ...)."""
    verdicts: tuple[Verdict, ...] = ()
    """On what was proposed in answer to a text of theirs; those of a call stand with the call."""


class Transition(Model):
    """A lead went from one stage (``before``) to another (``after``)."""

    at: Instant
    version: int
    before: str
    after: str


class CallNote(Model):
    """A call for the CRM and the record; the transcript as heard."""

    attempt: str
    sid: str
    at: Instant
    inbound: bool = False
    seconds: int = 0
    status: str = ""
    disposition: str = ""
    transcript: tuple[Line, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    timings: tuple[dict[str, float], ...] = ()
    concerns: tuple[Concern, ...] = ()
    path: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    tokens_in: int = 0
    tokens_out: int = 0


Act = Literal["approve", "reject", "take-over", "release", "reschedule", "attended", "no-show"]
"""What a rep can ask of a lead from a card, as commands and addresses spell it."""


class Card(Model):
    """A card in the reps' channel. ``key`` makes a repeat recognisable."""

    key: str
    title: str
    lines: tuple[str, ...]
    rep: str = ""
    lead: str = ""
    urgent: bool = False
    acts: tuple[Act, ...] = ()
    """What can be done with a press of a button on it."""
    request: str = ""
    """The waiting action that ``approve`` and ``reject`` decide on, or the meeting that ``attended`` and ``no-show`` mark; the
    only one, or the last, when it is empty."""
    start: Instant | None = None
    """When the meeting is that it speaks of: where a new time is looked for from."""
    asks: Literal["", "outcome"] = ""
    """What the rep can answer on a page behind a link of the card: whether they came to the meeting ``about``, ``until``
    then."""
    about: str = ""
    until: Instant | None = None


class ToDo(Model):
    """Something that a person has to do: a task in the CRM. ``key`` makes a repeat recognisable."""

    key: str
    title: str
    lines: tuple[str, ...] = ()
    rep: str = ""
    at: Instant
    urgent: bool = False


class Reflection(Model):
    """What changed since the last one, for the record, the CRM and the reps' channel. Idempotent: entries by
    (lead, version, index), CRM objects and cards by key."""

    lead: str
    version: int
    audience: str
    playbook: str
    now: Instant
    stage: str
    furthest: str
    disposition: str = ""
    reason: str = ""
    source: str = ""
    owner: str = ""
    form: Form | None = None
    """The person, whenever it is new or changed."""
    learned: dict[str, str] = Field(default_factory=dict)
    fit: str = ""
    """``fits``, ``no fit`` or ``open``. This, ``criteria`` and ``signs`` are empty where nothing new was learned and
    nobody is told anything: what was told before then stands."""
    criteria: tuple[Judged, ...] = ()
    signs: tuple[Sign, ...] = ()
    """One of each kind, as strong as all of them together."""
    concerns: tuple[Concern, ...] = ()
    next_step: str = ""
    """What comes next and why, for people."""
    next_at: Instant | None = None
    """When it comes, where it waits for a time."""
    milestones: dict[str, Instant] = Field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    transitions: tuple[Transition, ...] = ()
    """Every change of the stage, also those that were over again before this one."""
    calls: tuple[CallNote, ...] = ()
    todos: tuple[ToDo, ...] = ()
    booking: Booking | None = None
    meeting_outcome: str = ""
    """``showed`` or ``no_show``, once it is known of ``booking``; ``unknown`` while somebody is asked."""
    team: str = ""
    contact: str = ""
    """The lead's contact in the CRM, where that is known."""
    overwrite: tuple[str, ...] = ()
    """Fields of the CRM that are written although a person changed them: another person said so."""
    cards: tuple[Card, ...] = ()
    needs_review: str = ""
    items: tuple[Item, ...] = ()
    """All that a person should look at now, priced: what the record has open beside these is over."""
    resolved: tuple[Resolved, ...] = ()
    """What people did about such items, lately."""
    merged_into: str = ""
    absorbed: tuple[str, ...] = ()
    """The leads of the same person that went into this one."""
    since: Instant | None = None
    """When the lead came to its stage."""
    """The lead that goes on with the story."""
    let_go: tuple[str, ...] = ()
    """Hashes of numbers that are not this lead's after all."""
    memory: dict[str, object] | None = None
    """The whole state, when the lead closed: what a later form is met with."""
    parts: tuple[Literal["record", "crm", "notice", "rotation"], ...] = ("record", "crm", "notice")
    """``rotation``: a no-show gives the rep's turn back, and a correction takes it again."""


class ReflectionDone(Model):
    owner: str = ""
    """The rep who owns the contact in the CRM, if anybody does."""
    failed: tuple[str, ...] = ()
    """Parts that the vendor refused for good, with its words; the rest is done."""
    contact: str = ""
    """The lead's contact in the CRM."""
    known: Known | None = None
    """What the CRM says of the person by now."""
    conflicts: tuple[Conflict, ...] = ()
    """Fields that a person changed there, and that were left as they are."""
    left_out: tuple[str, ...] = ()
    """Fields of the CRM that could not be written, with its code, and those that read otherwise than they were written."""
    meets: tuple[Meet, ...] = ()
    """Other leads that share a handle with this one, where the person is new or changed."""


class TakeIn(Model):
    """Have the lead ``other``, the same person, go into ``lead``. ``booked``: this one has a meeting, and the other may
    not have one beside it, unless a person said which of them stands."""

    lead: str
    other: str
    by: str = ""
    booked: bool = False


class TakenIn(Model):
    """The lead that went in (the one asked for, or what had taken that in before), as it stood; no ``state`` when nobody
    remembers it. ``refused`` names the rule: ``two_meetings``, or ``mutual`` when the other takes this one in."""

    other: str
    state: dict[str, Any] | None = None
    refused: str = ""


class FindTwins(Model):
    """Whether these leads are still there."""

    leads: tuple[str, ...]


class FoundTwins(Model):
    """Of those asked for: whose execution is over, and who went into which other lead. Who did not say is in neither."""

    gone: tuple[str, ...] = ()
    moved: dict[str, str] = Field(default_factory=dict)


class RehomeLeads(Model):
    """``rep`` of ``team`` takes no meetings any more: tell ``leads``, and every open lead that they own."""

    team: str
    rep: str
    name: str
    leads: tuple[str, ...] = ()
    by: str = ""
    why: str = ""
    now: Instant


class SyncCalendars(Model):
    """Read what changed in the reps' calendars: those that were not read for half of ``every``, and those of which a
    push came; tell the leads; keep the push channels open."""

    every: Duration
    now: Instant | None = None


class Synced(Model):
    """``read`` calendars were read, ``told`` pieces of news given to leads; ``troubles`` says by rep why a calendar
    could not be read: nothing of it counts as unchanged, and nothing of it as free."""

    read: int = 0
    told: int = 0
    troubles: dict[str, str] = Field(default_factory=dict)


class PostDigest(Model):
    """Post the day of ``team`` to the reps' channel: that of the date ``day``, or (without one) the last that is over in
    ``zone`` (IANA)."""

    team: str
    zone: str
    day: str = ""


class DigestPosted(Model):
    """``why`` it was not posted now: it stands there already, or there is no channel."""

    day: str
    posted: bool
    why: str = ""


class WakeLeads(Model):
    """Signal ``resume`` to every lead that was held by ``scope``."""

    scope: str
    by: str


_NEVER = "declared for the workflows; activities/ implements it"


@activity.defn
async def place_call(request: PlaceCall) -> Dispatched:
    """One attempt, never repeated. Raises ambiguous when the carrier may have taken the dial."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def end_call(request: EndCall) -> None:
    """Idempotent: a call that is over already is done."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def find_call(request: FindCall) -> FoundCall:
    raise NotImplementedError(_NEVER)


@activity.defn
async def send_text(request: SendText) -> Dispatched:
    """One attempt, never repeated. Raises ambiguous when the carrier may have taken the text."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def find_text(request: FindText) -> Dispatched:
    """``sid`` is empty when the carrier has no such text."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def send_mail(request: SendMail) -> Mailed:
    """May be repeated: each repeat is the same message under the same Message-ID."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def find_slots(request: FindSlots) -> SlotsAnswer:
    raise NotImplementedError(_NEVER)


@activity.defn
async def find_line(request: FindLine) -> FoundLine:
    raise NotImplementedError(_NEVER)


@activity.defn
async def book_meeting(request: BookMeeting) -> Booked:
    raise NotImplementedError(_NEVER)


@activity.defn
async def release_meeting(request: ReleaseMeeting) -> None:
    raise NotImplementedError(_NEVER)


@activity.defn
async def converse(request: Converse) -> Conversed:
    """The same conversation core as on the phone, for one turn. Raises retry when the lead cannot be asked to act."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def keep_opt_out(request: KeepOptOut) -> None:
    raise NotImplementedError(_NEVER)


@activity.defn
async def reflect(request: Reflection) -> ReflectionDone:
    raise NotImplementedError(_NEVER)


@activity.defn
async def take_in(request: TakeIn) -> TakenIn:
    """Waits until the other is quiet. May be repeated: a lead that went in gives the same answer."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def find_twins(request: FindTwins) -> FoundTwins:
    """Changes nothing."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def rehome_leads(request: RehomeLeads) -> int:
    """How many were told. Idempotent: a lead takes the same news once."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def sync_calendars(request: SyncCalendars) -> Synced:
    """May be repeated: a lead takes the same news once. Raises retry while a calendar does not answer."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def post_digest(request: PostDigest) -> DigestPosted:
    """Once for each team and day, however often it is asked for. Raises retry while the record or the channel is away."""
    raise NotImplementedError(_NEVER)


@activity.defn
async def wake_leads(request: WakeLeads) -> int:
    """How many were signalled."""
    raise NotImplementedError(_NEVER)


DECLARED = (
    place_call,
    end_call,
    find_call,
    send_text,
    find_text,
    send_mail,
    find_slots,
    find_line,
    book_meeting,
    release_meeting,
    converse,
    keep_opt_out,
    reflect,
    take_in,
    find_twins,
    rehome_leads,
    sync_calendars,
    post_digest,
    wake_leads,
)
