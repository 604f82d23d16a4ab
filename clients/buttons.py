"""The buttons on the cards in the reps' channel: each press is checked to be Slack's, and becomes one update of its lead.

Slack wants an answer within three seconds, and a move books in a calendar; so the press is acknowledged when the lead
has answered or soon after it was asked, and the card says what came of it. A press that comes twice is asked under the
same id, and does nothing more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities import notices, reps
from activities.vendors import slack
from workflows.messages import Answer
from workflows.roster import Rep

from . import bodies, leads
from .leads import Refused, Unknown, Unreachable

log = logging.getLogger(__name__)

_MAX_BODY = 256 * 1024
_ACKNOWLEDGE = 2.0
"""Seconds that Slack waits at most here; it gives up after three."""
_DONE = {
    "approve": "Approved", "reject": "Rejected", "take-over": "Taken over", "release": "Handed back to the agent",
    "reschedule": "Moved", "attended": "Marked as attended", "no-show": "Marked as a no-show",
}  # fmt: skip
_OVER = frozenset({"nothing_waits", "taken_already", "no_meeting"})
"""Refusals after which the buttons are of no use any more."""
_working: set[asyncio.Task[None]] = set()


async def actions(request: Request) -> Response:
    """A button was pressed: 403 unless Slack signed it just now, 400 when it is none of ours."""
    try:
        body = await bodies.whole(request, _MAX_BODY)
    except (bodies.TooLong, ClientDisconnect):
        return Response("unreadable", 413)
    timestamp, signed = (request.headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
    if not slack.genuine(body, timestamp, signed, datetime.now(UTC)):
        log.warning("refused %s: not signed by Slack, or not just now", request.url.path)
        return Response("not signed by Slack just now", 403)
    try:
        press = slack.pressed(body)
        about = json.loads(press.value) if press else {}
        lead, waiting = str(about["lead"]) if press else "", str(about.get("request", ""))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        return Response("no button of ours", 400)
    if press is not None and press.action in notices.LABELS:
        task = asyncio.create_task(_follow(request.app.state.temporal, press, lead, waiting))
        _working.add(task)
        task.add_done_callback(_working.discard)
        await asyncio.wait({task}, timeout=_ACKNOWLEDGE)
    return Response(status_code=200)


async def _follow(client: Client | None, press: slack.Press, lead: str, waiting: str) -> None:
    """Do what was pressed, and say on the card what came of it, or to who pressed it why it was not done."""
    try:
        rep = reps.rep_in_slack(press.user)
        if rep is None:
            remedy = f"write slack: {press.user} beside your name in the team's file"
            await slack.whisper(press.user, f"Not done: nobody of the team has your Slack id; {remedy}.")
            return
        try:
            answer = await _asked(client, press, rep, lead, waiting)
        except (Refused, Unknown, Unreachable) as error:
            await slack.whisper(press.user, f"Not done: {error}.")
            return
        if answer.allowed:
            await slack.change(press.ts, press.text, notices.settled(press, _words(press, rep, answer)))
            return
        if answer.rule in _OVER:
            why = notices.escaped(answer.detail or answer.rule.replace("_", " "))
            await slack.change(press.ts, press.text, notices.settled(press, f"Settled already: {why}"))
        await slack.whisper(press.user, leads.told(press.action, answer))
    except ApplicationError as error:  # the lead has it; only the card could not say so
        log.warning("%s: the card could not be changed: %s", lead, error.type)


async def _asked(client: Client | None, press: slack.Press, rep: Rep, lead: str, waiting: str) -> Answer:
    """The lead's answer. Raises Refused, Unknown, Unreachable."""
    if press.action == "reschedule" and press.at is None:
        raise Refused("choose a day and a time beside the button first")
    return await leads.ask(
        client, lead, press.action, by=rep.name, words="in Slack", request=waiting, request_id=press.id, only=True,
        start=press.at if press.action == "reschedule" else None,
    )  # fmt: skip


def _words(press: slack.Press, rep: Rep, answer: Answer) -> str:
    """``Approved by @ana``; by a colleague, when they were quicker."""
    who = f"<@{press.user}>" if answer.by in ("", rep.name) else notices.escaped(answer.by)
    when = f" to <!date^{int(press.at.timestamp())}^{{date_short_pretty}} {{time}}|{press.at:%Y-%m-%d %H:%M} UTC>" if (
        press.action == "reschedule" and press.at) else ""  # fmt: skip
    return f"{_DONE[press.action]}{when} by {who}"


routes: list[BaseRoute] = [Route("/slack/actions", actions, methods=["POST"])]
