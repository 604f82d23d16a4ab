"""What the bench of talk puts under load: the gateway, or a bare echo, in a process of its own.

The gateway's doors, sessions, codec and conversation are the product's. Behind it a model answers at once and a lead
whose ledger is in memory, so that what is measured is ours alone. ``GET /figures`` gives, and forgets, the seconds of
each turn and stop as the gateway itself timed them, and what the process has used so far.

    python -m tests.bench.switchboard gateway|echo PORT
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activities import metrics
from activities.vendors import openai
from clients import calls, gateway
from clients.sockets import Sockets
from clients.wire import Setup
from tests.talk import Lead, brief, playbook, scripted
from workflows import playbook as playbooks
from workflows.conversation import signals
from workflows.conversation.turn import Decision, TurnReader
from workflows.events import CallLearned, ConversationEnded
from workflows.messages import Answer, Brief

TALKATIVE = "just chat away"
"""Whoever asks for this meets a model that says one short sentence after the other, for ever."""
PIECE = 24
"""Characters of one piece of the model's stream."""
BETWEEN = 0.002
"""Seconds between two sentences of a model that does not stop."""

_figures: dict[str, list[float]] = {"turn": [], "stopped": [], "booked": []}
_leads: dict[str, Lead] = {}
_brief = brief(recording_notice=True)


# ---- in place of the world -------------------------------------------------------------------------------------------


class _Nothing:
    """The Temporal that is asked what is paused: nothing is."""

    def get_workflow_handle(self, _: str) -> _Nothing:
        return self

    async def describe(self, **_: object) -> _Nothing:
        return self

    async def memo_value(self, *_: object, **__: object) -> list[str]:
        return []


class _Reports:
    """What a call reports is taken, and that is all."""

    def __init__(self, *_: object) -> None: ...

    def add(self, learned: CallLearned) -> None: ...

    async def flush(self) -> None: ...

    async def end(self, ended: ConversationEnded) -> None: ...


async def _connect(client: object, setup: Setup, lead: str, attempt: str) -> Brief:
    _leads[lead] = Lead()
    return _brief.model_copy(update={"lead": lead, "attempt": attempt})


async def _act(client: object, lead: str, attempt: str, asked: signals.Perform, at: datetime) -> Answer:
    _figures["booked"] += [1.0] if asked.action.kind == "book" else []
    return _leads[lead].act(asked.action)


_known: dict[tuple[tuple[str, ...], str], list[str]] = {}


def _pieces(ask: signals.Ask) -> list[str]:
    """The scripted model's answer to these words in this place of the graph, worked out once for all callers, however
    they write it."""
    key = ask.actions, ask.messages[-1]["content"].rpartition('"caller_said": ')[2].lower()
    if key not in _known:
        text = scripted(ask)
        _known[key] = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    return _known[key]


async def _think(
    ask: signals.Ask, take: Callable[[signals.Input], object], now: Callable[[], datetime], within: timedelta
) -> None:
    reader = TurnReader(ask.actions)
    for piece in _pieces(ask):
        for known in reader.feed(piece):
            if isinstance(known, Decision):
                take(signals.Decided(now(), ask.id, known))
            else:
                take(signals.Words(now(), ask.id, known))
    take(signals.Finished(now(), ask.id))


async def _think_for_ever(
    ask: signals.Ask, take: Callable[[signals.Input], object], now: Callable[[], datetime], within: timedelta
) -> None:
    decision = Decision.model_validate({"action": {"name": "say"}})
    take(signals.Decided(now(), ask.id, decision))
    while True:
        take(signals.Words(now(), ask.id, "All right. "))
        await asyncio.sleep(BETWEEN)


def _stand_in() -> None:
    """Put the model and the lead in place, and listen to the gateway's own clock."""
    book = playbook()
    playbooks.register([book])

    async def think(ask: signals.Ask, take: Any, now: Any, within: timedelta) -> None:
        await (_think_for_ever if TALKATIVE in ask.messages[-1]["content"] else _think)(ask, take, now, within)

    def turn(seconds: float) -> None:
        _figures["turn"].append(seconds)

    def stage(name: str, seconds: float) -> None:
        if name == "stopped":
            _figures[name].append(seconds)

    replaced: tuple[tuple[Any, str, Any], ...] = (
        (openai, "think", think), (calls, "connect", _connect), (calls, "act", _act), (calls, "Reports", _Reports),
        (metrics, "turn", _both(metrics.turn, turn)), (metrics, "turn_stage", _both(metrics.turn_stage, stage)),
    )  # fmt: skip
    for owner, name, stand_in in replaced:
        setattr(owner, name, stand_in)


def _both(first: Callable[..., None], second: Callable[..., None]) -> Callable[..., None]:
    def noted(*values: Any) -> None:
        first(*values)
        second(*values)

    return noted


# ---- the processes ---------------------------------------------------------------------------------------------------


async def _figures_so_far(request: Request) -> Response:
    if "tidy" in request.query_params:
        gc.collect()
    found = {name: list(values) for name, values in _figures.items()}
    for values in _figures.values():
        values.clear()
    return JSONResponse({**found, **_used(), "calls": gateway.live_calls()})


def _used() -> dict[str, float]:
    with open("/proc/self/statm", encoding="ascii") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": time.process_time(), "bytes": resident}


def exchange() -> Starlette:
    """The gateway, and its figures."""
    _stand_in()
    app = Starlette(routes=[*gateway.routes, Route("/figures", _figures_so_far)])
    app.state.temporal = _Nothing()
    return app


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A bare websocket that gives back what it gets; on HTTP, what it has used."""
    if scope["type"] == "http":
        await JSONResponse({**_figures, **_used(), "calls": 0})(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    app: Any = exchange() if kind == "gateway" else echo
    gc.collect()
    gc.freeze()  # as the product's own server does
    uvicorn.run(
        app,
        port=port, ws=Sockets if kind == "gateway" else "websockets-sansio", access_log=False, log_level="error", lifespan="off",
        timeout_graceful_shutdown=1, backlog=4096,
    )  # fmt: skip


if __name__ == "__main__":
    main()
