"""How often somebody may try: named limits as data, counted over a sliding window.

The count is kept in Valkey, for all processes together. While Valkey is away each process counts for itself: the limits
fail neither open (an attacker gets at most one allowance per process) nor shut (nobody is refused for our trouble), and
Valkey is asked again after a second. Keys are hashed: no e-mail and no address stands in Valkey.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import log
from core.errors import RateLimited

ANSWER_SECONDS = 0.5
"""How long Valkey may take; after that this process counts for itself."""

RETRY_SECONDS = 1.0
"""How long Valkey is left alone after it did not answer."""

logger = log.logger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Limit:
    """So many of one thing for each key; where there are several rates, all of them hold."""

    name: str
    rates: tuple[RateLimitItem, ...]


def limit(name: str, rates: str) -> Limit:
    """A limit of that name; `rates` as in `10/minute; 60/hour`."""
    return Limit(name, tuple(parse_many(rates)))


PNR_LOOKUP_IP = limit("pnr-lookup-ip", "10/minute; 60/hour")
"""Look-ups by locator and name, right or wrong, from one address."""

PNR_LOOKUP_LOCATOR = limit("pnr-lookup-locator", "20/hour")
"""Wrong names for one locator, wherever they come from: `check` before the look-up, `hit` when it failed."""

SIGN_IN_IP = limit("sign-in-ip", "20/minute; 200/hour")
SIGN_IN_EMAIL = limit("sign-in-email", "10/minute; 50/hour")
ALERTS = limit("alerts", "30/minute; 200/hour")
"""What one of the staff tells the passengers of flights."""

CHANGE_QUOTES = limit("change-quotes", "60/hour")
"""Changes that are quoted of one booking: each is kept."""

PAPERS = limit("papers", "30/minute; 200/hour")
"""Papers that are drawn for one address: each takes a tenth of a second of a core."""

REGISTER_IP = limit("register-ip", "10/minute; 50/hour")


class Limiter:
    """Counts what is limited. One for each process; `redis` stays its maker's to close."""

    def __init__(self, redis: Redis) -> None:
        # With a pool given the storage connects nowhere by itself, so its address may stay empty.
        shared = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="jetway:limits",
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]  # declared for scalars, made for a pool
        )
        self._shared = SlidingWindowCounterRateLimiter(shared)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._away_until = -math.inf

    async def hit(self, name: Limit, key: str) -> None:
        """Count one for `key`. Raises RateLimited, counting nothing more, where that is one too many."""
        for rate in name.rates:
            if not await self._take(rate, parts(name, key)):
                raise await self._refusal(rate, parts(name, key))

    async def check(self, name: Limit, key: str) -> None:
        """Raises RateLimited where a `hit` would; counts nothing."""
        for rate in name.rates:
            if not await self._has_room(rate, parts(name, key)):
                raise await self._refusal(rate, parts(name, key))

    async def _take(self, rate: RateLimitItem, place: tuple[str, str]) -> bool:
        return await self._ask(lambda counter: counter.hit(rate, *place))

    async def _has_room(self, rate: RateLimitItem, place: tuple[str, str]) -> bool:
        return await self._ask(lambda counter: counter.test(rate, *place))

    async def _refusal(self, rate: RateLimitItem, place: tuple[str, str]) -> RateLimited:
        stats = await self._ask(lambda counter: counter.get_window_stats(rate, *place))
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        return RateLimited(f"Too many attempts. Try again in {seconds} s.", retry_after=seconds)

    async def _ask(self, question: Callable[[SlidingWindowCounterRateLimiter], Awaitable[Answer]]) -> Answer:
        """Valkey's answer, or this process's own where Valkey has none."""
        if time.monotonic() >= self._away_until:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await question(self._shared)
            except (RedisError, OSError, TimeoutError) as error:
                self._away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("limits_counted_alone", reason=repr(error))
        return await question(self._own)


def parts(name: Limit, key: str) -> tuple[str, str]:
    """What a count is kept under: the limit's name and a hash of the key."""
    return name.name, hashlib.sha256(f"{name.name}\0{grouped(key)}".encode()).hexdigest()[:32]


def grouped(key: str) -> str:
    """An IPv6 address stands for its /64, which is what one subscriber gets; everything else for itself."""
    try:
        address = ip_address(key)
    except ValueError:
        return key
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return address.exploded[:19]
    return str(address)
