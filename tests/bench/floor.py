"""The floor: FastAPI answers and dials in the background. Nothing survives a restart.

python -m tests.bench.floor PORT CARRIER
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI, Request


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.state.session:
        yield


app = FastAPI(lifespan=_life)
_tasks: set[asyncio.Task[None]] = set()


async def _dial(phone: str) -> None:
    async with app.state.session.post(f"{sys.argv[2]}/Calls.json", data={"To": phone}) as answer:
        await answer.read()


@app.get("/healthz")
async def healthy() -> str:
    return "ok"


@app.post("/leads", status_code=202)
async def lead(request: Request) -> dict[str, str]:
    phone = (await request.json())["phone"]
    task = asyncio.create_task(_dial(phone))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return {"lead": phone}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, backlog=4096
    )
