"""How long a person waits for the first answer: on a fresh machine, at the first start, and at every later one."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.laptop import PATIENCE, environment, folder, free_port, launch, stop, wait_for
from bench.report import ROOT, figure, table
from core.embedded import EmbeddedPostgres

FIRST_QUERY = '{ departures(airport: "JFK", first: 1) { designator } }'
IMPORT = [sys.executable, "-c", "import app"]
HEAD = ("start", "runs", "median, s", "longest, s", "to the limit's")
COLD_RUNS = 2


def measure(runs: int) -> str:
    """`make run` to the first answered query, with an environment: the first time, and again with its data there."""
    first, warm, empty, there, imported = [], [], [], [], []
    for _ in range(runs):
        with folder() as place:
            first.append(answered(place / "home", ROOT, place / "first.log").seconds)
            warm.append(answered(place / "home", ROOT, place / "warm.log").seconds)
            empty.append(postgres_alone(place / "alone"))
            there.append(postgres_alone(place / "alone"))
        imported.append(timed(IMPORT))
    least_first = statistics.median(empty) + statistics.median(imported)
    least_warm = statistics.median(there) + statistics.median(imported)
    rows = [
        row("first `make run`: empty folder, environment there", first, least_first),
        row("`make run` again: environment and data there", warm, least_warm),
        row("limit: PostgreSQL alone, empty folder", empty),
        row("limit: PostgreSQL alone, data there", there),
        row("limit: the server's imports alone", imported),
    ]
    return f"{table(HEAD, rows)}\n\nThe limit of a start is PostgreSQL's own, plus the server's imports."


def measure_cold() -> str:
    """`make run` in a fresh clone, with nothing but Python: the environment, and the rest."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return "Not measured: a fresh clone needs git, and a clone to begin with."
    installed, rest = [], []
    for _ in range(COLD_RUNS):
        with folder() as place:
            clone = place / "clone"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
            one = answered(place / "home", clone, place / "cold.log", said="Environment ready")
            installed.append(one.said)
            rest.append(one.seconds - one.said)
    whole = [one + other for one, other in zip(installed, rest, strict=True)]
    rows = [
        row("cold `make run`: a fresh clone, nothing cached", whole),
        row("of these, the environment: downloads and installs", installed),
        row("of these, the rest: compiles, starts, loads, answers", rest),
    ]
    return table(HEAD[:-1], [one[:-1] for one in rows])


@dataclass(frozen=True)
class Answered:
    """Seconds to the first answer, and to the words that were waited for before it (0 without any)."""

    seconds: float
    said: float


def answered(home: Path, checkout: Path, output: Path, said: str | None = None) -> Answered:
    """`make run` in `checkout`, until a query for a flight is answered; stopped again."""
    port = free_port()
    variables = environment(home, port) | {"PIP_NO_CACHE_DIR": "1"}
    if checkout != ROOT:
        # What the measuring environment puts in front of others must not stand in for what is to be installed.
        variables = {name: value for name, value in variables.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    output.touch()
    began = time.perf_counter()
    process = launch(["make", "--no-print-directory", "-C", str(checkout), "run"], variables, output)
    try:
        until = 0.0
        if said is not None:
            wait_for(output, said, process)
            until = time.perf_counter() - began
        wait_for_answer(port, process, output)
        return Answered(time.perf_counter() - began, until)
    finally:
        stop(process)


def wait_for_answer(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    """Ask until a flight is named; raises RuntimeError where the process ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not names_a_flight(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Jetway did not answer:\n{output.read_text()[-4000:]}")
        time.sleep(0.02)


def names_a_flight(port: int) -> bool:
    """Whether the query is answered with a flight: not yet while the schedule is still being loaded."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/graphql", json.dumps({"query": FIRST_QUERY}), {"content-type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return bool((answer.get("data") or {}).get("departures"))


def postgres_alone(data: Path) -> float:
    """Seconds until a PostgreSQL takes connections, its folder made where it is missing."""
    began = time.perf_counter()
    with EmbeddedPostgres(data):
        return time.perf_counter() - began


def timed(command: Sequence[str]) -> float:
    """Seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=True)
    return time.perf_counter() - began


def row(name: str, took: Sequence[float], limit: float | None = None) -> list[str]:
    """A row of the table; with a limit, how many times its length."""
    median = statistics.median(took)
    ratio = f"{figure(median / limit)} ×" if limit else ""
    return [name, str(len(took)), figure(median), figure(max(took)), ratio]
