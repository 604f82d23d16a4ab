"""The phone and the texts to look at and to use, and the sandbox's own handles on the telephone world.

``POST /_cast`` gives personas their phones · ``GET /_phone`` what is on the line · ``POST /_phone/{call|answer|decline|say|
press|cough|lose|hangup|text|persona}`` a person at the page · ``GET/POST /_twilio`` the account's rate and the pace of the world.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from workflows.identity import phone_number

from .cast import Member
from .pages import page
from .personas import KINDS, Character
from .transfer import Manner

if TYPE_CHECKING:
    from .phones import PhoneBook

_KINDS = "".join(f'<option value="{kind}">{kind.replace("_", " ")}</option>' for kind in KINDS)

_PHONE = f"""
<div class="row between"><div><h1>Phone</h1><div class="soft">Every phone that Showrate reaches, and its own number
<b id="ours" class="mono"></b>. A number that is nobody's rings here first.</div></div>
<label class="small soft">If you do not answer within 4 seconds, this one does:
<select id="persona" onchange="post('/_phone/persona',{{kind:this.value}})">{_KINDS}
<option value="nobody">nobody</option></select></label></div>
<form class="card row" style="margin-top:16px" onsubmit="event.preventDefault();post('/_phone/call',{{number:$('#from').value}})">
<input id="from" size="22" placeholder="your number, +1 415 555 0123" aria-label="your number" required>
<button class="go">Call Showrate</button><input id="sms" class="wide" placeholder="or write a text" aria-label="text message">
<button type="button" onclick="post('/_phone/text',{{number:$('#from').value,body:$('#sms').value}}).then(()=>$('#sms').value='')">
Send text</button></form>
<div id="calls" aria-live="polite"></div>
<script>
const opened=new Set(),drafts={{}};
const tone=(s)=>({{'in-progress':'live',ringing:'warn',completed:'good'}})[s]||(['failed','busy'].includes(s)?'bad':'');
const keys=(sid)=>[...'123456789*0#'].map(k=>`<button type="button" class="mono" style="padding:4px 11px" aria-label="key ${{k}}"
 onclick="post('/_phone/press',{{sid:'${{sid}}',digit:'${{k}}'}})">${{k}}</button>`).join('');
function say(e,sid){{e.preventDefault();const box=e.target.elements.words;if(box.value)post('/_phone/say',{{sid,words:box.value}});
 drafts[sid]=box.value=''}}
function draw(d){{
 $('#ours').textContent=d.ours;if(document.activeElement!==$('#persona'))$('#persona').value=d.persona;
 const at=document.activeElement&&document.activeElement.dataset?document.activeElement.dataset.sid:null;
 $('#calls').innerHTML=d.calls.length?d.calls.map((c)=>{{
  const rings=d.rings.includes(c.sid),live=c.status==='in-progress',shown=live||rings||opened.has(c.sid);
  const says=c.says.map(s=>`<div class="say${{s.us?' us':''}}${{s.cut?' cut':''}}">${{h(s.text)}}${{s.cut?' …':''}}</div>`).join('');
  return `<section class="card" id="${{c.sid}}"><div class="row between"><div class="row">
   <b class="mono">${{c.direction==='inbound'?'← ':'→ '}}${{h(c.number)}}</b><span class="soft">${{h(c.name)}}</span>
   <span class="tag ${{tone(c.status)}} ${{c.status==='ringing'?'ringing':''}}">${{h(c.status)}}</span>
   ${{c.answered_by.startsWith('machine')?'<span class="tag">voicemail</span>':''}}</div><div class="row">
   ${{rings?`<button class="go" onclick="post('/_phone/answer',{{sid:'${{c.sid}}'}})">Answer</button>
    <button class="stop" onclick="post('/_phone/decline',{{sid:'${{c.sid}}'}})">Decline</button>`:''}}
   ${{live?`<button class="stop" onclick="post('/_phone/hangup',{{sid:'${{c.sid}}'}})">Hang up</button>`:''}}
   ${{!live&&!rings&&says?`<button onclick="opened.has('${{c.sid}}')?opened.delete('${{c.sid}}'):opened.add('${{c.sid}}');draw(window.d)">
    ${{shown?'Hide':'Transcript'}}</button>`:''}}
   <span class="soft small">${{clock(c.at)}}${{c.seconds?' · '+c.seconds+' s':''}}</span></div></div>
   ${{shown&&says?`<div class="says">${{says}}</div>`:''}}
   ${{live?`<form class="row" onsubmit="say(event,'${{c.sid}}')"><input class="wide" name="words" data-sid="${{c.sid}}" autocomplete="off"
    placeholder="${{c.busy?'it is speaking: break in, or wait':'say something'}}" aria-label="say something" value="${{h(drafts[c.sid])}}"
    oninput="drafts['${{c.sid}}']=this.value"><button>${{c.busy?'Break in':'Say'}}</button></form>
    <div class="row between" style="margin-top:8px"><div class="row keys" role="group" aria-label="keypad">${{keys(c.sid)}}</div>
    <div class="row"><button type="button" title="a sound without words" onclick="post('/_phone/cough',{{sid:'${{c.sid}}'}})">Cough</button>
    <button type="button" title="the carrier loses its connection to Showrate; the call itself goes on"
     onclick="post('/_phone/lose',{{sid:'${{c.sid}}'}})">Break the line</button></div></div>`:''}}</section>`}}).join(''):
  '<div class="empty">Quiet so far. Send the form, and the phone rings here.</div>';
 document.querySelectorAll('.says').forEach(e=>e.scrollTop=e.scrollHeight);
 if(at){{const e=document.querySelector(`[data-sid="${{at}}"]`);if(e){{e.focus({{preventScroll:true}});e.setSelectionRange(e.value.length,e.value.length)}}}}
}}
let held=false;  // a button that is drawn anew while it is pressed would not be clicked
addEventListener('pointerdown',()=>held=true);
addEventListener('pointerup',()=>{{held=false;setTimeout(()=>window.d&&draw(window.d))}});
live('/_phone',(d)=>{{window.d=d;held||draw(d)}},400);
</script>
"""

_TEXTS = """
<h1>Texts</h1><div class="soft">Each person's thread with Showrate. The links in it work.</div>
<div id="threads" class="grid" style="margin-top:16px" aria-live="polite"></div>
<script>
const drafts={};
function send(e,number){e.preventDefault();const box=e.target.elements.body;
 if(box.value)post('/_phone/text',{number,body:box.value});drafts[number]=box.value=''}
live('/_phone',(d)=>{
 const threads={};for(const t of [...d.texts].reverse())(threads[t.number]??=[]).push(t);
 const at=document.activeElement&&document.activeElement.dataset?document.activeElement.dataset.number:null;
 $('#threads').innerHTML=Object.entries(threads).reverse().map(([number,texts])=>`<section class="card">
  <div class="row between"><b class="mono">${h(number)}</b><span class="soft">${h(texts[0].name)}</span></div>
  <div class="says">${texts.map(t=>`<div class="say${t.us?' us':''}">${linked(t.body)}
   <div class="soft small">${clock(t.at)} · ${h(t.status)}</div></div>`).join('')}</div>
  <form class="row" onsubmit="send(event,'${h(number)}')"><input class="wide" name="body" data-number="${h(number)}" autocomplete="off"
   placeholder="reply as ${h(number)}" aria-label="reply as ${h(number)}" value="${h(drafts[number])}"
   oninput="drafts['${h(number)}']=this.value"><button>Send</button></form></section>`).join('')
  ||'<div class="empty">No texts yet.</div>';
 document.querySelectorAll('.says').forEach(e=>e.scrollTop=e.scrollHeight);
 if(at){const e=[...document.querySelectorAll('[data-number]')].find(e=>e.dataset.number===at);
  if(e){e.focus({preventScroll:true});e.setSelectionRange(e.value.length,e.value.length)}}
});
</script>
"""


def routes(book: PhoneBook) -> list[BaseRoute]:
    """The pages and what they ask."""
    exchange = book.exchange

    async def phone(request: Request) -> Response:
        return HTMLResponse(page("Phone", _PHONE))

    async def texts(request: Request) -> Response:
        return HTMLResponse(page("Texts", _TEXTS))

    async def state(request: Request) -> Response:
        seen: dict[str, Any] = {**exchange.state(request.query_params.get("number", ""))}
        for one in (*seen["calls"], *seen["texts"]):
            one["name"] = book.name_of(one["number"])
        own = {"ours": exchange.world.account.number, "persona": book.default, "rings": book.rings}
        return JSONResponse({**own, **seen})

    async def act(request: Request) -> Response:
        verb = request.path_params["verb"]
        try:
            await _act(book, verb, await request.json())
        except KeyError as error:
            return JSONResponse({"error": f"there is no such call or field: {error.args[0]}"}, 404)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"done": verb})

    async def cast(request: Request) -> Response:
        given = await request.json()
        try:
            for one in given if isinstance(given, list) else [given]:
                book.register(_character(one))
        except ValidationError as error:
            return JSONResponse({"errors": json.loads(error.json(include_url=False))}, 422)
        return JSONResponse({"registered": len(given) if isinstance(given, list) else 1}, 201)

    async def settings(request: Request) -> Response:
        if request.method == "POST":
            given = await request.json()
            try:
                if "calls_per_second" in given:
                    exchange.calls_per_second = _number(given["calls_per_second"])
                for name, value in given.get("pace", {}).items():
                    if name not in asdict(exchange.pace):
                        raise ValueError(f"pace has no {name}")
                    setattr(exchange.pace, name, _number(value))
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"calls_per_second": exchange.calls_per_second, "pace": asdict(exchange.pace)})

    return [
        Route("/", phone, methods=["GET"]),
        Route("/texts", texts, methods=["GET"]),
        Route("/_phone", state, methods=["GET"]),
        Route("/_phone/{verb}", act, methods=["POST"]),
        Route("/_cast", cast, methods=["POST"]),
        Route("/_twilio", settings, methods=["GET", "POST"]),
    ]


def _number(value: object) -> float:
    number = TypeAdapter(float).validate_python(value)
    if number < 0:
        raise ValueError("write a number of at least 0")
    return number


def _character(given: dict[str, Any]) -> Character:
    """A member of the cast, or only the character of one."""
    if "character" in given:
        return Member.model_validate(given).character
    return Character.model_validate(given)


async def _act(book: PhoneBook, verb: str, asked: dict[str, Any]) -> None:
    """What a person at the page does. Raises KeyError, ValueError."""
    exchange = book.exchange
    if verb in {"answer", "decline"}:
        book.choice(asked["sid"], verb)
    elif verb == "say":
        exchange.calls[asked["sid"]].line.say(str(asked["words"]).strip())
    elif verb == "press":
        exchange.calls[asked["sid"]].line.press(str(asked["digit"])[:1])
    elif verb == "cough":
        exchange.calls[asked["sid"]].line.cough()
    elif verb == "lose":
        exchange.calls[asked["sid"]].line.lost.set()
    elif verb == "hangup":
        exchange.calls[asked["sid"]].line.hang_up()
    elif verb == "call":
        book.call_from(str(asked["number"]))
    elif verb == "text":
        if not str(asked["body"]).strip():
            raise ValueError("write something first")
        await exchange.text_us(phone_number(str(asked["number"])), str(asked["body"]).strip())
    elif verb == "desk":
        book.desk[phone_number(str(asked["number"]))] = TypeAdapter(Manner).validate_python(asked["does"])
    elif verb == "persona":
        book.choose(str(asked["kind"]))
    else:
        raise KeyError(verb)
