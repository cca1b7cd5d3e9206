"""JETWAY_HOME: the folder that holds all a laptop's Jetway knows, and its lock: one run at a time."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from core.embedded.launch import end_leftovers, mark
from demo.ports import is_free, random_free

STOPPING_SECONDS = 30.0


class Refused(Exception):
    """Jetway cannot start; the message says to a person why, and what to do."""


@dataclass(frozen=True)
class Holder:
    """The run that holds the lock: its pid, where it answers once that is decided, and whether it is on its way out."""

    pid: int
    url: str = ""
    stopping: bool = False


class Home:
    """The folder and the paths in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.mark = mark(folder)
        self._lock_file = folder / "lock"
        self._descriptor = -1

    def take(self) -> None:
        """Make the folder and take its lock, until `give_back()` or the end of this process.

        Raises Refused where another run holds it (a run on its way out is waited for), or where the folder is not ours.
        """
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self._descriptor = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused(
                f"{self.folder} cannot be used: {error.strerror}. JETWAY_HOME=<a folder of yours> chooses another."
            ) from error
        deadline = time.monotonic() + STOPPING_SECONDS
        while not self._try_lock():
            holder = self._holder()
            if holder is not None and not (holder.stopping and time.monotonic() < deadline):
                where = holder.url or "just starting"
                raise Refused(
                    f"Jetway runs already: {where} (process {holder.pid}, data in {self.folder}).\n"
                    "A second one needs its own folder and port: JETWAY_HOME=<folder> PORT=<port> make run"
                )
            time.sleep(0.1)
        if self._holder() is not None:
            end_leftovers(self.folder, None)
        self._write(Holder(os.getpid()))

    def announce(self, url: str) -> None:
        """Tell whoever wants the lock where this run answers."""
        self._write(Holder(os.getpid(), url))

    def stopping(self, url: str) -> None:
        """Tell whoever waits for the lock that it will soon be free."""
        self._write(Holder(os.getpid(), url, stopping=True))

    def give_back(self) -> None:
        """Leave the lock to the next run, with the word that nothing was left behind."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    def secrets(self) -> dict[str, str]:
        """The secrets of this folder, by the name of the variable that carries each; made at the first call."""
        file = self.folder / "secrets"
        if not file.exists():
            made = {
                "JETWAY_SECRETS": base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(),
                "SANDBOX_KEY": f"sk_test_{secrets.token_hex(16)}",
                "SANDBOX_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
            }
            write_whole(file, "".join(f"{name}={value}\n" for name, value in made.items()))
        pairs = (line.partition("=") for line in file.read_text().splitlines())
        return {name: value for name, _, value in pairs}

    def sandbox_port(self, host: str) -> int:
        """The sandbox's port: the same at every run, so that links to it stay true, unless somebody took it."""
        file = self.folder / "sandbox-port"
        text = file.read_text() if file.exists() else ""
        if text.isdigit() and is_free(host, int(text)):
            return int(text)
        port = random_free(host)
        write_whole(file, str(port))
        return port

    def log(self, name: str) -> Path:
        """A new log called `name`; the one of the run before it is kept beside it."""
        file = self.logs / f"{name}.log"
        if file.exists():
            file.replace(file.with_suffix(".log.1"))
        return file

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> Holder | None:
        """Who wrote the lock file last; None where that run ended well, or has not written yet."""
        text = os.pread(self._descriptor, 4096, 0)
        try:
            return Holder(**json.loads(text)) if text else None
        except ValueError:
            return None

    def _write(self, holder: Holder) -> None:
        text = json.dumps(holder.__dict__).encode()
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))


def write_whole(file: Path, text: str) -> None:
    """Write a file that only its owner reads, all of it or nothing."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.rename(file)
