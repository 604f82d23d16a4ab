"""``python -m workers``: the processes of this room. ``showrate`` calls the same."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; its exit code: 0 done, 1 failed, 2 refused or misused."""
    given = _parser().parse_args(arguments)
    match given.command:
        case "worker":
            from activities.settings import settings
            from workflows import versions

            versions.use(bool(settings().showrate_build))  # said before the workflows are defined by their import
            from workers import worker

            worker.main()
        case "server":
            return _server(given.port, given.ui_port)
        case "sandbox":
            from workers.sandbox.app import run

            run(given.host, given.port, given.home, given.mail_port)
        case "setup":
            return _new_keys() if given.new_keys else _setup(given.json)
        case "demo":
            from workers import demo

            return demo.main(once=given.once, seed=given.seed)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="showrate", description="Showrate's processes.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    commands.add_parser("worker", help="the Temporal worker: runs workflows and activities until SIGTERM")

    server = commands.add_parser("server", prog="python -m workers server", help="a Temporal server on this machine, as temporal-dev.yml describes it")
    server.add_argument("--port", type=int, help="instead of the file's (7233)")
    server.add_argument("--ui-port", type=int, help="instead of the file's (8233)")

    sandbox = commands.add_parser("sandbox", help="stand-ins for the phone, mail, calendar, CRM, chat and language model")
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--port", type=int, default=8090)
    sandbox.add_argument("--mail-port", type=int, default=1025, help="where its mail server listens; 0: any free port")
    sandbox.add_argument("--home", type=Path, default=None, help="the folder of its state and log")

    setup = commands.add_parser("setup", help="search attributes, identity key, CRM properties, playbooks, teams")
    setup.add_argument("--new-keys", action="store_true", help="print fresh keys as environment lines, change nothing")
    setup.add_argument("--json", action="store_true", help="answer with one JSON list of what was done")

    demo = commands.add_parser("demo", help="everything on this machine, with stand-ins for every vendor")
    demo.add_argument("--once", action="store_true", help="run the cast without a browser, then end")
    demo.add_argument("--seed", type=int, default=None, help="what the cast is drawn from; without --once, who fills in the form")
    return parser


def _server(port: int | None, ui_port: int | None) -> int:
    """Become the Temporal server."""
    from activities.settings import settings
    from workers import server

    folder = settings().showrate_home / "temporal"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        line = server.native(server.read(), folder.resolve(), port=port, ui_port=ui_port)
    except server.ServerError as error:
        print(f"showrate server: {error}", file=sys.stderr)
        return 2
    os.execv(line[0], line)


def _new_keys() -> int:
    from workers import setup

    for name, value in setup.new_keys().items():
        print(f"{name}={value}")
    return 0


def _setup(as_json: bool) -> int:
    from temporalio.exceptions import ApplicationError
    from temporalio.service import RPCError

    from workers import server, setup
    from workflows.playbook import PlaybookError

    done: list[str] = []

    async def run() -> None:
        async for line in setup.setup():
            done.append(line)
            if not as_json:
                print(line, flush=True)

    try:
        asyncio.run(run())
    except (setup.SetupError, server.ServerError, PlaybookError, ValueError) as error:
        print(f"showrate setup: {error}", file=sys.stderr)
        return 2
    except (ApplicationError, RPCError, RuntimeError, OSError) as error:
        print(f"showrate setup: {error}", file=sys.stderr)
        return 1
    finally:
        if as_json:
            print(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
