"""A mail server that keeps what it is given, and a page with each person's e-mails and what is attached to them.

Whoever reads them there can answer: the answer is posted to our webhook, signed, as a mail service would.
It speaks SMTP through aiosmtpd, on a port of its own in the sandbox's event loop. Like most servers it does not look at
Message-IDs: a repeated message arrives twice. Faults are planted under the vendor ``mail``, with the recipient as path:
a status, ``drop`` or ``slow``, before or after the message was taken.
"""

from __future__ import annotations

import asyncio
import email
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import make_msgid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from icalendar import Calendar
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from .pages import page

if TYPE_CHECKING:
    from .app import World

VENDOR = "mail"
_TAKEN = "250 2.0.0 Ok: queued"


class Letter:
    """One message as it was taken: who it went to, when, its bytes, and where it would have gone back to."""

    def __init__(self, n: int, to: str, at: str, raw: bytes, back: str = "") -> None:
        self.n, self.to, self.at, self.raw, self.back = n, to, at, raw, back
        message = email.message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        self.message = message

    def files(self) -> Iterator[tuple[int, EmailMessage]]:
        """The parts that a mail program shows as attached, or acts on: invitations and files, with their place."""
        for place, part in enumerate(self.message.walk()):
            assert isinstance(part, EmailMessage)
            if part.get_content_type() == "text/calendar" or part.get_content_disposition() == "attachment":
                yield place, part

    def invitation(self) -> dict[str, str]:
        """What a calendar reads of it; nothing when it invites to nothing."""
        part = next((p for _, p in self.files() if p.get_content_type() == "text/calendar"), None)
        if part is None:
            return {}
        calendar = Calendar.from_ical(part.get_content())
        event = calendar.walk("VEVENT")[0]
        return {
            "method": str(calendar["METHOD"]),
            "uid": str(event["UID"]),
            "sequence": str(event["SEQUENCE"]),
            "start": event.decoded("DTSTART").isoformat(),
        }

    def shown(self) -> dict[str, Any]:
        plain = self.message.get_body(("plain",))
        return {
            "n": self.n,
            "at": self.at,
            "to": self.to,
            "from": str(self.message["From"]),
            "subject": str(self.message["Subject"]),
            "id": str(self.message["Message-ID"]),
            "text": plain.get_content() if plain else "",
            "invitation": self.invitation(),
            "files": [
                {"place": place, "type": part.get_content_type(), "name": part.get_filename() or "invitation"}
                for place, part in self.files()
            ],
        }


class Mailbox:
    """Every message that was taken, oldest first; they outlive a restart."""

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "letters.jsonl"
        self.letters: list[Letter] = []
        for line in self._kept.read_text().splitlines() if self._kept.exists() else []:
            kept = json.loads(line)
            self.letters.append(Letter(kept["n"], kept["to"], kept["at"], kept["raw"].encode("latin-1"), kept.get("back", "")))

    def take(self, to: str, at: datetime, raw: bytes, back: str) -> None:
        letter = Letter(len(self.letters) + 1, to, at.isoformat(), raw, back)
        self.letters.append(letter)
        line = json.dumps({"n": letter.n, "to": to, "at": letter.at, "raw": raw.decode("latin-1"), "back": back})
        with self._kept.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def letter(self, n: int) -> Letter | None:
        return next((letter for letter in self.letters if letter.n == n), None)


class _Door:
    """What aiosmtpd asks when a message comes in."""

    def __init__(self, world: World, mailbox: Mailbox) -> None:
        self._world, self._mailbox = world, mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        to, raw = envelope.rcpt_tos[0], envelope.original_content or b""
        text = raw.decode("utf-8", "replace")
        entry = self._world.log.arrived(VENDOR, "in", "DATA", to, "", {}, text)
        fault = self._world.faults.take(VENDOR, "in", "DATA", to, text)
        if fault and fault.kind != "slow":
            return self._fail(server, entry, fault.kind, f"{fault.kind} before")
        late = None if fault else self._world.faults.take(VENDOR, "in", "DATA", to, text, "after")
        # A sender who hangs up ends this handler, but not what has begun.
        await asyncio.shield(self._world.spawn(self._take(to, raw, envelope.mail_from or "", fault.delay if fault else 0.0)))
        if late and late.kind != "slow":
            return self._fail(server, entry, late.kind, f"{late.kind} after")
        self._world.log.answered(entry, 250, 0.0, "slow" if fault or late else "")
        if late:
            await asyncio.sleep(late.delay)
        return _TAKEN

    async def _take(self, to: str, raw: bytes, back: str, after: float) -> None:
        await asyncio.sleep(after)
        self._mailbox.take(to, self._world.now(), raw, back)

    def _fail(self, server: SMTP, entry: Any, kind: str, name: str) -> str:
        if kind == "drop":
            self._world.log.answered(entry, 0, 0.0, name)
            if isinstance(server.transport, asyncio.WriteTransport):
                server.transport.abort()
            return _TAKEN  # never seen
        self._world.log.answered(entry, int(kind), 0.0, name)
        return f"{kind} refused by the sandbox"


def answer_to(letter: Letter, text: str) -> bytes:
    """What a mail program makes of ``text``, written in answer to ``letter``: in its thread, with the letter quoted."""
    theirs, message = letter.message, EmailMessage()
    message["From"], message["To"] = letter.to, str(theirs["Reply-To"] or theirs["From"])
    message["Subject"] = f"Re: {str(theirs['Subject']).removeprefix('Re: ')}"
    message["Message-ID"] = make_msgid(domain="mail.sandbox")
    message["In-Reply-To"] = str(theirs["Message-ID"])
    message["References"] = f"{theirs['References'] or ''} {theirs['Message-ID']}".strip()
    body = theirs.get_body(("plain",))
    quoted = "".join(f"> {line}\n" for line in (body.get_content() if body else "").splitlines())
    message.set_content(f"{text}\n\nOn {theirs['Date']}, {theirs['From']} wrote:\n{quoted}")
    return message.as_bytes()


async def listen(world: World, mailbox: Mailbox, host: str, port: int) -> asyncio.Server:
    """The mail server, on any free port when ``port`` is 0."""
    door = _Door(world, mailbox)
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(door, hostname="mail.sandbox", enable_SMTPUTF8=True), host, port
    )


def routes(world: World) -> list[BaseRoute]:
    """The page of mails, and what programs read: ``GET /_mails``, optionally ``?to=ADDRESS``."""
    mailbox = world.mailbox

    def _all(request: Request) -> Response:
        to = request.query_params.get("to", "")
        return JSONResponse([letter.shown() for letter in mailbox.letters if to in ("", letter.to)])

    def _raw(request: Request) -> Response:
        letter = mailbox.letter(request.path_params["n"])
        return PlainTextResponse(letter.raw if letter else "no such e-mail", 200 if letter else 404)

    def _part(request: Request) -> Response:
        letter = mailbox.letter(request.path_params["n"])
        parts = dict(letter.files()) if letter else {}
        part = parts.get(request.path_params["place"])
        if part is None:
            return PlainTextResponse("no such attachment", 404)
        content = part.get_payload(decode=True)
        name = part.get_filename() or "invitation.ics"
        shown = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(
            content if isinstance(content, bytes) else b"", media_type=part.get_content_type(), headers=shown
        )

    def _html(request: Request) -> Response:
        letter = mailbox.letter(request.path_params["n"])
        body = letter.message.get_body(("html",)) if letter else None
        if body is None:
            return PlainTextResponse("no such e-mail", 404)
        safe = {
            "Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'"
        }
        return HTMLResponse(body.get_content().replace("<a ", '<a target="_blank" '), headers=safe)

    async def _answer(request: Request) -> Response:
        letter, account = mailbox.letter(request.path_params["n"]), world.account
        text = str((await request.json()).get("text", "")).strip()
        if letter is None or not text:
            return PlainTextResponse("no such e-mail, or nothing written", 404)
        raw = answer_to(letter, text)
        signed = hmac.new(account.mail_secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "message/rfc822", "X-Showrate-Signature": f"sha256={signed}"}
        async with world.http.post(account.mail_url, data=raw, headers=headers) as taken:
            return PlainTextResponse(await taken.text(), taken.status)

    def _page(request: Request) -> Response:
        return HTMLResponse(page("Mails", _PAGE))

    return [
        Route("/mails", _page),
        Route("/_mails", _all),
        Route("/_mails/{n:int}/raw", _raw),
        Route("/_mails/{n:int}/answer", _answer, methods=["POST"]),
        Route("/_mails/{n:int}/html", _html),
        Route("/_mails/{n:int}/parts/{place:int}", _part),
    ]


_PAGE = """<h1>Mails</h1><p class="soft">What the mail server took, by address, the latest first.</p><div id="all"></div>
<script>
async function answer(n){const text=prompt('Your answer');if(!text)return;
 const r=await fetch(`/_mails/${n}/answer`,{method:'POST',body:JSON.stringify({text})});if(!r.ok)alert(await r.text())}
live('/_mails',(letters)=>{
 const by={};for(const l of [...letters].reverse())(by[l.to]??=[]).push(l);
 $('#all').innerHTML=Object.entries(by).map(([to,mails])=>`<section class="card"><h2 class="mono">${h(to)}</h2>
 ${mails.map(l=>`<details ${l===mails[0]?'open':''}><summary><b>${h(l.subject)}</b>
  <span class="soft small">from ${h(l.from)} · ${clock(l.at)}</span>
  ${l.invitation.method?`<span class="tag ${l.invitation.method==='CANCEL'?'bad':'good'}">${
   h({REQUEST:'invitation',CANCEL:'taken back'}[l.invitation.method]||l.invitation.method)} · change ${h(l.invitation.sequence)}</span>`:''}</summary>
  <iframe src="/_mails/${l.n}/html" title="${h(l.subject)}" sandbox="allow-popups allow-popups-to-escape-sandbox"
   style="width:100%;height:340px;border:1px solid var(--line);border-radius:10px;margin:10px 0"></iframe>
  <div class="row small">${l.files.map(f=>`<a href="/_mails/${l.n}/parts/${f.place}">${h(f.name)} <span class="soft">${h(f.type)}</span></a>`).join('')}
  <a href="/_mails/${l.n}/raw">whole message</a>
  <button onclick="answer(${l.n})">Answer</button></div></details>`).join('')}</section>`).join('')
 ||'<div class="empty">No mails yet.</div>'},1500);
</script>"""
