"""E-mail threads over real parts: SMTP to a mail server, answers through the webhook, the lead on Temporal's server."""

from __future__ import annotations

import asyncio
import base64
import email
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlencode

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities import gate, mails, replies, store, threads
from activities.settings import settings
from activities.suppression import keep_opt_out
from activities.vendors import openai
from tests.fixtures.sandbox import Sandbox
from tests.fixtures.temporal import running_worker
from tests.fixtures.web import People, Site
from tests.stage import Stage
from workflows import effects as fx
from workflows import events as ev
from workflows import identity
from workflows import messages as ms
from workflows.lead_workflow import LeadWorkflow
from workflows.optout_workflow import OptOutWorkflow

SECRET = "a secret of the mail service"
DEMO = "demo@tallyhook.example"
_numbers = itertools.count(int(time.time() * 1000) % 10**6)


@pytest.fixture(autouse=True)
async def _house(sandbox: Sandbox, web: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    for name, value in {
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(sandbox.world.mail_port), "SMTP_TLS": "none", "SMTP_TIMEOUT": "2",
        "MAIL_FROM": DEMO, "MAIL_REPLIES": "reply@in.tallyhook.example", "MAIL_INBOUND_SECRET": SECRET,
        "OPENAI_BASE_URL": f"{sandbox.url}/openai/v1", "OPENAI_API_KEY": "sandbox",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    await openai.close()
    settings.cache_clear()


class Dana:
    """A lead with a number and an address, called once in vain; her mail program answers in its thread."""

    def __init__(self, people: People, sandbox: Sandbox) -> None:
        self.people, self.sandbox = people, sandbox
        n = next(_numbers)
        self.phone, self.address, self.n = f"+1212555{n % 10000:04d}", f"dana{n}@example.com", 0
        self.lead = ""

    async def submit(self, **fields: object) -> None:
        given: dict[str, object] = {"phone": self.phone, "email": self.address, "name": "Dana Reyes", **fields}
        self.lead = await self.people.submit(str(given.pop("phone")), **given)

    async def missed_a_call(self) -> None:
        await self.submit()
        seen = await self.until(lambda view: view.touches and view.touches[0].sid)
        over = ev.CallEnded(at=datetime.now(UTC), attempt="a1", sid=seen.touches[0].sid, status="no-answer", id="over")
        await self.people.site.temporal.get_workflow_handle(self.lead).signal("call_status", over)
        await self.until(lambda view: view.touches[0].outcome == "no-answer")

    def letters(self) -> list[EmailMessage]:
        """What came in her mailbox, oldest first."""
        raw = [letter.raw for letter in list(self.sandbox.world.mailbox.letters) if letter.to == self.address]
        return [email.message_from_bytes(each, policy=default) for each in raw]  # type: ignore[misc]

    def compose(self, text: str, **headers: str) -> bytes:
        """Her next e-mail: an answer to the last of ours, if there is one."""
        self.n += 1
        message, ours = EmailMessage(), self.letters()
        message["From"] = f"Dana Reyes <{self.address}>"
        message["To"] = ours[-1]["Reply-To"] if ours else replies.address(self.lead)
        message["Subject"] = f"Re: {ours[-1]['Subject'].removeprefix('Re: ')}" if ours else "Re: your demo"
        message["Message-ID"] = f"<{self.n}.{self.address}>"
        if ours:
            message["In-Reply-To"] = ours[-1]["Message-ID"]
            message["References"] = f"{ours[-1]['References']} {ours[-1]['Message-ID']}"
            text += f"\n\nOn Mon, Nov 23, 2026 at 3:00 PM Tallyhook <{DEMO}> wrote:\n> reply STOP and never hear from us again\n"
        for name, value in headers.items():
            del message[name.replace("_", "-")]
            message[name.replace("_", "-")] = value
        message.set_content(text)
        return message.as_bytes()

    async def write(self, text: str, **headers: str) -> None:
        answer = await post(self.people.site, self.compose(text, **headers))
        assert answer.status_code == 204, answer.text

    async def answered(self, text: str) -> EmailMessage:
        before = len(self.letters())
        await self.write(text)
        return await self.arrived(before + 1)

    async def arrived(self, number: int) -> EmailMessage:
        """So many e-mails have come; the last of them."""
        end = time.monotonic() + 60
        while len(self.letters()) < number:
            assert time.monotonic() < end, f"{len(self.letters())} e-mails: {await self.people.view(self.lead)}"
            await asyncio.sleep(0.02)
        return self.letters()[-1]

    async def text(self, words: str) -> None:
        self.n += 1
        received = ev.MessageReceived(at=datetime.now(UTC), id=f"SM{self.n}", text=words)
        await self.people.site.temporal.get_workflow_handle(self.lead).signal("message_received", received)

    async def until(self, true: Callable[[ms.View], object]) -> ms.View:
        return await self.people.until(self.lead, true)

    @property
    def cards(self) -> list[str]:
        return [card.title for request in self.people.stage.of("reflect") for card in request.cards]

    async def carded(self, title: str) -> None:
        end = time.monotonic() + 60
        while title not in self.cards:
            assert time.monotonic() < end, self.cards
            await asyncio.sleep(0.05)


def words(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return " ".join(str(part.get_content()).split())


async def post(web: Site, raw: bytes, secret: str = SECRET) -> httpx.Response:
    signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return await web.http.post("/mail/inbound", content=raw, headers={"Content-Type": "message/rfc822", "X-Showrate-Signature": signature})


@pytest.fixture
async def people(web: Site) -> AsyncIterator[People]:
    """Leads and opt-outs on that site; what answers, mails and keeps is the real thing."""
    stage = Stage()
    stage.answers |= {"converse": threads.converse, "send_mail": mails.send_mail, "keep_opt_out": keep_opt_out, "reflect": record}
    async with (
        running_worker(web.temporal, [LeadWorkflow, OptOutWorkflow], stage.activities()),
        running_worker(web.temporal, [], stage.activities(), queue=ms.DIAL_QUEUE),
    ):
        yield People(web, stage)


def record(request: fx.Reflection) -> fx.ReflectionDone:
    store.write(request)
    return fx.ReflectionDone()


@pytest.fixture
async def dana(people: People, sandbox: Sandbox) -> Dana:
    found = Dana(people, sandbox)
    await found.missed_a_call()
    return found


# ---- the webhook ---------------------------------------------------------------------------------------------------


async def test_only_the_mail_service_is_believed(web: Site) -> None:
    raw = b"From: a@b.example\r\nMessage-ID: <x@y>\r\n\r\nhi"
    basic = base64.b64encode(b"mail:" + SECRET.encode()).decode()
    for headers in ({}, {"X-Showrate-Signature": "sha256=00"}, {"Authorization": "Basic " + base64.b64encode(b"mail:no").decode()},
                    {"Authorization": "Basic %%%"}, {"Authorization": f"Bearer {SECRET}"}):  # fmt: skip
        answer = await web.http.post("/mail/inbound", content=raw, headers={"Content-Type": "message/rfc822", **headers})
        assert answer.status_code == 401
        assert "MAIL_INBOUND_SECRET" in answer.json()["remedy"]
    signed = await post(web, raw)
    assert signed.status_code == 204
    good = await web.http.post("/mail/inbound", content=raw, headers={"Content-Type": "message/rfc822", "Authorization": f"Basic {basic}"})
    assert good.status_code == 204


async def test_garbage_is_refused_with_the_remedy(web: Site) -> None:
    basic = {"Authorization": "Basic " + base64.b64encode(b":" + SECRET.encode()).decode()}
    for kind, body in (("message/rfc822", b""), ("application/json", b"{"), ("application/json", b'{"TextBody": "hi"}'), ("application/json", b"[]"),
                       ("image/png", b"x"), ("multipart/form-data; boundary=x", b"--x--"), ("application/x-www-form-urlencoded", b"a=b"),
                       ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 300))):  # fmt: skip
        answer = await web.http.post("/mail/inbound", content=body, headers={"Content-Type": kind, **basic})
        assert answer.status_code == 422, (kind, body)
        assert "RawEmail" in answer.json()["remedy"]


async def test_without_a_secret_nothing_is_taken(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_INBOUND_SECRET", "short")
    settings.cache_clear()
    assert (await post(web, b"From: a@b.example\r\n\r\nhi", "short")).status_code == 404


async def test_each_mail_service_is_understood(dana: Dana) -> None:
    """Postmark's JSON, SendGrid's and Mailgun's forms: the stop in each is kept."""
    web = dana.people.site
    basic = {"Authorization": "Basic " + base64.b64encode(b":" + SECRET.encode()).decode()}
    part = "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n{}\r\n--b--\r\n"
    for n, (kind, wrap) in enumerate([
        ("application/json", lambda raw: json.dumps({"RawEmail": raw.decode(), "From": "x"}).encode()),
        ("multipart/form-data; boundary=b", lambda raw: part.format(raw.decode()).encode()),
        ("application/x-www-form-urlencoded", lambda raw: urlencode({"timestamp": "1", "body-mime": raw}).encode()),
    ]):  # fmt: skip
        sender = f"somebody{n}.{dana.address}"
        raw = f"From: {sender}\r\nTo: {DEMO}\r\nSubject: hi\r\nMessage-ID: <{n}{sender}>\r\n\r\nPlease don’t write to me again.\r\n".encode()
        answer = await web.http.post("/mail/inbound/mime", content=wrap(raw), headers={"Content-Type": kind, **basic})
        assert answer.status_code == 204, answer.text
        handle = identity.handle_id(settings().identity_key, sender)
        assert await gate.opted_out(web.temporal, handle), kind


# ---- threads -------------------------------------------------------------------------------------------------------


async def test_a_lead_qualifies_and_books_by_email_in_one_thread(dana: Dana) -> None:
    first = await dana.answered("Hi, I would like to see a demo")
    assert "automated assistant" in words(first)
    assert "help you with" in words(first)
    assert first["In-Reply-To"] == f"<1.{dana.address}>"
    assert first["Auto-Submitted"] == "auto-replied"
    assert first["Subject"] == "Re: your demo"
    assert replies.lead_of(first["Reply-To"].addresses[0].addr_spec) == dana.lead
    await dana.answered("We lose track of stock in our vans")
    await dana.answered("About 25 people")
    assert "I can offer" in words(await dana.answered("This quarter"))
    last = await dana.answered("the first one please")
    assert "you are booked with Ana Torres" in words(last) or "you are booked with Ana Torres" in " ".join(map(words, dana.letters()))
    seen = await dana.until(lambda view: view.booking)
    assert {"use_case", "team_size", "timeline"} <= set(seen.learned)
    assert len(dana.people.stage.of("book_meeting")) == 1
    ids = [letter["Message-ID"] for letter in dana.letters()]
    assert len(set(ids)) == len(ids)
    roots = {letter["References"].split()[0] for letter in dana.letters()}
    assert len(roots) == 1, "one thread"
    answers = [letter for letter in dana.letters() if letter["Subject"].startswith("Re:")]
    assert all(letter["In-Reply-To"] in letter["References"].split() for letter in answers)
    assert not [text for text in dana.people.stage.of("send_text") if "reply" in text.touch], "an e-mail is answered by e-mail"


async def test_the_channel_changes_in_mid_thought_and_nothing_is_asked_twice(dana: Dana) -> None:
    """Asked by text, answered by e-mail, gone on by text, and the phone knows it all."""
    await dana.text("Hi, I would like to see a demo")
    end = time.monotonic() + 60
    while not (texts := [t.body for t in dana.people.stage.of("send_text") if t.touch.startswith("due/reply/")]):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert "help you with" in texts[-1]
    second = words(await dana.answered("We lose track of stock in our vans"))
    assert "automated" not in second, "who writes was said in this thread"
    assert "help you with" not in second
    assert "How many people" in second
    await dana.text("About 25 people")
    seen = await dana.until(lambda view: "team_size" in view.learned)
    assert seen.learned["team_size"] == "25"
    third = words(await dana.answered("What does it cost?"))
    assert "40 dollars" in third
    assert "How many people" not in third
    call = ms.Connect(attempt="in-CA9", sid="CA9", at=datetime.now(UTC), inbound=True)
    brief = await dana.people._update(dana.lead, "connect", call, ms.Brief)
    assert {"use_case", "team_size"} <= set(brief.learned)


async def test_an_answer_from_the_page_of_mails_arrives(dana: Dana) -> None:
    """As in the demo: somebody reads the e-mail there and answers it."""
    await dana.answered("Hi, I would like to see a demo")
    world = dana.sandbox.world
    world.account = replace(world.account, mail_url=f"{dana.people.site.url}/mail/inbound", mail_secret=SECRET)
    number = next(each.n for each in dana.sandbox.world.mailbox.letters if each.to == dana.address)
    async with httpx.AsyncClient() as http:
        taken = await http.post(f"{dana.sandbox.url}/_mails/{number}/answer", json={"text": "We lose track of stock in our vans"})
    assert taken.status_code == 204
    assert "How many people" in words(await dana.arrived(2))


async def test_a_repeat_changes_nothing(dana: Dana) -> None:
    raw = dana.compose("Hi, I would like to see a demo")
    for _ in range(3):
        assert (await post(dana.people.site, raw)).status_code == 204
    await dana.arrived(1)
    await dana.answered("We lose track of stock in our vans")
    assert len(dana.letters()) == 2
    assert len(dana.people.stage.of("converse")) == 2


async def test_moving_and_cancelling_by_email(dana: Dana) -> None:
    for text in ("Hi, I would like to see a demo", "We lose track of stock in our vans", "About 25 people", "This quarter", "the first one please"):
        await dana.answered(text)
    seen = await dana.until(lambda view: view.booking)
    assert "I can offer" in words(await dana.answered("Can we move it to another time?"))
    await dana.answered("the second one")
    moved = await dana.until(lambda view: view.booking and seen.booking and view.booking.id != seen.booking.id)
    assert moved.booking
    await dana.write("Please cancel my meeting")
    gone = await dana.until(lambda view: view.booking is None)
    assert not gone.opted_out


async def test_stop_by_email_ends_all_channels_and_start_takes_it_back(dana: Dana) -> None:
    await dana.write("Please take me off your list.")
    handle = identity.handle_id(settings().identity_key, dana.address)
    assert await gate.opted_out(dana.people.site.temporal, handle), "before it was acknowledged"
    await dana.until(lambda view: view.opted_out and view.closed)
    phone = identity.handle_id(settings().identity_key, dana.phone)
    end = time.monotonic() + 60
    while not await gate.opted_out(dana.people.site.temporal, phone):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    await dana.people.recorded(dana.lead, "closed")
    assert not dana.letters()
    await dana.write("START", From="bo@elsewhere.example")
    await dana.write("START", Authentication_Results="mx.example; dmarc=fail")
    await asyncio.sleep(0.3)
    for each in (handle, phone):
        assert await gate.opted_out(dana.people.site.temporal, each), "nobody else takes it back"
    await dana.write("START")
    await dana.until(lambda view: not view.opted_out)
    for each in (handle, phone):
        end = time.monotonic() + 60
        while await gate.opted_out(dana.people.site.temporal, each):
            assert time.monotonic() < end
            await asyncio.sleep(0.05)


async def test_in_doubt_a_person_is_asked_and_their_word_holds(dana: Dana) -> None:
    await dana.write("what is wrong with you people, you never stop")
    seen = await dana.until(lambda view: view.needs_review == "suspended")
    assert seen.held_by
    await dana.carded("Did Dana Reyes opt out?")
    await dana.write("hello?")
    await asyncio.sleep(0.3)
    assert not dana.letters()
    await dana.people._update(dana.lead, "release", ms.By(by="ana"), ms.Answer)
    assert not (await dana.people.view(dana.lead)).held_by
    await dana.answered("Hi, I would like to see a demo")


async def test_machines_and_strangers_are_not_answered(dana: Dana) -> None:
    await dana.write("I am away until Monday. Stop by in person!", Auto_Submitted="auto-replied")
    await dana.write("Can I come too?", From="bo@elsewhere.example")
    await dana.carded("Somebody answered our e-mail to Dana Reyes")
    await dana.write("Cancel my meeting", Authentication_Results="mx.example; dmarc=fail")
    await asyncio.sleep(0.3)
    assert not dana.letters()
    assert not dana.people.stage.of("converse")
    assert not (await dana.people.view(dana.lead)).opted_out


async def test_a_bounce_marks_the_address(dana: Dana) -> None:
    report = (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {replies.address(dana.lead)}\r\nSubject: Undelivered\r\nMessage-ID: <b{dana.address}>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n'
        f"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; {dana.address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    ).encode()
    assert (await post(dana.people.site, report)).status_code == 204
    await dana.carded("The e-mail address of Dana Reyes does not work")
    await dana.write("Hi, I would like to see a demo")
    await dana.until(lambda view: "answered" if dana.people.stage.of("converse") else "")
    await asyncio.sleep(0.3)
    assert not dana.letters()


async def test_what_comes_back_is_known_by_its_lead(dana: Dana) -> None:
    await dana.answered("Hi, I would like to see a demo")
    back = [entry for entry in dana.sandbox.world.mailbox.letters if entry.to == dana.address][-1]
    assert replies.lead_of(back.back) == dana.lead


# ---- who left no number ----------------------------------------------------------------------------------------------


@pytest.fixture
async def mia(people: People, sandbox: Sandbox) -> Dana:
    """She left only her address."""
    found = Dana(people, sandbox)
    await found.submit(phone="")
    return found


async def test_who_left_no_number_is_written_to_and_books_by_email(mia: Dana) -> None:
    first = await mia.arrived(1)
    assert first["Subject"] == "Your demo with Tallyhook"
    said = words(first)
    assert "100 Example Street, Springfield, IL 62701" in said
    stop = first["List-Unsubscribe"].strip("<>")
    assert f"Stop all messages and calls: {stop}" in said
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    seen = await mia.until(lambda view: view.touches and view.touches[0].outcome == "sent")
    assert (seen.touches[0].channel, seen.closed) == ("email", False)
    await mia.answered("We lose track of stock in our vans")
    await mia.answered("About 25 people")
    await mia.answered("This quarter")
    await mia.answered("the first one please")
    seen = await mia.until(lambda view: view.booking)
    assert seen.stage == "booked"
    end = time.monotonic() + 60
    while not (booked := [each for each in mia.letters() if each["Subject"].startswith("Your demo with Ana")]):
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert booked[0].get_content_type().startswith("multipart/")
    assert not mia.people.stage.of("place_call")
    assert not mia.people.stage.of("send_text")


async def test_one_post_of_the_mail_program_stops_it(mia: Dana) -> None:
    first = await mia.arrived(1)
    answer = await mia.people.site.http.post(first["List-Unsubscribe"].strip("<>"), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    await mia.until(lambda view: view.opted_out and view.closed)


async def test_a_callback_without_a_number_is_not_promised(mia: Dana) -> None:
    await mia.arrived(1)
    await mia.answered("Can you call me tomorrow at 3 pm?")
    seen = await mia.people.view(mia.lead)
    assert not mia.people.stage.of("place_call")
    assert not seen.closed


async def test_what_waits_for_the_mail_server_is_called_off_by_a_person_and_by_a_doubt(people: People, sandbox: Sandbox) -> None:
    away = True

    async def deliver(request: fx.SendMail) -> fx.Mailed:
        if away:
            raise ApplicationError("the mail server is away", type="retry")
        return fx.Mailed()

    people.stage.answers["send_mail"] = deliver
    taken, doubted = Dana(people, sandbox), Dana(people, sandbox)

    async def tried(lead: str) -> bool:
        seen = await people.site.temporal.get_workflow_handle(lead).describe()
        return any(each.activity_type.name == "send_mail" for each in seen.raw_description.pending_activities)

    async def until_tried(lead: str, wanted: bool) -> None:
        end = time.monotonic() + 60
        while await tried(lead) != wanted:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)

    for each in (taken, doubted):
        await each.submit(phone="")
        await until_tried(each.lead, True)
    await people._update(taken.lead, "take_over", ms.TakeOver(by="ana"), ms.Answer)
    await doubted.text("what is wrong with you people, you never stop")
    for each in (taken, doubted):
        await until_tried(each.lead, False)
    away = False
    for each in (taken, doubted):
        await people._update(each.lead, "release", ms.By(by="ana"), ms.Answer)
    await doubted.until(lambda view: view.touches and view.touches[0].outcome == "sent")
    assert (await people.view(taken.lead)).touches[0].outcome != "sent"
