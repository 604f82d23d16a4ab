"""Months of a lead, played out: a world with a clock of its own around the pure core, and a log of what happened in it.

The world is carrier, calendars, the record, the reps and the person. It is late, repeats itself, loses answers and is
away for hours; who somebody is (:class:`Persona`) and all that befalls them is drawn from one seed. ``tests/witness.py`` judges the
log. Instants are UTC.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.stage import form, playbook
from workflows import events as ev
from workflows import plan
from workflows.brief import brief, text_brief
from workflows.effects import Entry
from workflows.lead import Lead
from workflows.messages import Brief, Connect
from workflows.playbook import Playbook
from workflows.reflection import is_due
from workflows.story import apply

BEGINNINGS = (
    datetime(2027, 3, 10, 15, 0, tzinfo=UTC),  # the clocks go forward on the 14th
    datetime(2027, 11, 3, 15, 0, tzinfo=UTC),  # and back on the 7th
    datetime(2027, 6, 1, 3, 0, tzinfo=UTC),
)
PHONES = ("+14155550123", "+12125550123", "+18505550123", "+16025550123", "+18085550123", "+12065550123")
_MOST_STEPS = 4000
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Persona:
    """How somebody is: the chance that they pick up, what they then want (one of ``wants`` each time), whether they come
    to their meeting, and what else they do, so many times in a month."""

    name: str
    picks_up: float = 0.5
    wants: tuple[str, ...] = ("book",)
    comes: float = 0.8
    texts: tuple[str, ...] = ()
    doings: int = 0
    trouble: bool = True
    """Whether vendors are away for hours, and what they tell is late, doubled, reordered or lost."""


UNRESPONSIVE = Persona("unresponsive", picks_up=0.0)
REACHABLE = Persona("reachable", picks_up=0.7)
CHAOTIC = Persona(
    "chaotic", picks_up=0.45,
    wants=("book", "book", "call_back", "call_back", "nothing", "drop", "hand_off", "cancel", "decline", "opt_out"),
    texts=("What does it cost?", "yes", "Tuesday is fine", "STOP", "please stop texting me"), doings=7,
)  # fmt: skip
PERSONAS = (UNRESPONSIVE, REACHABLE, CHAOTIC)


@dataclass(frozen=True)
class Fact:
    """Something that happened out there, or was told to us, as ``kind`` says."""

    at: datetime
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class _Call:
    attempt: str
    began: datetime
    ends: datetime | None = None
    status: str = ""


class Month:
    """One lead's months. ``facts`` is what happened, ``story`` every line that the lead noted, ``briefs`` what each
    conversation was told."""

    def __init__(self, seed: int, persona: Persona, book: Playbook | None = None) -> None:
        self.seed, self.persona, self.draw = seed, persona, Random(f"{seed}/{persona.name}")
        self.book = book or playbook()
        self.phone = self.draw.choice(PHONES)
        self.began = self.now = self.draw.choice(BEGINNINGS) + _MINUTE * self.draw.randrange(60 * 24 * 5)
        self.state = Lead(lead="lead-x", audience=self.book.audience, playbook=self.book.hash)
        self.facts: list[Fact] = []
        self.story: list[Entry] = []
        self.calls: dict[str, _Call] = {}
        self.rests: plan.Wait | None = None
        self.ended = False
        self._ahead: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0
        self._doing = ""
        self._told = 0
        self._away = self._outages()
        self._submit()
        for _ in range(persona.doings):
            self.later(_MINUTE * self.draw.randrange(60 * 24 * 21), self._something)

    def _outages(self) -> dict[str, list[tuple[datetime, datetime]]]:
        """Hours in which carrier, calendar, record and webhooks are away."""
        if not self.persona.trouble:
            return {}
        found: dict[str, list[tuple[datetime, datetime]]] = {}
        for part in ("carrier", "calendar", "record", "webhooks"):
            for _ in range(self.draw.randrange(3)):
                start = self.now + _MINUTE * self.draw.randrange(60 * 24 * 14)
                found.setdefault(part, []).append((start, start + _MINUTE * self.draw.randrange(30, 60 * 9)))
        return found

    def away(self, part: str) -> datetime | None:
        """Until when this part of the world is away; None when it is there."""
        return next((until for since, until in self._away.get(part, ()) if since <= self.now < until), None)

    # ---- the clock -----------------------------------------------------------------------------------------------

    def later(self, delay: timedelta, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._ahead, (self.now + delay, self._count, what))

    def fact(self, kind: str, **data: Any) -> None:
        self.facts.append(Fact(self.now, kind, data))

    def take(self, event: ev.Event) -> None:
        """The lead hears of it."""
        before = self.state
        self.state = apply(self.state, event)
        if self.state.opted_out_at and not before.opted_out_at:
            self.fact("opt_out_heard")
        if self.state.closed and not before.closed:
            self.fact("closed", disposition=self.state.disposition, state=self.state)

    def webhook(self, event: ev.Event) -> None:
        """What a vendor tells: late, in any order, sometimes twice, rarely never. Never lost are the person's texts."""
        if not self.persona.trouble:
            self.take(event)
            return
        if event.kind == "call_ended" and self.draw.random() < 0.07:
            return
        for _ in range(2 if self.draw.random() < 0.3 else 1):
            delay = timedelta(seconds=self.draw.choice((0.2, 1, 4, 30, 600)))
            if until := self.away("webhooks"):
                delay += until - self.now
            self.later(delay, lambda: self.take(event.model_copy(update={"at": self.now})))

    def run_until_closed(self) -> Month:
        """Until the lead is closed for the first time, and what was under way is over."""
        return self.run(lambda: self.state.closed and not self._ahead)

    def rings_us(self, wish: str) -> Month:
        """They ring us now and want this; then on to the end."""
        self._rings_us(wish)
        return self.run()

    def run(self, enough: Callable[[], bool] = lambda: False) -> Month:
        """Until the lead is forgotten, nothing is ahead any more, or it is ``enough``."""
        for _ in range(_MOST_STEPS):
            if enough():
                return self
            self._reflect()
            while self._ahead and self._ahead[0][0] <= self.now:
                heapq.heappop(self._ahead)[2]()
            step = plan.next_step(self.state, self.book, self.now)
            if isinstance(step, plan.Finish):
                self.ended = True
                return self
            if isinstance(step, plan.Settle):
                self.take(step.event)
            elif isinstance(step, plan.Wait) or self._doing:
                if not self._pass_time(step):
                    return self
            else:
                self._perform(step)
        raise AssertionError(f"seed {self.seed} {self.persona.name}: no end, {self.state.stage}, {step}")

    def _pass_time(self, step: plan.Step) -> bool:
        """On to the next thing; False when there is none."""
        until = None
        if isinstance(step, plan.Wait) and not self._doing:
            until = step.until
            rule = step.rule if step.rule in plan.KEPT_BACK else ""
            if rule and rule != self.state.kept_back:
                self.take(ev.Waiting(at=self.now, rule=rule, reason=step.reason, until=until))
            if until is None:
                self.fact("idle", rule=step.rule, reason=step.reason)
        nearest = min((at for at in (until, self._ahead[0][0] if self._ahead else None) if at), default=None)
        if nearest is None:
            assert isinstance(step, plan.Wait)
            self.rests = step
            return False
        assert nearest >= self.now, (self.seed, step)
        assert nearest > self.now or not isinstance(step, plan.Wait) or self._ahead, (self.seed, step)
        self.now = nearest
        return True

    def _reflect(self) -> None:
        fresh = [e for e in self.state.entries if e.version > self._told]
        self.story += fresh
        self._told = max([self._told, *(e.version for e in fresh)])
        if is_due(self.state) and not self.away("record"):
            self.take(ev.Reflected(at=self.now, version=self.state.version, stage=self.state.stage, rotated=True))

    # ---- what the lead does --------------------------------------------------------------------------------------

    def _perform(self, step: plan.Step) -> None:
        match step:
            case plan.Dial():
                if self.state.kept_back:  # as the workflow does: the next wait is told anew
                    self.take(ev.Waiting(at=self.now, rule="", reason=step.reason))
                self._busy(step, lambda: self._dial(step))
            case plan.Text():
                self._busy(step, lambda: self._text(step))
            case plan.AskCarrier():
                self._asked(step)
            case plan.Hangup():
                if call := self.calls.get(step.call.sid):
                    self._over(call, "canceled" if call.ends is None else call.status)
                self.take(ev.CallCancelled(at=self.now, attempt=step.call.attempt))
            case plan.KeepOptOut():
                self.take(ev.OptOutKept(at=self.now))
            case plan.Converse():
                self._converse(step)
            case plan.FindTimes():
                slots = () if self.away("calendar") else self._slots()
                self.take(ev.SlotsFound(at=self.now, request=step.request.id, slots=slots, why="" if slots else "away"))
            case plan.MakeBooking():
                self._book(step)
            case plan.Unbook():
                self.fact("cancelled", booking=step.booking.id)
                self.take(ev.MeetingCancelled(at=self.now, request=step.request.id, booking=step.booking.id))
            case _:
                raise AssertionError(f"nobody here can do {step}")

    def _busy(self, step: plan.Step, work: Callable[[], None]) -> None:
        self._doing = step.key
        work()

    def _done(self, event: ev.Event) -> Callable[[], None]:
        def done() -> None:
            self._doing = ""
            self.take(event.model_copy(update={"at": self.now}))

        return done

    def _dial(self, step: plan.Dial) -> None:
        attempt, sid = step.attempt, f"CA{step.attempt}-{self._count}"
        odds = self.draw.random()
        if self.away("carrier") and odds < 0.7:
            failed = ev.CallNotPlaced(at=self.now, attempt=attempt, why="carrier down")
            self.later(timedelta(seconds=2), self._done(failed))
            return
        self.calls[sid] = _Call(attempt, self.now)
        self.fact("dial", attempt=attempt, touch=step.touch, sid=sid)
        lost = self.persona.trouble and (bool(self.away("carrier")) or odds > 0.95)
        if lost:
            self.later(timedelta(seconds=40), self._done(ev.CallAmbiguous(at=self.now, attempt=attempt, error="no answer")))
        else:
            placed = ev.CallPlaced(at=self.now, attempt=attempt, sid=sid)
            self.later(timedelta(seconds=self.draw.choice((0.2, 0.2, 1.5))), self._done(placed))
        if self.draw.random() < self.persona.picks_up:
            self.later(timedelta(seconds=self.draw.randrange(4, 20)), lambda: self._picked_up(attempt, sid))
        else:
            status = self.draw.choice(("no-answer", "busy", "no-answer", "voicemail"))
            self.later(timedelta(seconds=self.draw.randrange(8, 28)), lambda: self._unanswered(attempt, sid, status))

    def _unanswered(self, attempt: str, sid: str, status: str) -> None:
        if self.calls[sid].ends is not None:
            return
        if status == "voicemail":
            self.take(ev.CallConnected(at=self.now, attempt=attempt, sid=sid))
            self.take(ev.ConversationEnded(at=self.now, attempt=attempt, outcome="voicemail"))
            status = "completed"
        self._over(self.calls[sid], status)

    def _over(self, call: _Call, status: str) -> None:
        """The line is free again."""
        if call.ends is not None:
            return
        sid = next(sid for sid, known in self.calls.items() if known is call)
        call.ends, call.status = self.now, status
        self.fact("hung_up", sid=sid)
        ended = ev.CallEnded.model_validate(
            {"at": self.now, "id": f"{sid}:{status}", "attempt": call.attempt, "sid": sid, "status": status, "seconds": 9}
        )
        self.webhook(ended)

    def _asked(self, step: plan.AskCarrier) -> None:
        """The carrier says how it is, once it is back."""
        if until := self.away("carrier"):
            self._doing = step.key
            self.later(until - self.now, lambda: self._free())
            return
        found = {sid: call for sid, call in self.calls.items() if sid == step.call.sid or call.attempt == step.call.attempt}
        if not found:
            self.take(ev.CallUnknown(at=self.now, attempt=step.call.attempt))
            return
        sid, call = next(iter(found.items()))
        if call.ends is None:
            self.take(ev.CallPlaced(at=self.now, attempt=step.call.attempt, sid=sid))
            return
        told = {"at": self.now, "attempt": call.attempt, "sid": sid, "status": call.status}
        self.take(ev.CallEnded.model_validate(told))

    def _free(self) -> None:
        self._doing = ""

    def _text(self, step: plan.Text) -> None:
        odds = self.draw.random()
        if self.away("carrier") and odds < 0.7:
            not_sent = ev.TextNotSent(at=self.now, touch=step.touch, message=step.message, why="carrier down")
            self.later(timedelta(seconds=2), self._done(not_sent))
            return
        self.fact("text", touch=step.touch, message=step.message, rule=step.rule)
        sent: ev.Event = ev.TextSent(at=self.now, touch=step.touch, message=step.message, sid="SM")
        if self.persona.trouble and odds > 0.96:
            sent = ev.TextAmbiguous(at=self.now, touch=step.touch, message=step.message)
        self.later(timedelta(seconds=0.4), self._done(sent))

    def _converse(self, step: plan.Converse) -> None:
        """The machine reads their texts and writes back; sometimes it cannot."""
        self._briefed(text_brief(self.state, step.messages[-1]))
        why = "no answer in time" if self.persona.trouble and self.draw.random() < 0.1 else ""
        reply = "" if why else "Thank you. When suits you?"
        self.fact("reply", messages=step.messages, reply=reply)
        self.take(ev.TextAnswered(at=self.now, messages=step.messages, reply=reply, why=why, node="qualification"))

    def _slots(self) -> tuple[ev.Slot, ...]:
        starts = sorted({self.now + _HOUR * self.draw.randrange(3, 120) for _ in range(3)})
        return tuple(ev.Slot(id=f"ana@{s.isoformat()}", rep="ana", start=s, end=s + self.book.meeting.length) for s in starts)

    def _book(self, step: plan.MakeBooking) -> None:
        if self.away("calendar"):
            self.take(ev.BookingRefused(at=self.now, request=step.request.id, why="the calendar did not answer"))
            return
        self._count += 1
        slot = step.slot
        booking = ev.Booking(id=f"b{self._count}", rep=slot.rep, rep_name="Ana", start=slot.start, end=slot.end)
        moved = self.state.booking.id if self.state.booking else ""
        self.fact("booked", booking=booking.id, start=slot.start, moved=moved)
        self.take(ev.MeetingBooked(at=self.now, request=step.request.id, booking=booking))
        self.later(slot.start - self.now + _MINUTE, lambda: self._meeting(booking))

    def _meeting(self, booking: ev.Booking) -> None:
        """They come, or they do not; the rep says so, mostly."""
        if self.state.booking is None or self.state.booking.id != booking.id:
            return
        comes = self.draw.random() < self.persona.comes
        self.fact("met" if comes else "missed", booking=booking.id)
        if comes:
            self.take(ev.AttendanceReported(at=self.now, booking=booking.id, present=True, source="join_link"))
        marked = ev.AttendanceReported(at=self.now, booking=booking.id, present=comes, source="rep", by="ana")
        self.later(_MINUTE * 20, lambda: self.take(marked.model_copy(update={"at": self.now})))

    # ---- what the person does ------------------------------------------------------------------------------------

    def _submit(self) -> None:
        self._count += 1
        sent = form(submission_id=f"s{self._count}", phone=self.phone, attributes={"team_size": "9"})
        event = ev.FormSubmitted(at=self.now, id=sent.submission_id, form=sent)
        self.fact("form")
        self.take(event)
        if self.persona.trouble and self.draw.random() < 0.2:
            self.take(event)

    def _briefed(self, told: Brief) -> None:
        self.fact("briefed", learned=dict(told.learned), person=told.person, booking=told.booking)

    def _picked_up(self, attempt: str, sid: str) -> None:
        call = self.calls[sid]
        if call.ends is not None:
            return
        self.take(ev.CallConnected(at=self.now, attempt=attempt, sid=sid))
        told = brief(self.state, self.book, Connect(attempt=attempt, sid=sid, at=self.now))
        if told.refusal:
            self.fact("refused", why=told.refusal)
            self._over(call, "completed")
            return
        self._briefed(told)
        self._talk(call, self.draw.choice(self.persona.wants))

    def _rings_us(self, wish: str = "") -> None:
        self._count += 1
        sid = f"in{self._count}"
        self.calls[sid] = call = _Call(f"in-{sid}", self.now)
        self.fact("inbound", sid=sid)
        self.take(ev.CallConnected(at=self.now, attempt=call.attempt, sid=sid, inbound=True))
        told = brief(self.state, self.book, Connect(attempt=call.attempt, sid=sid, at=self.now, inbound=True))
        self._briefed(told)
        self._talk(call, wish or self.draw.choice(self.persona.wants))

    def _talk(self, call: _Call, wish: str) -> None:
        self._says(call)
        self.later(timedelta(seconds=20), lambda: self._wishes(call, wish))
        end = timedelta(seconds=self.draw.randrange(40, 200))
        outcome = "dropped" if wish == "drop" else "talked"
        self.later(end, lambda: self._talked(call, outcome))

    def _says(self, call: _Call) -> None:
        value = str(self.draw.randrange(2, 90))
        self.fact("said", field="team_size", value=value)
        learned = (ev.Learned(field="team_size", value=value, quote=f"we are {value}"),)
        self.take(ev.CallLearned(at=self.now, attempt=call.attempt, turn=1, learned=learned))

    def _talked(self, call: _Call, outcome: str) -> None:
        if call.ends is None:
            node = "qualification" if outcome == "dropped" else "confirmation"
            ended = ev.ConversationEnded.model_validate({"at": self.now, "attempt": call.attempt, "outcome": outcome, "node": node})
            if self.persona.trouble and self.draw.random() < 0.3:  # the carrier is quicker than the gateway
                self._over(call, "completed")
                self.later(timedelta(seconds=3), lambda: self.take(ended.model_copy(update={"at": self.now})))
                return
            self.take(ended)
            self._over(call, "completed")

    def _wishes(self, call: _Call, wish: str) -> None:
        if call.ends is not None:
            return
        match wish:
            case "book":
                self._ask(ev.OfferSlots(), call.attempt, lambda: self._chooses(call))
            case "call_back":
                due = self.now + _MINUTE * self.draw.choice((30, 180, 60 * 20, 60 * 50))
                self._promised(due, self._ask(ev.CallBack(at=due), call.attempt))
            case "decline":
                self._ask(ev.Decline(disposition="not_interested"), call.attempt)
            case "opt_out":
                self.fact("opt_out_said")
                self._ask(ev.OptOut(words="stop calling"), call.attempt)
            case "hand_off":
                self._ask(ev.HandOff(why="asked"), call.attempt)
                self.later(_HOUR * self.draw.randrange(1, 40), self._released)
            case "cancel":
                self._ask(ev.Cancel(), call.attempt)

    def _promised(self, due: datetime, request: str) -> None:
        def look() -> None:
            answer = self.state.answers.get(request)
            if answer is not None and answer.allowed:
                self.fact("promised", due=answer.due or due)

        self.later(timedelta(seconds=1), look)

    def _chooses(self, call: _Call) -> None:
        if self.state.offered and call.ends is None:
            self._ask(ev.Book(slot=self.state.offered[0].id), call.attempt)

    def _ask(self, action: ev.Action, attempt: str = "", then: Callable[[], None] | None = None, by: str = "agent") -> str:
        self._count += 1
        request = f"{attempt or by}:{self._count}"
        asked = ev.ActionAsked(at=self.now, id=request, action=action, by=by, attempt=attempt)
        self.fact("asked", action=action.kind, request=request, disposition=getattr(action, "disposition", ""))
        self.take(asked)
        if self.persona.trouble and self.draw.random() < 0.2:
            self.take(asked)  # the gateway repeats what it had no answer to
        if then is not None:
            self.later(timedelta(seconds=5), then)
        return request

    def _writes(self) -> None:
        words = self.draw.choice(self.persona.texts)
        self._count += 1
        if words.upper().startswith(("STOP", "PLEASE STOP")):
            self.fact("opt_out_said")
        message = ev.MessageReceived(at=self.now, id=f"m{self._count}", text=words)
        self.take(message)
        if self.draw.random() < 0.3:
            self.later(timedelta(seconds=self.draw.choice((1, 90, 4000))), lambda: self.take(message))

    # ---- what reps and operators do --------------------------------------------------------------------------------

    def _something(self) -> None:
        match self.draw.randrange(7):
            case 0 | 1:
                self._writes()
            case 2:
                self._rings_us()
            case 3:
                self._submit()
            case 4:
                self.fact("taken_over")
                self.take(ev.TakenOver(at=self.now, by="ana"))
                self.later(_HOUR * self.draw.randrange(1, 40), self._released)
            case 5:
                self.fact("held")
                self.take(ev.Held(at=self.now, by="ops"))
                self.later(_HOUR * self.draw.randrange(1, 40), self._resumed)
            case _:
                self._moves()

    def _moves(self) -> None:
        if self.state.booking is not None:
            to = max(self.state.booking.start, self.now) + _HOUR * self.draw.randrange(2, 60)
            self._ask(ev.Book(slot=f"ana@={to.isoformat()}"), by="ana")

    def _released(self) -> None:
        self.fact("released")
        self.take(ev.Released(at=self.now, by="ana"))

    def _resumed(self) -> None:
        self.fact("resumed")
        self.take(ev.Resumed(at=self.now, by="ops", spread=_MINUTE * self.draw.randrange(20)))
