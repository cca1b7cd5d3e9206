"""Starting, finding and ending the programs of this folder. Nothing here knows which program it is.

Every program carries its folder's `mark` in its command line, so that a later start tells what an earlier one left
behind from an unrelated process that happens to have got the same pid.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar, Self

import psutil

# The shortest sun_path of the systems we run on is macOS's: 104 bytes with its end.
LONGEST_SOCKET_PATH = 103
EXEC_BOUND = Path(__file__).with_name("exec_bound.py")


class StartFailed(RuntimeError):
    """A program did not start; the message ends with the last lines of its log."""

    def __init__(self, what: str, log: Path) -> None:
        super().__init__(f"{what}\n{tail(log)}")


@dataclass(frozen=True)
class Identity:
    """The user that a program runs as; -1 is the present one."""

    uid: int = -1
    gid: int = -1

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        if self.uid >= 0:
            os.chown(path, self.uid, self.gid)


class Server(ABC):
    """A program that is started in a folder and ended again: what PostgreSQL and Valkey have in common."""

    name: ClassVar[str]
    good_end: ClassVar[signal.Signals]
    """The signal at which it writes everything to disk and ends, without waiting for its clients."""
    log: Path
    _process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> Self:
        """Return once it answers; raises StartFailed with the end of its log."""

    @property
    def pid(self) -> int:
        """Its pid, once it was started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended by itself; None while it runs, or before it was started."""
        return None if self._process is None else self._process.poll()

    def stop(self, timeout: float = 20) -> None:
        """End it in good order; kill it where that takes more than `timeout` s. Does nothing where it does not run."""
        if self._process is not None:
            end(self._process, self.good_end, timeout)
            self._process = None

    def kill(self) -> None:
        """What a power cut does: it ends at once, without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def unprivileged() -> Identity:
    """`nobody` where we are root (PostgreSQL refuses to run as root), the present user otherwise."""
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam("nobody")
    return Identity(nobody.pw_uid, nobody.pw_gid)


def bound(program: Sequence[str | Path], who: Identity, death_signal: signal.Signals) -> list[str]:
    """The command that runs `program` as `who` and ends it when the calling thread ends."""
    prefix = [sys.executable, "-I", "-S", str(EXEC_BOUND), os.getpid(), who.uid, who.gid, int(death_signal)]
    return [str(part) for part in (*prefix, *program)]


def launch(
    program: Sequence[str | Path], *, folder: Path, log: BinaryIO, who: Identity, death_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start `program` inside `folder`, out of reach of the terminal's Ctrl-C, writing to `log`."""
    return subprocess.Popen(
        bound(program, who, death_signal),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=folder,
        env=clean_environment(),
        start_new_session=True,
    )


def clean_environment() -> dict[str, str]:
    """An environment in which the user's locale, zone and PG* variables change nothing."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def mark(folder: Path) -> str:
    """The name by which the programs of `folder` are told from all others."""
    return "jetway-" + hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def end_leftovers(folder: Path, main_pid: int | None, seconds: float = 10) -> None:
    """End every process that an earlier start left in `folder`: `main_pid` is asked, what stays is killed.

    Children of a main process that is gone already are only waited for: they notice by themselves.
    """
    name = mark(folder)
    left = [process for process in psutil.process_iter() if is_marked(process, name)]
    for process in left:
        if process.pid == main_pid:
            send(process, signal.SIGINT)
    for process in staying(left, name, seconds):
        send(process, signal.SIGKILL)
    staying(left, name, seconds)


def staying(processes: Sequence[psutil.Process], name: str, seconds: float) -> list[psutil.Process]:
    """Those that still run after `seconds`, or none at once when all are gone; the dead that nobody collects are."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if is_marked(process, name)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def is_marked(process: psutil.Process, name: str) -> bool:
    """Whether `name` stands in the command line of `process`; a process that may not be read is not ours."""
    try:
        return any(name in part for part in process.cmdline())
    except psutil.Error:
        return False


def send(process: psutil.Process, number: signal.Signals) -> bool:
    """Send a signal; False where the process was gone already."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def end(process: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> None:
    """Ask `process` to end with signal `number`, and collect it."""
    process.send_signal(number)
    collect(process, seconds)


def collect(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the end of `process`, and kill it where it takes longer than `seconds`."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def reachable_socket(folder: Path, name: str) -> Path:
    """`folder` by a path short enough for a Unix socket called `name`: itself, or a link to it in a private folder.

    Raises PermissionError where that private folder is somebody else's.
    """
    if len(os.fsencode(folder / name)) <= LONGEST_SOCKET_PATH:
        return folder
    private = Path(tempfile.gettempdir()) / mark(folder)
    private.mkdir(mode=0o700, exist_ok=True)
    if private.is_symlink() or private.stat().st_uid != os.geteuid():
        raise PermissionError(f"{private} belongs to somebody else")
    link = private / "s"
    if not link.is_symlink():
        link.symlink_to(folder, target_is_directory=True)
    return link


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, or a word on why there are none."""
    try:
        text = log.read_text(errors="replace")
    except OSError as error:
        return f"({log}: {error.strerror})"
    return "\n".join(text.splitlines()[-lines:])
