"""Buyers buy while everything breaks; then everything that must hold is asked: `make chaos MINUTES=10 SEED=7`.

Prints what was done and what held. Exits with 1 where anything did not; the logs and the history stay then.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.house import SPEED
from tests.chaos.run import Report, for_minutes, rampage, staged

LONGEST = 240.0
"""Minutes after which the flights would be too near, by a clock that goes so much faster."""


async def main(folder: Path, minutes: float, seed: int, buyers: int, servers: int) -> int:
    """Run for so long with everything in `folder`, and tell; the exit code."""
    again = f"make chaos MINUTES={minutes:g} SEED={seed}"
    print(f"Seed {seed}: {minutes:g} minutes, {buyers} buyers, {servers} servers, a clock {SPEED} times as fast")
    async with staged(folder, seed, servers) as stage:
        report = await rampage(stage, buyers, for_minutes(minutes, seed), lambda _: True, pause=3)
    found = tell(report)
    if not found:
        shutil.rmtree(folder)
        print("\nEverything held.")
        return 0
    print(f"\n{len(found)} things did not hold:\n")
    print("\n".join(found))
    print(f"\nLogs and history: {folder}\nThe same faults and buyers again: {again}")
    return 1


def tell(report: Report) -> list[str]:
    """Print what was done and what held; what did not."""
    table("done to it", report.faults)
    table("what buyers were told", report.outcomes)
    table("replies lost", report.losses)
    table("what viewers heard", report.heard)
    print(f"\n{report.attempts} requests for {report.deeds} things, each seat's history checked:")
    work = sum(verdict.work for verdict in report.verdicts.values())
    explained = sum(verdict.holds for verdict in report.verdicts.values())
    print(f"  {explained} of {len(report.verdicts)} seats linearizable ({work} steps)")
    print("\ninvariants")
    for finding in report.findings:
        print(f"  {'BROKEN' if finding.broken else 'holds ':6}  {finding.name} ({finding.counted})")
    return report.faults_found()


def table(title: str, counts: Counter[str]) -> None:
    """How often each."""
    print(f"\n{title}")
    for name, count in sorted(counts.items()):
        print(f"  {count:6}  {name.replace('_', ' ')}")


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="chaos", description="Buyers buy while everything breaks.")
    parser.add_argument("--minutes", type=float, default=10, help=f"how long, up to {LONGEST:g} (10)")
    parser.add_argument("--seed", type=int, default=None, help="the dice (any)")
    parser.add_argument("--buyers", type=int, default=8, help="how many buy at once (8)")
    parser.add_argument("--servers", type=int, default=3, help="how many servers (3)")
    found = parser.parse_args(arguments)
    if not 0 < found.minutes <= LONGEST:
        parser.error(f"--minutes is more than 0 and at most {LONGEST:g}")
    return found


if __name__ == "__main__":
    given = asked()
    chosen = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    # A short path that the user who runs PostgreSQL may enter.
    place = Path(tempfile.mkdtemp(prefix="jetway-chaos-", dir="/tmp"))
    place.chmod(0o755)
    sys.exit(asyncio.run(main(place, given.minutes, chosen, given.buyers, given.servers)))
