"""E-mails as they arrive: their words, links and headers, the invitation in them, and what becomes of one that fails."""

from __future__ import annotations

import email
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from icalendar import Calendar
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import gate, links, mails
from activities.invitation import invitation
from activities.settings import settings
from activities.vendors import smtp
from tests.fixtures.sandbox import Sandbox
from tests.stage import form, playbook
from workflows import effects as fx
from workflows import events as ev
from workflows import identity, mailing, perform
from workflows.lead import DueText, Lead
from workflows.story import apply
from workflows.wording import first_name

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
BOOKING = ev.Booking(
    id="b1", rep="ana", rep_name="Ana Torres", start=NOW + timedelta(days=1), end=NOW + timedelta(days=1, minutes=30)
)
TO = "dana@example.com"


@pytest.fixture
async def server(sandbox: Sandbox, client: Client, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    for name, value in {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(sandbox.world.mail_port),
        "SMTP_TLS": "none",
        "SMTP_TIMEOUT": "1",
        "MAIL_FROM": "demo@tallyhook.example",
        "SHOWRATE_PUBLIC_URL": "https://calls.example",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield sandbox
    settings.cache_clear()


@pytest.fixture
def handle(identity_key: str) -> str:
    """A handle of this test's own: the Temporal server is everybody's."""
    return identity.handle_id(identity_key.encode(), "+14155550123")


def asked(handle: str, message: str = "confirmation", booking: ev.Booking = BOOKING, **person: Any) -> fx.SendMail:
    """The request that the workflow makes for this message."""
    book = playbook()
    lead = Lead(
        lead=identity.lead_id(handle),
        audience="inbound",
        playbook=book.hash,
        person=form(**person),
        zone="America/New_York",
        booking=booking if message != "cancelled" else None,
    )
    kind = {"confirmation": "booked", "moved": "booked"}.get(message, message)
    due = DueText(key=f"due/{kind}/{booking.id}", message=message, booking=booking)
    mail = mailing.mail(lead, book, due, perform.facts(lead, book, booking, NOW), NOW)
    assert mail is not None
    return fx.SendMail(
        gate=fx.Gate(lead=lead.lead, audience="inbound", handles=(handle,)),
        mail=mail,
        not_after=datetime.now(UTC) + timedelta(hours=1),
    )


async def run(client: Client, request: fx.SendMail) -> fx.Mailed:
    return await ActivityEnvironment(client=client).run(mails.send_mail, request)


def letters(server: Sandbox) -> list[EmailMessage]:
    return [
        email.message_from_bytes(letter.raw, policy=default)  # type: ignore[misc]
        for letter in server.world.mailbox.letters
    ]


def event(message: EmailMessage) -> tuple[str, Any]:
    """The method and the event of the invitation, as a calendar reads them."""
    (part,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    (file,) = [p for p in message.walk() if p.get_content_type() == "application/ics"]
    read = Calendar.from_ical(part.get_content())
    assert file.get_content() == part.get_content().encode()
    assert part.get_param("method") == read["METHOD"]
    (found,) = read.walk("VEVENT")
    return str(read["METHOD"]), found


# ---- what arrives ------------------------------------------------------------------------------------------------


async def test_the_confirmation_is_words_links_and_an_invitation(server: Sandbox, client: Client, handle: str) -> None:
    assert (await run(client, asked(handle))).refused == ""
    (letter,) = letters(server)
    assert letter["To"] == TO or TO in letter["To"]
    assert letter["From"].addresses[0].addr_spec == "demo@tallyhook.example"
    assert letter["Subject"] == "Your demo with Ana Torres: Tue Nov 24, 10:00 AM EST"
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    found = re.search(r"Join the meeting: (https://calls\.example/j/\S+)", plain.get_content())
    assert found
    token = found[1].rsplit("/", 1)[1]
    assert links.read(token, NOW) == links.Link(
        kind="join", lead=identity.lead_id(handle), booking="b1", expires=links.read(token, NOW).expires
    )
    assert re.search(r'<a href="https://calls\.example/m/[\w.-]+"[^>]*>Move or cancel it here</a>', html.get_content())
    assert "{" not in plain.get_content()
    method, invited = event(letter)
    assert (method, invited["UID"], invited["SEQUENCE"]) == ("REQUEST", "b1@showrate", 0)
    assert invited["DTSTART"].dt == BOOKING.start
    assert invited["DTEND"].dt == BOOKING.end
    assert invited["ORGANIZER"] == "mailto:demo@tallyhook.example"
    assert invited["ATTENDEE"] == f"mailto:{TO}"
    assert invited["ATTENDEE"].params["RSVP"] == "TRUE"
    assert invited["LOCATION"] == found[1]
    assert "/m/" in invited["DESCRIPTION"]
    assert not invited.walk("VALARM")


async def test_one_tap_in_the_mail_program_stops_all_contact(server: Sandbox, client: Client, handle: str) -> None:
    await run(client, asked(handle))
    (letter,) = letters(server)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = re.fullmatch(r"<https://calls\.example/s/(\S+)>", letter["List-Unsubscribe"])
    assert address
    link = links.read(address[1], NOW)
    assert (link.kind, link.lead) == ("stop", identity.lead_id(handle))


async def test_a_move_and_a_cancellation_supersede_what_the_calendar_has(
    server: Sandbox, client: Client, handle: str
) -> None:
    """A calendar keeps, of one UID, what has the highest SEQUENCE, and takes it out on CANCEL (RFC 5546, 2.1.4)."""
    later = BOOKING.model_copy(
        update={"id": "b2", "rep": "ben", "start": BOOKING.start + timedelta(hours=3), "end": BOOKING.end + timedelta(hours=3),
                "meeting": "b1", "sequence": 1}
    )  # fmt: skip
    for message, booking in (("confirmation", BOOKING), ("moved", later), ("cancelled", later)):
        await run(client, asked(handle, message, booking))
    calendar: dict[str, Any] = {}
    seen = []
    for letter in letters(server):
        method, told = event(letter)
        standing = calendar.get(str(told["UID"]))
        assert standing is None or told["SEQUENCE"] > standing["SEQUENCE"]
        calendar[str(told["UID"])] = told
        seen.append((method, str(told["STATUS"])))
    assert seen == [("REQUEST", "CONFIRMED"), ("REQUEST", "CONFIRMED"), ("CANCEL", "CANCELLED")]
    assert list(calendar) == ["b1@showrate"]
    assert len({letter["Message-ID"] for letter in letters(server)}) == 3
    assert len({letter["References"] for letter in letters(server)}) == 1, "one thread"


async def test_where_the_calendars_vendor_invites_the_mail_carries_no_second_invitation(
    server: Sandbox, client: Client, handle: str
) -> None:
    await run(client, asked(handle, booking=BOOKING.model_copy(update={"invited": True})))
    (letter,) = letters(server)
    assert not [p for p in letter.walk() if p.get_content_type() in ("text/calendar", "application/ics")]


@limits(max_examples=30)
@given(
    days=st.floats(0, 1500),
    name=st.text(max_size=40),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_any_time_and_any_name_come_back_as_they_went(days: float, name: str, zone: str) -> None:
    at = NOW + timedelta(days=days)
    start = at.replace(microsecond=0).astimezone(ZoneInfo(zone)).astimezone(UTC)
    booking = BOOKING.model_copy(update={"start": start, "end": start + timedelta(minutes=30)})
    made = invitation(
        "REQUEST", booking, title=f"Demo, {name}", words=f"Bring; this\n{name}", link="https://x.example/j/t",
        organizer="demo@example.com", organizer_name="Tally, \"Hook\"", attendee=TO, attendee_name="Zoë O'Neil", at=at,
    )  # fmt: skip
    assert all(len(line) <= 75 for line in made.split(b"\r\n"))
    (read,) = Calendar.from_ical(made).walk("VEVENT")
    assert read["DTSTART"].dt == start
    assert read["DTSTART"].dt.utcoffset() == timedelta(0)
    assert read["DTEND"].dt - read["DTSTART"].dt == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("name", "greeted"),
    [("Zoë O'Neil", "Hi Zoë, you"), ("http://evil.example", "Hi, you"), ("[Win](http://evil.example)", "Hi, you"),
     ("A\r\nBcc: all@example.com", "Hi A, you")],
)  # fmt: skip
async def test_a_forms_name_puts_nothing_into_our_mail(
    server: Sandbox, client: Client, handle: str, name: str, greeted: str
) -> None:
    await run(client, asked(handle, name=name))
    (letter,) = letters(server)
    plain = letter.get_body(("plain",))
    assert plain is not None
    assert greeted in plain.get_content()
    assert "evil" not in str(letter)
    assert letter["Bcc"] is None


# ---- what fails --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "when", "error", "arrived"),
    [("451", "before", "retry", 0), ("drop", "before", "retry", 0), ("drop", "after", "retry", 1), ("slow", "after", "retry", 1),
     ("550", "before", "permanent", 0)],
)  # fmt: skip
async def test_what_may_have_gone_is_sent_again_as_the_same_message(
    server: Sandbox, client: Client, handle: str, kind: str, when: str, error: str, arrived: int
) -> None:
    server.fault(vendor="mail", path=TO, kind=kind, when=when, delay=1.3)
    with pytest.raises(ApplicationError) as raised:
        await run(client, asked(handle))
    assert raised.value.type == error
    assert TO not in raised.value.message
    if error == "retry":
        await run(client, asked(handle))
        sent = letters(server)
        assert len(sent) == arrived + 1
        assert len({(m["Message-ID"], str(event(m)[1]["SEQUENCE"]), m["Date"]) for m in sent}) == 1


async def test_an_opt_out_on_any_channel_stops_it_and_a_pause_holds_it(
    server: Sandbox, client: Client, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gate.start_opt_out(client, [handle], identity.lead_id(handle), "text", NOW)
    assert (await run(client, asked(handle))).refused == "opted_out"

    async def paused(*_: object) -> str:
        return "paused:channel:email"

    monkeypatch.setattr(gate, "ask", paused)
    with pytest.raises(ApplicationError) as raised:
        await run(client, asked(handle))
    assert raised.value.type == "retry_after"
    assert not letters(server)


async def test_an_address_that_was_learned_or_corrected_is_asked_for_too(client: Client, server: Sandbox, handle: str) -> None:
    """Only the form's own address stands among the lead's handles."""
    address = f"{handle[:12]}@example.com"
    await gate.start_opt_out(client, [identity.handle_id(settings().identity_key, address)], "lead-of-another", "email", NOW)
    assert (await run(client, asked(handle, email=address.upper()))).refused == "opted_out"


async def test_without_a_mail_server_nothing_is_tried(client: Client, handle: str) -> None:
    assert not smtp.configured()
    assert (await run(client, asked(handle))).refused == "no_mail_server"


async def test_a_server_without_starttls_gets_no_mail_in_the_clear(
    server: Sandbox, client: Client, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_TLS", "starttls")
    settings.cache_clear()
    with pytest.raises(ApplicationError) as raised:
        await run(client, asked(handle))
    assert (raised.value.type, "SMTP_TLS" in raised.value.message) == ("permanent", True)
    assert not letters(server)


async def test_beside_its_text_it_never_raises(server: Sandbox, client: Client, handle: str) -> None:
    async def alongside(request: fx.SendMail) -> str:
        return await mails.alongside(request.gate, request.mail)

    ride = ActivityEnvironment(client=client)
    server.fault(vendor="mail", path=TO, kind="451")
    assert await ride.run(alongside, asked(handle)) == "later"
    server.fault(vendor="mail", path=TO, kind="550")
    assert await ride.run(alongside, asked(handle)) == "the mail server answered 550"
    assert await ride.run(alongside, asked(handle)) == "sent"


async def test_the_sandbox_shows_mails_with_what_is_attached(server: Sandbox, client: Client, handle: str) -> None:
    await run(client, asked(handle))
    async with httpx.AsyncClient(base_url=server.url) as http:
        (shown,) = (await http.get("/_mails", params={"to": TO})).json()
        assert (shown["invitation"]["method"], shown["invitation"]["sequence"]) == ("REQUEST", "0")
        file = next(file for file in shown["files"] if file["type"] == "application/ics")
        attached = await http.get(f"/_mails/{shown['n']}/parts/{file['place']}")
        assert Calendar.from_ical(attached.text).walk("VEVENT")
        assert "invite.ics" in attached.headers["content-disposition"]
        assert "sandbox" in (await http.get(f"/_mails/{shown['n']}/html")).headers["content-security-policy"]
        assert "Mails" in (await http.get("/mails")).text
        assert (await http.get(f"/_mails/{shown['n']}/parts/99")).status_code == 404


def test_who_writes_texts_is_answered_by_text_alone_and_greeted_once_by_mail() -> None:
    lead = Lead(lead="lead-1", audience="inbound", playbook=playbook().hash, person=form(), zone="America/New_York")
    name = first_name(form().name)
    reply = DueText(key="due/reply/m1", message="reply", body=f"Hi {name}, this is Juno. What can we help you with?")
    assert mailing.mail(lead, playbook(), reply, {}, NOW) is None
    posted = reply.model_copy(update={"post": ev.Post(id="<1@example.com>", subject="Re: your demo")})
    letter = mailing.mail(lead, playbook(), posted, {}, NOW)
    assert letter is not None
    assert letter.subject == "Re: your demo"
    assert f"Hi {name},\n\nThis is Juno. What can we help you with?" in letter.body


def test_what_becomes_of_an_email_says_nothing_of_the_text_beside_it() -> None:
    """Both have one name; the text went out, whatever the mail server says."""
    state = Lead(lead="lead-x", audience="inbound", playbook=playbook().hash)
    state = apply(state, ev.FormSubmitted(at=NOW, form=form()))
    due = DueText(key="due/booked/b1", message="confirmation", booking=BOOKING)
    sent = ev.TextSent(at=NOW, touch=due.key, message=due.message, sid="SM1", mail="later")
    state = apply(state.but(due_texts=(due,)), sent)
    assert [mail.key for mail in state.due_mails] == [due.key]
    for event in (
        ev.MailSent(at=NOW, touch=due.key, message=due.message),
        ev.MailNotSent(at=NOW, touch=due.key, message=due.message, why="refused"),
    ):
        after = apply(state, event)
        assert [(touch.channel, touch.outcome, touch.sid) for touch in after.touches] == [("text", "sent", "SM1")]
        assert after.due_mails == ()
    alone = apply(state, ev.MailDue(at=NOW, touch="cadence/1/4/mail_1", message="link"))
    alone = apply(alone, ev.MailSent(at=NOW, touch="cadence/1/4/mail_1", message="link"))
    assert [(touch.channel, touch.outcome) for touch in alone.touches] == [("text", "sent"), ("email", "sent")]
