"""Several processes of one program behind one port of one machine.

Each listens for itself, beside the others (SO_REUSEPORT): Linux gives every new connection to one of them, and spreads
them evenly. They share nothing else; whatever they have in common is in PostgreSQL and Valkey. The process that started
them only watches: one that ends is started again, and when it is told to stop all of them are.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

from core import lifeline
from core.log import logger

VARIABLE = "JETWAY_MEMBER"
"""Stands in the environment of a member: which one it is."""

LOOK = 0.2
PAUSE = 1.0
"""Seconds between two starts of one member."""

STOPPING_SECONDS = 30.0
"""How long members have to stop, before they are killed."""

log = logger("crew")


def is_member() -> bool:
    """Whether this process is one of several."""
    return VARIABLE in os.environ


def beside_others(host: str, port: int) -> socket.socket:
    """A socket bound to an address that others of us are bound to as well. Raises OSError where somebody else is."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except BaseException:
        bound.close()
        raise
    return bound


class Crew:
    """So many processes of `command`, as long as this one runs."""

    def __init__(self, command: Sequence[str], count: int) -> None:
        self._command = list(command)
        self._members: list[subprocess.Popen[bytes] | None] = [None] * count
        self._begun = [float("-inf")] * count
        self._reading, self._writing = os.pipe()
        self._is_stopping = False

    def run(self, host: str, port: int) -> None:
        """Keep them running until SIGTERM or SIGINT. Raises OSError where the address is somebody else's."""
        with beside_others(host, port):  # it never listens: it keeps the address from strangers
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            while not self._is_stopping:
                self._tend()
                time.sleep(LOOK)
            self._end()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _tend(self) -> None:
        """Start those who do not run."""
        for place, member in enumerate(self._members):
            if member is not None and member.poll() is not None:
                log.error("crew.member_ended", member=place, code=member.returncode)
                self._members[place] = None
            if self._members[place] is None and time.monotonic() - self._begun[place] > PAUSE:
                self._begun[place] = time.monotonic()
                self._members[place] = self._started(place)

    def _started(self, place: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, VARIABLE: str(place), lifeline.VARIABLE: str(self._reading)}
        return subprocess.Popen(self._command, env=environment, pass_fds=[self._reading], start_new_session=True)

    def _end(self) -> None:
        """Ask all of them to stop, and kill those that do not."""
        members = [member for member in self._members if member is not None]
        for member in members:
            member.terminate()
        deadline = time.monotonic() + STOPPING_SECONDS
        for member in members:
            try:
                member.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("crew.member_killed", pid=member.pid)
                member.kill()
                member.wait()
