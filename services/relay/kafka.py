"""The sink that other systems hear: Kafka, where KAFKA_BROKERS names one.

Each fact goes to the topic `jetway.facts`, which has all of them, and to the topic of its kind,
`jetway.booking.created`. The key is the fact's stream (`slot:17`, `booking:…`), so everything about one booking or slot
is in one partition of `jetway.facts`, in order; partitions are chosen as Kafka's own clients choose them.

All that one turn has for a partition is one batch, written whole or not at all, and nothing new is sent before the
last turn is settled. So what fails and is told again is never told after what came later: the first time that a
consumer sees a fact is in its order. The producer is idempotent and waits for all replicas. Topics are made by the
broker, or by its operator beforehand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from services import live
from services.relay.telling import Away

PREFIX = "jetway."
EVERYTHING = f"{PREFIX}facts"
"""The topic of all facts. The topic of a kind is PREFIX and the kind."""

TURN_BYTES = 800_000
"""What one turn may hold, so that each of its batches is smaller than what brokers take (1 MiB) whatever its keys."""

BATCH_BYTES = 1_000_000

choose = DefaultPartitioner()


class ToKafka:
    """The brokers, `host:port` each. `patience` and `timeout` in seconds."""

    name = "kafka"

    def __init__(self, brokers: Sequence[str], *, timeout: float = 10.0, patience: float = 1.0) -> None:
        self.patience = patience
        self._brokers = list(brokers)
        self._timeout = timeout
        self._producer: AIOKafkaProducer | None = None
        self._under_way: list[asyncio.Future[object]] = []

    async def begin(self, told: int, head: int) -> int:
        """Wait for what an earlier attempt has under way, and connect."""
        try:
            await self._settle()
            if self._producer is None:
                await self._connect()
        except (KafkaError, OSError) as error:
            raise Away(repr(error)) from error
        return told

    async def tell(self, facts: Sequence[asyncpg.Record]) -> int:
        """Send as many of them as fit into one turn, and wait until every replica has them."""
        messages = [live.to_wire(*fact) for fact in facts]
        count = fitting(messages)
        try:
            for (topic, partition), batch in (await self._batches(facts[:count], messages[:count])).items():
                self._under_way.append(await self._connected.send_batch(batch, topic, partition=partition))
            await self._settle()
        except (KafkaError, OSError) as error:
            raise Away(repr(error)) from error
        return count

    async def close(self) -> None:
        """Leave. What is under way and not confirmed is told again by whoever leads next."""
        producer, self._producer, self._under_way = self._producer, None, []
        if producer is not None:
            await asyncio.wait((asyncio.ensure_future(producer.stop()),), timeout=self._timeout)

    @property
    def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise KafkaConnectionError("not connected")
        return self._producer

    async def _connect(self) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            client_id="jetway-relay",
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(self._timeout * 1000),
        )
        try:
            async with asyncio.timeout(self._timeout):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def _batches(
        self, facts: Sequence[asyncpg.Record], messages: Sequence[bytes]
    ) -> dict[tuple[str, int], BatchBuilder]:
        """The messages by topic and partition, in their order."""
        batches: dict[tuple[str, int], BatchBuilder] = {}
        for fact, message in zip(facts, messages, strict=True):
            key = fact["stream"].encode()
            for topic in (EVERYTHING, PREFIX + fact["kind"]):
                place = (topic, await self._partition(topic, key))
                if place not in batches:
                    batches[place] = self._connected.create_batch()
                if batches[place].append(key=key, value=message, timestamp=None) is None:
                    raise Away(f"fact {fact['id']} is too large for Kafka: {len(message)} bytes")
        return batches

    async def _partition(self, topic: str, key: bytes) -> int:
        async with asyncio.timeout(self._timeout):
            partitions = await self._connected.partitions_for(topic)
        return int(choose(key, sorted(partitions), None))

    async def _settle(self) -> None:
        """Wait for what is under way. The client repeats it until a broker answers, so it fails for good or not at all:
        raises TimeoutError while there is no answer, and otherwise what it failed with.
        """
        if not self._under_way:
            return
        _, waiting = await asyncio.wait(self._under_way, timeout=self._timeout)
        if waiting:
            raise TimeoutError(f"{len(waiting)} batches are not confirmed after {self._timeout} seconds")
        settled, self._under_way = self._under_way, []
        if failed := [error for one in settled if (error := one.exception())]:
            await self.close()
            raise failed[0]


def fitting(messages: Sequence[bytes]) -> int:
    """How many of the messages one turn holds; at least one."""
    size = 0
    for count, message in enumerate(messages):
        size += len(message)
        if count and size > TURN_BYTES:
            return count
    return len(messages)
