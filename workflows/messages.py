"""How the outside talks to the workflows: names and plain-JSON inputs of every signal, update and query.

All of them can be sent by hand, for instance ``temporal workflow update execute -w lead-... --name reschedule
--input '{"start": "2027-03-12T15:00:00Z", "by": "ops"}'``, or from Temporal's UI.

What each of them does, Temporal's UI and ``temporal workflow metadata`` tell of any workflow that runs.

LeadWorkflow
    signals   ``form_submitted`` FormSubmitted, ``call_status`` CallEnded, ``message_received`` MessageReceived,
              ``message_status`` TextFailed, ``mail_bounced`` MailBounced, ``resume`` Wake, ``rep_left`` RepLeft,
              ``calendar_changed`` CalendarChanged, ``call_transferred`` TransferTold, ``move_playbook`` PlaybookMoved,
              ``twins_met`` TwinsMet, ``crm_known`` CrmKnown
    updates   ``connect`` Connect -> Brief, ``act`` Act -> Answer, ``report`` Report -> int (the new version),
              ``reschedule`` Move -> Answer, ``cancel`` By -> Answer, ``take_over`` TakeOver -> Answer, ``release`` By ->
              Answer, ``attended`` By -> Answer, ``no_show`` By -> Answer, ``joined`` Joined -> Answer,
              ``confirm`` By -> Answer, ``undo`` By -> Answer, ``hold`` By -> Answer, ``opt_out`` By -> Answer,
              ``opt_in`` By -> Answer, ``approve`` Decide -> Answer,
              ``reject`` Decide -> Answer, ``resolve`` Resolve -> Answer, ``merge`` Merge -> Answer,
              ``keep_apart`` Apart -> Answer, ``yield_to`` YieldTo -> the lead's state
    queries   ``view`` -> View, ``why`` -> list of Entry
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .events import (
    Action,
    Booking,
    CallLearned,
    Concern,
    ConversationEnded,
    Form,
    FormSubmitted,
    Meet,
    Sign,
    Slot,
    Verdict,
)
from .model import Duration, Instant, Model
from .playbook import Source

LEAD = "LeadWorkflow"
REP = "RepWorkflow"
TEAM = "TeamWorkflow"
OPT_OUT = "OptOutWorkflow"
CONTROL = "ControlWorkflow"
CALENDARS = "CalendarsWorkflow"
DIGEST = "DigestWorkflow"

QUEUE = "showrate"
"""The task queue of workflows and most activities."""
DIAL_QUEUE = "showrate-dial"
"""The task queue of ``place_call``, held to the carrier's rate."""


class LeadStart(Model):
    """The input of a LeadWorkflow. The first form or call comes as its first signal or update."""

    lead: str
    audience: str
    playbook: str
    """Content hash, see ``workflows/playbook.py``."""
    paced: bool = True
    """Whether dials go through DIAL_QUEUE, held to the carrier's rate. A carrier without one needs no queue of its
    own, and the dial then starts with the workflow task that asks for it."""
    carry: dict[str, Any] | None = None
    """The state carried through continue-as-new."""


class Transfer(Model):
    """A call that is put through to a colleague: who has it, or is rung (for ``ring``), at which number (E.164), and since
    when. ``missed``: they did not take it, and the agent went on."""

    rep: str
    name: str
    to: str
    ring: Duration
    state: Literal["ringing", "talking", "missed", "over"] = "ringing"
    since: Instant


class Connect(Model):
    """The live-call gateway has somebody on the line. ``transfers``: its carrier can put the call through to a phone. ``form`` describes an unknown inbound caller."""

    attempt: str
    sid: str
    at: Instant
    inbound: bool = False
    form: FormSubmitted | None = None
    transfers: bool = False


class Brief(Model):
    """All that the conversation needs to know of the lead, as of ``version``; ``refusal`` set: say goodbye."""

    lead: str
    attempt: str
    version: int
    playbook: str
    refusal: str = ""
    channel: Literal["call", "text", "email"] = "call"
    node: str = ""
    """Where in the graph to begin."""
    opening: str = "outreach"
    """The key of ``speech.opening``."""
    person: Form | None = None
    zone: str = "UTC"
    stage: str = "new"
    learned: dict[str, str] = Field(default_factory=dict)
    booking: Booking | None = None
    missed: Booking | None = None
    """The meeting that was missed, in a recovery."""
    offered: tuple[Slot, ...] = ()
    reps: dict[str, str] = Field(default_factory=dict)
    recording_notice: bool = False
    talked_before: bool = False
    objections: dict[str, int] = Field(default_factory=dict)
    """How often each objection was answered already."""
    concerns: tuple[Concern, ...] = ()
    """The concerns of earlier talks, as they stand."""
    signs: tuple[Sign, ...] = ()
    """The signs of earlier talks, oldest first."""
    sources: dict[str, Source] = Field(default_factory=dict)
    """Where each learned field came from."""
    touch: str = ""
    """The cadence's touch that this call is; it says what is left on a voicemail. Empty for inbound calls."""
    asked_at: Instant | None = None
    """When the form of this pass came in: a promise of its is kept or late."""
    last_asked: str = ""
    """The field that we asked for last, in a thread."""
    resumed: bool = False
    """This attempt was connected before: the carrier lost its socket, or another gateway had the call."""
    booked_for: str = ""
    """Whose the meeting is, when somebody of another name has used the number since: only that name passes."""
    booked_here: bool = False
    """The meeting was made in this very call, before its line was lost: it is told without asking who they are."""


class Act(Model):
    """An action asked of the lead in a conversation. ``id`` is ``ATTEMPT:TURN`` and also the update's id."""

    id: str
    action: Action
    at: Instant
    by: str = "agent"
    attempt: str = ""
    version: int = 0
    verdict: Verdict | None = None
    """The conversation's own, with its evidence: it stays with the request."""


class Answer(Model):
    """The recorded verdict and, where there is one, the fact to speak of."""

    allowed: bool
    rule: str = ""
    detail: str = ""
    version: int = 0
    slots: tuple[Slot, ...] = ()
    booking: Booking | None = None
    by: str = ""
    """Who had it done, where somebody had to approve it."""
    transfer: Transfer | None = None
    """To whom the call is put through now, in answer to a wish for a person."""
    due: Instant | None = None
    """When the call that was asked for may be made; ``rule`` is what put it off, if anything did."""


class Report(Model):
    """What a conversation understood, or its end."""

    learned: CallLearned | None = None
    ended: ConversationEnded | None = None


class By(Model):
    """Who asks, and why."""

    by: str
    words: str = ""
    id: str = ""
    """Makes a repeat harmless; the update's own id when empty."""
    booking: str = ""
    """The meeting that ``attended`` and ``no_show`` are about; the last one when empty."""


class TakeOver(By):
    """Take the lead over; ``only``: not from a colleague who has it."""

    only: bool = False


class Decide(By):
    """Approve or reject a waiting action: that of ``request``, or the only one that waits when it is empty."""

    request: str = ""


class Merge(By):
    """``other`` is the same person: it goes into this lead. ``keep``: whose meeting stands where both have one."""

    other: str
    keep: Literal["", "mine", "theirs"] = ""


class Apart(By):
    """``other`` is somebody else."""

    other: str


class YieldTo(By):
    """Go into the lead ``into``. ``booked``: it has a meeting, beside which this one may have none."""

    into: str
    booked: bool = False


class Wake(Model):
    """A pause is over: that of ``scope`` (as ``showrate pause`` spells it), or every one that holds this lead when it
    is empty. ``id`` makes a repeat harmless."""

    by: str = ""
    scope: str = ""
    id: str = ""


class Move(Model):
    """Move the meeting to ``start`` (an instant with its offset) or to an offered ``slot``."""

    by: str
    start: Instant | None = None
    slot: str = ""
    id: str = ""


class Joined(Model):
    """A person clicked through the join link of ``booking``."""

    booking: str
    at: Instant


class Touched(Model):
    """One contact in a lead's story."""

    attempt: str
    touch: str
    channel: str
    at: Instant
    outcome: str
    sid: str = ""
    seconds: int = 0
    refused: bool = False
    """The carrier will not have it, now or later."""


class Accounted(Model):
    """One touch that the playbook lists: made ``at``, with its outcome, or missing by ``rule``; ``due`` when it is still
    to come at a time that is known."""

    pass_no: int
    touch: str
    channel: str
    at: Instant | None = None
    outcome: str = ""
    rule: str = ""
    why: str = ""
    due: Instant | None = None


class Judged(Model):
    """One criterion of fit as it stands. ``unconfirmed``: there is a value, from a source whose word does not count."""

    field: str
    status: Literal["met", "failed", "unknown", "unconfirmed"] = "unknown"
    value: str = ""
    source: str = ""
    quote: str = ""
    """Their own words, where there are any."""
    wants: str = ""
    """What would meet it, in words."""
    knock_out: bool = False

    @property
    def in_words(self) -> str:
        """``team size is 1, wanted at least 3 (said: "just me")``."""
        name = self.field.replace("_", " ")
        if not self.value:
            return f"{name} is not known, wanted {self.wants}"
        words = f": “{self.quote}”" if self.quote and self.quote != self.value else ""
        return f"{name} is {self.value.replace('_', ' ')}, wanted {self.wants} ({self.source}{words})"


class Waiting(Model):
    """An action that waits for a person's word, as people see it."""

    request: str
    action: str
    words: str = ""
    """What it would do."""
    until: Instant
    evidence: tuple[str, ...] = ()


Way = Literal["retry", "undo", "correct", "hand_over", "approve", "reject", "done"]
"""How a person resolves what they were called to: do again what failed; take the meeting's last change back; say what is
true; take the lead over; decide what waits; or nothing is left to do."""


class Item(Model):
    """One thing of a lead that a person should look at. ``id`` is its own within the lead; ``about`` what it is about (an
    attempt, a request, a touch, a booking); ``since`` when it came up, ``due`` until when somebody should look;
    ``worth`` what hangs on it in the playbook's money, and ``why`` that is so much."""

    id: str
    kind: str
    since: Instant
    about: str = ""
    words: str = ""
    due: Instant | None = None
    worth: float = 0.0
    why: str = ""


class Resolved(Model):
    """What a person did about an item: which ``way``, who, when, and why in their words."""

    item: str
    kind: str
    way: Way
    by: str
    words: str = ""
    at: Instant
    since: Instant | None = None
    """When it had come up."""


class Resolve(By):
    """Resolve the open ``item`` (its id) in one of the ways that its kind has. To correct: ``words``, or ``field`` and the
    ``value`` that is true. ``to``: who takes the lead over; who asks, when it is empty."""

    item: str
    way: Way
    field: str = ""
    value: str = ""
    to: str = ""


class View(Model):
    """What people see of a lead."""

    lead: str
    version: int
    audience: str
    playbook: str
    stage: str
    furthest: str
    disposition: str = ""
    reason: str = ""
    closed: bool = False
    opted_out: bool = False
    taken_over_by: str = ""
    held_by: str = ""
    person: Form | None = None
    zone: str = ""
    owner: str = ""
    learned: dict[str, str] = Field(default_factory=dict)
    criteria: tuple[Judged, ...] = ()
    concerns: tuple[Concern, ...] = ()
    signs: tuple[Sign, ...] = ()
    """One of each kind that they gave, as strong as all of them together."""
    approvals: tuple[Waiting, ...] = ()
    transfer: Transfer | None = None
    """With which colleague the call under way is, or whose phone rings for it."""
    booking: Booking | None = None
    missed: Booking | None = None
    """The meeting that was missed last, until the next is booked."""
    undo: str = ""
    """What an undo of the meeting's last change would bring back, in words; empty when there is nothing to undo."""
    touches: tuple[Touched, ...] = ()
    account: tuple[Accounted, ...] = ()
    """Every touch that the playbook lists for the passes so far: made, or missing by which rule."""
    milestones: dict[str, Instant] = Field(default_factory=dict)
    next_step: str = ""
    next_at: Instant | None = None
    next_reason: str = ""
    needs_review: str = ""
    doubts: tuple[Meet, ...] = ()
    """Leads that may be the same person: a person merges them or keeps them apart."""
    on_call: str = ""
    """How a call of ours or theirs stands that is under way."""
    absorbed: tuple[str, ...] = ()
    """Leads that were merged into this one."""
    merged_into: str = ""
    """The lead that goes on with the story of this one."""
    joining: tuple[str, ...] = ()
    """Leads of the same person that it is about to take in, in this order."""
    items: tuple[Item, ...] = ()
    """What a person should look at, priced."""
