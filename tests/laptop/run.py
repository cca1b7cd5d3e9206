"""A real `python -m demo` on a folder of its own, and what can be seen of it from outside."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from core.embedded.launch import is_marked, mark
from demo.ports import random_free

ROOT = Path(__file__).resolve().parents[2]
OURS = ("DATABASE_URL", "REDIS_URL", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET", "JETWAY_SECRETS", "MAKELEVEL")
HOST = "127.0.0.1"


class Run:
    """One run of the demo; its output is read from a file, so that nobody has to keep a pipe empty."""

    def __init__(self, home: Path, port: int | None = None) -> None:
        self.home = home
        self.port = port or random_free(HOST)
        self.output = home.with_name(f"{home.name}-{self.port}-{time.monotonic_ns()}.txt")
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env={**kept, "JETWAY_HOME": str(home), "PORT": str(self.port)},
            )

    def said(self) -> str:
        """All it has printed."""
        return self.output.read_text()

    def until_ready(self) -> Run:
        """Wait until it greets."""
        until(lambda: "Ready after" in self.said() or self.process.poll() is not None, 120, self.said)
        assert self.process.poll() is None, self.said()
        return self

    def readyz(self) -> int:
        """The status of /readyz; 0 where nobody answers."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def interrupt(self) -> int:
        """Ctrl-C, and how it ended."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self) -> None:
        """`kill -9` of the supervisor alone."""
        self.process.kill()
        self.process.wait()


class Runs:
    """The runs of one home, the newest last. A start costs seconds, so tests share one for as long as it lives."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.all: list[Run] = []

    def begin(self, port: int | None = None) -> Run:
        """Start another one."""
        self.all.append(Run(self.home, port))
        return self.all[-1]

    def ready(self) -> Run:
        """The one that is going on, or a new one; ready."""
        going_on = self.all and self.all[-1].process.poll() is None
        return self.all[-1] if going_on else self.begin().until_ready()


def processes(home: Path) -> list[psutil.Process]:
    """Every live process that was started for `home`: its servers and its programs."""
    marks = [mark(folder) for folder in (home, home / "postgres", home / "valkey")]
    return [process for process in psutil.process_iter() if any(is_marked(process, name) for name in marks)]


def until(condition: Callable[[], bool], seconds: float, instead: Callable[[], object] = str) -> None:
    """Wait for something that has to come about; fails after `seconds`, with what came `instead`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about: {instead()}"
        time.sleep(0.05)
