"""What a person sees while Jetway starts: one short line a step, with the time it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 34


class Console:
    """Writes lines for a person to `stream`; on a terminal a step is shown while it is still going on."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self._reader_is_gone = False

    def say(self, text: str = "") -> None:
        """One line."""
        self._write(f"{text}\n")

    @contextmanager
    def step(self, doing: str, done: str, *, talks: bool = False) -> Iterator[None]:
        """Show `doing`, then `done` with the seconds in between. A step that `talks` writes lines of its own."""
        began = time.monotonic()
        if self.is_terminal:
            self._write(f"  {doing} …" + ("\n" if talks else ""))
        try:
            yield
        except BaseException:
            if self.is_terminal and not talks:
                self.say()
            raise
        again = "\r\x1b[K" if self.is_terminal and not talks else ""
        self.say(f"{again}  {done:<{WIDTH}}{time.monotonic() - began:6.1f} s")

    def ask(self, question: str) -> bool:
        """Yes or no, where a person is there to answer; an empty answer is yes, an ended input is no."""
        try:
            answer = input(f"{question} [Y/n] ")
        except EOFError:
            self.say()
            return False
        return answer.strip().lower() in ("", "y", "yes")

    def _write(self, text: str) -> None:
        if self._reader_is_gone:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:
            # The terminal was closed, or the pipe's reader is gone: nobody listens, and what runs is not to suffer.
            self._reader_is_gone = True
