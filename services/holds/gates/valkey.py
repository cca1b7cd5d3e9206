"""The gate that all processes share: one script in Valkey or Redis (`units.lua`), for many attempts at once.

An attempt's units are its own for two seconds, until the commit is confirmed, and from then on until the hold's
deadline. A later extension, a release, a booking and an expiry are not told to Valkey, on purpose: they happen in
transactions of services that would need to know gates, and what is stale here costs one read; the next buyer's
confirmation then puts it right. A unit that is sold past its hold's deadline is refused by PostgreSQL and known to each
process's own gate.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Self, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ClusterCrossSlotError, NoScriptError, RedisError

from core.log import logger
from services.holds.gates.breaker import Breaker
from services.holds.gates.protocol import Entry, Unit, Won

ANSWER_SECONDS = 0.05
"""How long Valkey may take. A sale that has waited so long goes on without it."""

FLIGHT_SECONDS = 2.0
"""How long an attempt keeps its units until it is confirmed."""

CONNECTIONS = 8

SCRIPT = Path(__file__).with_name("units.lua").read_text()
SHA1 = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
"""The name that Redis gives the script."""

NOT_DONE = ord("0")
log = logger("gates")


class Share(NamedTuple):
    """What one attempt has to do with some of its units: its place in the batch, hold, milliseconds, and the units."""

    place: int
    hold: str
    milliseconds: int
    units: tuple[Unit, ...]


class ValkeyGate:
    """What all processes together know to be taken. `redis` becomes the gate's own, and is closed with it.

    On a cluster, which refuses a script with the keys of two slots, there is one call for each slot instead of one for
    the batch; an attempt then asks for its slots in their order, and gives back what it got where a later one is taken.
    """

    def __init__(self, redis: Redis, breaker: Breaker, *, flight_seconds: float = FLIGHT_SECONDS) -> None:
        self._redis = redis
        self._breaker = breaker
        self._flight_seconds = flight_seconds
        self._by_slot = False

    @classmethod
    def connect(cls, url: str, *, patience: float = ANSWER_SECONDS, flight_seconds: float = FLIGHT_SECONDS) -> Self:
        """A gate with connections of its own, made when they are needed; it waits `patience` seconds for an answer."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            # The breaker alone says how long is too long. With a socket_timeout redis-py also sends through wait_for,
            # which may eat the breaker's cancellation.
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=None,
            # A connection that a restart cut is made anew. Each call may be repeated: an attempt finds its own units.
            retry=Retry(NoBackoff(), 1),
        )
        breaker = Breaker("valkey_gate", (RedisError, OSError), patience=patience)
        return cls(Redis.from_pool(pool), breaker, flight_seconds=flight_seconds)

    async def enter(self, entries: Sequence[Entry]) -> Sequence[bool]:
        """See `Gate.enter`. Everybody has a chance while Valkey is away, slow, or left alone."""
        lasting = in_milliseconds(self._flight_seconds)
        shares = [Share(index, str(entry.hold_id), lasting, entry.units) for index, entry in enumerate(entries)]
        refused = await self._ask("take", shares)
        return [index not in refused for index in range(len(entries))]

    async def settled(self, entries: Sequence[Entry]) -> None:
        """See `Gate.settled`: what other processes have under way is not waited for."""

    async def confirm(self, won: Sequence[Won]) -> None:
        """See `Gate.confirm`."""
        shares = [
            Share(index, str(one.entry.hold_id), in_milliseconds(one.seconds), one.entry.units)
            for index, one in enumerate(won)
            if one.seconds > 0
        ]
        await self._ask("keep", shares)

    async def leave(self, lost: Sequence[Entry]) -> None:
        """See `Gate.leave`."""
        shares = [Share(index, str(entry.hold_id), 0, entry.units) for index, entry in enumerate(lost)]
        await self._ask("give", shares)

    async def taken(self, units: Collection[Unit]) -> None:
        """See `Gate.taken`: whose the units are, and for how long, is not known, so it can't be told to others."""

    async def forget(self) -> None:
        """See `Gate.forget`: what is known here is known to all processes."""

    async def aclose(self) -> None:
        """See `Gate.aclose`."""
        await self._redis.aclose()

    async def _ask(self, act: str, shares: Sequence[Share]) -> set[int]:
        """The places in the batch of those who are refused; none of them where Valkey has no answer."""
        with_units = [share for share in shares if share.units]
        if not with_units:
            return set()
        return await self._breaker.ask(lambda: self._run(act, with_units), otherwise=set())

    async def _run(self, act: str, shares: Sequence[Share]) -> set[int]:
        try:
            return await (self._slot_by_slot(act, shares) if self._by_slot else self._at_once(act, shares))
        except ClusterCrossSlotError:
            # Nothing was done: a cluster looks at a call's keys first.
            log.info("gate.by_slot")
            self._by_slot = True
        return await self._slot_by_slot(act, shares)

    async def _at_once(self, act: str, shares: Sequence[Share]) -> set[int]:
        return await self._call(act, [shares])

    async def _slot_by_slot(self, act: str, shares: Sequence[Share]) -> set[int]:
        """The same for a cluster: first everybody's first slot, then the second of those who got that, and so on."""
        parts = [parts_by_slot(share) for share in shares]
        refused: set[int] = set()
        got: dict[int, list[Share]] = defaultdict(list)
        for turn in range(max(map(len, parts))):
            asking = [one[turn] for one in parts if turn < len(one) and one[turn].place not in refused]
            refused |= await self._call(act, by_slot(asking))
            for part in asking:
                got[part.place].append(part)
        back = [part for index in refused for part in got[index][:-1]]
        if back:
            await self._call("give", by_slot(back))
        return refused

    async def _call(self, act: str, calls: Sequence[Sequence[Share]]) -> set[int]:
        """Run the script once for each of the calls, in one round trip; the indexes of those who were refused."""
        try:
            answers = await self._send("EVALSHA", SHA1, act, calls)
        except NoScriptError:
            # Valkey was restarted or flushed. What was done before it said so is done again: that changes nothing.
            answers = await self._send("EVAL", SCRIPT, act, calls)
        return {
            share.place
            for shares, digits in zip(calls, answers, strict=True)
            for share, done in zip(shares, digits, strict=True)
            if done == NOT_DONE
        }

    async def _send(self, command: str, script: str, act: str, calls: Sequence[Sequence[Share]]) -> list[bytes]:
        pipeline = self._redis.pipeline(transaction=False)
        for shares in calls:
            pipeline.execute_command(command, script, *arguments(act, shares))
        return cast("list[bytes]", await pipeline.execute())


def in_milliseconds(seconds: float) -> int:
    """Whole milliseconds, as Valkey wants them; at least one."""
    return max(1, math.ceil(seconds * 1000))


def arguments(act: str, shares: Sequence[Share]) -> list[bytes | str | int]:
    """The script's keys, behind their number, and its arguments."""
    keys = [f"jetway:unit:{{{slot_id}}}:{unit}".encode() for share in shares for slot_id, unit in share.units]
    attempts = " ".join(f"{share.hold} {share.milliseconds} {len(share.units)}" for share in shares)
    return [len(keys), *keys, act, attempts]


def parts_by_slot(share: Share) -> list[Share]:
    """A share's part in each of its slots, by slot."""
    units = sorted(share.units)
    return [share._replace(units=tuple(some)) for _, some in groupby(units, key=lambda unit: unit[0])]


def by_slot(parts: Sequence[Share]) -> list[list[Share]]:
    """Parts of one slot each, put together by slot, in their order."""
    together: dict[int, list[Share]] = defaultdict(list)
    for part in parts:
        together[part.units[0][0]].append(part)
    return list(together.values())
