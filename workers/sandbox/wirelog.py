"""The log of raw requests: what was really on the wire, in both directions, kept on disk as JSON lines.

It is what tests and benches judge by, so it is written by the stand-ins' side and outlives every other process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

_SECRET = {"authorization", "cookie"}


@dataclass
class Entry:
    """One request. ``at`` is when it arrived (or was sent), UTC; ``status`` is 0 when no answer was given;
    ``seconds`` how long the answer took; ``direction`` is ``in`` for requests to the vendor, ``out`` for the
    vendor's own (webhooks); ``fault`` names the planted fault that touched it."""

    n: int
    at: str
    vendor: str
    direction: Literal["in", "out"]
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 0
    seconds: float = 0.0
    fault: str = ""


class WireLog:
    """All requests since the folder was made, newest last."""

    def __init__(self, folder: Path) -> None:
        """Entries live in ``folder/wire.jsonl``; those of an earlier process are read back."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "wire.jsonl"
        self.entries: list[Entry] = [Entry(**json.loads(line)) for line in self._lines()]
        self._next = max((entry.n for entry in self.entries), default=0) + 1
        self._file = self._path.open("a", encoding="utf-8")

    def _lines(self) -> Iterable[str]:
        if not self._path.exists():
            return []
        # A process killed while it wrote leaves half a line: it is no request that anybody could count on.
        return [line for line in self._path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]

    def arrived(
        self,
        vendor: str,
        direction: Literal["in", "out"],
        method: str,
        path: str,
        query: str = "",
        headers: dict[str, str] | None = None,
        body: str = "",
    ) -> Entry:
        """Note a request as it arrives or leaves; :meth:`answered` completes it. Credentials are masked."""
        shown = {k: "***" if k.lower() in _SECRET else v for k, v in (headers or {}).items()}
        now = datetime.now(UTC).isoformat()
        entry = Entry(self._next, now, vendor, direction, method, path, query, shown, body)
        self._next += 1
        self.entries.append(entry)
        return entry

    def answered(self, entry: Entry, status: int, seconds: float, fault: str = "") -> None:
        """Complete ``entry`` and write it to disk."""
        entry.status, entry.seconds, entry.fault = status, round(seconds, 6), fault
        self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
        self._file.flush()

    def find(
        self, vendor: str = "", direction: str = "", method: str = "", path: str = "", since: int = 0
    ) -> list[Entry]:
        """Entries numbered above ``since`` that match; ``path`` is a regular expression, searched."""
        return [
            entry
            for entry in self.entries
            if entry.n > since
            and (not vendor or entry.vendor == vendor)
            and (not direction or entry.direction == direction)
            and (not method or entry.method == method.upper())
            and (not path or re.search(path, entry.path))
        ]

    def close(self) -> None:
        self._file.close()


def routes(log: WireLog) -> list[BaseRoute]:
    """``GET /_log?vendor=&direction=&method=&path=&since=``."""

    async def read(request: Request) -> Response:
        q = request.query_params
        found = log.find(
            q.get("vendor", ""),
            q.get("direction", ""),
            q.get("method", ""),
            q.get("path", ""),
            int(q.get("since", "0")),
        )
        return JSONResponse([asdict(entry) for entry in found])

    return [Route("/_log", read, methods=["GET"])]
