"""How fast a live call is answered, without the model: the gateway under many concurrent calls, beside a bare echo.

Callers on ConversationRelay's wire, in this process, talk with the gateway in another
(:mod:`.switchboard`); each says what people say, with the frames that a carrier sends around it, and books. Timed from
the final prompt to the first token that is to be spoken, as this side of the socket sees it. A frame of 316 bytes to an
echo in a third process, over as many sockets and as often, is the floor: rounds of both take turns in one run, and the
ratio is what counts. Then the time from an interruption to the last token that still came, the memory of a call, and
how many events the pure core takes in a second.

    python -m tests.bench.talk [--calls 1,50,200,500] [--seconds 8] [--rounds 3] [--picture docs/talk.svg] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.talk import Talk, brief
from workers.sandbox.webhooks import signature

from .house import LOOPBACK, ROOT, free_port
from .switchboard import TALKATIVE

TOKEN = "the token of a bench"
SAID = (
    "Yes, sure.",
    "Mostly keeping our stock counts right.",
    "About 25 people.",
    "This quarter, if possible.",
    "10 AM works for me.",
    "No, that's all. Thank you!",
)
"""One call: agrees to talk, answers what is asked, takes a time, says goodbye."""
PAUSE = (1.0, 3.0)
"""Seconds that somebody takes between two turns, least and most: a brisk talk."""
BROKEN_INTO = 3
"""Calls that are broken into at the same time."""
FRAME = "x" * 316
TIDY = "?tidy=1"
PEERS = {"Pipecat 1.14": (1.1, 4.0), "LiveKit Agents 1.8": (2.6, 8.0)}
"""Theirs, at 50 sessions, to the first text, with a model that answers at once; p50 and p99 in ms, on a machine like
this one."""

Asked = argparse.Namespace


# ---- figures ---------------------------------------------------------------------------------------------------------


def part(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


@dataclass
class Times:
    """Seconds, of one system at one number of connections, over all rounds."""

    seconds: list[list[float]] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    """As the gateway's own clock has it."""
    cpu: float = 0.0
    booked: int = 0

    def of(self, share: float) -> float:
        """The median over the rounds, in milliseconds."""
        return round(statistics.median(part(one, share) for one in self.seconds) * 1000, 3)

    def report(self) -> dict[str, float]:
        turns = sum(map(len, self.seconds))
        found = {
            "p50_ms": self.of(0.5),
            "p99_ms": self.of(0.99),
            "turns": turns,
            "cpu_ms": round(self.cpu / turns * 1000, 3),
        }
        if self.inside:
            found["booked"] = self.booked
            found["inside_p50_ms"] = round(part(self.inside, 0.5) * 1000, 3)
            found["inside_p99_ms"] = round(part(self.inside, 0.99) * 1000, 3)
        return found


# ---- the other end of the line ---------------------------------------------------------------------------------------


class Server:
    """A process of :mod:`.switchboard`."""

    def __init__(self, kind: str) -> None:
        self.kind, self.port = kind, free_port()
        self.url = f"{LOOPBACK}:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Server:
        environment = {
            **os.environ, "TWILIO_AUTH_TOKEN": TOKEN, "SHOWRATE_PUBLIC_URL": f"http://{self.url}",
            "SHOWRATE_IDENTITY_KEY": "k" * 32, "PYTHONDONTWRITEBYTECODE": "",
        }  # fmt: skip
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.switchboard", self.kind, str(self.port), cwd=ROOT, env=environment
        )
        while True:
            try:
                await self.figures()
                return self
            except aiohttp.ClientError:
                if self._process.returncode is not None:
                    raise RuntimeError(f"the {self.kind} did not start") from None
                await asyncio.sleep(0.1)

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def figures(self, tidy: str = "") -> dict[str, Any]:
        """What it has measured since it was asked last, and used; ``tidy``: after a collection of its garbage."""
        async with aiohttp.ClientSession() as http, http.get(f"http://{self.url}/figures{tidy}") as answer:
            found: dict[str, Any] = await answer.json()
            return found


class Call:
    """One call: the carrier's end of the socket and the person behind it."""

    numbers = 0

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._said = ""
        """What is being said to them ..."""
        self._last = False
        """... and whether that is all of it."""

    @classmethod
    async def begin(cls, server: Server) -> Call:
        """Ring, and hear the opening."""
        number = cls.numbers = cls.numbers + 1
        url = f"ws://{server.url}/twilio/relay"
        headers = {"X-Twilio-Signature": signature(TOKEN, url, {})}
        call = cls(await connect(url, additional_headers=headers, ping_interval=None, compression=None, proxy=None))
        await call._send(
            type="setup", sessionId=f"VX{number}", callSid=f"CA{number}", direction="outbound-api",
            callStatus="IN_PROGRESS", customParameters={"lead": f"lead-{number}", "attempt": f"a{number}"},
            **{"from": "+14155550100", "to": "+12125550100"},
        )  # fmt: skip
        await call.hear()
        return call

    async def _send(self, **frame: Any) -> None:
        await self._socket.send(json.dumps(frame))

    async def say(self, words: str) -> float:
        """Say ``words``, as a carrier tells of it; seconds to the first token of the answer."""
        parts = words.split()
        await self._send(type="info", name="clientSpeaking", value="on")
        for upto in (*range(3, len(parts), 3), len(parts)):
            await self._prompt(" ".join(parts[:upto]), last=False)
        await self._send(type="info", name="clientSpeaking", value="off")
        await asyncio.sleep(0.1)  # until the recogniser is sure
        return await self.ask(words)

    async def ask(self, words: str) -> float:
        """The final words alone; seconds to the first token of the answer."""
        began = time.perf_counter()
        await self._prompt(words)
        return await self._token() - began

    async def _prompt(self, words: str, last: bool = True) -> None:
        await self._send(type="prompt", voicePrompt=words, lang="en-US", last=last)

    async def _token(self) -> float:
        """When the next token that is to be spoken arrives."""
        while True:
            frame = json.loads(await self._socket.recv())
            self._said += frame.get("token", "")
            self._last = frame.get("last", False)
            if frame.get("token"):
                return time.perf_counter()

    async def hear(self) -> None:
        """The rest of what is said, played to its end. The session may end instead."""
        await self._send(type="info", name="agentSpeaking", value="on")
        while not self._last:
            frame = json.loads(await self._socket.recv())
            if frame["type"] == "end":
                break
            self._said += frame.get("token", "")
            self._last = frame.get("last", False)
        await self._send(type="info", name="tokensPlayed", value=self._said)
        await self._send(type="info", name="agentSpeaking", value="off")
        self._said, self._last = "", False

    async def break_in(self) -> float:
        """Start a flood of words, break into it; seconds until the last token that still came."""
        await self.ask(f"Well, {TALKATIVE} about it for a while.")
        await self._send(type="info", name="agentSpeaking", value="on")
        until = time.perf_counter() + random.uniform(0.1, 0.2)
        while time.perf_counter() < until:
            await self._token()
        began = last = time.perf_counter()
        await self._send(type="interrupt", utteranceUntilInterrupt="All right.", durationUntilInterruptMs=100)
        while True:
            try:
                last = await asyncio.wait_for(self._token(), 0.2)
            except TimeoutError:
                return max(last - began, 0.0)

    async def close(self) -> None:
        await self._socket.close()


def written(words: str, draw: random.Random) -> str:
    """The same words as nobody has written them before: what the product remembers of the newest ones helps nobody else."""
    return "".join(draw.choice((letter.lower(), letter.upper())) for letter in words)


async def talking(server: Server, until: float, times: list[float], first: float) -> None:
    """One person after the other on one line, until the time is over; nothing of the first moments counts."""
    draw = random.Random()
    await asyncio.sleep(draw.uniform(0, PAUSE[1]) if first else 0)
    pause = PAUSE if first else (0.02, 0.05)
    while time.perf_counter() < until:
        call = await Call.begin(server)
        for words in SAID:
            await asyncio.sleep(draw.uniform(*pause))
            try:
                took = await call.say(written(words, draw))
                await call.hear()
            except ConnectionClosed:
                break
            if time.perf_counter() > until:
                break
            times.append(took)
        await call.close()


async def echoing(server: Server, until: float, times: list[float], first: float) -> None:
    """As often over the same number of sockets, but only the frame there and back."""
    draw = random.Random()
    pause = PAUSE if first else (0.02, 0.05)
    async with connect(f"ws://{server.url}/", ping_interval=None, compression=None, proxy=None) as socket:
        await asyncio.sleep(draw.uniform(0, PAUSE[1]) if first else 0)
        while time.perf_counter() < until:
            await asyncio.sleep(draw.uniform(*pause))
            began = time.perf_counter()
            await socket.send(FRAME)
            await socket.recv()
            times.append(time.perf_counter() - began)


Work = Callable[[Server, float, list[float], float], Awaitable[None]]
WORK: dict[str, Work] = {"echo": echoing, "gateway": talking}


async def one(server: Server, calls: int, seconds: float, into: Times) -> None:
    """One round: ``calls`` connections at once, for so many seconds."""
    before = await server.figures()
    times: list[float] = []
    until = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(calls):
            group.create_task(WORK[server.kind](server, until, times, float(calls > 1)))  # type: ignore[arg-type]
    after = await server.figures()
    into.seconds.append(times)
    into.inside += after["turn"]
    into.booked += len(after["booked"])
    into.cpu += after["cpu"] - before["cpu"]


# ---- the rest --------------------------------------------------------------------------------------------------------


async def breaking(server: Server, until: float, times: list[float]) -> None:
    """One call after the other is broken into, until the time is over."""
    while time.perf_counter() < until:
        call = await Call.begin(server)
        await call.say(SAID[0])
        await call.hear()
        times.append(await call.break_in())
        await call.close()


async def stopping(server: Server, calls: int, seconds: float) -> dict[str, float]:
    """From an interruption to the last token: a few calls are broken into, again and again, while the others talk."""
    await server.figures()
    times: list[float] = []
    until = time.perf_counter() + seconds
    broken_into = min(calls, BROKEN_INTO)
    async with asyncio.TaskGroup() as group:
        for _ in range(calls - broken_into):
            group.create_task(talking(server, until, [], 1.0))
        for _ in range(broken_into):
            group.create_task(breaking(server, until, times))
    inside = (await server.figures())["stopped"]
    return {
        "p50_ms": round(part(times, 0.5) * 1000, 3), "p99_ms": round(part(times, 0.99) * 1000, 3), "times": len(times),
        "inside_p50_ms": round(part(inside, 0.5) * 1000, 3), "inside_p99_ms": round(part(inside, 0.99) * 1000, 3),
    }  # fmt: skip


async def weighing(server: Server, calls: int) -> dict[str, float]:
    """What a call keeps in memory after three turns; in a fresh process, where no room is left over from others."""
    for number in (10, calls):  # the first few fill what the process keeps for good
        before = await server.figures(TIDY)
        held = [await Call.begin(server) for _ in range(number)]
        for words in SAID[:3]:
            for call in held:
                await call.ask(words)
                await call.hear()
        after = await server.figures(TIDY)
        assert after["calls"] == number
        for call in held:
            await call.close()
        await asyncio.sleep(1)
    return {"kb": round((after["bytes"] - before["bytes"]) / calls / 1000, 1), "calls": calls}


def core(seconds: float) -> dict[str, float]:
    """Events that the conversation takes in a second of one core, from the opening to the booking, nothing around it."""
    events, spent = 0, 0.0
    while spent < seconds:
        talk = Talk(brief())
        real = talk.core.receive

        def receive(event: Any, real: Any = real) -> Any:
            nonlocal events, spent
            began = time.process_time()
            found = real(event)
            spent += time.process_time() - began
            events += 1
            return found

        talk.core.receive = receive  # type: ignore[method-assign]
        for words in SAID:
            if talk.core.over:
                break
            talk.hear(words, seconds=0.5, partials=(words,))
    return {"events_per_second": round(events / spent), "events": events}


# ---- all of it -------------------------------------------------------------------------------------------------------


def told(words: str) -> None:
    """Progress, beside the figures."""
    print(words, file=sys.stderr, flush=True)


async def run(asked: Asked) -> dict[str, Any]:
    results: dict[str, Any] = {"processors": os.cpu_count(), "answers": {}}
    told("the core alone ...")
    results["core"] = core(asked.seconds / 2)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Server(kind)) for kind in WORK]
        told("memory ...")
        results["memory"] = await weighing(servers[-1], asked.weighed)
        for calls in asked.calls:
            found = {server.kind: Times() for server in servers}
            for number in range(asked.rounds):
                for server in servers:
                    told(f"{calls} calls, round {number + 1} of {asked.rounds}: {server.kind} ...")
                    await one(server, calls, asked.seconds, found[server.kind])
            report: dict[str, Any] = {kind: times.report() for kind, times in found.items()}
            report["ratio_p50"] = round(report["gateway"]["p50_ms"] / report["echo"]["p50_ms"], 2)
            report["ratio_p99"] = round(report["gateway"]["p99_ms"] / report["echo"]["p99_ms"], 2)
            results["answers"][calls] = report
        gateway = servers[-1]
        results["stopped"] = {}
        for calls in (1, 50):
            told(f"interruptions, {calls} calls ...")
            results["stopped"][calls] = await stopping(gateway, calls, asked.seconds * asked.rounds)
    return results


def show(results: dict[str, Any]) -> None:
    print(
        f"{'calls':>6} {'gateway p50 / p99 ms':>24} {'echo p50 / p99 ms':>22} {'ratio':>12} {'inside p50 / p99':>20} {'CPU ms a turn':>14}"
    )
    for calls, found in results["answers"].items():
        ours, floor = found["gateway"], found["echo"]
        print(
            f"{calls:>6} {ours['p50_ms']:>13.2f} / {ours['p99_ms']:>8.2f} {floor['p50_ms']:>11.2f} / {floor['p99_ms']:>8.2f}"
            f" {found['ratio_p50']:>5.1f} / {found['ratio_p99']:>4.1f}"
            f" {ours['inside_p50_ms']:>9.2f} / {ours['inside_p99_ms']:>8.2f} {ours['cpu_ms']:>14.2f}"
        )
    for calls, found in results["stopped"].items():
        print(f"interruption to the last token, {calls} calls: {found}")
    print("memory:", results["memory"])
    print("the core alone:", results["core"])


def picture(results: dict[str, Any]) -> str:
    """An SVG of the answers beside the echo and the other frameworks, on a logarithmic scale."""
    rows = [
        (name, found[system]["p50_ms"], found[system]["p99_ms"], system == "gateway")
        for calls, found in results["answers"].items()
        for system, name in (("gateway", f"{calls} call{'s' if int(calls) > 1 else ''}"), ("echo", "bare echo"))
    ]
    rows += [(f"{name}, 50", p50, p99, False) for name, (p50, p99) in PEERS.items()]
    left, wide, high = 170, 420, 22
    most = max(p99 for _, _, p99, _ in rows)
    least = min(p50 for _, p50, _, _ in rows)

    def x(value: float) -> float:
        return left + wide * math.log(value / least * 1.25) / math.log(most / least * 1.5)

    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if least / 1.25 <= t <= most * 1.2]
    bottom = 34 + high * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + wide + 90} {bottom + 30}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        '<text x="12" y="18" font-weight="bold">From final words to the first token, p50 to p99, ms, the model answering at once</text>',
    ]
    for tick in ticks:
        parts.append(
            f'<path d="M{x(tick):.1f} 28V{bottom}" stroke="#ddd"/><text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#666">{tick:g}</text>'
        )
    for number, (name, p50, p99, ours) in enumerate(rows):
        y, colour = 34 + high * number, "#0b7285" if ours else "#adb5bd"
        parts.append(
            f'<text x="{left - 10}" y="{y + 12}" text-anchor="end">{name}</text>'
            f'<rect x="{x(p50):.1f}" y="{y + 2}" width="{max(x(p99) - x(p50), 2):.1f}" height="12" rx="2" fill="{colour}"/>'
            f'<text x="{x(p99) + 6:.1f}" y="{y + 12}" fill="#444">{p50:.2g} / {p99:.2g}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--calls", type=lambda given: [int(n) for n in given.split(",")], default=[1, 50, 200, 500])
    parser.add_argument("--seconds", type=float, default=8, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weighed", type=int, default=200, help="calls whose memory is measured together")
    parser.add_argument("--picture", type=Path, help="write an SVG here")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    results = asyncio.run(run(asked))
    if asked.picture:
        asked.picture.write_text(picture(results))
    if asked.json:
        print(json.dumps(results, indent=1))
    else:
        show(results)


if __name__ == "__main__":
    main()
