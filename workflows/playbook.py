"""The playbook: all that is tuned for one audience, and the registry of those in use.

A playbook is written as YAML (``workflows/playbooks/``), checked here, and known by the hash of its content. A
lead keeps the playbook that it started with until somebody moves it on purpose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from .crm import Crm
from .model import Duration, Strict
from .rulebook import Clock, Day, Rulebook
from .speech import LANGUAGES, Fact, Interest, Language, Objection, Promise, Speech

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads what people write; in C where that is there, which is ten times as fast."""

Autonomy = Literal["observe", "propose", "act"]
Key = Literal["person", "stop", "yes", "no", "repeat"]
"""What a pressed key means."""
Channel = Literal["call", "text", "email"]
Instead = Literal[
    "question", "which", "when", "sure", "identity", "link", "task", "approval", "person", "meeting", "not_booked",
    "fallback", "goodbye",
]  # fmt: skip
"""The next best thing to a denied action: ask the open question, which time they mean, when to call, whether they are
sure, who they are; text the link to the address on record; say that somebody confirms it, or has to approve it; have a
person take over; ask what is to become of the meeting; say that none is booked; what the node says; goodbye."""


class Company(Strict):
    """Who calls: said in the first words of each call (47 CFR 64.1200(b) asks for name and number)."""

    name: str
    purpose: str
    phone: str = ""
    address: str = ""
    """The postal address that each e-mail names (CAN-SPAM, 15 U.S.C. 7704(a)(5)): ``{address}`` in ``mail_footer``."""
    region: str = Field(default="", pattern=r"^([A-Z]{2}-[A-Z0-9]{1,3})?$")
    """The state from which it calls (``US-CA``): what that state asks of recorded calls holds too."""


class Agent(Strict):
    """Who speaks, and how the carrier hears and speaks for it; what is empty is left to the carrier."""

    name: str
    language: str = "en-US"
    voice: str = ""
    tts_provider: str = ""
    transcription_provider: str = ""
    speech_model: str = ""
    hints: tuple[str, ...] = ()
    """Names and words that speech recognition would not expect: of the product, of reps, of what people ask for."""


class Question(Strict):
    """One field that the conversation can learn: the words that ask for it and the values it accepts."""

    ask: str
    kind: Literal["text", "number", "choice", "yes_no", "email", "name"] = "text"
    choices: tuple[str, ...] = ()
    rephrase: str = ""
    """The same question in other words: after a silence, or when it was not understood."""
    complex: bool = False
    """It takes thought: silence after it is met later (``call.patience.complex``)."""
    confirm: bool = False
    """A doubtful value (``call.doubt``) is read back before it is relied on, and an e-mail address also when the
    recogniser does not say how sure it is. A doubtful address, number or name always is."""
    form: tuple[str, ...] = ()
    """Names of form fields that answer it, beside its own: ``seats``, ``company_size``, ``message``."""
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Everyday words for a choice, by choice: "excel" for ``spreadsheet``."""


Source = Literal["form", "said", "texted", "crm", "rep"]
"""Where something that is known of a lead came from."""


class Criterion(Strict):
    """One typed criterion of fit. ``field`` is a learned field; the lead fits when the value is ``at_least``
    (numbers) or ``one_of`` (choices, yes/no). A failed knock-out ends the qualification politely."""

    field: str
    at_least: float | None = None
    one_of: tuple[str, ...] = ()
    knock_out: bool = False
    weight: float = 1.0
    sources: tuple[Source, ...] = ("form", "said", "texted", "crm", "rep")
    """Whose word is accepted as evidence; a value from elsewhere is asked for again."""


class Qualification(Strict):
    required: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    pass_score: float = 0.5


class Exit(Strict):
    """A way out of a node: to another node, when the named condition holds (see ``workflows/conversation``)."""

    to: str
    when: str


class Node(Strict):
    """A place in the guardrailed graph."""

    objective: str
    prompt: str
    actions: tuple[str, ...]
    required: tuple[str, ...] = ()
    fallback: str
    exits: tuple[Exit, ...] = ()
    escalation: str = "handoff"
    """The node to go to when this one has had its turns, or its fallback did not help."""
    detour: bool = False
    """A detour is a bounded call that returns to the node it came from (objections, hand-off talk)."""
    max_turns: int = 12


Part = Literal["morning", "midday", "afternoon", "evening"]
"""A part of the lead's day; when it is, says ``cadence.parts``."""
Outcome = Literal["busy", "no_answer", "voicemail", "failed", "refused", "talked"]
"""What a call came to. ``failed``: the carrier could not reach the number; ``refused``: it would not dial it."""


class PartHours(Strict):
    """From when until when, on the lead's wall clock."""

    opens: Clock
    closes: Clock

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> PartHours:
        if self.opens >= self.closes:
            raise ValueError(f"closes: {self.closes} is not after {self.opens}; write a later hour")
        return self


_PARTS: dict[Part, PartHours] = {
    "morning": PartHours(opens="08:00", closes="11:30"),
    "midday": PartHours(opens="11:30", closes="13:30"),
    "afternoon": PartHours(opens="13:30", closes="17:30"),
    "evening": PartHours(opens="17:30", closes="21:00"),
}


class Touch(Strict):
    """One contact of the cadence, due ``after`` the touch before it (the first: after the pass began)."""

    name: str
    channel: Channel
    after: Duration = timedelta(0)
    day: int = Field(default=0, ge=0)
    """Not before this local day of the pass: that on which it began is the first. 0: any day."""
    days: tuple[Day, ...] = ()
    """On these weekdays of theirs only; any day when empty."""
    part: Literal["", "morning", "midday", "afternoon", "evening", "other"] = ""
    """In this part of their day; ``other``: in another one than that of the last call that nobody took."""
    message: str = ""
    """The template of a text. A call leaves no voicemail text unless ``voicemail`` names one."""
    voicemail: str = ""
    skip_if: tuple[Literal["reached", "texted_back", "first_pass", "has_number"], ...] = ()
    within: Duration | None = None
    """It speaks of what has just been, and is left out when it could go out only so long after its time; after a no-show, so
    long after the meeting that was missed."""


class Reaction(Strict):
    """What a call's outcome changes for what comes after it."""

    again: Duration | None = None
    """The same call is made once more after this long ..."""
    times: int = Field(default=1, ge=1)
    """... at most so often."""
    skip: tuple[Channel, ...] = ()
    """Touches of these channels are left out for the rest of the pass."""


class Engaged(Strict):
    """What it changes that somebody looked at times on their own page, and booked none."""

    after: Duration
    """The next touch comes so long after that, if it would come later ..."""
    channel: Channel | Literal[""] = ""
    """... and is the next one of this channel; what stands before it is left out. Any when empty."""


class AfterHours(Strict):
    """What is done at once where the first call has to wait for the morning."""

    message: str
    """The template of the text that says so, where a text may go out."""
    wait: Duration
    """Only when the call is further away than this."""


class Cadence(Strict):
    """When and how often a lead is tried. All durations are elapsed time, then moved into legal hours."""

    first: tuple[Touch, ...]
    recovery: tuple[Touch, ...]
    passes: int = Field(default=2, ge=1)
    """How many times a lead goes through: the first pass, and one recovery for each no-show after it."""
    min_gap: Duration
    """Least time between two touches that we start, over all channels."""
    max_calls: int = 3
    per: Duration
    """At most ``max_calls`` dials in any window of this length (Fla. Stat. 501.616(6)(b): 3 per 24 h)."""
    late: Duration = timedelta(days=1)
    """An answer to what they wrote that could not go out for so long, as in a pause, is left to a person."""
    retry_callback: Duration
    """After a promised callback went unanswered, wait this long before the cadence goes on."""
    choosing: Duration = timedelta(minutes=10)
    """Who looks at times on their own page is not called meanwhile."""
    texting: Duration = timedelta(0)
    """Who writes with us is not called meanwhile: not for so long after their last text, unless they ask for it."""
    engaged: Engaged | None = None
    outcomes: dict[Outcome, Reaction] = Field(default_factory=dict)
    parts: dict[Part, PartHours] = Field(default_factory=_PARTS.copy)
    wait_for_part: Duration = timedelta(days=1)
    """A touch waits for its part of the day no longer than this; then it goes out at the first legal minute."""
    after_hours: AfterHours | None = None
    opening_spread: Duration = timedelta(0)
    """What had to wait for an hour to open is spread over so long from then on, each lead at a place of its own: first
    those who were never called, who came last foremost, and then, over as long again, the others."""
    patience: Duration = timedelta(days=2)
    """How long after its last touch a lead that never came back is closed."""


class Hours(Strict):
    """Local hours in which we contact, as ``HH:MM``; 47 CFR 64.1200(c)(1) allows 8:00-21:00 at the called
    party's location. ``regions`` holds stricter rows by state (``US-FL``)."""

    opens: str = "08:00"
    closes: str = "21:00"
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    regions: dict[str, RegionHours] = Field(default_factory=dict)


class RegionHours(Strict):
    opens: str
    closes: str
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    source: str = ""


class MeetingType(Strict):
    """What is booked. ``notice`` is the least time from now to a slot, ``window`` the most."""

    name: str
    length: Duration
    increment: Duration
    notice: Duration
    window: Duration
    buffer_before: Duration
    buffer_after: Duration
    offers: int = 3
    daily: int | None = Field(default=None, ge=1)
    """Meetings of this kind that one rep takes in a day at most, on the rep's wall clock; ``weekly`` from Monday."""
    weekly: int | None = Field(default=None, ge=1)
    hold: Duration
    """How long an offered slot is held while its booking is under way."""
    max_moves: int = 3
    clash: Literal["tell", "another_rep"] = "tell"
    """Something else stands in the rep's calendar at a booked time: the rep is told, or another rep who is free then
    takes the meeting."""


class Letter(Strict):
    """An e-mail: its subject and words. ``[Join]({join_link})`` is a link with words; an empty line begins a paragraph."""

    subject: str
    body: str


class Reminder(Strict):
    before: Duration
    message: str


class ConfirmCall(Strict):
    """One call about a meeting that was not confirmed, where the calling rules and caps allow it."""

    before: Duration
    """So long before the meeting ..."""
    until: Duration
    """... and no later than this before it."""
    ahead: Duration = timedelta(0)
    """Only about a meeting that was booked at least so long before it begins: the longer ahead, the sooner forgotten."""

    @model_validator(mode="after")
    def _in_order(self) -> ConfirmCall:
        if not timedelta(0) <= self.until < self.before:
            raise ValueError("until must be shorter than before: the call is placed between the two")
        return self


class Attendance(Strict):
    opens: Duration
    """A click on the join link counts from this long before the start ..."""
    closes: Duration
    """... until this long after the end."""
    absent_after: Duration
    """With no evidence of either this long after the start (or after the time at which they said they come), the outcome
    is unknown, and the rep is asked."""
    check_in: Duration | None = None
    """With no evidence that they came this long after the start, they are asked whether they can join (``check_in``
    among the messages). Never, when it is not set."""
    late: Duration = timedelta(minutes=10)
    """Who runs late and does not say by how much is expected so much later."""
    offer_within: Duration = timedelta(hours=1)
    """A meeting that was missed, or may have been: new times are texted (``missed_offer``) within this time, or not at
    all."""
    ask_again: Duration = timedelta(hours=2)
    """The rep who does not say whether they came is asked once more after this long; as long after that it stands for
    review."""
    unresolved: Duration = timedelta(days=7)
    """A lead of whom nobody says after this long whether they came is closed, as unknown."""


class Patience(Strict):
    """How long a silence lasts before it is met: ``call.silence`` times these."""

    nodes: dict[str, float] = Field(default_factory=dict)
    """By node; 1 where it says nothing."""
    complex: float = 1.6
    """After a question that takes thought, and after several times were offered."""
    own: float = 2.5
    """Never sooner than this many times the lead's own usual pause before an answer ..."""
    most: float = 2.5
    """... but never later than this many times the plain wait."""


class Machines(Strict):
    """What answers instead of a person: a voicemail, a call screening, a phone menu."""

    tone: Duration = timedelta(seconds=2)
    """After a greeting's last words, so long for its tone; then the message is left."""
    greeting: Duration = timedelta(seconds=15)
    """The carrier believes in a machine and nothing was understood for this long: its greeting must be over."""
    hold: Duration = timedelta(seconds=30)
    """After a screening was told who calls, or a menu got its key, somebody is waited for in silence this long."""
    operator: tuple[str, ...] = (
        "operator", "receptionist", "reception", "front desk", "representative", "agent", "speak to someone",
        "speak with someone", "speak to a person", "all other", "anything else",
    )  # fmt: skip
    """Whom a menu may lead to, the best first."""


class PutThrough(Strict):
    """When a caller who wants a person is put through to one: the owner, else who is on call, in their own hours."""

    ring: Duration = timedelta(0)
    """The colleague's phone rings this long, then the agent goes on; 0: nobody is put through."""
    intent: float = Field(default=0.5, ge=0, le=1)
    """The strength of their commitment that it takes (``workflows/transfers.py``); with less a person gets back to them."""
    longest: Duration = timedelta(hours=1)
    """So long they may talk with each other."""
    complaints: bool = True
    """A complaint is put through whatever the intent."""


class CallTiming(Strict):
    ring: Duration
    """How long it rings: at least 15 s or 4 rings for telemarketing (16 CFR 310.4(b)(4)(ii))."""
    longest: Duration
    settle: Duration
    """After ``ring`` (or ``longest``, once answered) and this much more, the carrier is asked what became of the
    call."""
    dispatch_within: Duration
    """A dial not handed to the carrier within this time of being due is planned anew."""
    silence: tuple[Duration, ...]
    """When the lead is silent this long, say the next of ``speech.silence``; after the last, close gracefully."""
    patience: Patience = Patience()
    machines: Machines = Machines()
    resume: Duration = timedelta(seconds=2)
    """They broke in and said nothing after it for this long: it was no interruption, what was cut off goes on."""
    filler_after: Duration = timedelta(seconds=1.5)
    """The model or the calendar takes longer than this: one of ``speech.filler`` is said."""
    decide_within: Duration = timedelta(seconds=5)
    """The model has not decided after this long: local rules decide."""
    speculate: bool = True
    """Ask the model on words that may still change, to be quicker; nothing of it is used unless they stay."""
    stable: Duration = timedelta(milliseconds=250)
    """Words that have not changed for this long are likely to stay."""
    heard: float = 0.7
    """A question of ours counts as heard once this part of it was played: a yes is then its answer."""
    words_within: Duration = timedelta(seconds=0.7)
    """After a sound of theirs, its words have come by then if there were any ..."""
    final_within: Duration = timedelta(seconds=4)
    """... and after partial words their final ones; else what was heard so far is taken, as doubtful."""
    key_gap: Duration = timedelta(seconds=1.5)
    """Keys further apart than this are two numbers."""
    doubt: float = 0.6
    """A transcript with less confidence than this is doubtful: what hangs on it is read back first."""
    ring_again: Duration = timedelta(minutes=2)
    """A call that broke off is placed again within this time, once, where the rules allow it ..."""
    ring_after: Duration = timedelta(seconds=5)
    """... and not before this: they may be ringing us themselves."""
    transfer: PutThrough = PutThrough()
    approval: Duration = timedelta(minutes=30)
    """An action that waits for a person's approval is dropped after this long."""


class Weighing(Strict):
    """How much a kind of item weighs in the review queue; what is left out is as usual (``workflows/review.py``)."""

    stake: float | None = Field(default=None, ge=0, le=1)
    """Which part of the lead's worth is lost if nobody looks."""
    within: Duration | None = None
    """How soon somebody should."""


_ODDS = {
    "new": 0.08, "attempting": 0.06, "contacted": 0.15, "interested": 0.3, "qualified": 0.4, "booked": 0.6,
    "confirmed": 0.75, "rescheduled": 0.55, "no_show": 0.25, "recovered": 0.5, "showed": 1.0,
}  # fmt: skip


class Desk(Strict):
    """The people behind the agent: what they read of its conversations, and what comes first in their queue."""

    sample: float = Field(default=0.02, ge=0, le=1)
    """This part of all conversations is read by a person."""
    worth: float = Field(default=400.0, ge=0)
    """What a meeting that is held is worth, in ``currency``."""
    currency: str = "USD"
    odds: dict[str, float] = Field(default_factory=_ODDS.copy)
    """How likely a lead of this stage comes to a meeting that is held: our own guess, to be set from the funnel."""
    kinds: dict[str, Weighing] = Field(default_factory=dict)
    """By kind of item."""

    @field_validator("odds")
    @classmethod
    def _beside_the_usual(cls, odds: dict[str, float]) -> dict[str, float]:
        """What a playbook does not name otherwise is as usual."""
        return _ODDS | odds


_KEYS: dict[str, Key] = {"0": "person", "9": "stop", "1": "yes", "2": "no", "*": "repeat"}

_INSTEAD: dict[str, tuple[Instead, ...]] = {
    "after_opt_out": ("goodbye",),
    "nobody_there": ("fallback",),
    "not_qualified": ("question",),
    "not_shown": ("question",),
    "still_open": ("question",),
    "no_meeting": ("not_booked",),
    "no_address": ("person",),
    "identity": ("identity", "link", "person"),
    "meeting_stands": ("meeting", "person"),
    "evidence": ("sure", "question", "person"),
    "book.evidence": ("which", "which", "person"),
    "book.slot_not_offered": ("which", "which", "person"),
    "offer_slots.evidence": ("sure", "which", "person"),
    "call_back.evidence": ("when", "when", "link", "person"),
    "autonomy_propose": ("approval", "person"),
    "autonomy_observe": ("task", "person"),
}


class Playbook(Strict):
    name: str
    audience: str
    version: int = 1
    team: str
    company: Company
    agent: Agent
    unasked: bool = False
    """They did not ask to be called today: such a lead is taken only with a record of consent (47 CFR 64.1200(a)(2)),
    and our openings and messages say how to stop the calls (64.1200(b)(3))."""
    interests: tuple[Interest, ...] = ()
    """The first that matches the form names what they asked for; ``company.purpose`` when none does."""
    promises: tuple[Promise, ...] = ()
    fields: dict[str, Question]
    qualification: Qualification
    facts: dict[str, Fact] = Field(default_factory=dict)
    forbidden: tuple[str, ...] = ()
    objections: dict[str, Objection] = Field(default_factory=dict)
    graph: dict[str, Node]
    speech: Speech
    languages: dict[str, Language] = Field(default_factory=lambda: dict(LANGUAGES))
    """By code (``es``); one that speaks of no particular language stands last."""
    messages: dict[str, str]
    mails: dict[str, Letter] = Field(default_factory=dict)
    """What goes out by e-mail too, where an address is known, by the name of the text that it goes with; ``reply`` frames
    the answer (``{reply}``) to an e-mail of theirs (``{subject}``)."""
    mail_footer: str = ""
    """Ends each e-mail: who writes, from where, and how to stop it (``{company}``, ``{address}``, ``{stop_link}``)."""
    cadence: Cadence
    hours: Hours = Hours()
    rules: Rulebook | None = None
    """The rule file taken over (``rules: us`` for ``us.rules.yml``): part of the content, and so of its hash. It narrows
    ``hours`` and ``cadence``, never widens them."""
    meeting: MeetingType
    reminders: tuple[Reminder, ...] = ()
    confirm_call: ConfirmCall | None = None
    """None: nobody is called about a meeting that they have."""
    attendance: Attendance
    call: CallTiming
    autonomy: dict[str, Autonomy] = Field(default_factory=dict)
    """What the agent may do by itself, by action; ``act`` unless given."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """The evidence that an action needs before it is authorised, by action."""
    keys: dict[str, Key] = Field(default_factory=_KEYS.copy)
    """What each key of the telephone means, at any moment of a call; others mean nothing."""
    instead: dict[str, tuple[Instead, ...]] = Field(default_factory=_INSTEAD.copy)
    """What is done in place of a denied action: by ``ACTION.RULE``, ``RULE`` or ``ACTION``, the first that is there; of
    several the next each time that the same is denied again in one talk. Whatever it does not name is met with the
    open question, and at last with a person."""
    desk: Desk = Desk()
    crm: Crm = Crm()
    memory: Duration
    """How long a closed lead is remembered in its workflow before the execution ends."""
    resume_spread: Duration
    """After a pause, overdue touches are spread over this long."""

    @field_validator("instead")
    @classmethod
    def _beside_the_usual(cls, instead: dict[str, tuple[Instead, ...]]) -> dict[str, tuple[Instead, ...]]:
        """What a playbook does not name otherwise is done as usual."""
        return _INSTEAD | instead

    @model_validator(mode="after")
    def _names_exist(self) -> Playbook:
        """Templates and nodes that are named must exist; the whole proof of the graph is ``check``'s."""
        touches = self.cadence.first + self.cadence.recovery
        wanted = {t.message for t in touches if t.channel == "text"}
        wanted |= {t.voicemail for t in touches if t.voicemail}
        wanted |= {self.cadence.after_hours.message} if self.cadence.after_hours else set()
        wanted |= {r.message for r in self.reminders}
        missing = sorted(name for name in wanted if name not in self.messages)
        if missing:
            raise ValueError(f"messages: no template named {', '.join(missing)}; add it under messages")
        unwritten = sorted({t.message for t in touches if t.channel == "email"} - self.mails.keys())
        if unwritten:
            raise ValueError(f"mails: no e-mail named {', '.join(unwritten) or 'by its touch'}; add it under mails")
        return self

    @property
    def hash(self) -> str:
        """The content's name: the first 16 hex digits of the SHA-256 of its canonical JSON."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()[:16]


def canonical(playbook: Playbook) -> str:
    """The playbook as JSON with sorted keys: what is stored and hashed."""
    return json.dumps(playbook.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


class PlaybookError(ValueError):
    """A playbook that cannot be used; the message names the file, the field and the remedy. ``file`` is the one that is
    at fault and ``path`` the key in it, where they are known."""

    def __init__(self, message: str, file: str = "", path: str = "") -> None:
        super().__init__(message)
        self.file, self.path = file, path


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{k: _merge(base.get(k), v) for k, v in over.items()}}
    return over


def read_playbook(name: str, texts: Mapping[str, str]) -> Playbook:
    """Parse the YAML ``texts[name]``; its ``extends:`` names another text whose values it overrides, and ``takes:`` the
    sections of it that are taken over, where not all are.

    Raises PlaybookError."""
    return _validated(name, _content(name, texts, ()))


def _content(name: str, texts: Mapping[str, str], seen: tuple[str, ...]) -> dict[str, Any]:
    if name not in texts:
        by = seen[-1] if seen else name
        raise PlaybookError(f"{by}: {name} is not there; name a file of the same folder", by, "extends")
    if name in seen:
        way = " -> ".join((*seen, name))
        raise PlaybookError(f"{seen[-1]}: extends itself through {way}; remove one extends", seen[-1], "extends")
    try:
        content = deepcopy(_written(texts[name]))
    except yaml.YAMLError as error:
        raise PlaybookError(f"{name}: not readable as YAML: {error}; mend this line or the one above it", name) from error
    if not isinstance(content, dict):
        raise PlaybookError(f"{name}: holds no mapping; start with name: and audience:", name)
    if isinstance(content.get("rules"), str):
        content["rules"] = _rules(name, content["rules"], texts)
    base, takes = content.pop("extends", None), content.pop("takes", None)
    if base is None:
        return content
    under = _content(base, texts, (*seen, name))
    if takes is not None:
        if missing := sorted(set(takes) - set(under)):
            absent = ", ".join(missing)
            raise PlaybookError(f"{name}: takes {absent}, which {base} does not have; remove it", name, "takes")
        under = {section: under[section] for section in takes}
    merged: dict[str, Any] = _merge(under, content)
    return merged


@lru_cache(maxsize=32)
def _written(text: str) -> Any:
    """Every playbook that extends a file asks for it; it is parsed once."""
    return yaml.load(text, LOADER)


RULES = ".rules.yml"
"""What the name of a rule file ends with."""


def read_rules(name: str, texts: Mapping[str, str]) -> Rulebook:
    """The rule file ``name`` (``us.rules.yml``) of ``texts``. Raises PlaybookError."""
    return Rulebook.model_validate(_rules(name, name.removesuffix(RULES), texts))


def _rules(by: str, named: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """The rule file that the playbook in ``by`` names, as written; checked. Raises PlaybookError."""
    name = f"{named}{RULES}"
    if name not in texts:
        raise PlaybookError(f"{by}: {name} is not there; name a rule file of the same folder", by, "rules")
    try:
        written = deepcopy(_rules_written(texts[name]))
    except yaml.YAMLError as error:
        raise PlaybookError(f"{name}: not readable as YAML: {error}; mend this line or the one above it", name) from error
    except ValidationError as error:
        raise PlaybookError(f"{name}: {_misfits(error, 'rules')}", name) from error
    except (ValueError, TypeError) as error:  # a day that no calendar has
        raise PlaybookError(f"{name}: {error}; write days as 2027-03-12", name) from error
    if written["name"] != named:
        raise PlaybookError(f"{name}: name: is {written['name']!r}; write {named}, as in the file's own name", name, "name")
    return written


@lru_cache(maxsize=8)
def _rules_written(text: str) -> dict[str, Any]:
    """Every playbook that names a file asks for it; it is read and checked once."""
    content: dict[str, Any] = yaml.load(text, LOADER)
    Rulebook.model_validate(content)
    return content


def _misfits(error: ValidationError, whole: str) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or whole}: {e['msg']}" for e in error.errors())


def _validated(name: str, content: Mapping[str, Any]) -> Playbook:
    try:
        return Playbook.model_validate(content)
    except ValidationError as error:
        raise PlaybookError(f"{name}: {_misfits(error, 'playbook')}", name) from error


_registry: dict[str, Playbook] = {}


def register(playbooks: Iterable[Playbook]) -> None:
    """Put playbooks into the process's registry, read by workflows and gateway; done once, before either starts."""
    for playbook in playbooks:
        _registry[playbook.hash] = playbook


def registered() -> Mapping[str, Playbook]:
    """The registry by content hash; read-only by agreement."""
    return _registry


def playbook_of(content_hash: str) -> Playbook:
    """The registered playbook of this hash. Raises KeyError: a worker refuses to start when an open lead's
    playbook is missing, so inside a workflow this is a deployment fault and the workflow task is retried."""
    return _registry[content_hash]
