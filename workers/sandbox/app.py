"""The sandbox: stand-ins that speak the vendors' wire protocols, in one process with one log and one set of faults.

A stand-in is a module with ``routes(world) -> list[BaseRoute]`` whose paths are whole (``/hubspot/crm/v3/...``,
``/crm`` for its page). It keeps its state in its own objects, made in ``routes``, and may keep files in
``world.folder(name)``. Logging and fault injection lie over all of them (:mod:`.faults`).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from activities.settings import Settings, settings

from . import faults as fault_injection
from . import mail, wirelog
from .faults import Faults, Wire
from .wirelog import WireLog

if TYPE_CHECKING:
    from .phones import PhoneBook

STAND_INS = ("twilio", "lookups", "retell", "google", "calcom", "calendly", "hubspot", "slack", "mail", "model")
"""Twilio's comes first: the phones are its."""


@dataclass(frozen=True)
class Account:
    """The Twilio account and number that the stand-in serves, and where it calls: our own webhooks."""

    sid: str = "AC" + "0" * 31 + "1"
    token: str = "sandbox-token"
    number: str = "+14155550100"
    voice_url: str = ""
    status_url: str = ""
    message_url: str = ""
    retell_key: str = "sandbox-retell"
    retell_socket: str = ""
    """The address of our websocket without the call's id, as it stands in the agent's settings at Retell."""
    retell_webhook: str = ""
    mail_url: str = ""
    """Where answers to our e-mails are posted, and the secret that signs them."""
    mail_secret: str = "sandbox-mail-secret"
    slack_secret: str = "sandbox-slack"
    slack_actions: str = ""
    """Where the buttons pressed in Slack go, as it stands in the app's settings there."""

    @classmethod
    def of(cls, settings: Settings) -> Account:
        """What is configured for the product, so that both sides agree. Webhook retries are asked for as in
        production: five, also on 5xx."""
        public, retries = settings.showrate_public_url, "#rc=5&rp=5xx,ct,rt"
        return cls(
            sid=settings.twilio_account_sid or cls.sid,
            token=settings.twilio_auth_token or cls.token,
            number=settings.twilio_number or cls.number,
            mail_url=f"{public}/mail/inbound",
            mail_secret=settings.mail_inbound_secret or cls.mail_secret,
            voice_url=f"{public}/twilio/inbound{retries}",
            status_url=f"{public}/twilio/status{retries}",
            message_url=f"{public}/twilio/message{retries}",
            retell_key=settings.retell_api_key or cls.retell_key,
            retell_socket=f"ws{public.removeprefix('http')}/retell/llm/{settings.retell_socket_secret}",
            retell_webhook=f"{public}/retell/webhook",
            slack_secret=settings.slack_signing_secret or cls.slack_secret,
            slack_actions=f"{public}/slack/actions",
        )


class World:
    """All that the stand-ins share."""

    def __init__(self, home: Path, account: Account | None = None, mail_port: int = 0) -> None:
        """Files live under ``home``; they survive a restart. ``mail_port`` 0 is any free port."""
        self.home = home
        self.account = account or Account()
        self.log = WireLog(home)
        self.faults = Faults()
        self.mailbox = mail.Mailbox(self.folder("mail"))
        self.mail_port = mail_port
        """Where the mail server listens, once it does."""
        self.book: PhoneBook | None = None
        """Who is at which number; the telephone stand-ins share it."""
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def folder(self, name: str) -> Path:
        """A folder of this stand-in's own."""
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def http(self) -> aiohttp.ClientSession:
        """The client for the vendors' own requests: webhooks, and people following links."""
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
            self._http = aiohttp.ClientSession(connector=connector)
        return self._http

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``work`` beside the requests, until it ends or the sandbox stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            logging.getLogger(__name__).error("a stand-in's task failed", exc_info=task.exception())

    async def close(self) -> None:
        """Stop all that runs beside the requests."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()
        self.log.close()


def _health(request: Request) -> Response:
    return PlainTextResponse("ok")


def stand_ins(world: World) -> list[BaseRoute]:
    """The routes of every stand-in."""
    found: list[BaseRoute] = []
    for name in STAND_INS:
        found += importlib.import_module(f".{name}", __package__).routes(world)
    return found


def create(world: World) -> ASGIApp:
    """The sandbox's ASGI application over ``world``."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        mails = await mail.listen(world, world.mailbox, "127.0.0.1", world.mail_port)
        world.mail_port = mails.sockets[0].getsockname()[1]
        yield
        mails.close()
        await world.close()

    routes: list[BaseRoute] = [
        Route("/healthz", _health),
        *wirelog.routes(world.log),
        *fault_injection.routes(world.faults),
        *stand_ins(world),
    ]
    return Wire(Starlette(routes=routes, lifespan=lifespan), world.log, world.faults)


def run(host: str = "127.0.0.1", port: int = 8090, home: Path | None = None, mail_port: int = 0) -> None:
    """Serve the sandbox until it is told to stop (SIGINT, SIGTERM)."""
    chosen = settings()
    world = World(home or chosen.showrate_home / "sandbox", Account.of(chosen), mail_port)
    uvicorn.run(create(world), host=host, port=port, log_level="warning", access_log=False)
