"""Kafka brokers in a process of their own, on TCP ports of the loopback: `python -m tests.fakes.brokers`.

They are librdkafka's, which speak Kafka's protocol and keep topics in memory: enough to see what a client sends, in
what order, and what it does while nobody answers. It can be stopped and go on; it ends with its standard input.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer

ROOT = Path(__file__).parents[2]
COUNT = 3


@dataclass(frozen=True)
class Brokers:
    """Where they answer, and the process that they live in."""

    addresses: tuple[str, ...]
    pid: int

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nobody answers until the block ends."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    async def read(self, topic: str) -> list[tuple[int, bytes, bytes]]:
        """All that a topic has, in the order of each partition: partition, key and value."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=list(self.addresses), auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = await consumer._client._wait_on_metadata(topic)
            places = [TopicPartition(topic, partition) for partition in partitions]
            consumer.assign(places)
            count = sum((await consumer.end_offsets(places)).values())
            found: list[tuple[int, bytes, bytes]] = []
            while len(found) < count:
                for place, records in (await consumer.getmany(timeout_ms=100)).items():
                    found += [(place.partition, record.key, record.value) for record in records]
            return found
        finally:
            await consumer.stop()


@contextmanager
def brokers() -> Iterator[Brokers]:
    """Three brokers, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.brokers"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("it was started with a pipe")
        yield Brokers(tuple(process.stdout.readline().split()), process.pid)
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    """Say where the brokers answer, and live until nobody can write to us."""
    owner = Producer({"test.mock.num.brokers": COUNT, "bootstrap.servers": "replaced"})
    known = owner.list_topics(timeout=30).brokers.values()
    print(*(f"{broker.host}:{broker.port}" for broker in known), flush=True)  # noqa: T201 - its answer
    sys.stdin.read()


if __name__ == "__main__":
    main()
