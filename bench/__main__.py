"""`python -m bench [section ...]`: measures and prints Markdown tables, with `--write` into docs/performance.md too."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping

from bench import (
    best_seats,
    bookings,
    execution,
    fanout,
    growth,
    holds,
    load,
    operations,
    reading,
    relay,
    start,
    wire,
    worst,
)
from bench.report import measured, write

SECTIONS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "start": lambda arguments: start.measure(runs=arguments.runs),
    "cold": lambda arguments: start.measure_cold(),
    "execution": lambda arguments: execution.measure(),
    "load": lambda arguments: load.measure(runs=arguments.runs),
    "best-seats": lambda arguments: best_seats.measure(),
    "holds": lambda arguments: holds.measure(arguments.seconds),
    "bookings": lambda arguments: bookings.measure(arguments.seconds, kill=arguments.kill),
    "growth": lambda arguments: growth.measure(arguments.seconds),
    "reading": lambda arguments: reading.measure(),
    "wire": lambda arguments: wire.measure(max(2.0, arguments.seconds)),
    "worst": lambda arguments: worst.measure(),
    "live": lambda arguments: fanout.measure(),
    "relay": lambda arguments: relay.measure(),
    "operations": lambda arguments: operations.measure(seconds=arguments.seconds),
}
DEFAULT = ("start", "load", "operations")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure Jetway on this machine. Without names: " + ", ".join(DEFAULT) + ".",
    )
    made.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    made.add_argument(
        "--cold", action="store_true", help="also install everything into a fresh clone (a minute or two)"
    )
    made.add_argument("--runs", type=int, default=3, help="of each start and of each load (default: 3)")
    made.add_argument("--seconds", type=float, default=1.5, help="for each operation (default: 1.5)")
    made.add_argument("--kill", action="store_true", help="also kill the server under the load of bookings")
    made.add_argument("--write", action="store_true", help="put the figures into docs/performance.md too")
    return made


def main() -> None:
    """Measure the sections that are asked for, one after the other."""
    arguments = parser().parse_args()
    names = list(arguments.sections or DEFAULT)
    if arguments.cold and "cold" not in names:
        names.append("cold")
    if unknown := set(names) - set(SECTIONS):
        sys.exit(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}.")
    for name in names:
        began = time.monotonic()
        head = measured(f"python -m bench {name}")
        text = f"{head}\n\n{SECTIONS[name](arguments)}"
        print(f"## {name}\n\n{text}\n", flush=True)
        if arguments.write:
            write(name, text)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
