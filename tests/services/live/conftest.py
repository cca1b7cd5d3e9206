"""A hub, a leading relay, and flights to watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from services.relay import Relay, ToValkey
from subscriptions.hub import Hub
from tests.factories.facts import leader, relay_all

Tell = Callable[[], Awaitable[int]]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of Valkey."""
    async with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
async def hub(redis_url: str) -> AsyncIterator[Hub]:
    """A connected hub."""
    async with Hub(redis_url) as hub:
        yield hub


@pytest.fixture
async def tell(database_url: str, redis: Redis) -> AsyncIterator[Tell]:
    """Call it to have the relay tell all that is committed."""
    connection = await leader(database_url)
    relay = Relay(database_url, ToValkey(redis))
    yield lambda: relay_all(relay, connection)
    await connection.close()
