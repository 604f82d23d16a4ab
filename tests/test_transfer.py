"""A caller who wants a person is put through to one: over the wire, from the words to the colleague's phone and back."""

from __future__ import annotations

import asyncio
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities import entity, lines
from activities.settings import settings
from activities.vendors import twilio
from clients import audiences, relay, transfers
from tests.fixtures.sandbox import Sandbox, serving
from tests.stage import playbook as written
from workers.sandbox.transfer import HELLO
from workflows import effects as fx
from workflows import events as ev
from workflows import messages as ms
from workflows import plan, playbook, review
from workflows.brief import brief
from workflows.conversation import signals
from workflows.lead import Lead
from workflows.playbook import Playbook, PutThrough
from workflows.roster import Rep, Team
from workflows.story import apply

from .fixtures.web import People
from .stage import form
from .test_browser import lead_of
from .test_gateway import calls, somebody  # noqa: F401 (a fixture)

NOW = datetime(2027, 3, 10, 17, 0, tzinfo=UTC)  # a Wednesday; noon in New York
REP = Rep(id="ana", name="Ana Torres", calendar="x", zone="America/New_York", hours={2: ("09:00-17:00",)}, phone="+12125550171")
TRANSFER = ms.Transfer(rep="ana", name="Ana Torres", to="+12125550171", ring=timedelta(seconds=20), since=NOW)


# ---- whose phone rings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rep", "now", "why"),
    [
        (REP, NOW, ""),
        (REP, NOW - timedelta(hours=3, seconds=1), "is not at work now"),
        (REP, NOW - timedelta(hours=3), ""),
        (REP, NOW + timedelta(hours=5), "is not at work now"),
        (REP, NOW + timedelta(days=1), "is not at work now"),
        (REP.model_copy(update={"active": False}), NOW, "takes no leads now"),
        (REP.model_copy(update={"phone": ""}), NOW, "has no phone in the team's file"),
        (REP.model_copy(update={"overrides": {date(2027, 3, 10): ()}}), NOW, "is not at work now"),
        (REP.model_copy(update={"holidays": "US", "hours": {3: ("09:00-17:00",)}}), datetime(2027, 11, 25, 17, tzinfo=UTC), "is not at work now"),
    ],
)  # fmt: skip
def test_a_phone_rings_in_its_owners_hours_alone(rep: Rep, now: datetime, why: str) -> None:
    assert lines.unavailable(rep, now) == why


def test_the_owner_comes_first_then_who_is_on_call_each_once() -> None:
    ben, cleo = (REP.model_copy(update={"id": name}) for name in ("ben", "cleo"))
    team = Team(id="t", reps=(REP, ben, cleo), on_call=("cleo", "ana"))
    assert [rep.id for rep in lines._asked(team, "ana")] == ["ana", "cleo"]
    assert [rep.id for rep in lines._asked(team, "ben")] == ["ben", "cleo", "ana"]
    assert [rep.id for rep in lines._asked(team, "gone")] == ["cleo", "ana"]


def test_the_team_file_names_who_is_on_call_and_numbers_that_can_be_rung() -> None:
    with pytest.raises(ValueError, match="on_call: zoe is nobody"):
        Team(id="t", reps=(REP,), on_call=("zoe",))
    with pytest.raises(ValueError, match="phone"):
        Rep.model_validate(REP.model_dump() | {"phone": "212 555 0171"})


# ---- what is decided ---------------------------------------------------------------------------------------------------

BOOK = written()
STRONG = ev.Sign(sign="commitment", quote="let's do it", strength=0.9)


def in_call(*events: ev.Event, transfers: bool = True) -> Lead:
    state = Lead(lead="lead-x", audience=BOOK.audience, playbook=BOOK.hash)
    for event in (
        ev.FormSubmitted(at=NOW, form=form()), ev.DialQueued(at=NOW, attempt="a1", touch="cadence/1/0/call_1"),
        ev.CallPlaced(at=NOW, attempt="a1", sid="CA1"), ev.CallConnected(at=NOW, attempt="a1", sid="CA1", transfers=transfers), *events,
    ):  # fmt: skip
        state = apply(state, event)
    return state


def wish(complaint: bool = False, name: str = "a1:5") -> ev.ActionAsked:
    action = ev.HandOff(why="asked for a person", words="can I speak with somebody?", complaint=complaint)
    return ev.ActionAsked(at=NOW, id=name, action=action, by="agent", attempt="a1")


def learned(*signs: ev.Sign) -> ev.CallLearned:
    return ev.CallLearned(at=NOW, attempt="a1", turn=1, signs=signs)


FOUND = ev.LineFound(at=NOW, request="a1:5", rep="ana", name="Ana Torres", phone="+12125550171")


@pytest.mark.parametrize(
    ("state", "through"),
    [
        (in_call(learned(STRONG), wish()), True),
        (in_call(learned(STRONG.model_copy(update={"strength": 0.2})), wish()), False),
        (in_call(wish()), False),
        (in_call(wish(complaint=True)), True),
        (in_call(learned(STRONG), wish(), transfers=False), False),
        (in_call(learned(STRONG), ev.Held(at=NOW, by="ops"), wish()), False),
    ],
)  # fmt: skip
def test_only_who_means_it_is_put_through(state: Lead, through: bool) -> None:
    assert isinstance(plan.next_step(state, BOOK, NOW), plan.FindLine) is through


def test_without_a_ring_nobody_is_put_through() -> None:
    off = BOOK.model_copy(update={"call": BOOK.call.model_copy(update={"transfer": PutThrough()})})
    assert not isinstance(plan.next_step(in_call(wish(complaint=True)), off, NOW), plan.FindLine)


def test_nobody_there_is_a_hand_over_as_ever() -> None:
    state = apply(in_call(learned(STRONG), wish()), ev.LineFound(at=NOW, request="a1:5", why="Ana Torres is not at work now"))
    assert state.answers["a1:5"].allowed
    assert state.answers["a1:5"].transfer is None
    assert state.taken_over_by == "team"
    assert review.stands(state, "handoff")


def test_a_transfer_is_state_and_nothing_else_is_begun() -> None:
    state = apply(in_call(learned(STRONG), wish()), FOUND)
    assert state.answers["a1:5"].transfer == TRANSFER
    assert state.call is not None
    assert state.call.transfer == TRANSFER
    assert state.owed[-1].card is not None
    assert state.owed[-1].card.title == "On the line for Ana Torres: Dana Reyes"
    state = apply(state, ev.ConversationEnded(at=NOW, attempt="a1", outcome="transferred"))
    state = apply(state, ev.TransferTold(at=NOW, attempt="a1", status="taken"))
    assert state.call is not None
    assert state.call.transfer is not None
    assert (state.call.transfer.state, state.taken_over_by, state.owner) == ("talking", "Ana Torres", "ana")
    assert isinstance(plan.next_step(state, BOOK, NOW + timedelta(hours=2)), plan.AskCarrier)  # never a dial
    state = apply(state, ev.TransferTold(at=NOW, attempt="a1", status="over", seconds=240))
    state = apply(state, ev.CallEnded(at=NOW, attempt="a1", sid="CA1", status="completed", seconds=300))
    step = plan.next_step(state, BOOK, NOW + timedelta(days=3))
    assert isinstance(step, plan.Wait)
    assert step.rule == "taken_over"
    assert state.items == ()


def test_a_rep_who_takes_over_meanwhile_does_not_cut_the_two_off() -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), ev.TakenOver(at=NOW, by="Ben"))
    assert not isinstance(plan.next_step(state, BOOK, NOW), plan.Hangup)


def test_not_picked_up_the_same_call_goes_on_with_the_agent() -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), ev.TransferTold(at=NOW, attempt="a1", status="missed"))
    # The gateway's last word on the first part may come after the carrier's.
    first = ev.ConversationEnded(
        at=NOW, id="a1:transferred", attempt="a1", outcome="transferred", transcript=(ev.Line(who="lead", text="a person?", at=NOW),)
    )
    call = ms.Connect(attempt="a1", sid="CA1", at=NOW, transfers=True)
    state = apply(state, ev.CallConnected(at=NOW, attempt="a1", sid="CA1", transfers=True))
    told = brief(state, BOOK, call, resumed=True)
    assert (told.refusal, told.opening, told.node, told.resumed) == ("", "not_picked_up", "follow_up", False)
    state = apply(state, first)
    assert state.call is not None
    assert state.call.state == "connected"
    again = apply(state, wish(name="a1:9"))
    assert not isinstance(plan.next_step(again, BOOK, NOW), plan.FindLine)  # not rung for twice in one call
    second = first.model_copy(update={"id": "a1:ended", "outcome": "talked", "transcript": (ev.Line(who="lead", text="ok", at=NOW),)})
    promised = apply(state, ev.ActionAsked(at=NOW, id="a1:8", action=ev.CallBack(at=NOW + timedelta(hours=3)), by="agent", attempt="a1"))
    promised = apply(apply(promised, ev.ActionDone(at=NOW, request="a1:8")), second)
    over = ev.CallEnded(at=NOW, attempt="a1", sid="CA1", status="completed", seconds=90)
    promised = apply(promised, over)
    assert promised.callback_at == NOW + timedelta(hours=3)
    assert not promised.taken_over_by
    note = next(owed.call for owed in reversed(promised.owed) if owed.call)
    assert [line.text for line in note.transcript] == ["a person?", "ok"]
    unmet = apply(apply(state, second), over)
    assert unmet.taken_over_by == "team"
    assert review.stands(unmet, "handoff")


def test_who_hangs_up_while_it_rings_is_a_persons_to_call() -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), ev.CallEnded(at=NOW, attempt="a1", sid="CA1", status="completed"))
    assert state.call is None
    assert review.stands(state, "handoff")


OVER = ev.CallEnded(at=NOW + timedelta(minutes=1), attempt="a1", sid="CA1", status="completed", seconds=60)
LOST = ev.CallUnknown(at=NOW + timedelta(hours=2), attempt="a1")


def late(status: str, minutes: int = 5) -> ev.TransferTold:
    return ev.TransferTold.model_validate({"at": NOW + timedelta(minutes=minutes), "attempt": "a1", "status": status, "seconds": 90})


@pytest.mark.parametrize("end", [OVER, LOST])
def test_who_took_the_call_is_believed_after_its_end_too(end: ev.Event) -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), end)
    assert (state.call, state.taken_over_by, [item.kind for item in state.items if item.kind == "handoff"]) == (None, "team", ["handoff"])
    for first in ("taken", "over"):
        told = apply(state, late(first))
        assert (told.taken_over_by, told.owner, told.reached) == ("Ana Torres", "ana", True)
        assert not review.stands(told, "handoff")
        assert [each.item for each in told.resolved] == ["handoff:transfer-a1"]
        cards = [owed.card.title for owed in told.owed if owed.card]
        assert cards[-1] == "Nobody has to call Dana Reyes: Ana Torres took the call"
        assert plan.next_step(told, BOOK, NOW + timedelta(days=3)).rule == "taken_over"
        again = apply(told, late(first, 6))
        assert again.entries == told.entries, "each word counts once"


def test_a_promise_made_at_the_end_waits_for_who_took_the_call() -> None:
    promise = ev.ActionAsked(at=NOW, id="a1:8", action=ev.CallBack(at=NOW + timedelta(hours=3)), by="agent", attempt="a1")
    state = apply(in_call(learned(STRONG), wish(), promise, ev.ActionDone(at=NOW, request="a1:8")), FOUND)
    state = apply(state, OVER)
    assert (state.taken_over_by, state.callback_at) == ("", NOW + timedelta(hours=3))
    missed = apply(state, late("missed"))
    assert [missed.entries[-1].text, missed.taken_over_by] == ["Ana Torres did not pick up", ""]
    assert missed.callback_at, "which is what is due then"
    assert apply(state, late("taken")).taken_over_by == "Ana Torres"


def test_a_late_word_changes_nothing_once_a_person_has_acted() -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), OVER)
    for acted in (ev.TakenOver(at=NOW + timedelta(minutes=2), by="Ben"), ev.Released(at=NOW + timedelta(minutes=2), by="Ben")):
        after = apply(state, acted)
        assert apply(after, late("taken")).taken_over_by == after.taken_over_by


def test_who_opted_out_is_nobodys_after_a_late_word() -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), ev.MessageReceived(at=NOW, id="SM1", text="STOP"))
    state = apply(apply(state, OVER), late("taken"))
    assert (state.taken_over_by, state.reached) == ("", True)


def test_the_transfer_of_a_call_that_another_replaced_still_counts() -> None:
    state = apply(in_call(learned(STRONG), wish()), FOUND)
    assert state.call is not None
    state = state.but(call=state.call.model_copy(update={"inbound": True}))
    state = apply(state, ev.CallConnected(at=NOW + timedelta(minutes=1), attempt="in-2", sid="CA2", inbound=True))
    state = apply(state, OVER)
    assert state.taken_over_by == "team"
    state = apply(state, late("taken"))
    assert (state.taken_over_by, state.call and state.call.attempt) == ("Ana Torres", "in-2")
    assert state.call is not None
    assert not state.call.left, "who rings us now is not cut off"


def test_the_carriers_word_counts_once_and_in_order() -> None:
    state = apply(apply(in_call(learned(STRONG), wish()), FOUND), ev.TransferTold(at=NOW, attempt="a1", status="missed"))
    for late in ("taken", "over", "missed"):
        after = apply(state, ev.TransferTold(at=NOW, attempt="a1", status=late))  # type: ignore[arg-type]
        assert (after.call, after.taken_over_by) == (state.call, "")


# ---- on the wire -------------------------------------------------------------------------------------------------------


def test_the_end_of_a_session_carries_to_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = relay.write(signals.End("transfer", TRANSFER))
    assert frame == '{"type": "end", "handoffData": "{\\"to\\": \\"+12125550171\\", \\"rep\\": \\"ana\\", \\"ring\\": 20}"}'
    assert relay.write(signals.End("talked")) == '{"type": "end"}'
    monkeypatch.setenv("TWILIO_NUMBER", "+14155550100")
    settings.cache_clear()
    given = ElementTree.fromstring(transfers.put_through("lead-1", "a1", '{"to": "+12125550171", "ring": 20}', "abc"))
    dial, number = given.find("Dial"), given.find("Dial/Number")
    assert dial is not None
    assert number is not None
    assert (dial.get("timeout"), dial.get("answerOnBridge"), dial.get("callerId")) == ("20", "true", "+14155550100")
    assert "/twilio/transferred?lead=lead-1&attempt=a1&playbook=abc" in str(dial.get("action"))
    assert (number.text, "/twilio/whisper?lead=lead-1" in str(number.get("url"))) == ("+12125550171", True)
    for broken in ("", "{}", "[]", '{"to": "x", "ring": 3}', "no json"):
        assert transfers.put_through("lead-1", "a1", broken, "") == twilio.hang_up()
    settings.cache_clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Playbook:
    """The playbook of who rings us, with a colleague's phone that rings for a second."""
    _, book = audiences.newest("inbound")
    timing = book.call.model_copy(update={"transfer": PutThrough(ring=timedelta(seconds=1))})
    book = book.model_copy(update={"version": 0, "call": timing})
    playbook.register([book])  # for good: its leads stay open
    for module in ("clients.carrier", "clients.calls"):
        monkeypatch.setattr(f"{module}.newest", lambda _: (book.hash, book))
    return book


@pytest.fixture
def carrier(calls: People, quick: Playbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:  # noqa: F811
    """The sandbox's carrier, whose webhooks are the test's web process; Ana takes calls at her phone."""
    found = fx.FoundLine(rep="ana", name="Ana Torres", phone="+12125550171")
    calls.stage.answers["find_line"] = lambda _: found
    with serving(tmp_path / "sandbox", calls.site.url) as sandbox:
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", sandbox.world.account.token)
        monkeypatch.setenv("TWILIO_ACCOUNT_SID", sandbox.world.account.sid)
        monkeypatch.setenv("TWILIO_BASE_URL", f"{sandbox.url}/twilio")
        settings.cache_clear()
        sandbox.account(pace={"colleague": 0.5, "desk": 0.2})
        yield sandbox


class Person:
    """Somebody who rings us from the sandbox's phone page."""

    def __init__(self, carrier: Sandbox, people: People) -> None:
        self.carrier, self.people, self.number = carrier, people, somebody()
        self.sid = self.lead = ""

    async def ring(self) -> None:
        await self._do("call", number=self.number)
        self.sid = (await self.call())["sid"]
        await self.until(lambda call: not call["busy"] and self.said(call))
        self.lead = lead_of(self.number)

    async def call(self) -> dict[str, Any]:
        state = await asyncio.to_thread(self.carrier.phone)
        return next((c for c in state["calls"] if c["number"] == self.number), {})

    @staticmethod
    def said(call: dict[str, Any]) -> list[str]:
        return [line["text"] for line in call["says"] if line["us"]]

    async def say(self, words: str) -> None:
        before = len(self.said(await self.call()))
        await self._do("say", sid=self.sid, words=words)
        await self.until(lambda call: call["status"] == "completed" or (len(self.said(call)) > before and not call["busy"]))

    async def until(self, true: Callable[[dict[str, Any]], object], seconds: float = 60) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while not (true(call := await self.call())):
            assert time.monotonic() < end, self.said(call)
            await asyncio.sleep(0.05)
        return call

    async def hears(self, words: str) -> dict[str, Any]:
        return await self.until(lambda call: any(words in text for text in self.said(call)))

    async def _do(self, verb: str, **asked: Any) -> None:
        await asyncio.to_thread(self.carrier.phone, verb, **asked)


ANGRY = "This is outrageous, I want to make a complaint."


def _waiting(view: ms.View) -> tuple[ms.Item, ...]:
    """What waits for a person; not the calls drawn for listening, which chance decides."""
    return tuple(item for item in view.items if item.kind != "sample")


async def test_a_colleague_takes_the_call(carrier: Sandbox, calls: People) -> None:  # noqa: F811
    person = Person(carrier, calls)
    await person.ring()
    await person.say(ANGRY)
    await person.hears(HELLO)
    seen = await calls.until(person.lead, lambda view: view.taken_over_by == "Ana Torres")
    assert seen.transfer is not None
    assert seen.transfer.state in ("talking", "over")
    heard = await person.until(lambda call: call["status"] == "completed")
    assert any("putting you through to Ana Torres" in text for text in person.said(heard))
    seen = await calls.until(person.lead, lambda view: view.transfer is None)
    assert (seen.taken_over_by, _waiting(seen)) == ("Ana Torres", ())
    assert len([touch for touch in seen.touches if touch.channel == "call"]) == 1
    assert calls.stage.of("place_call") == []
    whispered = carrier.world.log.find("twilio", "out", "POST", "/twilio/whisper")
    assert len(whispered) == 1
    assert len(carrier.world.log.find("twilio", "out", "POST", "/twilio/taken")) == 1


async def test_nobody_is_cut_off_while_temporal_is_away_and_the_lead_learns_of_it_later(
    carrier: Sandbox, calls: People, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setattr(transfers, "TELL_PAUSE", 0.05)
    tell, refused = entity.tell, list[str]()

    async def away(client: Client, workflow: str, signal: str, told: Any) -> bool:
        if signal == "call_transferred" and told.status not in refused:
            refused.append(told.status)
            raise RPCError("planted", RPCStatusCode.UNAVAILABLE, b"")
        return await tell(client, workflow, signal, told)

    monkeypatch.setattr(entity, "tell", away)
    person = Person(carrier, calls)
    await person.ring()
    await person.say(ANGRY)
    await person.hears(HELLO)
    await calls.until(person.lead, lambda view: view.taken_over_by == "Ana Torres")
    await calls.until(person.lead, lambda view: view.transfer is None and not _waiting(view))
    assert refused == ["taken", "over"]
    answers = [each.status for each in carrier.world.log.find("twilio", "out", "POST", "/twilio/(taken|transferred)")]
    assert answers == [200, 200]


@pytest.mark.parametrize("manner", ["silent", "busy", "machine"])
async def test_not_picked_up_the_agent_goes_on_and_promises_a_time(carrier: Sandbox, calls: People, manner: str) -> None:  # noqa: F811
    await asyncio.to_thread(carrier.phone, "desk", number="+12125550171", does=manner)
    person = Person(carrier, calls)
    await person.ring()
    await person.say(ANGRY)
    await person.hears("my colleague cannot pick up right now")
    assert not carrier.world.log.find("twilio", "out", "POST", "/twilio/taken")
    await person.until(lambda call: not call["busy"])
    await person.say("Tomorrow at 3 pm, please.")
    await person.until(lambda call: call["status"] == "completed")
    seen = await calls.until(person.lead, lambda view: view.transfer is None)
    assert seen.touches[0].sid == person.sid
    assert len([touch for touch in seen.touches if touch.channel == "call"]) == 1
    assert seen.taken_over_by == ""
    assert "promised callback" in seen.next_reason
    assert HELLO not in person.said(await person.call())


async def test_hung_up_while_it_rings_a_person_has_to_call(carrier: Sandbox, calls: People) -> None:  # noqa: F811
    await asyncio.to_thread(carrier.phone, "desk", number="+12125550171", does="silent")
    person = Person(carrier, calls)
    await person.ring()
    await person.say(ANGRY)
    await calls.until(person.lead, lambda view: view.transfer is not None)
    await person._do("hangup", sid=person.sid)
    seen = await calls.until(person.lead, lambda view: view.taken_over_by)
    assert [item.kind for item in seen.items] == ["handoff"]


async def test_a_word_that_comes_after_the_end_of_the_call_decides_all_the_same(
    carrier: Sandbox, calls: People, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    """The colleague picked up in the moment in which the lead hung up, and Temporal was away for it."""
    await asyncio.to_thread(carrier.phone, "desk", number="+12125550171", does="silent")
    tell, kept = entity.tell, list[Any]()

    async def away(client: Client, workflow: str, signal: str, told: Any) -> bool:
        if signal == "call_transferred":
            kept.append(told)
            return True
        return await tell(client, workflow, signal, told)

    monkeypatch.setattr(entity, "tell", away)
    person = Person(carrier, calls)
    await person.ring()
    await person.say(ANGRY)
    await calls.until(person.lead, lambda view: view.transfer is not None)
    await person._do("hangup", sid=person.sid)
    seen = await calls.until(person.lead, lambda view: view.taken_over_by)
    assert (seen.taken_over_by, [item.kind for item in seen.items]) == ("team", ["handoff"])
    attempt = seen.touches[0].attempt
    told = ev.TransferTold(at=datetime.now(UTC), id="late", attempt=attempt, status="taken")
    await tell(calls.site.temporal, person.lead, "call_transferred", told)
    seen = await calls.until(person.lead, lambda view: view.taken_over_by == "Ana Torres")
    assert _waiting(seen) == ()
