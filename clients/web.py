"""The web process: form intake, the carrier's webhooks, live calls, the lead's pages, the console and the codec endpoint.

It serves from its first moment and says 503 until Temporal answers; it refuses to start at all under a wrong identity
key or without the playbooks that its forms need. Nothing that was sent to it is ever logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.client import Client
from temporalio.service import RPCError

from activities import health, installation, library, logs, metrics, vocabulary
from activities.settings import Settings, settings
from activities.vendors import temporal
from workflows import identity
from workflows.events import Form, FormSubmitted
from workflows.playbook import PlaybookError, registered

from . import (
    api,
    audiences,
    buttons,
    carrier,
    codec,
    console,
    form,
    gateway,
    intake,
    lookout,
    mail,
    merging,
    outcome,
    pages,
    pushes,
    retell_calls,
    schedulers,
)
from .sockets import Sockets

log = logging.getLogger("showrate.web")

GRACE = 15
"""Seconds that open requests and live calls get when the process is told to stop."""


class Refusal(RuntimeError):
    """The process must not start; the message says why and what to do."""


class Discreet:
    """Answers 500 for our own faults and logs where they happened, but not the message: it may quote a person."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)[-6:]
            place = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
            log.error("%s at %s", type(error).__name__, place)
            if begun:
                return
            if scope["type"] == "http":
                answer = JSONResponse({"error": "a fault of ours", "remedy": "try again; the log says where"}, 500)
                await answer(scope, receive, send)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011})


def prepare(house: Settings) -> None:
    """What must be true before a form is taken: keys, the identity that this installation was set up with, and a
    playbook for every audience. Reads the record, blocking. Raises :class:`Refusal`."""
    try:
        mine = identity.fingerprint(house.identity_key)
        _ = house.encryption_keys
        library.load(house)
        stored = installation.identity_fingerprint()
    except (ValueError, PlaybookError) as error:
        raise Refusal(str(error)) from error
    except SQLAlchemyError as error:
        raise Refusal(f"the record at SHOWRATE_RECORD_URL cannot be read ({type(error).__name__})") from error
    if stored and stored != mine:
        raise Refusal(
            f"SHOWRATE_IDENTITY_KEY has the fingerprint {mine}, but this installation was set up under {stored}: "
            "every known person would be a stranger. Restore the first key; it never rotates"
        )
    if missing := audiences.unserved(house):
        raise Refusal(f"no playbook has the audience {', '.join(missing)}; add one to SHOWRATE_PLAYBOOKS")


def application() -> Starlette:
    """The whole web process as an ASGI application. Call :func:`prepare` first."""
    parts = (intake, form, pages, outcome, merging, console, api, codec, carrier, mail, buttons, retell_calls, pushes, schedulers, gateway)
    routes: list[BaseRoute] = [Route("/", _home), Route("/healthz", healthz), Route("/metrics", exposition)]
    for part in parts:
        routes.extend(_routes(part.routes))
    app = Starlette(routes=routes, middleware=[Middleware(Discreet)], lifespan=_life)
    app.state.temporal = None
    app.state.connecting = "not asked yet"
    return app


def _routes(given: Iterable[BaseRoute] | Callable[[], Iterable[BaseRoute]]) -> Iterable[BaseRoute]:
    return given() if callable(given) else given


@contextlib.asynccontextmanager
async def _life(app: Starlette) -> AsyncIterator[None]:
    stop = asyncio.Event()
    beside = [asyncio.create_task(work) for work in (_connect(app), lookout.watch(app, stop), health.watch(stop), vocabulary.prepare())]
    try:
        yield
    finally:
        stop.set()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _connect(app: Starlette) -> None:
    """Keep asking for Temporal until it answers; from then on the client reconnects by itself."""
    pause = 0.25
    while True:
        try:
            client = await temporal.connect(identity=f"web-{os.getpid()}")
            await _warm(client)
            app.state.temporal = client
            app.state.connecting = ""
            log.info("connected to Temporal, namespace %s", client.namespace)
            return
        except (RuntimeError, RPCError, OSError) as error:
            app.state.connecting = type(error).__name__
            log.warning("Temporal does not answer yet (%s)", type(error).__name__)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 3.0)


async def _warm(client: Client) -> None:
    """Load what the first lead would otherwise wait for: phone metadata, serialisers, ciphers."""
    sample = Form(submission_id="warm", phone=identity.phone_number("+1 415 555 0123"))
    await client.data_converter.encode([FormSubmitted(at=datetime.now(UTC), id="warm", form=sample)])
    await intake.whose("0" * 32)


async def _home(request: Request) -> Response:
    return RedirectResponse("/console")


async def healthz(request: Request) -> Response:
    """200 when forms can be taken, 503 otherwise; the state of each part in either case."""
    client: Client | None = request.app.state.temporal
    state = f"connecting: {request.app.state.connecting}"
    if client is not None:
        try:
            healthy = await client.service_client.check_health(timeout=timedelta(seconds=1))
            state = "ok" if healthy else "not serving"
        except (RPCError, RuntimeError, TimeoutError) as error:
            state = f"away: {type(error).__name__}"
    try:
        await asyncio.to_thread(installation.identity_fingerprint)
        record = "ok"
    except (SQLAlchemyError, OSError) as error:
        record = f"away: {type(error).__name__}"
    answer: dict[str, Any] = {
        "ok": state == "ok",
        "process": "web",
        "temporal": state,
        "record": record,
        "playbooks": sorted(registered()),
    }
    return JSONResponse(answer, 200 if state == "ok" else 503, headers={"Cache-Control": "no-store"})


async def exposition(request: Request) -> Response:
    """Metrics in Prometheus' format."""
    return Response(metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0 after a stop, 1 when the process must not start."""
    logs.start()
    house = settings()
    try:
        prepare(house)
    except Refusal as error:
        print(f"showrate serve: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        application(),
        host=house.showrate_host,
        port=house.showrate_port,
        ws=Sockets,
        access_log=False,  # addresses of pages are keys, and callers' numbers stand in some
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        backlog=4096,
    )
    server = _Server(config)
    asyncio.run(_serve(server))
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """uvicorn's server would end the process by the signal that stopped it; a stop that was asked for is no failure."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(server: uvicorn.Server) -> None:
    """Serve until SIGTERM or SIGINT, then let open requests and calls end; a second signal does not wait for them."""

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    # What was built at the start stays: a collection that looks through it would hold up every call for a tenth of a second.
    gc.collect()
    gc.freeze()
    await server.serve()


if __name__ == "__main__":
    code = main()
    # The SDK's threads may still hold the interpreter at exit and abort it; everything of ours is closed by now.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()
    time.sleep(0.1)
    os._exit(code)
