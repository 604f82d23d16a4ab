"""Twilio, through its own SDK: calls, texts, TwiML, and the signature of its webhooks.

Creating a call or a text is not idempotent at Twilio, and nothing in the resources we create can be searched for; so
such a request goes out once. A 429 was never processed; what the connection lost after the request was sent, and
every 5xx, is *ambiguous*: it is looked up before anything is tried again (:func:`find_call`, :func:`find_text`). A
call is known again by the addresses it was created with, which Twilio shows among the call's events.

Twilio's texts quote numbers, so only its codes enter our messages.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from weakref import WeakKeyDictionary

import aiohttp
from temporalio.exceptions import ApplicationError
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import HMAC_SHA1, RequestValidator, get_signature_algorithm
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Connect, VoiceResponse

from activities import faults
from activities.settings import settings
from activities.vendors import status
from workflows.model import Model
from workflows.playbook import Agent

RETRIES = "#rc=5&rp=5xx,ct,rt"
"""Asks Twilio to come again with a webhook that we did not take: five times within its 15 seconds, also on 5xx. Its
default is one retry, on connect failures only. The fragment is no part of what it signs."""

_NOT_LIVE = 21220
"""Twilio's code: the call is not in progress, so it cannot be redirected."""
_UNTAGGED = 5
"""How many calls of the time in question are looked into to tell which attempt they belong to."""
_SKEW = timedelta(seconds=2)
"""Twilio's clock against ours, and its times are whole seconds."""
_LONGEST_VALIDITY = 36_000
"""Seconds: Twilio's most, and its default."""
_CHOOSE = 6
"""Seconds that a colleague has to take a call that is put through to them."""
_MOST_HINTS, _LONGEST_HINT = 100, 100
"""Of a list of hints, and characters of one: what every recogniser behind the carrier takes."""


class Sent(Model):
    """A text that Twilio took."""

    sid: str
    segments: int = 0


class Standing(Model):
    """How a call stands at Twilio; ``status`` is its word (queued ... completed), ``seconds`` talk time."""

    sid: str
    status: str
    answered_by: str = ""
    seconds: int = 0


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The SDK's transport as we need it: the time-out is really applied, nothing is ever repeated or logged (its own
    logs show numbers), and the wait that a 429 asks for is kept for :func:`_failures`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(pool_connections=False)
        # A connection that the other side has just closed for idleness would make a POST ambiguous, so ours is
        # given up well before theirs. No limit on connections: a burst is held by the dial rate, not here.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        timeout = aiohttp.ClientTimeout(total=seconds, connect=seconds / 2)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        asked = f"{url}?{urlencode(params, doseq=True)}" if params else url
        async with self._session.request(
            method.upper(),
            asked,
            data=urlencode(data, doseq=True) if data else None,
            headers=headers,
            auth=aiohttp.BasicAuth(*auth) if auth else None,
            allow_redirects=allow_redirects,
        ) as answer:
            _retry_after.set(answer.headers.get("Retry-After"))
            return Response(answer.status, await answer.text(), answer.headers)

    async def close(self) -> None:
        await self._session.close()


_retry_after: ContextVar[str | None] = ContextVar("retry_after", default=None)
"""The Retry-After header of the newest answer in this task: the SDK's errors drop headers."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[tuple[object, ...], Client]] = WeakKeyDictionary()


def _client() -> Client:
    """The client of this event loop, with its pool of connections, as long as the settings stay the same."""
    house, loop = settings(), asyncio.get_running_loop()
    key = (house.twilio_account_sid, house.twilio_auth_token, house.twilio_base_url, house.showrate_timeout)
    held = _clients.get(loop)
    if held and held[0] == key:
        return held[1]
    client = Client(house.twilio_account_sid, house.twilio_auth_token, http_client=_Http(house.showrate_timeout))
    if house.twilio_base_url:
        client.api.base_url = house.twilio_base_url.rstrip("/")
    _clients[loop] = (key, client)
    return client


async def close() -> None:
    """Close this event loop's connections."""
    held = _clients.pop(asyncio.get_running_loop(), None)
    if held:
        await held[1].http_client.close()


@contextlib.asynccontextmanager
async def _failures(repeatable: bool) -> AsyncIterator[None]:
    """Turn the SDK's and the connection's errors into ours. ``repeatable``: a read, or an effect that may safely be
    had twice, so that nothing about it is ambiguous."""
    lost = faults.retry if repeatable else faults.ambiguous
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _refusal(error, repeatable) from None
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise faults.retry(f"twilio could not be reached: {type(error).__name__}") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise lost(f"twilio did not answer: {type(error).__name__}") from None
    except (TwilioException, ValueError) as error:
        raise lost(f"twilio's answer could not be read: {type(error).__name__}") from None


def _refusal(error: TwilioRestException | TwilioServiceException, repeatable: bool) -> ApplicationError:
    words = f"twilio answered {error.status} with code {error.code}"
    if error.status == 429:
        # "Never processed and always safe to retry": https://www.twilio.com/docs/api/errors/20429
        return faults.retry_after(words, status.delay(_retry_after.get()) or timedelta(seconds=1))
    if not status.temporary(error.status):
        return faults.permanent(words)
    return faults.retry(words) if repeatable else faults.ambiguous(words)


# ---- calls -------------------------------------------------------------------------------------------------------


def _address(path: str, **query: str) -> str:
    return f"{settings().showrate_public_url}{path}?{urlencode(query)}{RETRIES}"


async def place_call(
    lead: str, attempt: str, to: str, ring: timedelta, longest: timedelta, playbook: str = ""
) -> str:
    """Dial ``to`` (E.164) for ``attempt`` of ``lead``, which goes by ``playbook`` (content hash); the call's sid. It
    rings for ``ring`` (Twilio may add five seconds) and is ended after ``longest``. Only the end is reported by
    callback, and who answered: a machine's greeting is heard to its end for that. Raises ``retry_after``, ``retry``,
    ``permanent`` or ``ambiguous``."""
    named = {"lead": lead, "attempt": attempt}
    async with _failures(repeatable=False):
        call = await _client().calls.create_async(
            to=to,
            from_=settings().twilio_number,
            url=_address("/twilio/voice", **named, **({"playbook": playbook} if playbook else {})),
            status_callback=_address("/twilio/status", **named),
            machine_detection="DetectMessageEnd",
            async_amd="true",
            async_amd_status_callback=_address("/twilio/answered", **named),
            timeout=max(round(ring.total_seconds()), 1),
            time_limit=max(round(longest.total_seconds()), 1),
        )
        return str(call.sid)


async def end_call(sid: str, say: str = "") -> None:
    """End a queued, ringing or live call; a live one hears ``say`` first. A call that is over is left alone. Raises
    ``retry_after``, ``retry`` or ``permanent``."""
    call = _client().calls(sid)
    async with _failures(repeatable=True):
        if say:
            try:
                await call.update_async(twiml=hang_up(say))
                return
            except TwilioRestException as error:
                if error.code != _NOT_LIVE:
                    raise
        # "completed" also takes a call out of the queue or stops its ringing; "canceled" would spare a live one.
        await call.update_async(status="completed")


async def find_call(lead: str, attempt: str, to: str, since: datetime, sid: str = "") -> Standing | None:
    """What Twilio knows of ``attempt``: the call ``sid``, or the one among the calls to ``to`` created from ``since``
    (UTC) on whose events name the attempt. A single call that names none is taken for it, an older one never. None
    when there is none. Raises ``retry_after``, ``retry`` or ``permanent``."""
    client = _client()
    async with _failures(repeatable=True):
        if sid:
            try:
                return _standing(await client.calls(sid).fetch_async())
            except TwilioRestException as error:
                if error.status == 404:
                    return None
                raise
        # No filter by start time: a call that is still queued has none, and would be missed.
        calls = await client.calls.list_async(to=to, from_=settings().twilio_number, limit=50)
        recent = [c for c in calls if c.date_created and c.date_created >= since - _SKEW]
        unnamed = []
        for call in recent[:_UNTAGGED]:
            names = await _names(client, str(call.sid))
            if (lead, attempt) in names:
                return _standing(call)
            if not names:
                unnamed.append(call)
        return _standing(unnamed[0]) if len(unnamed) == 1 else None


async def _names(client: Client, sid: str) -> set[tuple[str, str]]:
    """(lead, attempt) pairs in the addresses of a call's requests: that which made it, and its webhooks."""
    found: set[tuple[str, str]] = set()
    for event in await client.calls(sid).events.list_async(limit=50):
        request: Mapping[str, Any] = event.request or {}
        parameters = request.get("parameters") or {}
        given = parameters.values() if isinstance(parameters, Mapping) else []
        for text in (request.get("url"), *given):
            query = parse_qs(urlsplit(str(text)).query) if "attempt=" in str(text) else {}
            if "lead" in query and "attempt" in query:
                found.add((query["lead"][0], query["attempt"][0]))
    return found


def _standing(call: Any) -> Standing:
    return Standing(
        sid=str(call.sid),
        status=str(getattr(call.status, "value", call.status)),
        answered_by=call.answered_by or "",
        seconds=int(call.duration or 0),
    )


# ---- texts -------------------------------------------------------------------------------------------------------


async def send_text(lead: str, touch: str, to: str, body: str, valid: timedelta) -> Sent:
    """Text ``body`` to ``to``. Twilio gives up when it could not pass it on within ``valid``. Raises ``retry_after``,
    ``retry``, ``permanent`` (21610: they opted out at Twilio) or ``ambiguous``."""
    async with _failures(repeatable=False):
        text = await _client().messages.create_async(
            to=to,
            from_=settings().twilio_number,
            body=body,
            status_callback=_address("/twilio/message-status", lead=lead, touch=touch),
            validity_period=min(max(int(valid.total_seconds()), 1), _LONGEST_VALIDITY),
        )
        return _sent(text)


async def find_text(to: str, body: str, since: datetime) -> Sent | None:
    """The newest text of exactly ``body`` to ``to`` created from ``since`` (UTC) on. Raises ``retry_after``, ``retry``
    or ``permanent``."""
    async with _failures(repeatable=True):
        texts = await _client().messages.list_async(to=to, from_=settings().twilio_number, limit=50)
        # Not filtered by the vendor: its filter is on the sending time, which a queued text does not have.
        found = [t for t in texts if t.date_created and t.date_created >= since - _SKEW and t.body == body]
        return _sent(found[0]) if found else None


def _sent(text: Any) -> Sent:
    return Sent(sid=str(text.sid), segments=int(text.num_segments or 0))


# ---- webhooks and TwiML ------------------------------------------------------------------------------------------


def genuine(url: str, form: Mapping[str, Any], signature: str, signed_with: str = "") -> bool:
    """Whether Twilio signed this request to ``url``, exactly as it is known to Twilio (scheme, host, query; no
    fragment), with ``form``. ``signed_with`` is the header X-Twilio-Webhooks-Signature-Settings
    (``key=..,algorithm=HMAC_SHA256``), which names one of TWILIO_WEBHOOK_KEYS; without it the auth token is the key."""
    house = settings()
    named = dict(part.strip().partition("=")[::2] for part in signed_with.split(","))
    secret = house.twilio_webhook_keys.get(named["key"], "") if named.get("key") else house.twilio_auth_token
    if not secret or not signature:
        return False
    algorithm = get_signature_algorithm(signed_with) if signed_with else HMAC_SHA1
    return bool(RequestValidator(secret).validate(url, form, signature, algorithm))


def relay(lead: str, attempt: str, agent: Agent, playbook: str = "", names: Iterable[str] = (), again: int = 0) -> str:
    """TwiML that connects the call to our live-call gateway, for ``attempt`` of ``lead``, spoken and heard as ``agent``
    says; ``names`` are hints besides the agent's own. ``again``: for the how-manieth time after its socket was lost,
    which the address of the action then says, like ``playbook`` (content hash)."""
    public = settings().showrate_public_url
    socket = f"ws{public.removeprefix('http')}/twilio/relay"
    response = VoiceResponse()
    kept = {"playbook": playbook, "again": str(again or "")}
    query = {"lead": lead, "attempt": attempt, **{name: value for name, value in kept.items() if value}}
    connect = Connect(action=_address("/twilio/relay-ended", **query))
    # Names that the SDK does not know are dropped without a word; a test reads what is really written. What is left
    # out on purpose: ignoreBackchannel and echoPromptFiltering would keep a short "yes", or a time that they repeat
    # after us, from the conversation, which alone knows whether it is an answer; includeInPrompt, for nothing is made
    # of more than the words; a welcomeGreeting, for every word of ours comes from the playbook through the gateway.
    noun = connect.conversation_relay(
        url=socket,
        application_reconnect=True,
        events="speaker-events tokens-played",
        partial_prompts=True,
        partial_prompt_on_hangup=True,
        # Independent of each other: speech can be told of without our own stopping for it.
        interruptible="any",
        report_input_during_agent_speech="any",
        dtmf_detection=True,
        # A complaint is understood by its words, also by those that a filter would blank out.
        profanity_filter=False,
        language=agent.language or None,
        voice=agent.voice or None,
        tts_provider=agent.tts_provider or None,
        transcription_provider=agent.transcription_provider or None,
        speech_model=agent.speech_model or None,
        hints=_hints(agent.name, *names, *agent.hints) or None,
    )
    noun.parameter(name="lead", value=lead)
    noun.parameter(name="attempt", value=attempt)
    response.append(connect)
    return str(response)


def _hints(*words: str) -> str:
    """The different ones among ``words``, as the carrier takes them: a list between commas."""
    plain = (" ".join(word.replace(",", " ").split())[:_LONGEST_HINT] for word in words)
    return ",".join(list(dict.fromkeys(filter(None, plain)))[:_MOST_HINTS])


def put_through(lead: str, attempt: str, to: str, ring: int, playbook: str = "") -> str:
    """TwiML that rings ``to`` (E.164) for ``ring`` seconds and connects who takes the call; what became of it is told to
    the action. They hear first who is on the line, and take the call with a key, so that no voicemail does."""
    named = {"lead": lead, "attempt": attempt, **({"playbook": playbook} if playbook else {})}
    response = VoiceResponse()
    dial = response.dial(
        action=_address("/twilio/transferred", **named), timeout=ring, caller_id=settings().twilio_number, answer_on_bridge=True,
    )  # fmt: skip
    dial.number(to, url=_address("/twilio/whisper", **named))
    return str(response)


def whisper(say: str, lead: str, attempt: str) -> str:
    """TwiML for the colleague who picked up: ``say``, then a key takes the call; without one they are not connected."""
    response = VoiceResponse()
    gather = response.gather(num_digits=1, timeout=_CHOOSE, action=_address("/twilio/taken", lead=lead, attempt=attempt))
    gather.say(say)
    response.hangup()
    return str(response)


def connect() -> str:
    """TwiML with nothing more to do on the colleague's side: they are connected."""
    return str(VoiceResponse())


def hang_up(say: str = "") -> str:
    """TwiML that ends the call, after ``say``."""
    response = VoiceResponse()
    if say:
        response.say(say)
    response.hangup()
    return str(response)


def reply(text: str) -> str:
    """TwiML that answers a text with ``text``."""
    answer = MessagingResponse()
    answer.message(text)
    return str(answer)


def no_reply() -> str:
    """TwiML that answers a text with nothing."""
    return str(MessagingResponse())
