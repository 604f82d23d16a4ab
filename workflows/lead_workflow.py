"""LeadWorkflow: one person's whole story with us, as a short loop around ``apply`` and ``next_step``.

Handlers only put an event into the inbox and wait until it was answered; the loop alone changes the state and starts
effects. One step is under way at a time, beside it at most one reflection (record, CRM, reps' channel), and chores
that may take as long as they need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from . import attendance, attributes, lateness, perform, plan, requests, review, story, twins, versions
    from . import effects as fx
    from . import events as ev
    from .brief import brief, details, view
    from .effects import Entry
    from .handlers import query, signal, update
    from .lead import Lead, touch_of
    from .messages import (
        LEAD,
        Act,
        Answer,
        Apart,
        Brief,
        By,
        Connect,
        Decide,
        Joined,
        LeadStart,
        Merge,
        Move,
        Report,
        Resolve,
        TakeOver,
        View,
        Wake,
        YieldTo,
    )
    from .playbook import Playbook, playbook_of
    from .reflection import is_due, reflection
    from .story import apply

_MOST_SETTLED = 50
"""More decisions than this without a wait between them is a fault of ours, not a busy lead."""
_ASKS = "unknown-outcome-is-asked"
"""The patch since which nobody counts as absent for want of evidence."""
_MAIL_WAITS = "mail-waits"
"""The patch since which an e-mail is called off, and waits, as a text does."""
_LATE = "late-is-left-out"
"""The patch since which what came too late to have sense is not sent."""
_WATCHED = "twins-are-looked-for"
"""The patch since which a lead notices that the one for whose sake it does nothing is gone."""
_Handle = workflow.ActivityHandle[Any]
_LED_ON = {
    "form_submitted": "form_submitted", "message_received": "message_received", "calendar_changed": "calendar_changed",
    "rep_left": "rep_left",
}  # fmt: skip
"""What a lead that went into another leads on to it: the kind of event, and its signal."""


@workflow.defn(name=LEAD, versioning_behavior=versions.stays())
class LeadWorkflow:
    """See the module. Names and inputs of its signals, updates and queries: ``workflows/messages.py``."""

    @workflow.init
    def __init__(self, start: LeadStart) -> None:
        if start.carry is not None:
            self._state = Lead.model_validate(start.carry)
        else:
            self._state = Lead(lead=start.lead, audience=start.audience, playbook=start.playbook)
        self._paced = start.paced
        self._inbox: list[ev.Event] = []
        self._received = 0
        self._applied = 0
        self._step: plan.Step | None = None
        self._doing: tuple[plan.Step, asyncio.Task[None]] | None = None
        self._stoppable: _Handle | None = None
        self._reflecting: asyncio.Task[None] | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._answering: asyncio.Task[None] | None = None
        self._mailing: asyncio.Task[None] | None = None
        self._letter: tuple[str, _Handle] | None = None
        self._joining: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._alarm: tuple[Any, asyncio.Task[None]] | None = None
        self._rang = False
        self._shown: dict[str, str] = {}
        for key in attributes.ALL:
            known = workflow.info().typed_search_attributes.get(key)
            if known:
                self._shown[key.name] = known

    @workflow.run
    async def run(self, start: LeadStart) -> None:
        while True:
            self._drain()
            step = self._plan()
            if isinstance(step, plan.Finish) and self._quiet():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._inbox:
                    return
                continue
            self._steer(step)
            self._mail()
            self._join()
            self._look()
            self._reflect()
            self._show(step)
            if self._should_carry_on() and self._quiet():
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._inbox:
                    workflow.continue_as_new(self._carried(start))
                continue
            await self._wait(step)

    # ---- the loop's parts ------------------------------------------------------------------------------------

    @property
    def _playbook(self) -> Playbook:
        return playbook_of(self._state.playbook)

    def _take(self, event: ev.Event) -> None:
        """Apply one event. A fault of our own sets the event aside for a person; the lead goes on."""
        try:
            self._state = apply(self._state, event)
        except Exception as error:
            workflow.logger.exception("an event could not be applied: %s", event.kind)
            request = event.id if event.kind == "action_asked" else ""
            where = f"apply {event.kind}"
            fault = ev.Faulted(at=workflow.now(), where=where, error=type(error).__name__, request=request)
            self._state = apply(self._state, fault)

    def _drain(self) -> None:
        while self._inbox:
            event = self._inbox.pop(0)
            if self._state.merged_into and event.kind in _LED_ON:
                self._chores.append(asyncio.create_task(self._led_on(event)))
            else:
                self._take(event)
            self._applied += 1

    def _plan(self) -> plan.Step:
        """The next step that touches the world or waits; what is decided without either is applied on the way."""
        try:
            for _ in range(_MOST_SETTLED):
                self._as_it_was()
                step = plan.next_step(self._state, self._playbook, workflow.now())
                if isinstance(step, plan.Settle):
                    self._take(step.event)
                    continue
                rule = step.rule if isinstance(step, plan.Wait) and step.rule in plan.KEPT_BACK else ""
                if rule != self._state.kept_back and (rule or isinstance(step, plan.Dial)):
                    until = step.until if isinstance(step, plan.Wait) else None
                    self._take(ev.Waiting(at=workflow.now(), rule=rule, reason=step.reason, until=until))
                return step
            why = f"decided {_MOST_SETTLED} times without end: {step.key}"
        except Exception as error:
            workflow.logger.exception("planning failed")
            why = type(error).__name__
        if not review.stands(self._state, "fault"):
            self._take(ev.Faulted(at=workflow.now(), where="planning", error=why))
        return plan.Wait(key="fault", rule="fault", reason="planning failed; a person has to look")

    def _as_it_was(self) -> None:
        """Where nobody knows whether they came, where another lead is waited for, and where something is late, a history that
        was recorded before somebody was asked, that lead looked for, or what is late left out, goes on as it was."""
        if twins.looked_for(self._state) and not self._state.unwatched and not workflow.patched(_WATCHED):
            self._state = self._state.but(unwatched=True)
        late = not self._state.sends_late and lateness.any_late(self._state, self._playbook, workflow.now())
        if late and not workflow.patched(_LATE):
            self._state = self._state.but(sends_late=True)
        unsure = attendance.nobody_knows(self._state, self._playbook, workflow.now())
        if unsure and not self._state.guesses and not workflow.patched(_ASKS):
            self._state = self._state.but(guesses=True)

    def _steer(self, step: plan.Step) -> None:
        """Start what is wanted; call off a dial or text that is no longer wanted and has not started."""
        if self._doing is not None:
            doing, task = self._doing
            touch = touch_of(self._state, doing.attempt) if isinstance(doing, plan.Dial) else None
            if touch is not None and touch.outcome != "queued":
                self._chores.append(task)  # the call is known by its callbacks: the answer to the dial can wait
                self._doing, self._stoppable = None, None
            elif doing.key != step.key and self._stoppable is not None:
                self._stoppable.cancel()
                self._stoppable = None
        if isinstance(step, plan.Converse):
            self._answer(step)
        if self._doing is not None:
            return
        call = self._state.call
        if call is not None and call.state == "queued" and step.rule == "goal_reached":
            # It was never begun, for something else was under way: nobody else tells that it is off.
            self._put(ev.CallNotPlaced(at=workflow.now(), attempt=call.attempt, why="no_longer_wanted"))
            return
        work = self._work(step)
        if work is not None:
            self._doing = (step, asyncio.create_task(self._perform(step, work)))

    def _work(self, step: plan.Step) -> Coroutine[Any, Any, ev.Event] | None:
        state, playbook, now = self._state, self._playbook, workflow.now()
        match step:
            case plan.Dial():
                dial = perform.start_dial(state, playbook, step, now, self._paced)
                self._stoppable = dial
                return perform.dialled(dial, step)
            case plan.Text():
                request = perform.text_request(state, playbook, step, now)
                text = perform.start_text(request, step, now)
                self._stoppable = text
                return perform.texted(text, request, step, playbook.call.settle)
            case plan.AskCarrier():
                return perform.ask_carrier(state, step)
            case plan.Hangup():
                return perform.hang_up(step)
            case plan.FindLine():
                return perform.find_line(state, playbook, step)
            case plan.FindTimes():
                return perform.find_times(state, playbook, step)
            case plan.MakeBooking():
                return self._book(step)
            case plan.Rehome():
                return self._rehome(step)
            case plan.Adopt():
                return self._adopt(step)
            case plan.Unbook():
                return self._unbook(step)
            case plan.KeepOptOut():
                return perform.keep_opt_out(state)
            case _:
                return None

    async def _perform(self, step: plan.Step, work: Coroutine[Any, Any, ev.Event]) -> None:
        try:
            self._put(await work)
        except (ActivityError, ApplicationError) as error:
            self._put(ev.Faulted(at=workflow.now(), where=step.key.partition(":")[0], error=error.message))
        finally:
            if self._doing is not None and self._doing[0] is step:
                self._doing, self._stoppable = None, None

    async def _book(self, step: plan.MakeBooking) -> ev.Event:
        nearest = self._playbook.meeting.offers if requests.by_a_person(step.request) else 0
        done = await self._booked(step, step.slot, nearest=nearest)
        now = workflow.now()
        if done.booking is None:
            return ev.BookingRefused(
                at=now, request=step.request.id, why=done.refused, page=done.page, nearest=done.nearest
            )
        return ev.MeetingBooked(at=now, request=step.request.id, booking=done.booking)

    async def _rehome(self, step: plan.Rehome) -> ev.Event:
        slot, why = await perform.another_rep(self._state, self._playbook, step.booking)
        booking = None
        if slot is not None:
            done = await self._booked(step, slot)
            booking, why = done.booking, done.refused
        if booking is None:
            return ev.NotRehomed(at=workflow.now(), booking=step.booking.id, why=why)
        return ev.MeetingBooked(at=workflow.now(), request="", booking=booking)

    async def _adopt(self, step: plan.Adopt) -> ev.Event:
        done = await self._booked(step, step.slot, step.event)
        if done.booking is None:
            was = step.booking.id if step.booking else ""
            return ev.NotAdopted(at=workflow.now(), booking=was, why=done.refused)
        return ev.MeetingBooked(at=workflow.now(), request="", booking=done.booking, adopted=True)

    async def _booked(
        self, step: plan.MakeBooking | plan.Rehome | plan.Adopt, slot: ev.Slot, adopt: str = "", nearest: int = 0
    ) -> fx.Booked:
        """The booking of ``slot``, or why there is none; what was left half done is released."""
        request = perform.booking_request(self._state, self._playbook, slot, adopt, nearest)
        done = await perform.book(request, step)
        if done is None:
            undone = ev.Booking(id=request.booking, rep=slot.rep, rep_name="", start=slot.start, end=slot.end)
            self._release(undone, "the booking did not finish in time", keep_event=bool(adopt))
            return fx.Booked(refused="the calendar did not answer in time")
        if done.unreleased is not None:
            self._release(done.unreleased, "moved")
        return done if done.booking or done.refused else fx.Booked(refused="the slot was taken")

    async def _unbook(self, step: plan.Unbook) -> ev.Event:
        action = step.request.action
        words = action.words if isinstance(action, ev.Cancel | ev.Undo) else ""
        self._release(step.booking, "cancelled")
        return ev.MeetingCancelled(at=workflow.now(), request=step.request.id, booking=step.booking.id, words=words)

    def _answer(self, step: plan.Converse) -> None:
        """Beside the steps: what the conversation asks of this lead meanwhile is done by them. One at a time."""
        if self._answering is None:
            work = perform.converse(self._state, self._playbook, step)
            self._answering = asyncio.create_task(self._wrote_back(work))

    async def _wrote_back(self, work: Coroutine[Any, Any, ev.TextAnswered]) -> None:
        try:
            self._put(await work)
        finally:
            self._answering = None

    def _mail(self) -> None:
        """Beside the steps, one at a time: a mail server that is away keeps nobody from being called. What must not go out
        any more, or not now, is called off while it waits for that server."""
        state = self._state
        kept = plan.may_not_mail(state) is not None
        if self._letter is not None:
            key, letter = self._letter
            if (kept or all(due.key != key for due in state.due_mails)) and workflow.patched(_MAIL_WAITS):
                letter.cancel()
                self._letter = None
        if self._mailing is not None or not state.due_mails or state.suspended_at or state.merged_into:
            return
        if not (kept and workflow.patched(_MAIL_WAITS)):
            due = state.due_mails[0]
            handle = perform.start_mail(state, self._playbook, due)
            self._letter = (due.key, handle) if handle is not None else None
            self._mailing = asyncio.create_task(self._mailed(perform.mailed(handle, due)))

    async def _mailed(self, work: Coroutine[Any, Any, ev.MailSent | ev.MailNotSent]) -> None:
        try:
            self._put(await work)
        finally:
            self._mailing = self._letter = None

    def _join(self) -> None:
        """Beside the steps, one at a time: the other lead of the same person may be in a call."""
        state = self._state
        if self._joining is None and state.joining and not state.yielding:
            self._joining = asyncio.create_task(self._joined(perform.take_in(state, state.joining[0])))

    async def _joined(self, work: Coroutine[Any, Any, ev.TookIn | ev.NotTakenIn]) -> None:
        try:
            event = await work
            self._drain()  # what came meanwhile may have booked a meeting here
            if isinstance(event, ev.TookIn) and (surplus := story.surplus(self._state, event)):
                self._release(surplus, "another meeting of the same person stands")
                event = event.model_copy(update={"released": surplus})
            self._put(event)
        finally:
            self._joining = None

    def _look(self) -> None:
        """Beside the steps: whether the lead is there for whose sake this one does nothing."""
        due = twins.next_look(self._state)
        if self._looking is None and due is not None and workflow.now() >= due:
            self._looking = asyncio.create_task(self._looked(perform.find_twins(self._state)))

    async def _looked(self, work: Coroutine[Any, Any, ev.TwinsLooked]) -> None:
        try:
            self._put(await work)
        finally:
            self._looking = None

    async def _led_on(self, event: ev.Event) -> None:
        """To the lead that has the story; where that is gone, it is this one's again."""
        into = self._state.merged_into
        try:
            await workflow.get_external_workflow_handle(into).signal(_LED_ON[event.kind], event)
        except ApplicationError as error:
            if workflow.patched(_WATCHED):
                self._put(ev.TwinsLooked(at=workflow.now(), gone=(into,)))
                self._put(event)
            else:
                self._put(ev.Faulted(at=workflow.now(), where="leading on", error=error.message))

    def _release(self, booking: ev.Booking, why: str, keep_event: bool = False) -> None:
        """A chore: it takes as long as the calendar needs, and nobody waits for it."""
        self._chores.append(asyncio.create_task(self._released(booking, why, keep_event)))

    async def _released(self, booking: ev.Booking, why: str, keep_event: bool) -> None:
        try:
            await perform.release(self._playbook.team, booking, why, keep_event)
        except ActivityError as error:
            self._put(ev.Faulted(at=workflow.now(), where="releasing a meeting", error=perform.failure(error)[1]))

    def _reflect(self) -> None:
        """Bring record, CRM and the reps' channel up to date: never before a dial that is under way."""
        dialling = self._doing is not None and isinstance(self._doing[0], plan.Dial)
        if self._reflecting is None and not dialling and (is_due(self._state) or self._queue_is_due()):
            request = reflection(self._state, self._playbook, workflow.now())
            self._reflecting = asyncio.create_task(self._reflected(perform.reflect(request)))

    def _queue_is_due(self) -> bool:
        """Whether what people are called to changed, and nothing else would tell the record for now."""
        news = review.unfiled(self._state) and self._state.call is None
        return news and workflow.patched("review-queue")

    async def _reflected(self, work: Coroutine[Any, Any, ev.Reflected]) -> None:
        try:
            self._put(await work)
        finally:
            self._reflecting = None

    def _show(self, step: plan.Step) -> None:
        """Search attributes, all that changed in one command, and the page in Temporal's UI."""
        changed = (self._step.key, self._step.reason) != (step.key, step.reason) if self._step else True
        self._step = step
        if changed or self._state.version:
            workflow.set_current_details(details(self._state, step, workflow.now()))
        if self._state.call is not None and self._state.call.state in ("queued", "connected", "ended"):
            return  # told once, when the call is over
        wanted = {
            attributes.STAGE: self._state.stage,
            attributes.FURTHEST: self._state.furthest,
            attributes.AUDIENCE: self._state.audience,
            attributes.OWNER: self._state.owner,
            attributes.SOURCE: self._state.person.source if self._state.person else "",
            attributes.OUTCOME: self._state.disposition,
            attributes.PLAYBOOK: self._state.playbook,
            attributes.HELD: self._state.held_scope or ("lead" if self._state.held_by else ""),
            attributes.REVIEW: self._state.review,
        }
        updates: list[SearchAttributeUpdate[str]] = []
        for key, value in wanted.items():
            if self._shown.get(key.name, "") != value:
                self._shown[key.name] = value
                updates.append(_set(key, value))
        if updates:
            workflow.upsert_search_attributes(updates)

    async def _wait(self, step: plan.Step) -> None:
        """Until something arrives or the step's time has come. An alarm that is set already for an earlier time is
        kept: a timer costs, waking once too often does not."""
        until = step.until if isinstance(step, plan.Wait) else None
        if until is not None and (self._alarm is None or self._alarm[0] > until):
            if self._alarm is not None:
                self._alarm[1].cancel()
            self._alarm = (
                until,
                asyncio.create_task(self._ring(max(until - workflow.now(), timedelta(0)), step.reason)),
            )
        seen = (self._doing, self._reflecting)
        await workflow.wait_condition(
            lambda: bool(self._inbox) or self._rang or (self._doing, self._reflecting) != seen
        )
        self._chores = [c for c in self._chores if not c.done()]
        if self._rang:
            self._rang, self._alarm = False, None

    async def _ring(self, delay: timedelta, why: str) -> None:
        await workflow.sleep(delay, summary=why)
        self._rang = True

    def _quiet(self) -> bool:
        """No effect, reflection or chore under way, no call, no open request."""
        return (
            self._doing is None
            and self._reflecting is None
            and self._answering is None
            and self._mailing is None
            and self._joining is None
            and self._looking is None
            and not any(not c.done() for c in self._chores)
            and self._state.call is None
            and not self._state.strays
            and not self._state.requests
        )

    def _should_carry_on(self) -> bool:
        info = workflow.info()
        return (
            info.is_continue_as_new_suggested()
            or info.get_current_history_length() > perform.CARRIES_ON_AT
            or info.is_target_worker_deployment_version_changed()
        )

    def _carried(self, start: LeadStart) -> LeadStart:
        return start.model_copy(update={"carry": self._state.model_dump(mode="json")})

    # ---- how events come in ----------------------------------------------------------------------------------

    def _put(self, event: ev.Event) -> int:
        self._inbox.append(event)
        self._received += 1
        return self._received

    async def _told(self, event: ev.Event) -> None:
        """Hand ``event`` to the loop and wait until it was applied. Raises ApplicationError ``merged``, with the lead that
        has the story, when this one went into it."""
        if self._state.merged_into:
            raise ApplicationError(self._state.merged_into, type=story.MERGED, non_retryable=True)
        ticket = self._put(event)
        await workflow.wait_condition(lambda: self._applied >= ticket)

    async def _ask(
        self, action: ev.Action | ev.Undo, by: str, request: str, attempt: str = "", version: int = 0,
        verdict: ev.Verdict | None = None,
    ) -> Answer:  # fmt: skip
        """Ask for ``action`` and wait for its answer; a repeat under the same id gets the first one."""
        known = request or _update_id()
        asked = ev.ActionAsked(
            at=workflow.now(), id=known, action=action, by=by, attempt=attempt, version=version, verdict=verdict
        )
        await self._told(asked)
        return await self._answer_to(known)

    async def _answer_to(self, request: str) -> Answer:
        await workflow.wait_condition(lambda: request in self._state.answers)
        return self._state.answers[request]

    async def _note(self, event: ev.Event) -> Answer:
        await self._told(event)
        return Answer(allowed=True, version=self._state.version)

    def _no(self, rule: str, detail: str) -> Answer:
        return Answer(allowed=False, rule=rule, detail=detail, version=self._state.version)

    @signal
    def form_submitted(self, event: ev.FormSubmitted) -> None:
        """A form was filled in."""
        self._put(event)

    @signal
    def call_status(self, event: ev.CallEnded) -> None:
        """The carrier's final word on a call."""
        self._put(event)

    @signal
    def call_transferred(self, event: ev.TransferTold) -> None:
        """What became of a call that was put through to a colleague."""
        self._put(event)

    @signal
    def message_received(self, event: ev.MessageReceived) -> None:
        """A text from the lead."""
        self._put(event)

    @signal
    def mail_bounced(self, event: ev.MailBounced) -> None:
        """An e-mail address of theirs cannot be delivered to."""
        self._put(event)

    @signal
    def message_status(self, event: ev.TextFailed) -> None:
        """A text could not be delivered."""
        self._put(event)

    @signal
    def twins_met(self, event: ev.TwinsMet) -> None:
        """Another lead was found that shares a handle with this one."""
        self._put(event)

    @signal
    def rep_left(self, event: ev.RepLeft) -> None:
        """The rep of this lead takes no meetings any more."""
        self._put(event)

    @signal
    def calendar_changed(self, event: ev.CalendarChanged) -> None:
        """Somebody changed the meeting in a calendar."""
        self._put(event)

    @signal
    def crm_known(self, event: ev.CrmKnown) -> None:
        """What the CRM says of the lead came after the dial."""
        self._put(event)

    @signal
    def resume(self, wake: Wake) -> None:
        """A pause is over: what is overdue is spread over the playbook's ``resume_spread``."""
        spread = workflow.random().random() * self._playbook.resume_spread
        self._put(ev.Resumed(at=workflow.now(), id=wake.id, by=wake.by, scope=wake.scope, spread=spread))

    @signal
    def move_playbook(self, event: ev.PlaybookMoved) -> None:
        """Go on under another version of the playbook, known to the workers by its hash."""
        self._put(event)

    @update
    async def connect(self, call: Connect) -> Brief:
        """The gateway has somebody on the line; the answer is all that the conversation needs."""
        live = self._state.call
        again = live is not None and live.attempt == call.attempt and live.state == "connected"
        if call.form is not None and self._state.person is None:
            self._put(call.form)
        await self._told(ev.CallConnected(at=call.at, attempt=call.attempt, sid=call.sid, inbound=call.inbound, transfers=call.transfers))
        return brief(self._state, self._playbook, call, resumed=again)

    @update
    async def act(self, asked: Act) -> Answer:
        """An action of the conversation, authorised again on the durable state."""
        return await self._ask(asked.action, asked.by, asked.id, asked.attempt, asked.version, asked.verdict)

    @update
    async def report(self, told: Report) -> int:
        """What a conversation understood, or its end."""
        if told.learned is not None:
            await self._told(told.learned)
        if told.ended is not None:
            await self._told(told.ended)
        return self._state.version

    @update
    async def reschedule(self, move: Move) -> Answer:
        """Move the meeting to another time with the same rep, or to an offered slot."""
        slot = move.slot
        if not slot:
            if move.start is None:
                return self._no("no_time", "give start (an instant with its offset) or slot")
            if self._state.booking is None:
                return self._no("no_meeting", "there is no meeting to move")
            slot = f"{self._state.booking.rep}@={move.start.isoformat()}"
        return await self._ask(ev.Book(slot=slot), move.by, move.id)

    @update
    async def cancel(self, by: By) -> Answer:
        """Cancel the meeting."""
        return await self._ask(ev.Cancel(words=by.words), by.by, by.id)

    @update
    async def undo(self, by: By) -> Answer:
        """Take back the last booking, move or cancellation: the meeting, rep and reminders that were stand again."""
        return await self._ask(ev.Undo(words=by.words), by.by, by.id)

    @update
    async def opt_out(self, by: By) -> Answer:
        """Never contact this person again; answered once the opt-out outlives this lead."""
        return await self._ask(ev.OptOut(words=by.words), by.by, by.id)

    @update
    async def opt_in(self, by: By) -> Answer:
        """They may be contacted again, by what they said (``words``). The opt-outs of their handles are executions of
        their own, and are ended by who asks this."""
        if not by.words.strip():
            return self._no("no_words", "say what the person said")
        return await self._note(ev.OptedIn(at=workflow.now(), id=by.id, by=by.by, words=by.words))

    @update
    async def approve(self, decide: Decide) -> Answer:
        """Do what the playbook leaves to a person: authorised again as things stand now, then done. The answer is that
        of the action."""
        return await self._decide(decide, True)

    @update
    async def reject(self, decide: Decide) -> Answer:
        """Do not do what waits for a person; they are told that a colleague gets back to them."""
        return await self._decide(decide, False)

    async def _decide(self, decide: Decide, approved: bool) -> Answer:
        waiting = [a.request.id for a in self._state.approvals if decide.request in ("", a.request.id)]
        if approved and not waiting and (performed := self._approved(decide.request)):
            return await self._answer_to(performed)
        if not waiting:
            return self._no("nothing_waits", "nothing of this lead waits for a person; it may have been dropped")
        if len(waiting) > 1:
            return self._no("which", f"several wait; name one of {', '.join(waiting)}")
        text = "" if approved else requests.turned_down(self._playbook)
        event = ev.ActionDecided(
            at=workflow.now(), id=decide.id, request=waiting[0], approved=approved, by=decide.by, words=decide.words,
            text=text,
        )  # fmt: skip
        answer = await self._note(event)
        return await self._answer_to(story.approved(waiting[0])) if approved else answer

    def _approved(self, request: str) -> str:
        """The id under which ``request`` is performed or was, once somebody approved it; "" when nobody has. When it is
        empty: what is performed now."""
        if request:
            again = story.approved(request)
            known = again in self._state.answers or any(r.id == again for r in self._state.requests)
            return again if known else ""
        return next((r.id for r in self._state.requests if r.approved_by), "")

    @update
    async def resolve(self, asked: Resolve) -> Answer:
        """Do what a person decided about an open item of this lead, and note who did, and why."""
        if why := review.unfit(self._state, asked):
            return self._no(*why)
        item = review.find(self._state, asked.item)
        assert item is not None
        if item.kind == "approval" and asked.way in ("approve", "reject"):
            decide = Decide(by=asked.by, words=asked.words, id=asked.id or _update_id(), request=item.about)
            return await self._decide(decide, asked.way == "approve")
        if asked.way == "undo":
            undone = await self._ask(ev.Undo(words=asked.words), asked.by, asked.id and f"{asked.id}:undo")
            if not undone.allowed:
                return undone
        return await self._note(
            ev.ReviewResolved(
                at=workflow.now(), item=asked.item, way=asked.way, by=asked.by, words=asked.words, field=asked.field,
                value=asked.value, to=asked.to,
            )
        )  # fmt: skip

    @update
    async def merge(self, asked: Merge) -> Answer:
        """Take in another lead, the same person; answered when that is done."""
        other = asked.other
        if other == self._state.lead:
            return self._no("itself", "name another lead")
        joining = ev.Joining(lead=other, by=asked.by or "a person", keep=asked.keep)
        await self._told(ev.MergeAsked(at=workflow.now(), id=asked.id, joining=joining, words=asked.words))
        await workflow.wait_condition(lambda: all(j.lead != other for j in self._state.joining) or bool(self._state.yielding))
        if other in self._state.absorbed:
            return Answer(allowed=True, version=self._state.version)
        why = next((d.why for d in self._state.doubts if d.lead == other), "it goes on as another lead")
        return self._no("not_merged", f"{why}; say with keep whose meeting stands" if "meeting" in why else why)

    @update
    async def keep_apart(self, asked: Apart) -> Answer:
        """The other lead is somebody else: both go on."""
        event = ev.KeptApart(at=workflow.now(), id=asked.id, lead=asked.other, by=asked.by or "a person", words=asked.words)
        return await self._note(event)

    @update
    async def yield_to(self, asked: YieldTo) -> dict[str, Any]:
        """Go into another lead, the same person, as soon as no call is under way; the state as it stands then. Refused
        (ApplicationError) as ``merged``, ``mutual`` or ``two_meetings``."""
        given = self._state
        if self._state.merged_into != asked.into:
            if refusal := story.unwilling(self._state, asked.into, asked.booked):
                raise ApplicationError(refusal[1], type=refusal[0], non_retryable=refusal[0] != "busy")
            await self._told(ev.Yielding(at=workflow.now(), into=asked.into))
            await workflow.wait_condition(lambda: self._quiet() and not self._inbox)
            given = self._state  # with all that is promised and open, which ends here and goes on there
            await self._told(ev.GoneInto(at=workflow.now(), into=asked.into, by=asked.by))
        return given.model_dump(mode="json")

    @yield_to.validator
    def _not_now(self, asked: YieldTo) -> None:
        """Turned away before it counts: who asks again under the same id is answered anew."""
        if self._state.merged_into != asked.into and (why := story.engaged(self._state, asked.into)):
            raise ApplicationError(why, type="busy")

    @update
    async def take_over(self, by: TakeOver) -> Answer:
        """A person takes over: the machine starts nothing more until ``release``. The answer's detail names who had it."""
        has = self._state.taken_over_by
        if by.only and has not in ("", by.by, "team", self._state.owner):
            return self._no("taken_already", f"{has} has this lead")
        answer = await self._note(ev.TakenOver(at=workflow.now(), id=by.id, by=by.by))
        return answer.model_copy(update={"detail": has}) if has not in ("", by.by, "team") else answer

    @update
    async def release(self, by: By) -> Answer:
        """Hand the lead back to the machine."""
        return await self._note(ev.Released(at=workflow.now(), id=by.id, by=by.by))

    @update
    async def hold(self, by: By) -> Answer:
        """Pause this lead until the signal ``resume``."""
        return await self._note(ev.Held(at=workflow.now(), by=by.by))

    @update
    async def confirm(self, by: By) -> Answer:
        """The lead confirmed the meeting."""
        if self._state.booking is None:
            return self._no("no_meeting", "there is no meeting to confirm")
        return await self._note(ev.MeetingConfirmed(at=workflow.now(), booking=self._state.booking.id, by=by.by))

    @update
    async def joined(self, click: Joined) -> Answer:
        """A person clicked through the join link: attendance, if it was inside the meeting's window."""
        meeting = next((b for b in (self._state.booking, self._state.missed) if b and b.id == click.booking), None)
        if meeting is None:
            return self._no("no_meeting", "this meeting was moved or cancelled")
        window = self._playbook.attendance
        if click.at < meeting.start - window.opens:
            return self._no("too_early", "the room is not open yet")
        if click.at > meeting.end + window.closes:
            return self._no("too_late", "the meeting is over")
        return await self._note(
            ev.AttendanceReported(at=click.at, booking=meeting.id, present=True, source="join_link")
        )

    @update
    async def attended(self, by: By) -> Answer:
        """The rep's mark: they came. It outranks the join link."""
        return await self._mark(by, True)

    @update
    async def no_show(self, by: By) -> Answer:
        """The rep's mark: they did not come."""
        return await self._mark(by, False)

    async def _mark(self, by: By, present: bool) -> Answer:
        known = [b for b in (self._state.booking, self._state.missed) if b and by.booking in ("", b.id)]
        if not known:
            return self._no("no_meeting", "there is no such meeting to mark; it may have been moved or cancelled")
        meeting = known[0]
        if workflow.now() < meeting.start - self._playbook.attendance.opens:
            return self._no("too_early", "the meeting is still ahead; cancel or move it instead")
        return await self._note(
            ev.AttendanceReported(at=workflow.now(), booking=meeting.id, present=present, source="rep", by=by.by)
        )

    @query
    def view(self) -> View:
        """The lead as people see it."""
        return view(self._state, self._playbook, self._step)

    @query
    def why(self) -> list[Entry]:
        """What happened and was decided since the record was last written."""
        return list(self._state.entries)


def _update_id() -> str:
    info = workflow.current_update_info()
    return info.id if info else str(workflow.uuid4())


def _set(key: SearchAttributeKey[str], value: str) -> SearchAttributeUpdate[str]:
    return key.value_set(value) if value else key.value_unset()
