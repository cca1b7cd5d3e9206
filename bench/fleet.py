"""The servers that are compared: Jetway with its response cache and without, and others, over one database.

Each is a process of its own on the same core; one at a time is asked anything. Everything else has the other core.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.laptop import PATIENCE, Laptop, free_port, launch, program, stop
from bench.report import ROOT
from bench.wrk import LOAD_CORE, SERVER_CORE
from core import lifeline
from scripts import node

PEERS = ROOT / "bench" / "peers"
INSTALLED = ROOT / ".make" / "bench-peers"

JETWAY, UNCACHED = "Jetway", "Jetway, nothing kept"
MERCURIUS, YOGA, PLAIN, BARE = "mercurius + JIT", "yoga + JIT + its cache", "plain Strawberry", "bare ASGI"


@dataclass(frozen=True)
class Server:
    """One that runs."""

    name: str
    port: int
    process: psutil.Process

    def url(self, path: str = "/graphql") -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}{path}"

    def cpu(self) -> float:
        """Seconds of a core that it has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def fleet(laptop: Laptop, place: Path, answers: Path) -> Iterator[Mapping[str, Server]]:
    """All of them that can be had here, by name. `answers` is what the bare application serves."""
    ours = server_of(laptop)
    environment = {name: value for name, value in ours.environ().items() if name != lifeline.VARIABLE}
    for process in (psutil.Process(os.getpid()), *psutil.Process(laptop.process.pid).children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.cpu_affinity([LOAD_CORE])
    ours.cpu_affinity([SERVER_CORE])
    wanted = {
        UNCACHED: ([sys.executable, "-m", "app"], {**environment, "RESPONSE_CACHE": "0"}),
        PLAIN: ([sys.executable, str(PEERS / "plain.py"), "{port}"], environment),
        BARE: ([sys.executable, str(PEERS / "bare.py"), "{port}", str(answers)], environment),
        **peers(laptop),
    }
    with ExitStack() as stack:
        running = {JETWAY: Server(JETWAY, laptop.port, ours)}
        for name, (command, variables) in wanted.items():
            running[name] = stack.enter_context(started(name, command, variables, place))
        yield running


def server_of(laptop: Laptop) -> psutil.Process:
    """The process of Jetway's server."""
    children = psutil.Process(laptop.process.pid).children()
    return next(child for child in children if program(child.cmdline()) == "app")


def peers(laptop: Laptop) -> Mapping[str, tuple[Sequence[str], Mapping[str, str]]]:
    """How the servers that are written in JavaScript are started; none, with a loud line, where they cannot be had."""
    try:
        folder = scripts()
    except node.Absent as absent:
        print(f"*** NOT COMPARED with mercurius and yoga: {absent} ***", file=sys.stderr, flush=True)
        return {}
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_ENV": "production",
        "DATABASE_URL": laptop.database_url,
        "CONTRACT": str(ROOT / "schema.graphql"),
    }
    return {
        MERCURIUS: ([node.node(), str(folder / "mercurius.mjs")], environment),
        YOGA: ([node.node(), str(folder / "yoga.mjs")], {**environment, "CACHE": "1"}),
    }


def scripts() -> Path:
    """The folder of the peers' scripts, beside their packages, where Node looks for them. Raises node.Absent."""
    folder = node.installed(PEERS, INSTALLED)
    for file in PEERS.glob("*.mjs"):
        shutil.copyfile(file, folder / file.name)
    return folder


@contextmanager
def started(name: str, command: Sequence[str], variables: Mapping[str, str], place: Path) -> Iterator[Server]:
    """One server, from when it answers until it is stopped."""
    port = free_port()
    command = [part.format(port=port) for part in command]
    environment = {**variables, "PORT": str(port), "PYTHONPATH": str(ROOT)}
    output = place / f"{port}.log"
    process = launch(command, environment, output)
    try:
        psutil.Process(process.pid).cpu_affinity([SERVER_CORE])
        wait_until_it_answers(port, process, output)
        yield Server(name, port, psutil.Process(process.pid))
    finally:
        stop(process)


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    """Return once anything is answered. Raises RuntimeError where the process ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/graphql", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"A server did not start:\n{output.read_text()[-4000:]}")
