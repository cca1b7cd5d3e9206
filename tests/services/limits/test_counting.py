"""Limits: counted together in Valkey, alone while it is away."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import BlockingConnectionPool, Redis

from core.errors import RateLimited
from services import limits
from services.limits import Limiter, limit

THREE = limit("three", "3/hour")


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_pool(BlockingConnectionPool.from_url(redis_url))
    yield client
    await client.aclose()


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    client = Redis.from_pool(BlockingConnectionPool.from_url("unix:///nonexistent/valkey.sock"))
    yield client
    await client.aclose()


@pytest.fixture
def key() -> str:
    return os.urandom(8).hex()


async def refused(limiter: Limiter, key: str) -> int:
    with pytest.raises(RateLimited) as refusal:
        await limiter.hit(THREE, key)
    return refusal.value.retry_after


async def test_processes_count_together(redis: Redis, key: str) -> None:
    one, other = Limiter(redis), Limiter(redis)
    for limiter in (one, other, one):
        await limiter.hit(THREE, key)
    assert 1 <= await refused(one, key) <= 3600
    assert 1 <= await refused(other, key) <= 3600
    await one.hit(THREE, key + "another")


async def test_a_check_counts_nothing(redis: Redis, key: str) -> None:
    limiter = Limiter(redis)
    for _ in range(5):
        await limiter.check(THREE, key)
    for _ in range(3):
        await limiter.hit(THREE, key)
    with pytest.raises(RateLimited):
        await limiter.check(THREE, key)


async def test_without_valkey_each_process_counts_alone(nowhere: Redis, key: str) -> None:
    one, other = Limiter(nowhere), Limiter(nowhere)
    for limiter in (one, other):
        for _ in range(3):
            await limiter.hit(THREE, key)
        assert 1 <= await refused(limiter, key) <= 3600


async def test_all_rates_of_a_limit_hold(redis: Redis, key: str) -> None:
    limiter = Limiter(redis)
    both = limit("both", "100/minute; 2/hour")
    await limiter.hit(both, key)
    await limiter.hit(both, key)
    with pytest.raises(RateLimited):
        await limiter.hit(both, key)


async def test_no_key_can_be_read_in_valkey(redis: Redis) -> None:
    await Limiter(redis).hit(limits.SIGN_IN_EMAIL, "ada@example.org")
    assert not [name async for name in redis.scan_iter("*ada*")]
    assert [name async for name in redis.scan_iter("*sign-in-email*")]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_an_ipv6_subscriber_is_one_key(one: str, other: str, same: bool) -> None:
    assert (limits.grouped(one) == limits.grouped(other)) is same
