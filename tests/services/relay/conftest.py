"""A relay that a test leads by hand, and the brokers that it may tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from redis.asyncio import Redis

from services.relay import Relay, ToValkey
from tests.factories.facts import leader
from tests.fakes.brokers import Brokers, brokers


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """Valkey with nothing in it."""
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()
        yield redis


@pytest.fixture
def relay(database_url: str, redis: Redis) -> Relay:
    """A relay of this test's database."""
    return Relay(database_url, ToValkey(redis))


@pytest.fixture
async def lead(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The connection that leads."""
    connection = await leader(database_url)
    yield connection
    await connection.close()


@pytest.fixture
def kafka() -> Iterator[Brokers]:
    """Brokers that answer over TCP."""
    with brokers() as started:
        yield started
