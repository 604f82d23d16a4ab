"""What happens to our texts, and the texts that come in."""

from __future__ import annotations

from .. import events as ev
from .. import refusals, review
from ..attending import confirms, only_confirms
from ..cadence import REFUSED
from ..calling import Refusal
from ..lead import DueText, Lead, Thread, Unanswered
from ..messages import Touched
from ..reading import is_confirmation, is_opt_in, is_opt_out, may_opt_out
from . import attendance, cadence, mails, marks, suspension
from .calls import call_learned

REPLY = "reply"
"""The message that answers what they wrote."""
NO_SERVER = "no_mail_server"
"""Not a refusal: there is no e-mail here at all."""
_MOST_UNANSWERED = 10
_LONGEST_TEXT = 1600
"""Characters of one text that are answered, and of one reply: what a carrier takes in one message."""
_LONGEST_MAIL = 4000
"""Characters of one e-mail that are answered."""
_LONGEST_REPLY = 1500
_MOST_LINES = 20
_LONGEST_LINE = 300
"""What is kept of a thread: it travels with each of its texts."""


def _made(state: Lead, event: ev.TextSent | ev.TextNotSent | ev.TextAmbiguous, outcome: str, sid: str = "") -> Lead:
    """A text went out, or is counted as if it had."""
    touched = Touched(
        attempt=event.touch,
        touch=event.message or event.touch,
        channel="text",
        at=event.at,
        outcome=outcome,
        sid=sid,
    )
    state = state.but(
        touches=(*state.touches, touched), due_texts=tuple(d for d in state.due_texts if d.key != event.touch),
        reminded=(*state.reminded, event.touch) if event.touch.startswith("reminder/") else state.reminded,
    )  # fmt: skip
    if event.touch.startswith("cadence/"):
        return marks.advance(state, event.touch, event.at)
    return state.but(failures=0, last_touch_at=event.at)


def text_sent(state: Lead, event: ev.TextSent) -> Lead:
    alone = _by_mail_alone(state, event.touch) if event.mail == "later" else ()
    state = refusals.lifted(_made(state, event, "sent", event.sid), "text").but(due_mails=(*state.due_mails, *alone))
    mailed = " and mailed" if event.mail == "sent" else ""
    state = marks.note(
        state,
        event.at,
        "text_sent",
        f"texted{mailed}: {event.message.replace('_', ' ')}",
        touch=event.touch,
        sid=event.sid,
        segments=event.segments,
    )
    return state if event.mail in ("", "sent", "later") else _not_mailed(state, event, event.mail)


def _by_mail_alone(state: Lead, touch: str) -> tuple[DueText, ...]:
    """The due message of this touch with the meeting that it speaks of, to go out by e-mail."""
    due = next((d for d in state.due_texts if d.key == touch), None)
    return (due.model_copy(update={"booking": due.booking or state.booking}),) if due else ()


def _not_mailed(state: Lead, event: ev.TextSent | ev.MailNotSent, why: str) -> Lead:
    if why == "opted_out":
        return marks.opt_out(state, event.at, "", kept=True)
    if why in (NO_SERVER, REFUSED):
        return state
    state = marks.note(state, event.at, "not_mailed", f"not mailed: {refusals.held(why)}", why, touch=event.touch)
    return review.file(state, "not_mailed", event.at, event.touch, f"{event.message}: {why}")


def mail_sent(state: Lead, event: ev.MailSent) -> Lead:
    state = state.but(due_mails=tuple(d for d in state.due_mails if d.key != event.touch))
    state = marks.touch(state, event.touch, "email", outcome="sent")
    said = f"mailed: {event.message.replace('_', ' ')}"
    return marks.note(state, event.at, "mail_sent", said, touch=event.touch)


def mail_not_sent(state: Lead, event: ev.MailNotSent) -> Lead:
    if event.why == "no_longer_wanted":  # called off: what is due still waits until it may go out
        return state
    due = next((d for d in state.due_mails if d.key == event.touch), None)
    state = state.but(due_mails=tuple(d for d in state.due_mails if d.key != event.touch))
    state = marks.touch(state, event.touch, "email", outcome=f"not sent: {event.why}")
    if due and due.post and event.why != "opted_out":
        return _for_a_person(state, event.touch, f"We could not answer: {due.body}", event.why.replace("_", " "), "e-mailed")
    return _not_mailed(state, event, event.why)


def text_not_sent(state: Lead, event: ev.TextNotSent) -> Lead:
    why = refusals.told(event.refusal) if event.refusal else refusals.held(event.why)
    state = marks.note(state, event.at, "not_texted", f"not texted: {why}", event.why, touch=event.touch)
    if event.why == "opted_out":
        return marks.opt_out(state, event.at, "", kept=True)
    if event.held:
        return state.but(held_scope=event.held)
    if event.refusal and event.why != refusals.OURS:
        return _refused(state, event, event.refusal)
    if event.permanent:
        return _never(state, event)
    return state if event.why == "no_longer_wanted" else marks.later(state, event.at, event.wait)


def _never(state: Lead, event: ev.TextNotSent) -> Lead:
    """It will not be sent: what was to go with it by e-mail goes alone."""
    alone = _by_mail_alone(state, event.touch) if event.mail else ()
    return _made(state, event, f"not sent: {event.why}").but(due_mails=(*state.due_mails, *alone))


def _refused(state: Lead, event: ev.TextNotSent, refusal: Refusal) -> Lead:
    """A text of the cadence or a reminder waits until the rule lets go of it; any that has to wait for good, and an answer
    to what they just did, goes the way of one that cannot be sent."""
    state = refusals.barred(state, event.at, "text", event.purpose, refusal)
    if event.purpose == "answer" or state.bars[-1].until is None:
        return _never(state, event)
    return state


def text_ambiguous(state: Lead, event: ev.TextAmbiguous) -> Lead:
    alone = _by_mail_alone(state, event.touch) if event.mail else ()
    state = _made(state, event, "ambiguous").but(due_mails=(*state.due_mails, *alone))
    state = review.file(state, "ambiguous_text", event.at, event.touch, event.message)
    return marks.note(
        state, event.at, "ambiguous", "nobody knows whether this text went out; it is not sent again", "ambiguous",
        touch=event.touch,
    )  # fmt: skip


def text_failed(state: Lead, event: ev.TextFailed) -> Lead:
    state = marks.touch(state, event.touch, "text", outcome=f"failed: {event.code}")
    state = marks.note(state, event.at, "text_failed", f"text not delivered ({event.code})", touch=event.touch)
    if not event.touch.startswith("due/"):
        return state
    return review.file(state, "text_failed", event.at, event.touch, f"carrier's code {event.code}" if event.code else "")


def message_received(state: Lead, event: ev.MessageReceived) -> Lead:
    if state.person is None:
        return state
    post = event.post
    state = marks.note(state, event.at, "message", "e-mailed us" if post else "texted us", chars=len(event.text))
    if post and not mails.theirs(state, post):
        return mails.from_another(state, event, post)
    if is_opt_out(event.text, spoken=post is not None):
        return marks.opt_out(state, event.at, event.text)
    if may_opt_out(event.text, spoken=post is not None):
        return suspension.suspend(state, event.at, event.text)
    if is_opt_in(event.text):
        state = suspension.opt_in(state, event.at, event.text)
    state = marks.reach(state, "contacted", event.at).but(texted_back=True, wrote_at=event.at)
    state = cadence.heard(state, event.at, [event.text])
    if state.booking and not state.unknown and not state.unanswered and not state.offered and confirms(event.text):
        state = _says_yes(state, state.booking, event)
        if only_confirms(event.text):
            return state
    if event.id and event.text.strip() and _machine_answers(state, event):
        waits = Unanswered(id=event.id, text=event.text[: _LONGEST_MAIL if post else _LONGEST_TEXT], at=event.at, post=post)
        return state.but(unanswered=(*state.unanswered, waits)[-_MOST_UNANSWERED:])
    return _for_a_person(state, event.id or str(state.version), event.text, by="e-mailed" if post else "texted")


def _says_yes(state: Lead, meeting: ev.Booking, event: ev.MessageReceived) -> Lead:
    """A yes before the meeting confirms it; one after it has begun answers whether they can join."""
    if event.at >= meeting.start:
        return attendance.told_of(state, event.at, ev.Attend(how="soon", words=event.text))
    state = marks.reach(state, "confirmed", event.at)
    return marks.note(state, event.at, "confirmed", f"confirmed the meeting by {'e-mail' if event.post else 'text'}")


def _machine_answers(state: Lead, event: ev.MessageReceived) -> bool:
    """Not where a person has the lead or a pause holds it, and not on what only takes an opt-out back."""
    kept_off = state.closed or state.opted_out_at or state.suspended_at or state.taken_over_by or state.held_by or state.held_scope
    only_opt_in = is_opt_in(event.text) and not is_confirmation(event.text)
    reachable = not mails.in_circles(state, event.at) if event.post else bool(state.phone)
    return reachable and not kept_off and not only_opt_in


def _for_a_person(state: Lead, key: str, text: str, why: str = "", by: str = "texted") -> Lead:
    name = marks.name(state) or "A lead"
    return marks.card(state, f"text:{key}", f"{name} {by}", f"“{text[:500]}”", why, acts=("take-over",))


def text_answered(state: Lead, event: ev.TextAnswered) -> Lead:
    answered = tuple(u for u in state.unanswered if u.id in event.messages)
    if not answered:
        return state
    state = state.but(unanswered=tuple(u for u in state.unanswered if u.id not in event.messages))
    for told in event.told:
        state = call_learned(state, told)
    said = [ev.Line(who="lead", text=u.text[:_LONGEST_LINE], at=u.at) for u in answered]
    if event.reply:
        said.append(ev.Line(who="agent", text=event.reply[:_LONGEST_LINE], at=event.at))
    lines = (*state.thread.lines, *said)[-_MOST_LINES:]
    state = state.but(thread=Thread(lines=lines, node=event.node or state.thread.node, asked=event.asked))
    for verdict in event.verdicts:
        if not verdict.allowed:
            what = f"not done by {'e-mail' if answered[-1].post else 'text'}: {verdict.action.replace('_', ' ')}"
            state = marks.note(state, event.at, "denied", what, verdict.rule, detail=verdict.detail)
    key, post = answered[-1].id, answered[-1].post
    what = "e-mail" if post else "text"
    if event.why:
        state = marks.note(state, event.at, "not_answered", f"{'an' if post else 'a'} {what} of theirs waits for a person", event.why, verdicts=event.verdicts)
        words = "\n".join(u.text for u in answered)
        return _for_a_person(state, key, words, event.why.replace("_", " "), "e-mailed" if post else "texted")
    state = marks.note(
        state, event.at, "answered", f"answered their {what}" if event.reply else f"nothing to answer to their {what}",
        node=event.node, tokens_in=event.tokens_in, tokens_out=event.tokens_out, verdicts=event.verdicts,
    )  # fmt: skip
    if not event.reply or state.opted_out_at:
        return state
    reply = DueText(key=f"due/reply/{key}", message=REPLY, body=event.reply[:_LONGEST_REPLY], post=post)
    if post:
        return state.but(due_mails=(*state.due_mails, reply))
    return state.but(due_texts=(*state.due_texts, reply))
