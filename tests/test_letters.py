"""E-mails as they come in: their own words, whether a person wrote them, and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities import replies
from activities.settings import settings as house
from clients import letters, quoting


def raw(text: str = "Half three works.", kind: str = "text/plain", **headers: str) -> bytes:
    known = {"From": "Dana Reyes <Dana@Example.com>", "To": "reply@in.example.com", "Subject": "Re: Your demo", "Message-ID": "<m1@mail.example>"}
    known |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in known.items() if value]
    return "\r\n".join([*lines, f"Content-Type: {kind}; charset=utf-8", "", text]).encode()


def test_a_letter_and_its_thread() -> None:
    letter = letters.read(raw(In_Reply_To="<b@x>", References="<a@x>\r\n <b@x>"))
    assert (letter.kind, letter.sender, letter.subject) == ("person", "dana@example.com", "Re: Your demo")
    assert (letter.id, letter.references) == ("<m1@mail.example>", ("<a@x>", "<b@x>"))
    assert letter.text == "Half three works."


QUOTED = {
    "gmail": "Yes, Thursday.\n\nOn Tue, Nov 24, 2026 at 3:30 PM Tallyhook <demo@tallyhook.example> wrote:\n\n> You are booked.\n> Stop: text STOP\n",
    "gmail, folded": "Yes, Thursday.\n\nOn Tue, Nov 24, 2026 at 3:30 PM Tallyhook the company\n<demo@tallyhook.example> wrote:\n> stop\n",
    "outlook": "Yes, Thursday.\r\n\r\n________________________________\r\nFrom: Tallyhook <demo@tallyhook.example>\r\nSent: Monday\r\nTo: Dana\r\n\r\nstop\r\n",
    "outlook classic": "Yes, Thursday.\n\n-----Original Message-----\nFrom: Tallyhook\nstop\n",
    "outlook, no line": "Yes, Thursday.\n\nFrom: Tallyhook [mailto:demo@tallyhook.example]\nSent: Monday\nstop",
    "phone": "Yes, Thursday.\n\nSent from my iPhone\n\n> On Nov 24, 2026, at 3:30 PM, Tallyhook <d@t.example> wrote:\n>\n> stop",
    "signature": "Yes, Thursday.\n\n-- \nDana Reyes\nReyes Ltd\nstop",
    "farewell": "Yes, Thursday.\n\nBest regards,\nDana Reyes\nCEO, Stop & Go Ltd",
    "spanish": "Yes, Thursday.\n\nEl mar, 24 nov 2026 a las 15:30, Tallyhook (<d@t.example>) escribió:\n\n> stop",
    "german": "Yes, Thursday.\n\nAm 24.11.2026 um 15:30 schrieb Tallyhook <d@t.example>:\n> stop",
    "below": "> You are booked.\n> Reply or stop\n\nYes, Thursday.",
    "below, with its line": "On Tue, Nov 24, 2026 at 3:30 PM Tallyhook <d@t.example> wrote:\n> You are booked. stop\n\nYes, Thursday.",
}


@pytest.mark.parametrize("text", QUOTED.values(), ids=QUOTED)
def test_only_their_own_words_are_read(text: str) -> None:
    assert quoting.own_words(text) == "Yes, Thursday."


def test_answers_between_the_lines_are_kept() -> None:
    said = quoting.own_words("> How many people?\n25\n> When?\nThis quarter")
    assert said == "25\nThis quarter"


def test_words_that_look_like_marks_stay() -> None:
    assert quoting.own_words("On Thursday I can.\nFrom 3 PM on.\nBest would be 4.") == "On Thursday I can.\nFrom 3 PM on.\nBest would be 4."


@pytest.mark.parametrize(
    "html",
    ['<div dir="ltr">Yes, <b>Thursday</b>.</div><br><div class="gmail_quote"><div>On Mon wrote:</div><blockquote>stop</blockquote></div>',
     "<html><head><style>p{}</style></head><body><p>Yes, Thursday.</p><blockquote>stop</blockquote></body></html>",
     '<p>Yes, Thursday.</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> us</div><div>stop</div>'],
)  # fmt: skip
def test_html_alone_is_read_too(html: str) -> None:
    assert letters.read(raw(html, "text/html")).text == "Yes, Thursday."


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated (rejected)"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"},
     {"List_Id": "<news.example>"}, {"Subject": "Automatic reply: Your demo"}, {"Subject": "Out of office: back on Monday"},
     {"From": "MAILER-DAEMON@mx.example"}, {"From": "no-reply@example.com"}, {"Return_Path": "<>"}, {"Subject": "Respuesta automática: hola"}],
)  # fmt: skip
def test_machines_are_known(headers: dict[str, str]) -> None:
    assert letters.read(raw("I am away.", **headers)).kind == "automatic"


@pytest.mark.parametrize("headers", [{"Auto_Submitted": "no"}, {"Subject": "Re: away game tickets"}, {"X_Auto_Response_Suppress": "All"}])
def test_people_are_not_taken_for_machines(headers: dict[str, str]) -> None:
    assert letters.read(raw(**headers)).kind == "person"


def report(action: str = "failed", status: str = "5.1.1") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: reply+x@in.example.com\r\nSubject: Undelivered\r\nMessage-ID: <d@mx>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; Dana@Example.com\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
    ).encode()


def test_a_bounce_names_the_address_and_a_delay_is_none() -> None:
    letter = letters.read(report())
    assert (letter.kind, letter.failed) == ("bounce", "dana@example.com")
    assert letters.read(report("delayed", "4.4.1")).kind == "automatic"
    assert letters.read(report("failed", "4.4.1")).kind == "automatic"


def test_a_forged_sender_is_told() -> None:
    assert letters.read(raw(Authentication_Results="mx.example; spf=fail; dmarc=fail (p=none)")).forged
    assert not letters.read(raw(Authentication_Results="mx.example; dmarc=pass")).forged


def test_without_a_message_id_it_is_known_by_its_content() -> None:
    assert letters.read(raw(Message_ID="")).id == letters.read(raw(Message_ID="")).id
    assert letters.read(raw(Message_ID="")).id != letters.read(raw("other", Message_ID="")).id


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff" * 50, b"hello", b"From:\r\n\r\nhi", b"Subject: hi\r\n\r\nhi", b"From: nobody\r\n\r\nhi"])
def test_garbage_is_refused_with_a_reason(garbage: bytes) -> None:
    with pytest.raises(letters.Unreadable, match="the message"):
        letters.read(garbage)


@settings(max_examples=150)
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_read_or_refused(body: bytes, headed: bool) -> None:
    try:
        letter = letters.read((b"From: a@b.example\r\n" if headed else b"") + body)
    except letters.Unreadable:
        return
    assert letter.id


@given(st.text(max_size=500))
def test_any_text_has_words_or_none(text: str) -> None:
    assert len(quoting.own_words(text)) <= len(text)


def test_where_answers_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_REPLIES", "reply@in.example.com")
    monkeypatch.setenv("SHOWRATE_LINK_KEY", "k" * 32)
    house.cache_clear()
    lead = "lead-" + "0123456789abcdef" * 2
    address = replies.address(lead)
    local, _, domain = address.partition("@")
    assert (domain, len(local) <= 64) == ("in.example.com", True)
    assert replies.lead_of(address) == replies.lead_of(address.upper()) == lead
    for other in (address.replace("+a", "+b").replace("+0", "+1")[:-1], "reply@in.example.com", "reply+xyz@in.example.com",
                  address.replace("in.example", "out.example"), address[:8] + ("a" if address[8] != "a" else "b") + address[9:]):  # fmt: skip
        assert replies.lead_of(other) == ""
    house.cache_clear()
