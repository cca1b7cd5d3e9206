"""Kafka hears every fact too, by topic and key, in order; while it is away nobody else waits and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import orjson
import pytest
from aiokafka.partitioner import DefaultPartitioner
from redis.asyncio import Redis
from sqlalchemy import text

from core.db import Database
from services.relay import Pruned, Relay, ToValkey, lag, prune
from services.relay.kafka import TURN_BYTES, ToKafka, fitting
from tests.factories.facts import record, relay_all, told
from tests.fakes.brokers import Brokers
from tests.fakes.relaying import running
from tests.fakes.waiting import eventually


@pytest.fixture
async def sink(kafka: Brokers) -> AsyncIterator[ToKafka]:
    """The way to them, of little patience."""
    sink = ToKafka(kafka.addresses, timeout=1, patience=0.1)
    yield sink
    await sink.close()


def brief(messages: list[tuple[int, bytes, bytes]]) -> list[tuple[int, str, str]]:
    """Position, kind and stream of each fact."""
    facts = [orjson.loads(value) for _, _, value in messages]
    return [(fact["position"], fact["kind"], fact["stream"]) for fact in facts]


async def test_topics_are_kinds_and_keys_are_streams(
    database: Database, database_url: str, lead: asyncpg.Connection, kafka: Brokers, sink: ToKafka
) -> None:
    relay = Relay(database_url, sink)
    await relay_all(relay, lead)  # a sink that was unknown hears what happens from now on
    await record(database, ("booking.created", "booking:a"), ("booking.created", "booking:b"))
    await record(database, ("flight.delayed", "slot:1"), ("booking.confirmed", "booking:a"))
    assert await relay_all(relay, lead) == 4

    everything = await kafka.read("jetway.facts")
    assert sorted(brief(everything)) == [
        (1, "booking.created", "booking:a"),
        (2, "booking.created", "booking:b"),
        (3, "flight.delayed", "slot:1"),
        (4, "booking.confirmed", "booking:a"),
    ]
    for partition, key, value in everything:
        assert orjson.loads(value)["stream"].encode() == key
        assert DefaultPartitioner()(key, [0, 1, 2, 3], None) == partition
    assert brief(await kafka.read("jetway.booking.confirmed")) == [(4, "booking.confirmed", "booking:a")]
    assert sorted(brief(await kafka.read("jetway.booking.created"))) == [
        (1, "booking.created", "booking:a"),
        (2, "booking.created", "booking:b"),
    ]


async def test_while_kafka_is_away_others_hear_and_nothing_is_lost(
    database: Database, database_url: str, redis: Redis, kafka: Brokers, sink: ToKafka
) -> None:
    async def are_behind(**facts: int) -> bool:
        async with database.reading() as session:
            return {one.sink: one.facts for one in await lag(session)} == facts

    async with running(Relay(database_url, ToValkey(redis), sink)):
        await eventually(lambda: are_behind(kafka=0, valkey=0))
        await record(database, ("booking.created", "booking:a"))
        await eventually(lambda: are_behind(kafka=0, valkey=0))
        with kafka.frozen():
            for _ in range(3):
                await record(database, ("booking.confirmed", "booking:a"), ("seat.booked", "slot:1"))
            await eventually(lambda: are_behind(kafka=6, valkey=0))
        await eventually(lambda: are_behind(kafka=0, valkey=0))
    assert [position for position, _, _ in await told(redis)] == [1, 2, 3, 4, 5, 6, 7]
    heard: dict[str, list[int]] = {}
    for position, _, stream in dict.fromkeys(brief(await kafka.read("jetway.facts"))):
        heard.setdefault(stream, []).append(position)
    assert heard == {"booking:a": [1, 2, 4, 6], "slot:1": [3, 5, 7]}


async def test_what_kafka_has_not_heard_is_kept(
    database: Database, database_url: str, lead: asyncpg.Connection, redis: Redis
) -> None:
    nobody = ToKafka(["127.0.0.1:1"], timeout=0.1)
    relay = Relay(database_url, ToValkey(redis), nobody)
    await relay_all(relay, lead)
    await record(database, ("seat.locked", "slot:1"))
    assert await relay_all(relay, lead) == 1
    await nobody.close()
    async with database.transaction() as session:
        assert await prune(session, 0, retention=timedelta(0)) == Pruned(reached=0, removed=0)
        await session.execute(text("DELETE FROM relay_cursors WHERE sink = 'kafka'"))
        assert await prune(session, 0, retention=timedelta(0)) == Pruned(reached=1, removed=1)


async def test_what_is_told_again_by_an_operator_comes_again(
    database: Database, database_url: str, lead: asyncpg.Connection, kafka: Brokers, sink: ToKafka
) -> None:
    relay = Relay(database_url, sink)
    await relay_all(relay, lead)
    await record(database, ("seat.locked", "slot:1"), ("seat.released", "slot:1"))
    assert await relay_all(relay, lead) == 2
    await lead.execute("UPDATE relay_cursors SET position = 0")
    await record(database, ("seat.locked", "slot:1"))
    assert await relay_all(relay, lead) == 1 + 3
    positions = [position for position, _, _ in brief(await kafka.read("jetway.facts"))]
    assert positions == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    ("sizes", "count"), [([10], 1), ([TURN_BYTES, 1], 1), ([TURN_BYTES + 1], 1), ([1, TURN_BYTES - 1], 2), ([], 0)]
)
def test_a_turn_is_no_larger_than_what_a_broker_takes(sizes: list[int], count: int) -> None:
    assert fitting([b"x" * size for size in sizes]) == count
