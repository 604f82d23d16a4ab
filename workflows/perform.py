"""How each step is carried out: the activity, its limits, and the event that its outcome becomes.

Runs inside the workflow. A dial or a text is one attempt; what becomes of a lost answer is decided here once:
*cancelled before it started* and *never started in time* did not happen; a time-out after the start is ambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, CancelledError, TimeoutError, TimeoutType

from . import effects as fx
from . import events as ev
from . import heed, identity, mailing, permission, plan, routing, story, twins
from .brief import text_brief
from .lead import DueText, Lead
from .messages import DIAL_QUEUE
from .playbook import Playbook
from .refusals import purpose_of
from .timing import urgency
from .wording import asked, first_name, listed, render, spoken_time, written_time

_ONCE = RetryPolicy(maximum_attempts=1)
_PATIENT = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
_SWIFT = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2))

_UNHURRIED = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=30))
_NEWS = timedelta(days=1)
"""For this long an e-mail is tried again while the mail server is away or e-mail is paused."""

_REQUEST = timedelta(seconds=20)
"""Start-to-close of one effect: above the vendors' own time-out (SHOWRATE_TIMEOUT, 10 s by default)."""
_DIAL = timedelta(seconds=45)
"""Start-to-close of a dial: a busy process gets to it late, and a dial given up early is an ambiguous one."""
_THREAD = timedelta(seconds=90)
"""Start-to-close of an answer to a text: the model's turn, and what it asks of the lead meanwhile."""
_LINE = timedelta(seconds=6)
"""To find who takes a call now: they hear nothing meanwhile."""
_IN_CALL = timedelta(seconds=25)
"""Somebody waits on the line: after this the answer is "not now"."""


_UNCOUNTED = "dial-uncounted"
"""The patch since which a dial that never left leaves the lead as new as it was."""
_LONGEST_KEY = 64
"""Bytes that a fairness key may have."""

CARRIES_ON_AT = 2000
"""Events after which a quiet lead continues as new, well below the server's own suggestion (4,096)."""


def gate(state: Lead) -> fx.Gate:
    """Who is asked about at the moment of dispatch."""
    beside = tuple(dict.fromkeys((*state.beside, *(doubt.lead for doubt in state.doubts))))
    return fx.Gate(lead=state.lead, audience=state.audience, handles=state.handles, beside=beside)


def facts(state: Lead, playbook: Playbook, booking: ev.Booking | None, now: datetime) -> Mapping[str, str]:
    """What a template may say of this lead."""
    known = {
        "name": first_name(state.person.name) if state.person else "",
        "company": playbook.company.name,
        "agent": playbook.agent.name,
        "phone": playbook.company.phone,
        "asked": asked(playbook, state.person),
    }
    if state.offered:
        known["slots"] = listed([written_time(slot.start, state.zone) for slot in state.offered])
    if booking:
        known |= {"rep": booking.rep_name, "time": written_time(booking.start, state.zone),
                  "spoken_time": spoken_time(booking.start, state.zone, now)}  # fmt: skip
    return known


def failure(error: ActivityError) -> tuple[str, str]:
    """What an activity's failure means, and its words: ``cancelled`` and ``late`` never started; ``permanent``,
    ``ambiguous`` and ``retry`` are the activity's own verdict. Whatever gave no verdict is ambiguous: a time-out after
    the start, a worker that was stopped, a fault of ours after the carrier had taken the dial."""
    cause = error.cause
    if isinstance(cause, CancelledError):
        return "cancelled", "no_longer_wanted"
    if isinstance(cause, TimeoutError):
        if cause.type == TimeoutType.SCHEDULE_TO_START:
            return "late", "late"
        return "ambiguous", "no answer in time"
    if isinstance(cause, ApplicationError):
        known = {"permanent": "permanent", "retry": "retry", "retry_after": "retry"}
        return known.get(cause.type or "", "ambiguous"), cause.message
    return "ambiguous", type(cause).__name__


def _asked_wait(error: ActivityError) -> timedelta:
    """How long the vendor asks us to wait; nothing when it did not say."""
    cause = error.cause
    return (isinstance(cause, ApplicationError) and cause.next_retry_delay) or timedelta(0)


def start_dial(
    state: Lead, playbook: Playbook, step: plan.Dial, now: datetime, paced: bool
) -> workflow.ActivityHandle[fx.Dispatched]:
    """Who has just asked goes before all others (:func:`~workflows.timing.urgency`); no audience takes another's turns."""
    through = playbook.call.transfer
    longest = playbook.call.longest + (through.longest if through.ring else timedelta(0))
    return workflow.start_activity(
        fx.place_call,
        fx.PlaceCall(
            gate=gate(state), attempt=step.attempt, to=state.phone, ring=playbook.call.ring,
            longest=longest, not_after=step.not_after, playbook=state.playbook,
            contact=permission.contact(state, playbook, "call").for_dispatch,
            look=heed.look(state, playbook, now),
        ),
        task_queue=DIAL_QUEUE if paced else None,
        start_to_close_timeout=_DIAL,
        schedule_to_start_timeout=max(step.not_after - now, timedelta(seconds=1)),
        retry_policy=_ONCE,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        priority=Priority(priority_key=urgency(state, playbook, step.touch, now), fairness_key=state.audience[:_LONGEST_KEY]),
        summary=step.reason,
    )  # fmt: skip


async def dialled(
    handle: workflow.ActivityHandle[fx.Dispatched], step: plan.Dial
) -> ev.CallPlaced | ev.CallNotPlaced | ev.CallAmbiguous:
    """What became of the dial."""
    try:
        done = await handle
    except ActivityError as error:
        kind, words = failure(error)
        if kind == "ambiguous":
            return ev.CallAmbiguous(at=workflow.now(), attempt=step.attempt, error=words)
        return ev.CallNotPlaced(
            at=workflow.now(), attempt=step.attempt, why=words, permanent=kind == "permanent", wait=_asked_wait(error),
            uncounted=workflow.patched(_UNCOUNTED),
        )  # fmt: skip
    if done.refused:
        return ev.CallNotPlaced(
            at=workflow.now(), attempt=step.attempt, why=done.refused, held=done.refused.removeprefix("paused:")
            if done.refused.startswith("paused:") else "", refusal=done.refusal, known=done.known,
            uncounted=workflow.patched(_UNCOUNTED),
        )  # fmt: skip
    return ev.CallPlaced(at=workflow.now(), attempt=step.attempt, sid=done.sid, known=done.known)


def text_request(state: Lead, playbook: Playbook, step: plan.Text, now: datetime) -> fx.SendText:
    """The text as it is sent; only the links are filled later: to its meeting, or to free times once that is off."""
    booking = step.booking
    stands = booking if booking and state.booking and booking.id == state.booking.id else None
    known = facts(state, playbook, booking or state.missed, now)
    due = next((d for d in state.due_texts if d.key == step.touch), None)
    if due and due.page:
        known = {**known, "page": due.page}
    return fx.SendText(
        gate=gate(state), touch=step.touch, to=state.phone,
        body=step.body or render(playbook.messages[step.message], known),
        mail=mailing.mail(state, playbook, due, known, now) if due and "email" not in state.refuses else None,
        booking=stands.id if stands else "",
        expires=(stands.end if stands else now + playbook.meeting.window) + playbook.attendance.closes,
        not_after=step.not_after, playbook=state.playbook,
        contact=permission.contact(state, playbook, "text", purpose_of(step.touch)).for_dispatch,
    )  # fmt: skip


def start_text(request: fx.SendText, step: plan.Text, now: datetime) -> workflow.ActivityHandle[fx.Dispatched]:
    return workflow.start_activity(
        fx.send_text,
        request,
        start_to_close_timeout=_REQUEST,
        schedule_to_start_timeout=max(step.not_after - now, timedelta(seconds=1)),
        retry_policy=_ONCE,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=step.reason,
    )


async def texted(
    handle: workflow.ActivityHandle[fx.Dispatched], request: fx.SendText, step: plan.Text, settle: timedelta
) -> ev.TextSent | ev.TextNotSent | ev.TextAmbiguous:
    """What became of the text. After an ambiguous failure the carrier is read once things have settled; what it
    does not know is counted, and not sent again."""
    began = workflow.now()
    try:
        done = await handle
    except ActivityError as error:
        kind, words = failure(error)
        if kind != "ambiguous":
            return ev.TextNotSent(
                at=workflow.now(),
                touch=step.touch,
                message=step.message,
                why=words,
                permanent=kind == "permanent",
                wait=_asked_wait(error),
                mail=request.mail is not None,
            )
        await workflow.sleep(settle, summary="let the carrier settle")
        done = await workflow.execute_activity(
            fx.find_text, fx.FindText(text=request, since=began - timedelta(seconds=5)),
            start_to_close_timeout=_REQUEST, retry_policy=_PATIENT, summary="was it sent?",
        )  # fmt: skip
        if not done.sid:
            return ev.TextAmbiguous(
                at=workflow.now(), touch=step.touch, message=step.message, error=words, mail=request.mail is not None
            )
        if request.mail is not None:
            done = done.model_copy(update={"mail": "later"})  # whether it rode along, nobody knows; a repeat is harmless
    if done.refused:
        held = done.refused.removeprefix("paused:") if done.refused.startswith("paused:") else ""
        return ev.TextNotSent(
            at=workflow.now(), touch=step.touch, message=step.message, why=done.refused, held=held,
            refusal=done.refusal, purpose=purpose_of(step.touch), mail=request.mail is not None,
        )  # fmt: skip
    return ev.TextSent(
        at=workflow.now(), touch=step.touch, message=step.message, sid=done.sid, segments=done.segments, mail=done.mail
    )  # fmt: skip


def start_mail(state: Lead, playbook: Playbook, due: DueText) -> workflow.ActivityHandle[fx.Mailed] | None:
    """The message by e-mail alone, for as long as it is news; None when there is no such e-mail."""
    now = workflow.now()
    mail = mailing.mail(state, playbook, due, facts(state, playbook, due.booking or state.booking or state.missed, now), now)
    if mail is None:
        return None
    return workflow.start_activity(
        fx.send_mail, fx.SendMail(gate=gate(state), mail=mail, not_after=now + _NEWS),
        start_to_close_timeout=_REQUEST, schedule_to_close_timeout=_NEWS, retry_policy=_UNHURRIED,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED, summary=f"mail: {due.message}",
    )  # fmt: skip


async def mailed(handle: workflow.ActivityHandle[fx.Mailed] | None, due: DueText) -> ev.MailSent | ev.MailNotSent:
    """What became of the e-mail."""
    if handle is None:
        return ev.MailNotSent(at=workflow.now(), touch=due.key, message=due.message, why=story.NO_SERVER)
    try:
        done = await handle
    except ActivityError as error:
        return ev.MailNotSent(at=workflow.now(), touch=due.key, message=due.message, why=failure(error)[1])
    if done.refused:
        return ev.MailNotSent(at=workflow.now(), touch=due.key, message=due.message, why=done.refused)
    return ev.MailSent(at=workflow.now(), touch=due.key, message=due.message)


async def ask_carrier(state: Lead, step: plan.AskCarrier) -> ev.CallEnded | ev.CallPlaced | ev.CallUnknown:
    """The carrier's own word on a call that we lost sight of."""
    call = step.call
    found = await workflow.execute_activity(
        fx.find_call, fx.FindCall(attempt=call.attempt, to=state.phone, since=call.since - timedelta(minutes=2), sid=call.sid),
        start_to_close_timeout=_REQUEST, retry_policy=_PATIENT, summary="what became of the call?",
    )  # fmt: skip
    now = workflow.now()
    match found.status:
        case "completed" | "busy" | "no-answer" | "failed" | "canceled":
            return ev.CallEnded(
                at=now, attempt=call.attempt, sid=found.sid, status=found.status, answered_by=found.answered_by,
                seconds=found.seconds,
            )  # fmt: skip
        case "":
            return ev.CallUnknown(at=now, attempt=call.attempt)
        case _:
            return ev.CallPlaced(at=now, attempt=call.attempt, sid=found.sid, queued=found.status == "queued")


async def hang_up(step: plan.Hangup) -> ev.CallCancelled:
    await workflow.execute_activity(
        fx.end_call, fx.EndCall(sid=step.call.sid, say=step.say),
        start_to_close_timeout=_REQUEST, retry_policy=_SWIFT, summary=step.reason,
    )  # fmt: skip
    return ev.CallCancelled(at=workflow.now(), attempt=step.call.attempt)


async def converse(state: Lead, playbook: Playbook, step: plan.Converse) -> ev.TextAnswered:
    """What to write back. When there was no answer in time, a person is told."""
    message = step.messages[-1]
    request = fx.Converse(
        brief=text_brief(state, message, step.channel), thread=state.thread.lines, text=step.text, message=message, now=workflow.now()
    )  # fmt: skip
    try:
        done = await workflow.execute_activity(
            fx.converse, request, start_to_close_timeout=_THREAD, schedule_to_close_timeout=_THREAD * 2,
            retry_policy=_SWIFT, summary=step.reason,
        )  # fmt: skip
    except ActivityError as error:
        return ev.TextAnswered(at=workflow.now(), messages=step.messages, why=failure(error)[1])
    return ev.TextAnswered(
        at=workflow.now(), messages=step.messages, reply=in_a_thread(state, playbook, done.reply), node=done.node,
        asked=done.asked, told=done.told, verdicts=done.verdicts, tokens_in=done.tokens_in, tokens_out=done.tokens_out,
    )  # fmt: skip


def in_a_thread(state: Lead, playbook: Playbook, reply: str) -> str:
    """``reply`` as it is sent: the first of a thread says who writes, and that it is a machine."""
    if not reply or any(line.who == "agent" for line in state.thread.lines):
        return reply
    return f"{render(playbook.speech.disclosure, facts(state, playbook, None, workflow.now()))} {reply}"


async def find_times(state: Lead, playbook: Playbook, step: plan.FindTimes) -> ev.SlotsFound:
    """Times to offer. A calendar that cannot be read in time offers nothing and says so."""
    asked = step.request.action
    assert isinstance(asked, ev.OfferSlots)
    request = fx.FindSlots(
        lead=state.lead, team=playbook.team, playbook=state.playbook, now=workflow.now(), zone=asked.zone or state.zone,
        owner=state.owner, rep=state.booking.rep if state.booking else "", count=asked.count or playbook.meeting.offers,
        not_before=asked.not_before, not_after=asked.not_after, part=asked.part,
        exclude=tuple(dict.fromkeys((*state.refused, *asked.refused))),
        ignore=state.booking.id if state.booking else "",
        facts=routing.facts(playbook, state.person, state.learned),
    )  # fmt: skip
    try:
        found = await workflow.execute_activity(
            fx.find_slots, request, start_to_close_timeout=_REQUEST, schedule_to_close_timeout=_IN_CALL,
            retry_policy=_SWIFT, summary=step.reason,
        )  # fmt: skip
    except ActivityError as error:
        return ev.SlotsFound(
            at=workflow.now(), request=step.request.id, why=f"calendar unreachable: {failure(error)[1]}"
        )
    return ev.SlotsFound(at=workflow.now(), request=step.request.id, slots=found.slots, why=found.why)


async def find_line(state: Lead, playbook: Playbook, step: plan.FindLine) -> ev.LineFound:
    """Who takes the call now. They wait on the line: no answer in time is nobody."""
    request = fx.FindLine(team=playbook.team, owner=state.owner, now=workflow.now())
    try:
        found = await workflow.execute_activity(
            fx.find_line, request, start_to_close_timeout=_REQUEST, schedule_to_close_timeout=_LINE, retry_policy=_SWIFT,
            summary=step.reason,
        )  # fmt: skip
    except ActivityError as error:
        return ev.LineFound(at=workflow.now(), request=step.request.id, why=f"the team does not answer: {failure(error)[0]}")
    return ev.LineFound(
        at=workflow.now(), request=step.request.id, rep=found.rep, name=found.name, phone=found.phone, why=found.why
    )


async def another_rep(state: Lead, playbook: Playbook, booking: ev.Booking) -> tuple[ev.Slot | None, str]:
    """Who else can take the meeting at its time; None with the reason when nobody can."""
    request = fx.FindSlots(
        lead=state.lead, team=playbook.team, playbook=state.playbook, now=workflow.now(), zone=state.zone, count=1,
        not_before=booking.start, not_after=booking.start, ignore=booking.id,
        facts=routing.facts(playbook, state.person, state.learned),
    )  # fmt: skip
    try:
        found = await workflow.execute_activity(
            fx.find_slots, request, start_to_close_timeout=_REQUEST, schedule_to_close_timeout=_THREAD,
            retry_policy=_SWIFT, summary="who else is free then?",
        )  # fmt: skip
    except ActivityError as error:
        return None, f"calendar unreachable: {failure(error)[1]}"
    return next(
        (slot for slot in found.slots if slot.rep != booking.rep), None
    ), found.why or "nobody else is free then"


def booking_request(state: Lead, playbook: Playbook, slot: ev.Slot, adopt: str = "", nearest: int = 0) -> fx.BookMeeting:
    """The transaction's input, under a booking id of its own: a resumed one is recognised by it. ``adopt`` is the event
    that stands there already; of so many free times ``nearest`` to the slot a refusal is to tell."""
    person = state.person or ev.Form(submission_id="")
    notes = [f"{f.field.replace('_', ' ')}: {f.value}" for f in state.learned.values()]
    return fx.BookMeeting(
        lead=state.lead, team=playbook.team, playbook=state.playbook,
        booking=identity.booking_id(state.lead, workflow.uuid4().hex[:8]), slot=slot, now=workflow.now(),
        title=f"{playbook.meeting.name}: {person.name or 'guest'}" + (f" ({person.company})" if person.company else ""),
        notes="\n".join(filter(None, [person.message, *notes])), attendee=person.email, attendee_name=person.name,
        zone=state.zone, owner=state.owner, replaces=state.booking,
        facts=routing.facts(playbook, state.person, state.learned), adopt=adopt, nearest=nearest,
    )  # fmt: skip


async def book(request: fx.BookMeeting, step: plan.MakeBooking | plan.Rehome | plan.Adopt) -> fx.Booked | None:
    """The booking, or why not. None: nobody knows how far it came; it has to be released."""
    try:
        return await workflow.execute_activity(
            fx.book_meeting,
            request,
            start_to_close_timeout=_REQUEST,
            schedule_to_close_timeout=_IN_CALL,
            retry_policy=_SWIFT,
            summary=step.reason,
        )
    except ActivityError:
        return None


async def release(team: str, booking: ev.Booking, why: str, keep_event: bool = False) -> None:
    """Take a meeting out of calendar (unless ``keep_event``) and ledger, however long it takes."""
    await workflow.execute_activity(
        fx.release_meeting,
        fx.ReleaseMeeting(team=team, booking=booking, now=workflow.now(), why=why, keep_event=keep_event),
        start_to_close_timeout=_REQUEST * 2, retry_policy=_PATIENT, summary=f"release: {why}",
    )  # fmt: skip


async def keep_opt_out(state: Lead) -> ev.OptOutKept:
    await workflow.execute_activity(
        fx.keep_opt_out,
        fx.KeepOptOut(
            handles=state.handles, lead=state.lead, channel="lead", at=state.opted_out_at or workflow.now(),
            words=state.opt_out_words, addresses=tuple(sorted(story.addresses(state))),
        ),
        start_to_close_timeout=_REQUEST, retry_policy=_SWIFT, summary="keep the opt-out",
    )  # fmt: skip
    return ev.OptOutKept(at=workflow.now())


async def reflect(request: fx.Reflection) -> ev.Reflected:
    try:
        done = await workflow.execute_activity(
            fx.reflect, request, start_to_close_timeout=timedelta(seconds=60), retry_policy=_PATIENT,
            summary=f"record, CRM, reps: {request.stage}",
        )  # fmt: skip
    except ActivityError as error:
        return ev.Reflected(
            at=workflow.now(), version=request.version, stage=request.stage, failed=(failure(error)[1],)
        )
    return ev.Reflected(
        at=workflow.now(),
        version=request.version,
        stage=request.stage,
        rotated="rotation" in request.parts,
        owner=done.owner,
        failed=done.failed,
        meets=done.meets,
        crm_contact=done.contact,
        known=done.known,
        conflicts=done.conflicts,
        left_out=done.left_out,
    )


async def find_twins(state: Lead) -> ev.TwinsLooked:
    """Whether the leads are there for whose sake this one does nothing."""
    found = await workflow.execute_activity(
        fx.find_twins, fx.FindTwins(leads=twins.looked_for(state)), start_to_close_timeout=_REQUEST,
        retry_policy=_PATIENT, summary="is the other lead still there?",
    )  # fmt: skip
    return ev.TwinsLooked(at=workflow.now(), gone=found.gone, moved=found.moved)


async def take_in(state: Lead, joining: ev.Joining) -> ev.TookIn | ev.NotTakenIn:
    """The lead of the same person as it stood when it went into this one, however long its call takes."""
    booked = story.pending(state) is not None and not joining.keep
    try:
        done = await workflow.execute_activity(
            fx.take_in, fx.TakeIn(lead=state.lead, other=joining.lead, by=joining.by, booked=booked),
            start_to_close_timeout=_THREAD, retry_policy=_PATIENT, summary="two leads of one person",
        )  # fmt: skip
    except ActivityError as error:
        return ev.NotTakenIn(at=workflow.now(), lead=joining.lead, why=failure(error)[1])
    if done.refused:
        why = {"mutual": "", "two_meetings": "both have a meeting"}.get(done.refused, done.refused)
        return ev.NotTakenIn(at=workflow.now(), lead=joining.lead, why=why)
    taken = joining.model_copy(update={"lead": done.other})
    return ev.TookIn(at=workflow.now(), joining=taken, asked=joining.lead, state=done.state)
