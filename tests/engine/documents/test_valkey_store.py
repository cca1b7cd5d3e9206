"""Persisted documents in a real Valkey, shared by processes and bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from engine.documents import ValkeyStore

FAILURES = (RedisError, OSError)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def prefix() -> str:
    return f"{{documents-{uuid4().hex}}}"


async def test_what_one_process_puts_another_finds(redis: Redis, prefix: str) -> None:
    here = ValkeyStore(redis, failures=FAILURES, prefix=prefix)
    there = ValkeyStore(redis, failures=FAILURES, prefix=prefix)
    await here.put("a" * 64, "{ hello } # é")
    assert await there.get("a" * 64) == "{ hello } # é"
    assert await there.get("b" * 64) is None


async def test_texts_are_kept_for_a_time(redis: Redis, prefix: str) -> None:
    store = ValkeyStore(redis, failures=FAILURES, prefix=prefix, seconds=100)
    await store.put("a", "{ hello }")
    assert 0 < await redis.ttl(f"{prefix}:a") <= 100
    assert 0 < await redis.ttl(f"{prefix}:order") <= 100


async def test_the_oldest_go_when_there_are_too_many(redis: Redis, prefix: str) -> None:
    store = ValkeyStore(redis, failures=FAILURES, prefix=prefix, most=3)
    for name in "abc":
        await store.put(name, name)
    await store.put("a", "a")
    for name in "de":
        await store.put(name, name)
    assert [name for name in "abcde" if await store.get(name)] == ["a", "d", "e"]
    assert await redis.zcard(f"{prefix}:order") == 3


async def test_the_oldest_go_when_they_weigh_too_much(redis: Redis, prefix: str) -> None:
    store = ValkeyStore(redis, failures=FAILURES, prefix=prefix, weight=100)
    for name in "abc":
        await store.put(name, name * 30)
    await store.put("a", "a" * 30)
    assert await redis.get(f"{prefix}:weight") == b"90"
    await store.put("d", "é" * 20)
    assert [name for name in "abcd" if await store.get(name)] == ["a", "c", "d"]
    assert await redis.get(f"{prefix}:weight") == b"100"
    await store.put("e", "e" * 101)
    assert [name for name in "abcde" if await store.get(name)] == []
    assert (await redis.get(f"{prefix}:weight"), await redis.zcard(f"{prefix}:order")) == (b"0", 0)


async def test_what_has_expired_weighs_nothing_once_it_is_let_go(redis: Redis, prefix: str) -> None:
    store = ValkeyStore(redis, failures=FAILURES, prefix=prefix, weight=100)
    await store.put("a", "a" * 60)
    await redis.delete(f"{prefix}:a")
    await store.put("b", "b" * 60)
    assert (await store.get("b"), await redis.get(f"{prefix}:weight")) == ("b" * 60, b"60")


async def test_where_valkey_is_away_nothing_is_found_and_it_is_told() -> None:
    failures: list[Exception] = []
    away = Redis(host="127.0.0.1", port=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    store = ValkeyStore(away, failures=FAILURES, failed=failures.append)
    await store.put("a", "{ hello }")
    assert await store.get("a") is None
    assert len(failures) == 2
    await away.aclose()
