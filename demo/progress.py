"""A progress bar of one line on standard error; where that is no terminal, a line at every tenth of the way."""

from __future__ import annotations

import sys
import time
from typing import TextIO

WIDTH = 30


class Bar:
    """Counts up to `total` things called `what`."""

    def __init__(self, what: str, total: int, stream: TextIO | None = None) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._stream = stream or sys.stderr
        self._began = time.monotonic()
        self._tenths = 0

    def advance(self, count: int) -> None:
        """`count` more are done."""
        self.done += count
        tenths = 10 * self.done // max(self.total, 1)
        if self._stream.isatty():
            filled = min(WIDTH * self.done // max(self.total, 1), WIDTH)
            self._write(f"\r  [{'█' * filled}{'·' * (WIDTH - filled)}] {self._figures()}\x1b[K", "")
        elif tenths > self._tenths:
            self._write(self._figures(), "\n")
        self._tenths = tenths

    def finish(self) -> None:
        """Leave the line; a later one starts at its beginning."""
        if self._stream.isatty():
            self._write("", "\n")

    def _figures(self) -> str:
        pace = self.done / max(time.monotonic() - self._began, 0.001)
        return f"{self.done:,} of {self.total:,} {self.what}, {pace:,.0f} a second"

    def _write(self, text: str, end: str) -> None:
        print(text, end=end, file=self._stream, flush=True)
