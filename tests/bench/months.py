"""Many months of many leads on the pure core, judged by the witness.

    python -m tests.bench.months [HOW_MANY] [FIRST_SEED]

Prints how each kind of person fared and every complaint; ends with 1 if there is one.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from tests.months import PERSONAS, Month
from tests.witness import judged


def main(many: int, first: int) -> int:
    """How many complaints there are in ``many`` months of each persona, from the seed ``first`` on."""
    began, complaints = time.perf_counter(), 0
    for persona in PERSONAS:
        fates: Counter[str] = Counter()
        happened = 0
        for seed in range(first, first + many):
            month = Month(seed, persona)
            try:
                found = judged(month.run())
            except AssertionError as error:
                found = [str(error)]
            fates[month.state.disposition or f"open ({month.state.stage})"] += 1
            happened += len(month.facts)
            complaints += len(found)
            for words in found:
                print(words)
        told = ", ".join(f"{fate.replace('_', ' ')} {count}" for fate, count in fates.most_common())
        print(f"{persona.name}: {many} leads, {happened} facts: {told}")
    print(f"{complaints} complaints in {time.perf_counter() - began:.0f} s")
    return complaints


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    sys.exit(bool(main(*(numbers + [300, 0][len(numbers) :]))))
