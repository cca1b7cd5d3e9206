"""Keeps programs running: starts again what ends, stops everything in order, and leaves nothing behind.

Python programs run under `core.lifeline`, so that they end with this process however it ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.embedded.launch import collect, tail
from core.lifeline import VARIABLE
from demo.console import Console

ROOT = Path(__file__).resolve().parent.parent
FAST_DEATH_SECONDS = 10.0
FAST_DEATHS = 3
LONGEST_DELAY_SECONDS = 30.0
DRAIN_SECONDS = 15.0
LARGEST_LOG_BYTES = 20_000_000


class GaveUp(Exception):
    """Something that Jetway cannot do without does not stay up; the message ends with its log."""


class Runnable(Protocol):
    """A program that can be started again: a Python program of ours, PostgreSQL, Valkey."""

    log: Path

    def start(self) -> object:
        """Start it; raises StartFailed."""

    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""

    def stop(self) -> None:
        """End it in good order, however long that takes up to its own bound."""

    def kill(self) -> None:
        """End it at once."""


class Lifeline:
    """The pipe whose other end tells our programs that we are gone."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Our own environment with `variables`, and the lifeline, for a child that is passed `reading`."""
        return {**os.environ, "PYTHONUNBUFFERED": "1", **variables, VARIABLE: str(self.reading)}


@dataclass
class Program:
    """`python -m <module>` with its output in `log`, on a lifeline, out of reach of the terminal's Ctrl-C."""

    module: str
    log: Path
    variables: Mapping[str, str]
    lifeline: Lifeline
    mark: str
    arguments: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False

    def start(self, *, to_terminal: bool = False) -> None:
        """Start it, with its output on the terminal where asked to."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.lifeline", self.mark, self.module, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=None if to_terminal else log,
                stderr=None if to_terminal else log,
                cwd=ROOT,
                env=self.lifeline.environment(self.variables),
                pass_fds=[self.lifeline.reading],
                start_new_session=True,
            )
        self._asked = False

    def finish(self) -> None:
        """Wait for its end, once it was started; raises GaveUp where it fails."""
        if self._process is None:
            return
        try:
            code = self._process.wait()
        finally:
            self.stop()
        if code != 0:
            raise GaveUp(f"{self.module} ended with {code}.\n{tail(self.log)}")

    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, once."""
        if self._process is not None and not self._asked:
            self._asked = True
            self._process.terminate()

    def stop(self) -> None:
        """Ask it to stop, and kill it where it takes too long."""
        self.ask_to_stop()
        if self._process is not None:
            collect(self._process, DRAIN_SECONDS)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()


@dataclass
class Kept:
    """One program of the supervisor's, and how it fared."""

    name: str
    program: Runnable
    vital: bool
    since: float
    failures: int = 0
    retry_at: float | None = None


class Supervisor:
    """The programs that run, in the order in which they were started."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.kept: list[Kept] = []

    def keep(self, name: str, program: Runnable, *, vital: bool = False) -> None:
        """Start `program` and keep it running. Without a `vital` one Jetway stops, once it ended thrice at once."""
        kept = Kept(name, program, vital, time.monotonic())
        self.kept.append(kept)
        program.start()

    def look(self) -> None:
        """Start again whatever ended. Raises GaveUp where something vital does not stay up."""
        for kept in self.kept:
            if kept.retry_at is not None:
                if time.monotonic() >= kept.retry_at:
                    kept.retry_at, kept.since = None, time.monotonic()
                    kept.program.start()
            elif (code := kept.program.exit_code()) is not None:
                self._ended(kept, code)

    def bound_logs(self) -> None:
        """Move the older part of a log that has grown too large aside. Programs append, so they go on undisturbed."""
        for log in {kept.program.log for kept in self.kept}:
            if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def stop(self) -> None:
        """End everything: first our own programs, all at once, then the servers, the last started first."""
        for kept in self.kept:
            if isinstance(kept.program, Program):
                kept.program.ask_to_stop()
        for kept in reversed(self.kept):
            kept.program.stop()
        self.kept.clear()

    def kill(self) -> None:
        """End everything at once, as a power cut does; the next start recovers."""
        for kept in self.kept:
            if kept.program.exit_code() is None:
                kept.program.kill()

    def _ended(self, kept: Kept, code: int) -> None:
        lived = time.monotonic() - kept.since
        kept.failures = kept.failures + 1 if lived < FAST_DEATH_SECONDS else 1
        if kept.vital and kept.failures >= FAST_DEATHS:
            raise GaveUp(
                f"{kept.name} ended {FAST_DEATHS} times in a row, each time at once.\n{tail(kept.program.log)}"
            )
        delay = min(0.25 * 4 ** (kept.failures - 1), LONGEST_DELAY_SECONDS)
        kept.retry_at = time.monotonic() + delay
        self.console.say(f"  {kept.name} {how(code)}; it is started again. Its log: {kept.program.log}")


def how(code: int) -> str:
    """An exit code in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
