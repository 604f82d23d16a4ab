"""Every module in ``tests/fixtures`` is a plugin: a part's fixtures are found by being there."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path

import httpx
from hypothesis import HealthCheck, settings

pytest_plugins = [
    f"tests.fixtures.{file.stem}"
    for file in sorted((Path(__file__).parent / "fixtures").glob("*.py"))
    if file.stem != "__init__"
]

# The same examples in every run, so that a red suite is a change's own fault; HYPOTHESIS_PROFILE=explore looks for new ones.
# Neither asks how long an example takes: on a busy machine that is chance.
_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", _untimed, derandomize=True)
settings.register_profile("explore", _untimed, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


# Every new client reads the certificates of all authorities, 20 ms, and tests open thousands to speak plain HTTP to 127.0.0.1.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)


class _WithoutTraceback(logging.Filter):
    """asyncio reports a lost exception when its future is collected, which may be in the middle of ``ast.parse``; on
    Python 3.11 formatting the traceback there calls ``ast.parse`` again and breaks the first (CPython gh-106905)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


logging.getLogger("asyncio").addFilter(_WithoutTraceback())
