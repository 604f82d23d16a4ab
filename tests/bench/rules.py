"""Every area code at every hour of a year: the calling gate against the tables of ``tests/lawbook.py``.

    python -m tests.bench.rules [--stated] [STATE]...

Area codes that share state and zones are judged alike, so each such kind is gone through by its first code: hour by hour,
and from each closing to the next, by which every minute of the year is compared. ``--stated``: from each closing to the
next also for each state that they could have stated (an hour and more). With STATE (US-FL) only the codes of these states.
"""

from __future__ import annotations

import sys
import time

from tests.lawbook import HOURS, RULES, Number, kinds


def main(states: list[str], stated: bool) -> None:
    """Prints how many answers were compared in how long; ends with an AssertionError at the first that differs."""
    began, codes, asked = time.perf_counter(), 0, 0
    chosen = [(state, group) for (state, _), group in kinds().items() if not states or state in states]
    for state, group in chosen:
        number = Number(group[0])
        for hour in range(HOURS):
            number.agrees(hour * 60)
        asked += HOURS + number.whole_year()
        codes += len(group)
        for region in sorted(RULES.areas) if stated else ():
            asked += Number(group[0], region).whole_year()
        print(f"{state} {' '.join(group)}: {asked} answers, {time.perf_counter() - began:.0f} s", flush=True)
    took = time.perf_counter() - began
    print(f"{codes} area codes of {len(chosen)} kinds, {asked} answers in {took:.0f} s: all agree")


if __name__ == "__main__":
    main([each for each in sys.argv[1:] if not each.startswith("-")], "--stated" in sys.argv)
