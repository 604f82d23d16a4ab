"""The lead's own pages behind signed links: join the meeting, confirm it, find or change its time, call it off, or stop
all contact.

Whatever fetches a link (a preview, a scanner, a prefetch) sends GET, which shows and proves nothing. Only the POST of
a button is a person.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from temporalio.service import RPCError

from activities import gate, links
from activities.links import BadLink, Link
from activities.settings import settings
from workflows.events import Book, Booking, OfferSlots, Slot
from workflows.messages import Act, Answer, By, Joined, View
from workflows.playbook import Playbook, registered

from .leads import Refused, Unknown, Unreachable, connected, update, view
from .render import render

log = logging.getLogger(__name__)

NOTE_WITHIN = 4.0
"""Seconds that somebody who clicked Join waits for the lead to take note before the room opens anyway."""
NOTE_TRIES = 30
NOTE_PAUSE = 10.0
"""Seconds between the tries that follow in the background."""

TIMES = 6
"""Times shown to choose from."""
_NOT_NOW = "We could not note that just now. Please try again in a minute."
_WHY_NOT = {
    "moved_too_often": "This meeting was moved several times already. Please call us, and we find a time together.",
    "showed_already": "You have met already. Answer our last text if you want to meet again.",
    "opted_out": "You asked us not to contact you, so we book nothing. Call us whenever you want to.",
}

_noting: set[asyncio.Task[None]] = set()


async def join(request: Request) -> Response:
    """GET shows the meeting; POST is the person's click: it is told to the lead and opens the room."""
    try:
        link = _link(request, "join")
    except BadLink as error:
        return _bad(error)
    if request.method == "POST":
        return await _enter(request, link)
    seen = await _seen(request, link)
    if seen and not _meeting(seen, link):
        return _no_meeting(seen, link)
    return _show("join", seen, link)


async def _enter(request: Request, link: Link) -> Response:
    clicked = Joined(booking=link.booking, at=datetime.now(UTC))
    try:
        answer = await _tell_joined(request, link, clicked, NOTE_WITHIN)
    except (Unknown, Unreachable):
        task = asyncio.create_task(_tell_later(request, link, clicked))
        _noting.add(task)
        task.add_done_callback(_noting.discard)
    except Refused as error:
        log.warning("%s did not take a join: %s", link.lead, error)
    else:
        if not answer.allowed:
            return await _too_early(request, link, answer)
    return RedirectResponse(_room(request, link), 303)


async def _tell_joined(request: Request, link: Link, clicked: Joined, within: float) -> Answer:
    """The update's id holds the instant: a click before the room opens must not swallow the one that counts."""
    return await update(
        request.app.state.temporal,
        link.lead,
        "joined",
        clicked,
        request_id=f"joined:{clicked.booking}:{clicked.at.timestamp():.3f}",
        result=Answer,
        within=within,
    )


async def _tell_later(request: Request, link: Link, clicked: Joined) -> None:
    """Nobody is kept out of a meeting because the lead is slow to note it; the click keeps its instant."""
    for _ in range(NOTE_TRIES):
        await asyncio.sleep(NOTE_PAUSE)
        try:
            await _tell_joined(request, link, clicked, NOTE_PAUSE)
        except (Unreachable, Refused):
            continue
        except Unknown:
            break
        return
    log.error("a join of %s could not be noted", link.lead)


async def _too_early(request: Request, link: Link, answer: Answer) -> Response:
    seen = await _seen(request, link)
    if seen and not _meeting(seen, link):
        return _no_meeting(seen, link)
    return _show("join", seen, link, status=409, refusal=_opens(seen, link) or answer.detail or "It is not open now.")


def _opens(seen: View | None, link: Link) -> str:
    meeting = _meeting(seen, link) if seen else None
    book = _playbook(seen)
    if not meeting or not book:
        return ""
    now = datetime.now(UTC)
    if now < meeting.start - book.attendance.opens:
        return f"The room opens {_length(book.attendance.opens)} before the start. Please come back then."
    return "This meeting is over." if now > meeting.end + book.attendance.closes else ""


def _length(length: timedelta) -> str:
    minutes = length.total_seconds() / 60
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{length.total_seconds():.0f} seconds"


async def room(request: Request) -> Response:
    """Our own waiting room, for installations that name no other; where Join leads."""
    try:
        link = _link(request, "join")
    except BadLink as error:
        return _bad(error)
    seen = await _seen(request, link)
    return _show("room", seen, link)


async def manage(request: Request) -> Response:
    """GET shows the meeting and what can be done; POST confirms it, finds times and books or moves it, or calls it off
    after asking once more. A link that is for no one meeting books the first, through the same ledger."""
    try:
        link = _link(request, "manage")
    except BadLink as error:
        return _bad(error)
    seen = await _seen(request, link)
    if seen and not _meeting(seen, link) and (link.booking or _over(seen)):
        return _no_meeting(seen, link)
    if request.method == "GET":
        return _show("manage", seen, link)
    form = await request.form(max_files=0, max_fields=20)
    wish = str(form.get("wish", ""))
    if wish == "cancel":
        return _show("manage", seen, link, asking=True)
    if wish == "times" and seen:
        return await _times(request, link, seen, str(form.get("day", "")))
    if wish == "book" and seen:
        return await _book(request, link, seen, str(form.get("slot", ""))[:200])
    if wish not in ("confirm", "cancel-surely"):
        return _show("manage", seen, link, status=400 if seen else 503)
    return await _carry_out(request, link, seen, wish, str(form.get("words", ""))[:500])


def _over(seen: View) -> bool:
    """Whether nothing is to be booked any more."""
    return seen.opted_out or seen.stage == "showed"


async def _times(request: Request, link: Link, seen: View, day: str = "", refusal: str = "") -> Response:
    """Free times to choose from, on ``day`` of the lead's calendar if one is named. Only a person's tap comes here."""
    wish = OfferSlots(count=TIMES)
    if day:
        try:
            midnight = datetime.combine(date.fromisoformat(day), time(0), ZoneInfo(seen.zone or "UTC"))
        except ValueError:
            return _show("manage", seen, link, status=400, refusal="Please name the day as your calendar shows it.")
        wish = OfferSlots(count=TIMES, not_before=midnight, not_after=midnight + timedelta(days=1))
    asked_at = datetime.now(UTC)
    answer = await _act(request, link, f"times:{asked_at.timestamp():.3f}", wish)
    if answer is None:
        return _show("manage", seen, link, status=503, refusal=_NOT_NOW)
    if not answer.slots and (why := _WHY_NOT.get(answer.rule, "")):
        return _show("manage", seen, link, status=409, refusal=why)
    status = 409 if refusal else 200
    return _show("manage", seen, link, status=status, refusal=refusal, times=answer.slots, choosing=True, day=day)


async def _book(request: Request, link: Link, seen: View, slot: str) -> Response:
    """Book the chosen time, or move the meeting there; the ledger's word decides. A tap that is repeated changes
    nothing, and a time that is gone is answered with those that are left."""
    if seen.booking and _is_at(seen.booking, slot):
        return _show("manage", seen, link.model_copy(update={"booking": seen.booking.id}), done="book")
    standing = seen.booking.id if seen.booking else ""
    answer = await _act(request, link, f"page:{standing}:{slot}", Book(slot=slot))
    if answer is None:
        return _show("manage", seen, link, status=503, refusal=_NOT_NOW)
    if answer.booking is None:
        if why := _WHY_NOT.get(answer.rule, ""):
            return _show("manage", seen, link, status=409, refusal=why)
        return await _times(request, link, seen, refusal="That time has just gone. These are free:")
    booked = seen.model_copy(update={"booking": answer.booking, "stage": "rescheduled" if standing else "booked"})
    fresh = link.model_copy(update={"booking": answer.booking.id})
    return _show("manage", booked, fresh, done="move" if standing else "book")


def _is_at(booking: Booking, slot: str) -> bool:
    """Whether ``booking`` is what ``slot`` (``rep@start``) names: the tap came twice."""
    rep, _, start = slot.partition("@")
    try:
        return (rep, datetime.fromisoformat(start)) == (booking.rep, booking.start)
    except ValueError:
        return False


async def _act(request: Request, link: Link, request_id: str, action: OfferSlots | Book) -> Answer | None:
    """The lead's answer to what its person asks on the page; None when there was none in time."""
    asked = Act(id=request_id, action=action, at=datetime.now(UTC), by="lead")
    try:
        return await update(
            request.app.state.temporal, link.lead, "act", asked, request_id=request_id[:200], result=Answer
        )
    except (Unknown, Unreachable, Refused) as error:
        log.warning("a wish of %s from its page failed: %s", link.lead, type(error).__name__)
        return None


async def _carry_out(request: Request, link: Link, seen: View | None, wish: str, words: str) -> Response:
    name = "confirm" if wish == "confirm" else "cancel"
    meeting = _meeting(seen, link) if seen else None
    booking = meeting.id if meeting else link.booking
    request_id = f"{name}:{booking}"
    try:
        answer = await update(
            request.app.state.temporal,
            link.lead,
            name,
            By(by="lead", words=words, id=request_id),
            request_id=request_id,
            result=Answer,
        )
    except (Unknown, Unreachable, Refused) as error:
        log.warning("%s of %s from the page failed: %s", name, link.lead, type(error).__name__)
        return _show("manage", seen, link, status=503, refusal=_NOT_NOW)
    if not answer.allowed:
        refusal = answer.detail or "That is not possible any more."
        return _show("manage", seen, link, status=409, refusal=refusal)
    return _show("manage", seen, link, done=name)


async def stop(request: Request) -> Response:
    """GET asks; POST, of the button or of the mail program's own (RFC 8058), ends all contact over every channel. It is
    durable before it is answered, whether or not the lead itself can answer now."""
    try:
        link = _link(request, "stop")
    except BadLink as error:
        return _bad(error)
    seen = await _seen(request, link)
    if request.method == "GET":
        return _stop_page(seen, done=bool(seen and seen.opted_out))
    now, words = datetime.now(UTC), "stopped all contact by the link in an e-mail"
    try:
        handles = gate.handles(link.lead, seen.person if seen else None)
        client = connected(request.app.state.temporal)
        await gate.start_opt_out(client, handles, link.lead, "email", now, words)
    except (Unreachable, RPCError) as error:
        log.warning("an opt-out of %s from its page could not be kept: %s", link.lead, type(error).__name__)
        return _stop_page(seen, status=503, refusal=_NOT_NOW)
    try:
        told = By(by="lead", words=words, id=f"stop:{link.lead}")
        await update(client, link.lead, "opt_out", told, request_id=told.id, result=Answer, within=NOTE_WITHIN)
    except (Unknown, Unreachable, Refused) as error:
        log.info("%s hears of its opt-out when it next asks: %s", link.lead, type(error).__name__)
    return _stop_page(seen, done=True)


def _stop_page(seen: View | None, *, status: int = 200, refusal: str = "", done: bool = False) -> Response:
    book = _playbook(seen)
    response = render(
        "stop",
        status,
        title="Stop all contact",
        company=book.company.name if book else "",
        meeting=seen.booking if seen else None,
        refusal=refusal,
        done=done,
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


# ---- what the pages share --------------------------------------------------------------------------------------


def _link(request: Request, kind: str) -> Link:
    link = links.read(request.path_params["token"])
    if link.kind != kind:
        raise BadLink("unreadable")
    return link


async def _seen(request: Request, link: Link) -> View | None:
    """The lead as it is now; None when it cannot say: the page then shows what the link itself knows."""
    try:
        return await view(request.app.state.temporal, link.lead)
    except (Unknown, Unreachable) as error:
        log.info("%s could not be read for its page: %s", link.lead, type(error).__name__)
        return None


def _meeting(seen: View, link: Link) -> Booking | None:
    """The meeting that the link is for; a link without one is for whatever is booked. Who joins late may count as
    absent already, and can still come in: to join, a missed meeting is one too."""
    if seen.booking and link.booking in ("", seen.booking.id):
        return seen.booking
    missed = seen.missed if link.kind == "join" else None
    return missed if missed and missed.id == link.booking else None


def _playbook(seen: View | None) -> Playbook | None:
    return registered().get(seen.playbook) if seen else None


def _show(
    name: str,
    seen: View | None,
    link: Link,
    *,
    status: int = 200,
    refusal: str = "",
    asking: bool = False,
    done: str = "",
    times: tuple[Slot, ...] = (),
    choosing: bool = False,
    day: str = "",
) -> Response:
    book = _playbook(seen)
    response = render(
        name,
        status,
        title=book.meeting.name if book else "Your meeting",
        company=book.company.name if book else "",
        phone=book.company.phone if book else "",
        agent=book.agent.name if book else "",
        meeting=_meeting(seen, link) if seen else None,
        unknown=seen is None,
        zone=(seen.zone if seen else "") or "UTC",
        confirmed=bool(seen and seen.stage in ("confirmed", "showed")),
        refusal=refusal,
        asking=asking,
        done=done,
        times=_by_day(times, (seen.zone if seen else "") or "UTC"),
        choosing=choosing,
        day=day,
    )
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is a key
    return response


def _by_day(times: tuple[Slot, ...], zone: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """The times for choosing: each day in words, with (slot id, time in words)."""
    days: dict[str, list[tuple[str, str]]] = {}
    for slot in times:
        local = slot.start.astimezone(ZoneInfo(zone))
        time = f"{local:%I:%M:%S %p}" if local.second else f"{local:%I:%M %p}"
        days.setdefault(f"{local:%A, %B} {local.day}", []).append((slot.id, time.lstrip("0")))
    return list(days.items())


def _no_meeting(seen: View, link: Link) -> Response:
    """The link's meeting was moved, called off or held already."""
    book = _playbook(seen)
    moved = seen.booking
    address = ""
    if moved:
        make = links.join_link if link.kind == "join" else links.manage_link
        address = make(seen.lead, moved.id, max(link.expires, moved.end + timedelta(hours=1)))
    response = render(
        "moved",
        200 if moved else 410,
        company=book.company.name if book else "",
        phone=book.company.phone if book else "",
        meeting=moved,
        zone=seen.zone or "UTC",
        address=address,
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _bad(error: BadLink) -> Response:
    if error.reason == "expired":
        text = "Links live until shortly after the meeting. If you still want to talk to us, answer our last text."
        return render("notice", 410, title="This link has expired", text=text, back="")
    text = "It may have been cut off when it was copied. Please open it again from the text that we sent you."
    return render("notice", 404, title="This link is not complete", text=text, back="")


def _room(request: Request, link: Link) -> str:
    elsewhere = settings().showrate_room_url
    if not elsewhere:
        return f"/room/{request.path_params['token']}"
    rep = link.booking.rpartition("@")[0] if "@" in link.booking else ""
    return elsewhere.replace("{booking}", quote(link.booking, safe="")).replace("{rep}", quote(rep, safe=""))


routes: list[BaseRoute] = [
    Route("/j/{token}", join, methods=["GET", "POST"]),
    Route("/m/{token}", manage, methods=["GET", "POST"]),
    Route("/s/{token}", stop, methods=["GET", "POST"]),
    Route("/room/{token}", room),
]
