"""``python -m workers.sandbox --port 8090 --home DIR``."""

from __future__ import annotations

import argparse
from pathlib import Path

from .app import run

parser = argparse.ArgumentParser(prog="python -m workers.sandbox", description="Stand-ins for every vendor.")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8090)
parser.add_argument("--mail-port", type=int, default=1025, help="where its mail server listens")
parser.add_argument("--home", type=Path, default=None, help="where its state and log are kept")
given = parser.parse_args()
run(given.host, given.port, given.home, given.mail_port)
