"""The gate fails closed, and costs a dispatch one round trip."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities import gate
from activities.vendors import temporal
from workflows import identity
from workflows.effects import Gate

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def asked(*handles: str, lead: str = "lead-x") -> Gate:
    return Gate(lead=lead, audience="inbound", handles=handles)


async def test_nobody_known_may_be_contacted(client: Client) -> None:
    assert await gate.ask(asked(uuid.uuid4().hex, uuid.uuid4().hex), "call", client) == ""


async def test_any_handle_that_opted_out_forbids_all_channels(client: Client) -> None:
    phone, email = uuid.uuid4().hex, uuid.uuid4().hex
    await gate.start_opt_out(client, [email], "lead-1", "email", NOW)
    for channel in ("call", "text", "email"):
        assert await gate.ask(asked(phone, email), channel, client) == "opted_out"


async def test_the_lead_itself_is_asked_about_also_without_handles(client: Client) -> None:
    handle = uuid.uuid4().hex
    await gate.start_opt_out(client, [handle], "lead-1", "text", NOW)
    assert await gate.ask(asked(lead=identity.lead_id(handle)), "text", client) == "opted_out"


async def test_inside_an_activity_it_uses_the_activitys_client(client: Client) -> None:
    async def dispatch() -> str:
        return await gate.ask(asked(uuid.uuid4().hex), "call")

    assert await ActivityEnvironment(client=client).run(dispatch) == ""


async def test_an_unknown_namespace_is_no_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """NOT_FOUND of the namespace must not read as nobody having opted out."""
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    with pytest.raises(ApplicationError) as raised:
        await gate.ask(asked(uuid.uuid4().hex), "call", await temporal.connect())
    assert raised.value.type == "retry"
    assert not raised.value.non_retryable


@pytest.mark.parametrize("broken", ["optout-", identity.CONTROL_ID])
@pytest.mark.parametrize("how", ["unavailable", "silent", "bug"])
async def test_whatever_cannot_be_answered_forbids(
    client: Client, monkeypatch: pytest.MonkeyPatch, broken: str, how: str
) -> None:
    monkeypatch.setattr(gate, "_PATIENCE", 0.2)
    whole = Client.get_workflow_handle

    class Broken:
        async def describe(self, **_: Any) -> None:
            if how == "silent":
                await asyncio.sleep(60)
            if how == "bug":
                raise RuntimeError("no such thing")
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    def handle(self: Client, id: str, **options: Any) -> Any:
        return Broken() if id.startswith(broken) else whole(self, id, **options)

    monkeypatch.setattr(Client, "get_workflow_handle", handle)
    with pytest.raises(ApplicationError) as raised:
        await gate.ask(asked(uuid.uuid4().hex), "call", client)
    assert raised.value.type == "retry"


async def test_a_failed_reading_is_not_remembered(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Client) -> frozenset[str]:
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    with monkeypatch.context() as patch:
        patch.setattr(gate, "_read_paused", away)
        with pytest.raises(ApplicationError):
            await gate.paused(client, "inbound", "call")
    assert await gate.paused(client, "inbound", "call") == ""


async def test_a_burst_shares_one_reading_of_what_is_paused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = 0
    whole = gate._read_paused

    async def counted(client: Client) -> frozenset[str]:
        nonlocal readings
        readings += 1
        return await whole(client)

    monkeypatch.setattr(gate, "_read_paused", counted)
    waits = []

    async def one() -> None:
        began = time.perf_counter()
        assert await gate.ask(asked(uuid.uuid4().hex, uuid.uuid4().hex), "call", client) == ""
        waits.append(time.perf_counter() - began)

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(100)))
    assert readings <= 1 + (time.monotonic() - began) / 0.25
    assert statistics.median(waits) < 2
