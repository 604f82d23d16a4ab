"""Records the histories that ``test_replay.py`` replays: ``python -m tests.record_histories LABEL``.

The cast runs once on a stack of its own under the tests' encryption key; what Temporal then holds of every workflow
goes into ``tests/histories/LABEL/``, with the playbooks that the leads followed. A recording is committed once and never
edited: it stands for the leads that were open when that code was deployed. Record anew, beside the old ones, whenever
workflows learn something that no recording shows.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client

from activities.settings import settings
from activities.vendors import temporal
from tests.fixtures.temporal import ENCRYPTION_KEYS
from workers import setup, stack, trial
from workers.sandbox.cast import draw
from workflows.playbook import canonical, registered

FOLDER = Path(__file__).parent / "histories"


async def record(folder: Path, seed: int) -> int:
    """Run the cast of ``seed`` and write all histories into ``folder``; 1 when it did not end as it must."""
    with tempfile.TemporaryDirectory(prefix="recording-") as home:
        ports = stack.free_ports(preferred=False)
        environment = stack.demo_environment(Path(home), ports, stack.demo_keys(Path(home)))
        environment["SHOWRATE_ENCRYPTION_KEYS"] = ENCRYPTION_KEYS
        async with stack.Stack(Path(home), ports, environment) as running:
            await running.start()
            os.environ.update(environment)
            settings.cache_clear()
            async for line in setup.setup():
                print(line)
            client = await temporal.connect()
            sandbox = f"http://127.0.0.1:{ports.sandbox}"
            verdicts = await trial.run(draw(seed, datetime.now(UTC)), client, settings(), sandbox, 240)
            for verdict in verdicts:
                print(verdict.member.persona, *verdict.faults)
            if any(verdict.faults for verdict in verdicts):
                return 1
            folder.mkdir(parents=True)
            await _write(folder, client, {verdict.lead: verdict.member.persona for verdict in verdicts})
    return 0


async def _write(folder: Path, client: Client, personas: dict[str, str]) -> None:
    books = {content_hash: json.loads(canonical(book)) for content_hash, book in registered().items()}
    (folder / "playbooks.json").write_text(json.dumps(books, indent=1, sort_keys=True) + "\n")
    async for found in client.list_workflows():
        history = await client.get_workflow_handle(found.id, run_id=found.run_id).fetch_history()
        name = personas.get(found.id, found.id)
        if name.startswith("optout-"):
            name = f"optout-{len(list(folder.glob('optout-*')))}"
        content = json.dumps({"workflow": found.id, "history": history.to_json_dict()}, separators=(",", ":"))
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(content.encode(), mtime=0))
        print(f"{name}: {len(history.events)} events")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.record_histories", description=__doc__)
    parser.add_argument("label", help="the folder's name, such as 2026-11 or what is new in it")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = FOLDER / given.label
    if folder.exists():
        print(f"{folder} exists, and recordings are never edited", file=sys.stderr)
        return 2
    return asyncio.run(record(folder, given.seed))


if __name__ == "__main__":
    sys.exit(main())
