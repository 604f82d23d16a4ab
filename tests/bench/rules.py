"""Every area code at every hour of a year: the calling gate against the tables of ``tests/test_calling.py``.

    python -m tests.bench.rules [STATE]...

Area codes that share state and zones are judged alike, so each such kind is gone through once, by its first code; with
STATE (US-FL) only those of these states.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from tests.test_calling import RULES, YEAR, agrees


def main(states: list[str]) -> None:
    """Prints how many hours were judged in how long; ends with an AssertionError at the first that differs."""
    assert RULES
    began, kinds = time.perf_counter(), 0
    for state, areas in RULES.areas.items():
        for area in areas if not states or state in states else ():
            kinds += 1
            for hour in range(364 * 24):
                agrees(area.codes[:3], "", YEAR + timedelta(hours=hour))
    print(f"{kinds} kinds of area code, {kinds * 364 * 24} hours in {time.perf_counter() - began:.0f} s: all agree")


if __name__ == "__main__":
    main(sys.argv[1:])
