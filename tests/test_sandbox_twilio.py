"""The telephone stand-in: the vendor's shapes, and calls and texts as they go on the wire."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator

from tests.fixtures.sandbox import Sandbox
from tests.fixtures.temporal import free_port
from workers.sandbox.app import Account, World
from workers.sandbox.personas import Character
from workers.sandbox.wirelog import WireLog

SPEC = Path(__file__).parents[1] / "../shared/specs/twilio/twilio_api_v2010.json"
TO = "+14155550123"


@dataclass
class Product:
    """Our side of the wire: answers webhooks and sockets as the test says, and remembers what came."""

    url: str
    came: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    say: Callable[[dict[str, Any]], list[dict[str, Any]]] = lambda frame: []
    """What to send on a frame; ``{"type": "close"}`` drops the socket."""
    action: str = "<Response><Hangup/></Response>"
    attributes: str = 'events="speaker-events tokens-played"'
    fail: dict[str, int] = field(default_factory=dict)
    """Path -> how many times to answer 500."""

    def twiml(self) -> str:
        socket = f"ws{self.url.removeprefix('http')}/relay"
        return (
            f'<Response><Connect action="/action"><ConversationRelay url="{socket}" {self.attributes}>'
            '<Parameter name="lead" value="l1"/></ConversationRelay></Connect></Response>'
        )

    def to(self, path: str) -> list[dict[str, str]]:
        return [form for where, form in self.came if where == path]

    def statuses(self) -> list[str]:
        return [form["CallStatus"] for form in self.to("/status")]

    async def hook(self, request: Request) -> Response:
        form = dict(await request.form())
        sent = request.headers["x-twilio-signature"]
        asked = f"{self.url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
        assert RequestValidator("sandbox-token").validate(asked, form, sent), "signed"
        path = request.url.path
        self.came.append((path, {str(k): str(v) for k, v in form.items()}))
        if self.fail.get(path):
            self.fail[path] -= 1
            return Response("down", 500)
        twiml = {"/voice": self.twiml(), "/twilio/inbound": self.twiml(), "/action": self.action}.get(path, "")
        return Response(twiml, media_type="text/xml") if twiml else Response(status_code=204)

    async def relay(self, socket: WebSocket) -> None:
        await socket.accept()
        self.sockets.append(socket.headers["x-twilio-signature"])
        try:
            while True:
                frame = await socket.receive_json()
                self.frames.append(frame)
                for answer in self.say(frame):
                    if answer["type"] == "close":
                        await socket.close(1011)
                        return
                    await socket.send_text(json.dumps(answer))
        except WebSocketDisconnect:
            return

    async def join(self, request: Request) -> Response:
        self.came.append((f"{request.method} {request.url.path}", {}))
        start = datetime.fromtimestamp(int(request.path_params["start"]) / 10, UTC).isoformat()
        return HTMLResponse(f'<p>Your demo: <time datetime="{start}">soon</time></p>')


def words(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "token": text, "last": True, **more}


@pytest.fixture
def product() -> Iterator[Product]:
    port = free_port()
    one = Product(f"http://127.0.0.1:{port}")
    app = Starlette(
        routes=[
            Route("/j/{start:int}", one.join, methods=["GET", "POST"]),
            WebSocketRoute("/relay", one.relay),
            Route("/{path:path}", one.hook, methods=["POST"]),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield one
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def webhooks(product: Product) -> str:
    return product.url


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError("did not come true in time")


def api(sandbox: Sandbox, method: str, path: str, auth: tuple[str, str] | None = None, **fields: Any) -> httpx.Response:
    account = sandbox.world.account
    where = f"{sandbox.url}/twilio/2010-04-01/Accounts/{account.sid}/{path}"
    given: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    return httpx.request(method, where, auth=auth or (account.sid, account.token), **given)


def dial(sandbox: Sandbox, product: Product, to: str = TO, **fields: Any) -> dict[str, Any]:
    asked = {
        "To": to,
        "From": sandbox.world.account.number,
        "Url": f"{product.url}/voice?lead=l1&attempt=a1",
        "StatusCallback": f"{product.url}/status",
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        **fields,
    }
    answer = api(sandbox, "POST", "Calls.json", **asked)
    assert answer.status_code == 201, answer.text
    call: dict[str, Any] = answer.json()
    return call


def answer(sandbox: Sandbox, sid: str) -> None:
    until(lambda: sid in sandbox.phone()["rings"])
    sandbox.phone("answer", sid=sid)


def status_of(sandbox: Sandbox, sid: str) -> str:
    return str(api(sandbox, "GET", f"Calls/{sid}.json").json()["status"])


# ---- shapes ------------------------------------------------------------------------------------------------------


def _schema(spec: dict[str, Any], name: str) -> dict[str, Any]:
    """A component as plain JSON Schema: ``nullable`` becomes a union with null, references are followed, formats that
    only Twilio knows are dropped, and no other property may appear."""

    def plain(node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            node = spec["components"]["schemas"][node["$ref"].rpartition("/")[2]]
        kept = {k: v for k, v in node.items() if k in {"type", "enum", "pattern", "minLength", "maxLength"}}
        if "properties" in node:
            kept["properties"] = {k: plain(v) for k, v in node["properties"].items()}
            kept["additionalProperties"] = False
            kept["required"] = list(node["properties"])
        if node.get("nullable") and "type" in kept:
            kept["type"] = [kept["type"], "null"]
        return kept

    return plain(spec["components"]["schemas"][name])


@pytest.mark.skipif(not SPEC.exists(), reason="the vendors' specifications are not here")
def test_resources_have_the_vendors_shape(sandbox: Sandbox, product: Product) -> None:
    spec = json.loads(SPEC.read_text())
    call, text = _schema(spec, "api.v2010.account.call"), _schema(spec, "api.v2010.account.message")
    created = dial(sandbox, product)
    jsonschema.validate(created, call)
    answer(sandbox, created["sid"])
    until(lambda: status_of(sandbox, created["sid"]) == "in-progress")
    jsonschema.validate(api(sandbox, "POST", f"Calls/{created['sid']}.json", Status="completed").json(), call)
    until(lambda: status_of(sandbox, created["sid"]) == "completed")
    ours = sandbox.world.account.number
    jsonschema.validate(api(sandbox, "POST", "Messages.json", To=TO, From=ours, Body="hi").json(), text)
    for name, schema in (("Calls", call), ("Messages", text)):
        page = api(sandbox, "GET", f"{name}.json").json()
        (listed,) = page[name.lower()]
        jsonschema.validate(listed, schema)
        path = f"/2010-04-01/Accounts/{{AccountSid}}/{name}.json"
        listing = spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(page) == set(listing["properties"])


def test_lists_have_pages_and_filters(sandbox: Sandbox, product: Product) -> None:
    ours = sandbox.world.account.number
    for number in range(5):
        api(sandbox, "POST", "Messages.json", To=f"+1415555{number:04d}", From=ours, Body=f"m{number}")
    first = api(sandbox, "GET", "Messages.json", PageSize=2).json()
    assert [m["body"] for m in first["messages"]] == ["m4", "m3"]
    follow = httpx.get(
        f"{sandbox.url}/twilio{first['next_page_uri']}", auth=(sandbox.world.account.sid, "sandbox-token")
    )
    assert [m["body"] for m in follow.json()["messages"]] == ["m2", "m1"]
    assert len(api(sandbox, "GET", "Messages.json", To="+14155550002").json()["messages"]) == 1


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("Calls.json", {"To": TO, "Url": "http://x"}, 400, 21213),
        ("Calls.json", {"To": TO, "From": "+14155550199", "Url": "http://x"}, 400, 21210),
        ("Calls.json", {"To": "12", "From": "+14155550100", "Url": "http://x"}, 400, 21211),
        ("Calls.json", {"To": TO, "From": "+14155550100"}, 400, 21205),
        ("Messages.json", {"To": TO, "From": "+14155550100"}, 400, 21602),
        ("Messages.json", {"To": TO, "From": "+14155550100", "Body": "x" * 1601}, 400, 21617),
        ("Calls/CA" + "0" * 32 + ".json", {"Status": "completed"}, 404, 20404),
    ],
)
def test_refusals_have_the_vendors_codes(
    sandbox: Sandbox, path: str, fields: dict[str, str], status: int, code: int
) -> None:
    refused = api(sandbox, "POST", path, **fields)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert set(refused.json()) == {"code", "message", "more_info", "status"}


def test_a_wrong_token_is_refused(sandbox: Sandbox) -> None:
    assert api(sandbox, "GET", "Calls.json", auth=("AC1", "x")).json()["code"] == 20003


# ---- a call's life -----------------------------------------------------------------------------------------------


def test_a_call_from_the_dial_to_its_end(sandbox: Sandbox, product: Product) -> None:
    def agent(frame: dict[str, Any]) -> list[dict[str, Any]]:
        if frame["type"] == "setup":
            return [{"type": "text", "token": "Hello, ", "last": False}, words("is now a good moment?")]
        if frame["type"] == "prompt" and frame["last"]:
            return [words("Goodbye.")]
        if frame["type"] == "info" and frame["value"] == "Goodbye.":
            return [{"type": "end", "handoffData": '{"why":"done"}'}]
        return []

    product.say = agent
    sandbox.cast(Character(kind="books_and_shows", number=TO))
    began = time.monotonic()
    call = dial(
        sandbox, product, MachineDetection="Enable", AsyncAmd="true", AsyncAmdStatusCallback=f"{product.url}/amd"
    )
    assert call["status"] == "queued"
    until(lambda: "completed" in product.statuses())
    callbacks = sorted(product.to("/status"), key=lambda form: int(form["SequenceNumber"]))
    assert [c["CallStatus"] for c in callbacks] == ["initiated", "ringing", "in-progress", "completed"]
    assert int(callbacks[-1]["CallDuration"]) <= time.monotonic() - began + 1
    assert callbacks[-1]["CallSid"] == call["sid"]
    (voice,) = product.to("/voice")
    assert (voice["To"], voice["Direction"], voice["CallStatus"]) == (TO, "outbound-api", "in-progress")
    (setup,) = (f for f in product.frames if f["type"] == "setup")
    assert setup["callSid"] == call["sid"]
    assert setup["customParameters"] == {"lead": "l1"}
    assert setup["sessionId"].startswith("VX")
    (heard,) = (f for f in product.frames if f["type"] == "prompt")
    assert heard["last"]
    played = [f["value"] for f in product.frames if f["type"] == "info" and f["name"] == "tokensPlayed"]
    assert played == ["Hello, is now a good moment?", "Goodbye."]
    (action,) = product.to("/action")
    assert (action["SessionStatus"], action["HandoffData"]) == ("ended", '{"why":"done"}')
    (amd,) = product.to("/amd")
    assert (amd["AnsweredBy"], amd["CallSid"]) == ("human", call["sid"])
    socket = f"ws{product.url.removeprefix('http')}/relay"
    assert product.sockets == [RequestValidator("sandbox-token").compute_signature(socket, {})]
    says = sandbox.phone()["calls"][0]["says"]
    assert [s["us"] for s in says] == [True, False, True]


def test_who_does_not_answer(sandbox: Sandbox, product: Product) -> None:
    sandbox.phone("persona", kind="nobody")
    missed = dial(sandbox, product, Timeout=1)
    until(lambda: status_of(sandbox, missed["sid"]) == "no-answer")
    declined = dial(sandbox, product)
    until(lambda: declined["sid"] in sandbox.phone()["rings"])
    sandbox.phone("decline", sid=declined["sid"])
    until(lambda: status_of(sandbox, declined["sid"]) == "busy")
    cancelled = dial(sandbox, product)
    until(lambda: cancelled["sid"] in sandbox.phone()["rings"])
    api(sandbox, "POST", f"Calls/{cancelled['sid']}.json", Status="canceled")
    until(lambda: status_of(sandbox, cancelled["sid"]) == "canceled")
    until(lambda: len([s for s in product.statuses() if s in {"no-answer", "busy", "canceled"}]) == 3)
    assert not product.to("/voice")


def test_a_voicemail_greets_and_listens(sandbox: Sandbox, product: Product) -> None:
    product.say = lambda f: [words("Hi Sam, this is Juno.")] if f["type"] == "prompt" else []
    sandbox.cast(Character(kind="voicemail_then_books", number=TO, name="Sam Doe"))
    amd = {"MachineDetection": "Enable", "AsyncAmd": "true", "AsyncAmdStatusCallback": f"{product.url}/amd"}
    call = dial(sandbox, product, **amd)
    (verdict,) = until(lambda: product.to("/amd"))
    assert verdict["AnsweredBy"] == "machine_start"
    greeting = until(lambda: [f for f in product.frames if f["type"] == "prompt"])
    assert "voicemail of Sam Doe" in greeting[0]["voicePrompt"]
    assert api(sandbox, "GET", f"Calls/{call['sid']}.json").json()["answered_by"] == "machine_start"
    api(sandbox, "POST", f"Calls/{call['sid']}.json", Status="completed")
    until(lambda: status_of(sandbox, call["sid"]) == "completed")


def test_interrupting_tells_what_was_heard(sandbox: Sandbox, product: Product) -> None:
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    product.say = lambda f: [words(f"{long} {long} {long}")] if f["type"] == "setup" else []
    call = dial(sandbox, product)
    answer(sandbox, call["sid"])
    until(lambda: any(f.get("name") == "agentSpeaking" for f in product.frames))
    time.sleep(0.3)
    sandbox.phone("say", sid=call["sid"], words="Sorry, who is this?")
    until(lambda: product.frames[-1]["type"] == "prompt")
    tail = [f.get("name", f["type"]) for f in product.frames if f["type"] != "setup"][1:]
    assert tail[:3] == ["clientSpeaking", "tokensPlayed", "interrupt"]
    assert sorted(tail[3:]) == ["agentSpeaking", "clientSpeaking", "prompt"]
    (told,) = (f for f in product.frames if f["type"] == "interrupt")
    heard = told["utteranceUntilInterrupt"]
    assert heard
    assert f"{long} {long} {long}".startswith(heard)
    assert int(told["durationUntilInterruptMs"]) >= 200
    sandbox.phone("hangup", sid=call["sid"])
    (action,) = until(lambda: product.to("/action"))
    assert (action["SessionStatus"], action["CallStatus"]) == ("completed", "completed")
    until(lambda: status_of(sandbox, call["sid"]) == "completed")


def test_a_lost_socket_is_connected_again(sandbox: Sandbox, product: Product) -> None:
    sandbox.account(pace={"dropped": 0.1})
    product.say = lambda f: [{"type": "close"}] if f["type"] == "setup" and len(product.sockets) == 1 else []
    product.action = product.twiml()
    call = dial(sandbox, product)
    answer(sandbox, call["sid"])
    until(lambda: len(product.sockets) == 2)
    (action,) = product.to("/action")
    wanted = {"SessionStatus": "failed", "ErrorCode": "64105", "CallStatus": "in-progress"}
    assert {k: action[k] for k in wanted} == wanted
    until(lambda: sum(f["type"] == "setup" for f in product.frames) == 2)
    first, second = (f for f in product.frames if f["type"] == "setup")
    assert first["callSid"] == second["callSid"]
    assert first["sessionId"] != second["sessionId"]
    assert second["callStatus"] == "IN_PROGRESS"
    sandbox.phone("hangup", sid=call["sid"])


def test_malformed_frames_get_errors_and_ten_end_it(sandbox: Sandbox, product: Product) -> None:
    sandbox.account(pace={"dropped": 0.1})
    product.say = lambda f: [{"type": "text", "token": 7}] * 10 if f["type"] == "setup" else []
    call = dial(sandbox, product)
    answer(sandbox, call["sid"])
    until(lambda: product.to("/action"))
    assert [f["type"] for f in product.frames].count("error") == 10


def test_a_redirect_and_a_hang_up_through_the_api(sandbox: Sandbox, product: Product) -> None:
    call = dial(sandbox, product)
    early = api(sandbox, "POST", f"Calls/{call['sid']}.json", Twiml="<Response><Hangup/></Response>")
    assert early.json()["code"] == 21220
    answer(sandbox, call["sid"])
    until(lambda: product.sockets)
    twiml = "<Response><Say>We have to close here.</Say><Hangup/></Response>"
    api(sandbox, "POST", f"Calls/{call['sid']}.json", Twiml=twiml)
    until(lambda: status_of(sandbox, call["sid"]) == "completed")
    assert sandbox.phone()["calls"][0]["says"][-1]["text"] == "We have to close here."
    assert not product.to("/action")


def test_the_accounts_rate_holds_calls_in_its_queue(sandbox: Sandbox, product: Product) -> None:
    sandbox.account(calls_per_second=4)
    sandbox.phone("persona", kind="nobody")
    sids = [dial(sandbox, product, to=f"+1415555010{n}", Timeout=60)["sid"] for n in range(4)]
    assert status_of(sandbox, sids[3]) == "queued"
    api(sandbox, "POST", f"Calls/{sids[3]}.json", Status="canceled")
    until(lambda: status_of(sandbox, sids[2]) == "ringing")
    until(lambda: status_of(sandbox, sids[3]) == "canceled")


def test_somebody_rings_us(sandbox: Sandbox, product: Product) -> None:
    product.say = lambda f: [words("How can I help you?")] if f["type"] == "setup" else []
    sandbox.phone("call", number="+1 415 555 0177")
    (setup,) = until(lambda: product.frames)[:1]
    assert (setup["direction"], setup["from"], setup["callStatus"]) == ("inbound", "+14155550177", "RINGING")
    (hook,) = product.to("/twilio/inbound")
    assert (hook["Direction"], hook["From"]) == ("inbound", "+14155550177")
    sandbox.phone("hangup", sid=setup["callSid"])
    (ended,) = until(lambda: product.to("/twilio/status"))
    assert (ended["Direction"], ended["CallStatus"]) == ("inbound", "completed")


def test_one_phone_has_one_line(sandbox: Sandbox, product: Product) -> None:
    sandbox.phone("call", number=TO)
    until(lambda: product.frames)
    second = dial(sandbox, product)
    until(lambda: status_of(sandbox, second["sid"]) == "busy")


# ---- texts -------------------------------------------------------------------------------------------------------


def test_stop_blocks_and_start_lifts(sandbox: Sandbox, product: Product) -> None:
    ours = sandbox.world.account.number
    for words_, status in (("Stop calling me please", 201), (" stop ", 400), ("START", 201)):
        sandbox.phone("text", number=TO, body=words_)
        sent = api(sandbox, "POST", "Messages.json", To=TO, From=ours, Body="hello")
        assert sent.status_code == status
        if status == 400:
            assert sent.json()["code"] == 21610
    came = product.to("/twilio/message")
    assert [m["Body"] for m in came] == ["Stop calling me please", "stop", "START"]
    assert [m.get("OptOutType") for m in came] == [None, "STOP", "START"]


def test_texts_are_delivered_or_not(sandbox: Sandbox, product: Product) -> None:
    ours = sandbox.world.account.number
    for to in (TO, "+14155550000"):
        api(sandbox, "POST", "Messages.json", To=to, From=ours, Body="hi", StatusCallback=f"{product.url}/text-status")
    until(lambda: len(product.to("/text-status")) == 4)
    last = {f["To"]: (f["MessageStatus"], f.get("ErrorCode")) for f in product.to("/text-status")}
    assert last == {TO: ("delivered", None), "+14155550000": ("undelivered", "30003")}


# ---- webhooks, faults and the log ----------------------------------------------------------------------------------


def test_webhooks_come_again_as_their_address_asks(sandbox: Sandbox, product: Product) -> None:
    product.fail = {"/status": 2}
    dial(sandbox, product, StatusCallback=f"{product.url}/status#rc=5&rp=5xx,ct,rt", StatusCallbackEvent="initiated")
    until(lambda: len(product.to("/status")) == 3)
    tokens = {e["headers"]["I-Twilio-Idempotency-Token"] for e in sandbox.log(direction="out", path="/status")}
    assert len(tokens) == 1
    product.fail = {"/once": 5}
    dial(sandbox, product, to="+14155550124", StatusCallback=f"{product.url}/once", StatusCallbackEvent="initiated")
    until(lambda: product.to("/once"))
    time.sleep(0.6)
    assert len(product.to("/once")) == 1


def test_callbacks_can_be_doubled_lost_and_overtaken(sandbox: Sandbox, product: Product) -> None:
    sandbox.phone("persona", kind="nobody")
    for kind in ("duplicate", "lost"):
        body = "CallStatus=initiated" if kind == "duplicate" else "CallStatus=ringing"
        sandbox.fault(vendor="twilio", direction="out", path="/status", body=body, kind=kind)
    dial(sandbox, product, Timeout=1)
    until(lambda: "no-answer" in product.statuses())
    assert product.statuses() == ["initiated", "initiated", "no-answer"]
    product.came.clear()
    sandbox.fault(vendor="twilio", direction="out", path="/status", kind="reorder")
    dial(sandbox, product, Timeout=1)
    until(lambda: len(product.statuses()) == 3)
    assert product.statuses() == ["ringing", "initiated", "no-answer"]


def test_faults_before_and_after_the_commit(sandbox: Sandbox, product: Product) -> None:
    ours = sandbox.world.account.number
    message = {"To": TO, "From": ours, "Body": "hi"}
    sandbox.fault(vendor="twilio", path="Messages", kind="429", retry_after=3)
    limited = api(sandbox, "POST", "Messages.json", **message)
    assert (limited.status_code, limited.headers["retry-after"], limited.json()["code"]) == (429, "3", 20429)
    for when, made in (("before", 0), ("after", 1)):
        sandbox.fault(vendor="twilio", path="Messages", kind="drop", when=when)
        with pytest.raises(httpx.RemoteProtocolError):
            api(sandbox, "POST", "Messages.json", **message)
        assert len(api(sandbox, "GET", "Messages.json").json()["messages"]) == made
    assert [e["status"] for e in sandbox.log(method="POST", path="Messages")] == [429, 0, 0]
    assert httpx.post(f"{sandbox.url}/_faults", json={"kind": "sometimes"}).status_code == 422


def test_the_log_survives(sandbox: Sandbox, product: Product) -> None:
    api(sandbox, "POST", "Messages.json", To=TO, From=sandbox.world.account.number, Body="hi")
    again = WireLog(sandbox.world.home)
    (entry,) = again.find(vendor="twilio", method="POST", path="Messages")
    assert "Body=hi" in entry.body
    assert again.arrived("twilio", "in", "GET", "/x").n > entry.n
    again.close()


# ---- personas ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "clicks"), [("books_and_shows", [True]), ("no_show_recovered", [False, True])])
def test_who_shows_clicks_the_link_when_it_is_time(
    sandbox: Sandbox, product: Product, kind: str, clicks: list[bool]
) -> None:
    sandbox.cast(Character.model_validate({"kind": kind, "number": TO}))
    for shows in clicks:
        product.came.clear()
        start = datetime.now(UTC) + timedelta(seconds=1.0)
        link = f"{product.url}/j/{int(start.timestamp() * 10)}"
        ours = sandbox.world.account.number
        for body in (f"You are booked. Join here: {link}", f"Reminder: {link}."):
            api(sandbox, "POST", "Messages.json", To=TO, From=ours, Body=body)
        until(lambda: any(path.startswith("GET /j/") for path, _ in product.came))
        assert datetime.now(UTC) < start
        deadline = start + timedelta(seconds=1.4)
        while datetime.now(UTC) < deadline:
            time.sleep(0.05)
        posted = [path for path, _ in product.came if path.startswith("POST /j/")]
        assert len(posted) == shows


def test_who_missed_us_rings_back(sandbox: Sandbox, product: Product) -> None:
    sandbox.cast(Character(kind="rings_back", number=TO))
    dial(sandbox, product, Timeout=1)
    until(lambda: product.to("/twilio/inbound"))


def test_a_persona_reacts_to_words_not_to_turns() -> None:
    from workers.sandbox.personas import Person

    async def answers(kind: str, *heard: str) -> list[str]:
        who = Character.model_validate({"kind": kind, "number": TO, "slot": 1})
        person = Person(who, None)  # type: ignore[arg-type]
        return [person.answer(words) or "" for words in heard]

    lines = asyncio.run(
        answers(
            "books_and_shows",
            "Hi Sam, this is Juno, the automated assistant of Tallyhook. I am calling about the demo. Is now a good moment?",
            "Am I speaking with Sam?",
            "What would you like Tallyhook to help you with?",
            "Thanks. How many people would use it?",
            "When would you like to have something in place: now, this quarter, this year, or are you just looking?",
            "I can offer today at 3:30 PM, today at 3:30 PM and 30 seconds, and tomorrow at 9 AM. Which suits you best?",
            "Done: you are booked with Ana for today at 3:30 PM. You get a text in a moment. Is there anything else?",
            "I have today at 4 PM. Does that work for you?",
            "I see no free time there. Is there another day that would suit you?",
        )
    )
    assert lines[0].lower().startswith(("yes", "sure"))
    assert "yes" in lines[1].lower()
    assert "stock" in lines[2]
    assert "25" in lines[3]
    assert "quarter" in lines[4]
    assert "3:30 PM and 30 seconds" in lines[5] or "second" in lines[5]
    assert lines[6].startswith("No")
    assert "4 PM" in lines[7]
    assert lines[8]


def test_the_pages_are_served(sandbox: Sandbox) -> None:
    for path in ("/", "/texts"):
        shown = httpx.get(sandbox.url + path)
        assert shown.status_code == 200
        assert "Showrate" in shown.text


def test_the_world_needs_no_settings(tmp_path: Path) -> None:
    assert World(tmp_path).account == Account()
