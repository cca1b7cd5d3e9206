"""A whole Jetway on a folder of its own, for as long as it is measured, and what its programs cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.report import ROOT
from core.embedded import EmbeddedPostgres

PATIENCE = 180.0
FOREIGN = (
    *("DATABASE_URL", "READ_DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE"),
    *("PAYPAL_CLIENT_ID", "PAYPAL_SECRET", "PAYPAL_WEBHOOK_ID", "PAYPAL_API_BASE", "PAYMENT_ROUTES", "PUBLIC_URL"),
    *("MAKEFLAGS", "MFLAGS"),
)
"""What would make Jetway use something else than what it brings along; and what `make bench` tells its own children."""


@dataclass(frozen=True)
class Laptop:
    """A running Jetway: where it answers, its database, and the process that keeps all of it."""

    port: int
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def database_url(self) -> str:
        """Its PostgreSQL."""
        return EmbeddedPostgres(self.home / "postgres").url()

    def cpu(self) -> dict[str, float]:
        """Seconds of a core that each of its programs has used so far."""
        used: dict[str, float] = {}
        for child in psutil.Process(self.process.pid).children():
            used[program(child.cmdline())] = sum(seconds(one) for one in (child, *child.children(recursive=True)))
        return used


def program(command: Sequence[str]) -> str:
    """A short name for what a command line runs: the module of a Python program, the file of any other."""
    if "core.lifeline" in command:
        return command[command.index("core.lifeline") + 2]
    return Path(command[0].split(" ")[0]).name


def seconds(process: psutil.Process) -> float:
    """What a process has used of a core, with the children it has collected; nothing where it is gone."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for one measurement, which PostgreSQL's user can enter too, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jetway-bench-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def environment(home: Path, port: int) -> dict[str, str]:
    """Our own environment, with a Jetway of its own in `home`; the trusted proxy is whoever measures."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    ours = {"DEMO_REPLAY": "0", "FORWARDED_ALLOW_IPS": "127.0.0.1", "HOST": "127.0.0.1"}
    return kept | ours | {"PORT": str(port), "JETWAY_HOME": str(home)}


def launch(command: Sequence[str], variables: Mapping[str, str], output: Path) -> subprocess.Popen[bytes]:
    """Start `command` in the project's folder, in a group of its own, with all that it says in `output`."""
    with output.open("ab") as console:
        return subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop (`make` asks its own child), and kill it where that takes too long."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running(home: Path) -> Iterator[Laptop]:
    """Start Jetway with its data in `home`, wait until its console says that it is ready, and stop it in the end."""
    port, output = free_port(), home.with_suffix(".log")
    process = launch([sys.executable, "-m", "demo"], environment(home, port), output)
    try:
        wait_for(output, "Ready after", process)
        yield Laptop(port, home, process)
    finally:
        stop(process)


def wait_for(output: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    """Return once `words` stand in `output`; raises RuntimeError where the process ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while words not in output.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Jetway did not start:\n{output.read_text()[-4000:]}")
        time.sleep(0.02)


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
