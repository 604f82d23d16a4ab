"""The fault matrix: every effect that the workflows declare x every way in which it can fail, before and after it
took effect. After the dust settles calendar, ledger, CRM, messages and calls must tell the same story as the lead.

The rows come from ``workflows.effects.DECLARED``. Real workflows, activities and SDKs; the vendors are the sandbox.
All rows run at once in one house, each with a lead, a number, a rep and a calendar of its own, and with a fault that
meets nobody else; each test then tells what became of its row.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from activities import gate, handles, ledger, roster, store
from activities.settings import settings
from tests.fixtures import house as hs
from tests.fixtures.books import CHANNEL
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.temporal import delete
from workers.sandbox.faults import Fault
from workflows import effects as fx
from workflows import events as ev
from workflows import identity, playbook
from workflows import messages as ms
from workflows.attributes import start_attributes
from workflows.ledger import AskTaken
from workflows.playbook import Playbook, Touch
from workflows.roster import Rep, Team
from workflows.rotation import SetActive

AT_ONCE = 20
"""Rows under way at a time: what two busy cores carry without time-outs that nobody planted."""
PATIENCE = 150.0
SOON = timedelta(seconds=20)
LATE = 7.0
"""What a carrier takes that dials after we gave up even asking: time-out, ring and settling are 4.7 s."""
RETRY_AFTER = 3.0
"""Longer than our own first wait (2 s): a vendor's word counts more."""
TWINS = 4000
"""So far from a row's own number is that of another lead of the same person."""
PLAYS, OTHERS = 3, 1000
"""How often a row is played at most, and how far apart the numbers of its people are."""
HALT = 0.5
"""Seconds for which nothing at all runs that are a fault of the machine's."""
ALWAYS = {day: ("00:00-24:00",) for day in range(7)}


# ---- the rows ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """A request that an effect makes of ``vendor``, by method, path, and query or body; ``{number}``, ``{sid}``,
    ``{lead}``, ``{twin}``, ``{stem}`` (of the booking's id) and ``{rep}`` are the row's own. For Temporal the pattern of
    :meth:`Trouble.plant` stands in ``path``, and for the record. ``name`` tells one target of an effect from another."""

    vendor: str
    method: str = ""
    path: str = ""
    query: str = ""
    body: str = ""
    name: str = ""
    more: tuple[tuple[str, str], ...] = ()
    """Kinds of fault that only this target knows."""


@dataclass(frozen=True)
class Row:
    effect: str
    target: Target
    kind: str
    when: str

    def __str__(self) -> str:
        name = self.target.name or self.target.vendor
        return f"{self.effect}-{name}-{self.kind}-{self.when}"


@dataclass(frozen=True)
class Maker:
    """How a lead comes to need an effect (``play``), and which of its requests can fail."""

    play: Callable[[Scene], Awaitable[None]]
    targets: tuple[Target, ...]
    worker: tuple[tuple[str, str], ...] = (("broken", "before"), ("broken", "after"))


VENDORS = (
    ("429", "before"),  # the vendors promise that a 429 was not carried out: there is no after
    ("500", "before"), ("500", "after"), ("drop", "before"), ("drop", "after"),
    ("slow", "before"), ("slow", "after"),
)  # fmt: skip
"""``slow`` is a time-out of ours: before, the vendor acts after we gave up; after, it had acted already."""
OURS = (("unavailable", "before"), ("unavailable", "after"))
DISPATCH = (("broken", "before"), ("broken", "after"), ("died", "after"))


def rows() -> list[Row]:
    made = []
    for declared in fx.DECLARED:
        maker = MAKERS.get(declared.__name__)
        if maker is None:
            continue
        for target in maker.targets:
            kinds = OURS if target.vendor in ("temporal", "record") else VENDORS
            made += [Row(declared.__name__, target, kind, when) for kind, when in (*kinds, *target.more)]
        own = Target("worker", path=rf"^activity {declared.__name__} .*({{lead}}|{{scope}})")
        made += [Row(declared.__name__, own, kind, when) for kind, when in maker.worker]
    return made


# ---- one row's lead ----------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """A lead with a number, a rep and a playbook of its own, in the house that all rows share."""

    house: hs.House
    row: Row
    number: int
    sid: str = ""
    twin: Scene | None = None
    """Another lead of the same person."""
    left: Callable[[], bool] = lambda: True
    """Whether the planted fault still waits for its victim."""

    @property
    def phone(self) -> str:
        return f"+1415555{2000 + self.number}"

    @property
    def email(self) -> str:
        return f"row{self.number}@example.com"

    @property
    def handle(self) -> str:
        return identity.handle_id(settings().identity_key, self.phone)

    @property
    def lead(self) -> str:
        return identity.lead_id(self.handle)

    @property
    def rep(self) -> str:
        return f"rep{self.number}"

    @property
    def desk(self) -> str:
        """The rep's phone."""
        return f"+1212555{2000 + self.number}"

    @property
    def calendar(self) -> str:
        return f"{self.rep}@tallyhook.example"

    @property
    def scope(self) -> str:
        return f"audience:row{self.number}"

    @property
    def _handle(self) -> Any:
        return self.house.client.get_workflow_handle(self.lead)

    # -- what happens to the lead

    def book(self, *touches: Touch, ring: float = 1.5, patience: timedelta = timedelta(hours=1)) -> Playbook:
        demo = self.house.demo
        made = demo.model_copy(
            update={
                "audience": f"row{self.number}",
                "team": f"team{self.number}",
                "cadence": demo.cadence.model_copy(update={"first": touches, "patience": patience}),
                "call": demo.call.model_copy(
                    update={"ring": timedelta(seconds=ring), "settle": timedelta(seconds=2)}
                ),
                "meeting": demo.meeting.model_copy(
                    update={"notice": timedelta(hours=2), "window": timedelta(days=1), "length": timedelta(minutes=30),
                            "increment": timedelta(minutes=30)}
                ),
                "reminders": (),
                "resume_spread": timedelta(seconds=1),
            }
        )  # fmt: skip
        playbook.register([made])
        return made

    async def submit(self, book: Playbook) -> None:
        form = ev.Form(
            submission_id=f"form-{self.number}", name="Ada Park", phone=self.phone, company="Acme", source="website",
            email=self.email, phone_hash=self.handle,
        )  # fmt: skip
        await self.house.client.start_workflow(
            ms.LEAD,
            ms.LeadStart(lead=self.lead, audience=book.audience, playbook=book.hash),
            id=self.lead,
            task_queue=ms.QUEUE,
            start_signal="form_submitted",
            start_signal_args=[ev.FormSubmitted(at=datetime.now(UTC), form=form)],
            search_attributes=start_attributes(book.audience, "website", book.hash),
        )

    async def connected(self) -> ms.Brief:
        """Submitted, called, and on the line with the agent; the sid is known."""
        rep = Rep(
            id=self.rep, name="Ana Torres", calendar=self.calendar, zone="America/New_York", hours=ALWAYS, phone=self.desk
        )  # fmt: skip
        team = Team(id=f"team{self.number}", reps=(rep,), on_call=(rep.id,))
        await _patiently(lambda: roster.set_roster(self.house.client, team))
        await self.submit(self.book(CALL, ring=40))
        seen = await self.until(lambda v: v.touches and v.touches[0].sid)
        self.sid = seen.touches[0].sid
        connect = ms.Connect(attempt="a1", sid=self.sid, at=datetime.now(UTC), transfers=True)
        brief: ms.Brief = await self.update("connect", connect, ms.Brief)
        assert not brief.refusal
        return brief

    async def act(self, turn: int, action: ev.Action) -> ms.Answer:
        asked = ms.Act(id=f"a1:{turn}", action=action, at=datetime.now(UTC), attempt="a1")
        answer: ms.Answer = await self.update("act", asked, ms.Answer)
        return answer

    async def offered(self, first: int = 1) -> ms.Answer:
        """Times to choose from; asked again when there are none, as the agent does."""
        for turn in range(first, first + 5):
            answer = await self.act(turn, ev.OfferSlots())
            if answer.slots:
                return answer
            assert not answer.allowed
            assert answer.detail, "the lead is told why there is no time"
        raise AssertionError(f"no times to offer: {answer}")

    async def text(self, words: str) -> None:
        """They write to us."""
        received = ev.MessageReceived(at=datetime.now(UTC), id=f"SMin{self.number}", text=words)
        await self._handle.signal("message_received", received)

    async def conversed(self, outcome: Literal["talked", "transferred"] = "talked") -> None:
        """The agent's part of the call ends."""
        now = datetime.now(UTC)
        line = ev.Line(who="lead", text="Tomorrow works.", at=now)
        ended = ev.ConversationEnded(at=now, attempt="a1", outcome=outcome, transcript=(line,))
        await self.update("report", ms.Report(ended=ended), int)

    async def over(self) -> None:
        """The carrier says that the call is over."""
        over = ev.CallEnded(at=datetime.now(UTC), attempt="a1", sid=self.sid, status="completed", seconds=60, id="over")
        await self._handle.signal("call_status", over)

    async def hang_up(self) -> None:
        await self.conversed()
        await self.over()

    async def put_through(self) -> None:
        """The colleague takes the call, and they talk until it is over."""
        await self.conversed("transferred")
        for status in ("taken", "over"):
            told = ev.TransferTold(at=datetime.now(UTC), attempt="a1", status=status)
            await self._handle.signal("call_transferred", told)
        await self.over()

    async def talked(self) -> ev.Booking:
        """A lead that booked, with the call over and all of it written down."""
        await self.connected()
        slots = (await self.offered()).slots
        answer = await self.act(9, ev.Book(slot=slots[0].id))
        assert answer.booking is not None, answer
        await self.hang_up()
        await self.quiet()
        return answer.booking

    async def update(self, name: str, asked: object, kind: type[Any]) -> Any:
        return await asyncio.wait_for(self._handle.execute_update(name, asked, result_type=kind), PATIENCE)

    # -- what goes wrong

    def strike(self) -> None:
        """Plant the row's fault, for the next request of this lead that its target describes."""
        target, kind, when = self.row.target, self.row.kind, self.row.when
        own = {"number": re.escape(self.phone).replace(r"\+", "%2B"), "sid": self.sid, "lead": self.lead, "twin": self.twin.lead if self.twin else "",
               "stem": self.lead.removeprefix("lead-")[:12], "rep": f"{self.rep}\\b", "handle": self.handle,
               "email": re.escape(self.email), "team": f"team{self.number}\\b", "scope": f"{self.scope}\\b"}  # fmt: skip
        method = target.method
        path, query, body = (_filled(part, own) for part in (target.path, target.query, target.body))
        if target.vendor in ("temporal", "record", "worker"):
            planted = self.house.trouble.plant(kind, when, path)
            self.left = lambda: not planted.met
            return
        more = {"429": {"retry_after": RETRY_AFTER}, "slow": {"delay": hs.SLOW}, "late": {"delay": LATE}}.get(kind, {})
        kind = "slow" if kind == "late" else kind
        faults = self.house.sandbox.world.faults
        fault = Fault(vendor=target.vendor, method=method, path=path, query=query, body=body, kind=kind, when=when, **more)  # type: ignore[arg-type]
        faults.plant(fault)
        self.left = lambda: any(one is fault for one in faults.planted)

    def fault(self, **what: Any) -> None:
        self.house.sandbox.world.faults.plant(Fault(**what))

    # -- what is seen

    async def view(self) -> ms.View:
        view: ms.View = await self._handle.query("view", result_type=ms.View)
        return view

    async def until(self, true: Callable[[ms.View], object]) -> ms.View:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not true(seen := await self.view()):
            assert asyncio.get_running_loop().time() < end, f"still {seen}"
            await asyncio.sleep(0.3)
        return seen

    async def quiet(self, true: Callable[[ms.View], object] = lambda _: True) -> ms.View:
        """Wait until the view is as wanted, the lead has nothing under way, and plans nothing for the next while."""
        end = asyncio.get_running_loop().time() + PATIENCE
        calm = 0
        while calm < 2:
            await asyncio.sleep(0.4)
            busy = (await self._handle.describe()).raw_description.pending_activities
            seen = await self.view()
            soon = seen.next_step != "Wait" or (seen.next_at and seen.next_at - datetime.now(UTC) < SOON)
            calm = 0 if busy or soon or not true(seen) else calm + 1
            assert asyncio.get_running_loop().time() < end, f"still {[a.activity_type.name for a in busy]}, {seen}"
        return seen

    def posts(self, what: str) -> Counter[str]:
        """How often the carrier was asked for each attempt or touch, for whichever lead of the person, whatever it
        answered but 429: that is promised to have been no dial and no text."""
        name = "attempt" if what == "Calls" else "touch"
        counted: Counter[str] = Counter()
        for entry in self.house.requests("twilio", "POST", f"/{what}.json$", "|".join(one.lead for one in self.selves)):
            if entry.status == 429:
                continue
            callback = dict(parse_qsl(entry.body))["StatusCallback"]
            counted[parse_qs(urlsplit(callback).query)[name][0]] += 1
        return counted

    @property
    def selves(self) -> tuple[Scene, ...]:
        return (self, self.twin) if self.twin else (self,)

    def carrier(self) -> dict[str, list[Any]]:
        """The calls and texts of this number, and of every other that the person has."""
        seen = [self.house.http.get("/_phone", params={"number": one.phone}).json() for one in self.selves]
        return {what: [each for one in seen for each in one[what]] for what in ("calls", "texts")}

    def state(self, vendor: str) -> Any:
        return self.house.http.get(f"/_state/{vendor}").json()

    def events(self) -> list[datetime]:
        """Starts of our meetings that stand in the rep's calendar."""
        found = next((c["events"] for c in self.state("google")["calendars"] if c["id"] == self.calendar), [])
        return [datetime.fromisoformat(e["start"]["dateTime"]) for e in found if e["status"] != "cancelled"]

    async def taken(self) -> list[datetime]:
        now = datetime.now(UTC)
        asked = AskTaken(since=now, until=now + timedelta(days=30), now=now)
        found = await _patiently(lambda: ledger.taken(self.house.client, self.rep, asked))
        return [time.start for time in found.times]

    async def opted_out(self) -> bool:
        return await gate.opted_out(self.house.client, self.handle)

    # -- whether it all fits together

    async def agrees(self) -> None:
        """Every vendor, the ledger and the lead tell one story."""
        assert not self.left(), "the planted fault met nothing: this row proves nothing"
        view = await self.quiet()
        self._carrier_agrees(view)
        stands = [view.booking.start] if view.booking else []
        assert self.events() == stands, "calendar"
        assert await self.taken() == stands, "ledger"
        self._crm_agrees(view)
        self._record_agrees(view)
        cards = Counter(m["metadata"]["event_payload"]["key"] for m in self._cards())
        assert set(cards.values()) <= {1}, f"cards posted twice: {cards}"
        assert await self.opted_out() == view.opted_out

    def _cards(self) -> list[Any]:
        posted = self.state("slack")["channels"].get(CHANNEL, [])
        return [m for m in posted if m["metadata"]["event_payload"]["key"].startswith(self.lead)]

    def _carrier_agrees(self, view: ms.View) -> None:
        for what in ("Calls", "Messages"):
            assert set(self.posts(what).values()) <= {1}, f"asked twice for one touch: {self.posts(what)}"
        seen = self.carrier()
        calls, texts = {c["sid"]: c for c in seen["calls"]}, {t["sid"]: t for t in seen["texts"]}
        made = [t for t in view.touches if not t.outcome.startswith("not ")]
        known = {channel: {t.sid for t in made if t.channel == channel and t.sid} for channel in ("call", "text")}
        assert known["call"] == set(calls), "the calls that the lead knows are those that the carrier has"
        assert known["text"] == set(texts), "the texts that the lead knows are those that the carrier has"
        names = Counter((t.channel, t.touch) for t in made)
        assert set(names.values()) <= {1}, f"a touch was made twice: {names}"
        for text in texts.values():
            assert not re.search(r"[{}]", text["body"]), f"unfilled: {text['body']}"

    def _crm_agrees(self, view: ms.View) -> None:
        crm, key = self.state("hubspot"), "showrate_key"
        mine = {
            kind: [one["properties"] for one in crm[kind] if self._mine(one["properties"].get(key) or "")]
            for kind in ("contacts", "calls", "meetings", "deals")
        }
        (contact,) = mine["contacts"]
        assert contact["showrate_stage"] == view.stage
        ended = {f"{self.lead}:{t.attempt}" for t in view.touches if t.channel == "call" and _ended(t)}
        assert sorted(c[key] for c in mine["calls"]) == sorted(ended)
        standing = [m[key] for m in mine["meetings"] if m["hs_meeting_outcome"] == "SCHEDULED"]
        assert standing == ([view.booking.id] if view.booking else [])
        assert len(mine["deals"]) == (1 if self.house.demo.crm.deal.since in view.milestones else 0)

    def _record_agrees(self, view: ms.View) -> None:
        """What is told now and then lags behind by the entries that are not worth a write of their own."""
        known = store.lead(self.lead)
        assert known is not None
        assert known.stage == view.stage
        told = Counter((entry.version, entry.at, entry.kind, entry.text) for entry in store.entries(self.lead))
        assert set(told.values()) == {1}, f"written twice: {told}"
        calls = [note.attempt for note in store.calls(self.lead)]
        assert sorted(calls) == sorted(t.attempt for t in view.touches if t.channel == "call" and _ended(t))

    def _mine(self, key: str) -> bool:
        return key.startswith((self.lead, self.lead.removeprefix("lead-")[:12]))


async def _patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Our own asking is no part of the row: with so short a time-out a busy machine may be late."""
    for _ in range(5):
        with contextlib.suppress(ApplicationError):
            return await ask()
    return await ask()


def _filled(pattern: str, own: dict[str, str]) -> str:
    for name, value in own.items():
        pattern = pattern.replace("{" + name + "}", value)
    return pattern


def _ended(touch: ms.Touched) -> bool:
    return touch.outcome in ("no-answer", "busy", "failed", "canceled") or touch.outcome.endswith("over")


def _made(view: ms.View) -> list[ms.Touched]:
    """The touches that count."""
    return [t for t in view.touches if not t.outcome.startswith("not ") and t.outcome != "queued"]


CALL = Touch(name="call_1", channel="call", after=timedelta(0))
TEXT = Touch(name="text_1", channel="text", after=timedelta(0), message="missed_call")


# ---- how a lead comes to need each effect --------------------------------------------------------------------------


async def place_call(scene: Scene) -> None:
    scene.strike()
    await scene.submit(scene.book(CALL))
    ends = ("no-answer",) if scene.row.kind == "late" else ("no-answer", "unknown")
    view = await scene.quiet(lambda v: _made(v) and _made(v)[-1].outcome in ends)
    (made,) = _made(view)
    assert (made.outcome == "no-answer") == bool(scene.carrier()["calls"]), "what was dialled is found, the rest counted"
    assert (view.needs_review == "ambiguous_dial") == (made.outcome == "unknown")
    await _waited(scene, "Calls")


async def end_call(scene: Scene) -> None:
    await scene.submit(scene.book(CALL, ring=40))
    scene.sid = (await scene.until(lambda v: v.touches and v.touches[0].sid)).touches[0].sid
    scene.strike()
    answer = await scene.update("opt_out", ms.By(by="ops", words="stop"), ms.Answer)
    assert answer.allowed
    view = await scene.quiet(lambda v: v.touches[0].outcome == "canceled")
    assert view.opted_out
    (call,) = scene.carrier()["calls"]
    assert call["status"] == "canceled"


async def find_call(scene: Scene) -> None:
    """The dial's answer is lost and the carrier's callback too: it has to be asked."""
    number = re.escape(scene.phone).replace(r"\+", "%2B")
    scene.fault(vendor="twilio", method="POST", path="Calls", body=number, kind="drop", when="after")
    scene.fault(vendor="twilio", direction="out", path="/twilio/status", body=number, kind="lost", times=50)
    scene.strike()
    await scene.submit(scene.book(CALL))
    view = await scene.quiet(lambda v: _made(v) and _made(v)[-1].outcome == "no-answer")
    assert len(view.touches) == 1
    assert view.needs_review == ""


async def send_text(scene: Scene) -> None:
    scene.strike()
    await scene.submit(scene.book(TEXT))
    view = await scene.quiet(lambda v: _made(v))
    (made,) = _made(view)
    assert (made.outcome == "sent") == bool(scene.carrier()["texts"]), "what was sent is found, the rest counted"
    assert made.outcome in ("sent", "ambiguous")
    assert (view.needs_review == "ambiguous_text") == (made.outcome == "ambiguous")
    await _waited(scene, "Messages")


async def send_mail(scene: Scene) -> None:
    """The answer to the text is lost: whether the e-mail went with it nobody knows, so it is sent by itself."""
    await scene.connected()
    slots = (await scene.offered()).slots
    number = re.escape(scene.phone).replace(r"\+", "%2B")
    scene.fault(vendor="twilio", method="POST", path="Messages", body=number, kind="drop", when="after")
    scene.strike()
    assert (await scene.act(9, ev.Book(slot=slots[0].id))).booking
    await scene.hang_up()
    view = await scene.quiet(lambda v: v.booking and len(v.touches) == 2)
    letters = [letter.shown() for letter in scene.house.sandbox.world.mailbox.letters if letter.to == scene.email]
    refused = scene.row.kind == "500"
    assert (view.needs_review == "not_mailed") == refused, "what the mail server refuses for good, a person is told"
    assert bool(letters) != (refused and scene.row.when == "before")
    assert len({(each["id"], each["invitation"]["uid"], each["invitation"]["sequence"]) for each in letters}) <= 1
    assert len(letters) <= 2


async def find_text(scene: Scene) -> None:
    number = re.escape(scene.phone).replace(r"\+", "%2B")
    scene.fault(vendor="twilio", method="POST", path="Messages", body=number, kind="drop", when="after")
    scene.strike()
    await scene.submit(scene.book(TEXT))
    view = await scene.quiet(lambda v: v.touches)
    assert [t.outcome for t in view.touches] == ["sent"]


async def find_slots(scene: Scene) -> None:
    await scene.connected()
    scene.strike()
    await scene.offered()
    await scene.hang_up()


async def book_meeting(scene: Scene) -> None:
    await scene.connected()
    slots = (await scene.offered()).slots
    scene.strike()
    answer = await scene.act(9, ev.Book(slot=slots[0].id))
    assert answer.booking is not None, f"a single stumble must not cost the meeting: {answer}"
    assert answer.booking.start == slots[0].start
    await scene.hang_up()
    view = await scene.quiet(lambda v: v.booking and len(v.touches) == 2)
    assert [t.touch for t in view.touches if t.channel == "text"] == ["confirmation"]


async def find_line(scene: Scene) -> None:
    """They complain, and wait on the line while it is found out who takes the call."""
    await scene.connected()
    scene.strike()
    wish = ev.HandOff(why="a complaint", words="I want to speak to a person.", complaint=True)
    answer = await scene.act(2, wish)
    assert answer.transfer is not None, f"a single stumble must not leave them without a colleague: {answer}"
    assert (answer.transfer.rep, answer.transfer.to) == (scene.rep, scene.desk)
    await scene.put_through()
    view = await scene.quiet(lambda v: v.transfer is None)
    assert (view.taken_over_by, view.needs_review) == ("Ana Torres", "")


async def release_meeting(scene: Scene) -> None:
    await scene.talked()
    scene.strike()
    answer = await scene.update("cancel", ms.By(by="ops", words="ill"), ms.Answer)
    assert answer.allowed
    view = await scene.quiet(lambda v: v.booking is None and len([t for t in v.touches if t.channel == "text"]) == 2)
    assert not scene.events()
    assert view.needs_review == ""


async def reflect(scene: Scene) -> None:
    await scene.connected()
    slots = (await scene.offered()).slots
    assert (await scene.act(9, ev.Book(slot=slots[0].id))).booking
    await scene.quiet()
    scene.strike()
    await scene.hang_up()
    view = await scene.quiet(lambda v: not scene.left())
    assert view.needs_review == ""


async def converse(scene: Scene) -> None:
    """They ask by text for another time than the meeting that stands; the answer asks the lead for times."""
    await scene.talked()
    scene.strike()
    await scene.text(f"Can we move it, please? Yours, {scene.rep}")
    view = await scene.quiet(lambda v: any(t.touch == "reply" for t in v.touches))
    assert [t.touch for t in view.touches if t.channel == "text"] == ["confirmation", "reply"]
    assert view.needs_review == ""


async def keep_opt_out(scene: Scene) -> None:
    later = CALL.model_copy(update={"after": timedelta(seconds=3)})
    scene.strike()
    await scene.submit(scene.book(later))
    answer = await scene.update("opt_out", ms.By(by="ops", words="stop"), ms.Answer)
    assert answer.allowed
    kept = scene.house.client.get_workflow_handle(identity.optout_id(scene.handle))
    assert (await kept.describe()).status == WorkflowExecutionStatus.RUNNING
    assert len(await kept.query("said")) == 1
    await asyncio.sleep(3)
    assert not scene.posts("Calls")


async def take_in(scene: Scene) -> None:
    """Somebody knows that another lead, which was texted already, is the same person. Where only the record remembers
    that lead, its execution is over."""
    scene.twin = twin = replace(scene, number=scene.number + TWINS)
    forgotten = scene.row.target.vendor == "record"
    await twin.submit(twin.book(TEXT, patience=timedelta(seconds=1) if forgotten else timedelta(hours=1)))
    before = await twin.quiet(lambda v: _made(v) and (v.stage == "closed") == forgotten)
    if forgotten:
        await delete(scene.house.client, twin.lead)
    await scene.submit(scene.book(CALL.model_copy(update={"after": timedelta(hours=1)})))
    await scene.quiet()
    scene.strike()
    answer = await scene.update("merge", ms.Merge(other=twin.lead, by="ops"), ms.Answer)
    assert answer.allowed, answer
    view = await scene.quiet()
    assert (view.absorbed, view.doubts, view.needs_review) == ((twin.lead,), (), "")
    assert view.touches == before.touches, "what was done for either was done for this person"
    if not forgotten:
        assert (await twin.quiet()).merged_into == scene.lead
    assert handles.survivor(twin.lead) == scene.lead
    assert handles.leads_of(twin.handle) == [scene.lead]


async def rehome_leads(scene: Scene) -> None:
    """Their rep stops taking meetings, and nobody else is in the team: the meeting stands, and a person is told."""
    await scene.talked()
    scene.strike()
    off = SetActive(rep=scene.rep, active=False, by="ops", why="ill")
    await _patiently(lambda: roster.set_active(scene.house.client, f"team{scene.number}", off))
    view = await scene.quiet(lambda v: v.needs_review == "rep_left")
    assert view.booking is not None
    told = [entry.text for entry in store.entries(scene.lead) if entry.kind == "rep_left"]
    assert told in ([], ["Ana Torres takes no meetings now: ill"])


async def wake_leads(scene: Scene) -> None:
    client = scene.house.client
    await gate.pause(client, scene.scope, "ops")
    await asyncio.sleep(0.5)  # what is paused may be a quarter of a second old
    await scene.submit(scene.book(CALL))
    await scene.until(lambda v: v.held_by == scene.scope)
    held = f"ShowrateHeld = '{scene.scope}'"
    while (await client.count_workflows(held)).count == 0:
        await asyncio.sleep(0.1)
    scene.strike()
    await gate.resume(client, scene.scope, "ops")
    view = await scene.quiet(lambda v: _made(v) and _made(v)[-1].outcome == "no-answer")
    assert len(_made(view)) == 1
    assert len(scene.carrier()["calls"]) == 1


async def _waited(scene: Scene, what: str) -> None:
    """A refused dial or text goes out again, not before the vendor's Retry-After."""
    if scene.row.kind != "429":
        return
    found = scene.house.requests("twilio", "POST", f"/{what}.json$", re.escape(scene.lead))
    at = [datetime.fromisoformat(entry.at) for entry in found]
    assert len(at) == 2, "refused once, then sent once"
    assert (at[1] - at[0]).total_seconds() >= RETRY_AFTER


def _rpc(name: str, pattern: str) -> Target:
    return Target("temporal", path=f"^rpc {pattern}", name=name)


ELSEWHERE = {"sync_calendars", "post_digest", "find_twins"}
"""The one reads every rep's calendar at once, the other every lead, which no row can have to itself: their rows are in
``tests/test_sync.py`` and ``tests/test_digest.py``. Other leads are looked for after an hour, and read only
(``tests/test_twins.py``)."""
MAKERS = {
    "place_call": Maker(
        place_call,
        (
            Target("twilio", "POST", r"/Calls\.json$", body="To={number}", more=(("late", "before"),)),
            _rpc("gate", "describe optout-{handle}"),
        ),
        DISPATCH,
    ),
    "end_call": Maker(end_call, (Target("twilio", "POST", r"/Calls/{sid}\.json$"),), ()),
    "find_call": Maker(find_call, (Target("twilio", "GET", r"/Calls\.json$", query="To={number}"),)),
    "send_text": Maker(
        send_text,
        (Target("twilio", "POST", r"/Messages\.json$", body="To={number}"), _rpc("gate", "describe optout-{handle}")),
        DISPATCH,
    ),
    "send_mail": Maker(
        send_mail, (Target("mail", "DATA", "^{email}$"), _rpc("gate", "describe optout-{handle}")), DISPATCH[:2]
    ),
    "find_text": Maker(find_text, (Target("twilio", "GET", r"/Messages\.json$", query="To={number}"),)),
    "find_slots": Maker(
        find_slots,
        (Target("google", "POST", "freeBusy", body="{rep}"), _rpc("team", "update team-{team} candidates")),
    ),
    "book_meeting": Maker(
        book_meeting,
        (
            Target("google", "POST", "{rep}.*/events$", name="insert"),
            Target("google", "POST", "freeBusy", body="{rep}", name="look"),
            _rpc("turn", "update team-{team} assign"),
            _rpc("hold", "update rep-{rep} hold"),
            _rpc("commit", "update rep-{rep} commit"),
        ),
    ),
    "find_line": Maker(find_line, (_rpc("team", "query team-{team} "),)),
    "release_meeting": Maker(
        release_meeting,
        (
            Target("google", "DELETE", "{rep}.*/events/"),
            _rpc("turn", "update team-{team} give_back"),
            _rpc("ledger", "update rep-{rep} release"),
        ),
    ),
    "converse": Maker(
        converse,
        (
            Target("openai", "POST", "chat/completions", body="Yours, {rep}", name="model"),
            _rpc("act", "update {lead} act"),
        ),
    ),
    "keep_opt_out": Maker(keep_opt_out, (_rpc("start", "start optout-{handle}"),)),
    "reflect": Maker(
        reflect,
        (
            Target("hubspot", "POST", "contacts", body="{lead}", name="contact"),
            Target("hubspot", "POST", "calls", body="{lead}:a1", name="call"),
            Target("hubspot", "POST", "meetings", body="{stem}", name="meeting"),
            Target("slack", "POST", "postMessage", body="{lead}", name="card"),
            Target("record", path="^record write {lead}"),
        ),
    ),
    "take_in": Maker(
        take_in, (_rpc("yield", "update {twin} yield_to"), Target("record", path="^record merge {twin}"))
    ),
    "rehome_leads": Maker(
        rehome_leads, (_rpc("list", "list .*{rep}"), _rpc("signal", "signal {lead} rep_left"))
    ),
    "wake_leads": Maker(wake_leads, (_rpc("list", "list .*{scope}"), _rpc("signal", "signal {lead} resume"))),
}
ROWS = rows()


# ---- running them ---------------------------------------------------------------------------------------------------


async def _run(wanted: list[Row], sandbox: Sandbox, port: int, trouble: hs.Trouble) -> dict[Row, str]:
    """What went wrong in each row; empty for those that hold. A row tells what becomes of one fault: where the machine
    stood still meanwhile, which times everything out, it is played again, by other people."""
    room = asyncio.Semaphore(AT_ONCE)
    halts: list[float] = []

    async def watch() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.1)
            if time.monotonic() - began > HALT:
                halts.append(began)

    async with hs.house(sandbox, port, trouble) as house:

        async def one(row: Row) -> str:
            async with room:
                for again in range(PLAYS):
                    scene, met = Scene(house, row, ROWS.index(row) + again * OTHERS), len(halts)
                    try:
                        await MAKERS[row.effect].play(scene)
                        await scene.agrees()
                        return ""
                    except Exception:
                        why = traceback.format_exc()
                    if met == len(halts):
                        break
                return why

        watching = asyncio.create_task(watch())
        found = await asyncio.gather(*(one(row) for row in wanted))
        watching.cancel()
    return dict(zip(wanted, found, strict=True))


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[Row, str]:
    """Runs those rows that this session selected."""
    items = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    wanted = [item.callspec.params["row"] for item in items]
    with hs.grounds(tmp_path_factory.mktemp("house")) as ground:
        return asyncio.run(_run(wanted, *ground))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_one_story_after_a_fault(outcomes: dict[Row, str], row: Row) -> None:
    if outcomes[row]:
        pytest.fail(outcomes[row], pytrace=False)


def test_every_declared_effect_has_its_rows() -> None:
    declared = {effect.__name__ for effect in fx.DECLARED} - ELSEWHERE
    assert declared == set(MAKERS), "an effect without a row-maker could fail in ways that nobody has seen"
    assert declared == {row.effect for row in ROWS}
