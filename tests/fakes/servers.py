"""The whole of Jetway as a person starts it, for tests that talk to it from outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds for a cold start on a busy machine; a start that takes longer is broken, not slow."""


@dataclass(frozen=True)
class Server:
    """A running Jetway: where it answers, and the process that keeps all of it."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]


@contextmanager
def started(home: Path, **environment: str) -> Iterator[Server]:
    """Start Jetway with its data in `home`, wait until it is ready, and stop it in the end."""
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    output = home / "console.log"
    with output.open("ab") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env={**os.environ, "DEMO_REPLAY": "0", "PORT": str(port), "JETWAY_HOME": str(home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    server = Server(url=f"http://127.0.0.1:{port}", home=home, process=process)
    try:
        wait_until_ready(server, output)
        yield server
    finally:
        stop(process)


def wait_until_ready(server: Server, output: Path) -> None:
    """Return once the console says so, when the flights are loaded; raises RuntimeError where it never does."""
    began = output.stat().st_size
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.process.poll() is None:
        if "Ready after" in output.read_text()[began:] and httpx.get(f"{server.url}/readyz").status_code == 200:
            return
        time.sleep(0.1)
    raise RuntimeError(f"Jetway did not start:\n{output.read_text()[-4000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop it as Ctrl-C does; kill it where that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
