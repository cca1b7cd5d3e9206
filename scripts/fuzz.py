"""Compiled against interpreted execution, for as long as one likes: `make fuzz MINUTES=10 SEED=1`.

Prints every difference as the smallest document that shows it, and its seeds; exits with 1 if there was one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import random
import sys
import time
import warnings
from collections.abc import Iterator

from tests.engine.execution.fuzz.campaign import Tried, nasty_cases
from tests.engine.execution.fuzz.jetway import jetway_cases, made_up_schema

DOCUMENTS = 40
"""Of one schema, before the next."""

MOST_SHOWN = 10


def cases(seed: int) -> Iterator[Tried]:
    """Cases without end: nasty schemas, and Jetway's own in between."""
    jetway = made_up_schema()
    for number in itertools.count(seed):
        yield from nasty_cases(number, DOCUMENTS)
        yield from jetway_cases(jetway, number, DOCUMENTS // 8)


async def fuzz(seed: int, minutes: float) -> int:
    """Run for so many minutes; how many differences there were."""
    ends = time.monotonic() + minutes * 60
    count = found = 0
    for tried in cases(seed):
        if time.monotonic() > ends or found >= MOST_SHOWN:
            break
        count += 1
        if await tried.case.difference() is not None:
            found += 1
            print(f"\n{tried.name}:\n{await tried.case.report()}", flush=True)
    print(f"{count:,} answers compared from seed {seed} on; {found} differ.")
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--seed", type=int, default=None, help="where to begin (default: anywhere)")
    arguments = parser.parse_args()
    # graphql-core leaves coroutines behind where one of several fields ends an object.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
    logging.basicConfig(level=logging.ERROR)
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311 - no secret
    return 1 if asyncio.run(fuzz(seed, arguments.minutes)) else 0


if __name__ == "__main__":
    sys.exit(main())
