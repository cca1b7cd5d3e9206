"""Valkey as a gate sees it: with slots that no other test has, and a gate that no slow machine makes impatient."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from services.holds.gates import ValkeyGate

LONG = 600.0


@pytest.fixture
def slot() -> int:
    """The first of some slots that are this test's alone."""
    return random.SystemRandom().randrange(1 << 60)


@pytest.fixture
async def gate(redis_url: str) -> AsyncIterator[ValkeyGate]:
    """A gate that waits as long as it takes, and whose attempts don't end by themselves."""
    gate = ValkeyGate.connect(redis_url, patience=LONG, flight_seconds=LONG)
    yield gate
    await gate.aclose()


@pytest.fixture
async def elsewhere(redis_url: str) -> AsyncIterator[ValkeyGate]:
    """The same of another process."""
    gate = ValkeyGate.connect(redis_url, patience=LONG, flight_seconds=LONG)
    yield gate
    await gate.aclose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """What an operator sees of it."""
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    await client.aclose()
