"""The least that one can write on Temporal: a form starts a workflow, whose one regular activity dials.

python -m tests.bench.starter worker CARRIER
python -m tests.bench.starter web PORT
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.worker import PollerBehaviorAutoscaling, Worker

QUEUE = "starter"


@activity.defn
async def dial(phone: str) -> str:
    """Ask the carrier to ring ``phone``."""
    async with _session.post(f"{_carrier}/Calls.json", data={"To": phone}) as answer:
        sid: str = (await answer.json())["sid"]
        return sid


@workflow.defn
class Dial:
    @workflow.run
    async def run(self, phone: str) -> str:
        return await workflow.execute_activity(
            dial,
            phone,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


_session: Any = None
_carrier = ""


async def work(carrier: str) -> None:
    """The worker, with the pollers that served best."""
    import aiohttp

    global _session, _carrier
    _carrier = carrier
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as _session:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[Dial],
            activities=[dial],
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        await worker.run()


def serve(port: int) -> None:
    """The intake: FastAPI, one start for each form."""
    import uvicorn
    from fastapi import FastAPI, Request

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.temporal = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
        yield

    app = FastAPI(lifespan=life)

    @app.get("/healthz")
    async def healthy() -> str:
        return "ok"

    @app.post("/leads", status_code=202)
    async def lead(request: Request) -> dict[str, str]:
        phone = (await request.json())["phone"]
        await app.state.temporal.start_workflow(Dial.run, phone, id=f"dial-{phone}", task_queue=QUEUE)
        return {"lead": phone}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, backlog=4096)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        asyncio.run(work(sys.argv[2]))
    else:
        serve(int(sys.argv[2]))
