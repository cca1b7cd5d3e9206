"""The sink that live clients hear: pub/sub, and bounded Redis Streams for programs.

Each fact is published to the channel named like its stream, and added to `jetway:facts`, which has all of them, and to
the topic of its kind, `jetway:booking.created`. The id of an entry is the fact's position: Valkey itself refuses an
entry that is not later than the last, so a fact told twice, or late by a leader that was deposed, is there once and in
its place, and a consumer whose ids of `jetway:facts` jump knows that it has missed something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from core.log import logger
from services import live
from services.outbox import VIEWERS
from services.relay.telling import Away

PREFIX = "jetway:"
EVERYTHING = f"{PREFIX}facts"
"""The stream of all facts. The topic of a kind is PREFIX and the kind."""

EVERYTHING_LENGTH = 100_000
TOPIC_LENGTH = 10_000

AGAIN = 10_000
"""How many facts at most are added again that Valkey has lost: its last second, or everything."""

TELL = f"""
local published, at = tonumber(ARGV[1]), 2
while at < #ARGV do
    local position, topic, channel, message = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
    local streams = {{{{KEYS[1], {EVERYTHING_LENGTH}}}, {{KEYS[topic], {TOPIC_LENGTH}}}}}
    for _, to in ipairs(streams) do
        local answer = redis.pcall('XADD', to[1], 'MAXLEN', '~', to[2], position .. '-0', 'fact', message)
        if type(answer) == 'table' and answer.err and not string.find(answer.err, 'equal or smaller', 1, true) then
            return redis.error_reply(answer.err)
        end
    end
    if tonumber(position) > published then redis.call('PUBLISH', channel, message) end
    at = at + 4
end
"""
"""Tells facts in one call: a pipeline of three commands for each costs our process ten times as much. KEYS: the stream
of everything, then the topics. ARGV: the position up to which was published, then for each fact its position, which of
KEYS is its topic, its channel, and the message. An entry that is there already is refused, and left as it is.
"""

log = logger("relay")


class ToValkey:
    """Valkey, or Redis 7 and later. The client is the caller's; it should give up after a second or two."""

    name = VIEWERS
    patience = 0.2

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._tell = redis.register_script(TELL)
        self._published = 0
        """The position up to which live clients were told: what is added again is not published again."""

    async def begin(self, told: int, head: int) -> int:
        """Look what the stream has, and have added again what it lost.

        A stream that is ahead of the database belongs to another past (the database was restored): it begins anew.
        """
        self._published = told
        try:
            last = await self._last()
            if last > head:
                log.warning("relay.streams_begin_anew", last=last, head=head)
                await self._forget()
                last = 0
        except (RedisError, OSError) as error:
            raise Away(repr(error)) from error
        return max(min(last, told), told - AGAIN, 0)

    async def tell(self, facts: Sequence[asyncpg.Record]) -> int:
        """Add and publish all of them, in one go."""
        topics = {kind: number for number, kind in enumerate(dict.fromkeys(fact["kind"] for fact in facts), 2)}
        told: list[str | int | bytes] = [self._published]
        for fact in facts:
            told += (fact["position"], topics[fact["kind"]], fact["stream"], live.to_wire(*fact))
        try:
            await self._tell(keys=[EVERYTHING, *(PREFIX + kind for kind in topics)], args=told)
        except (RedisError, OSError) as error:
            raise Away(repr(error)) from error
        return len(facts)

    async def close(self) -> None:
        """Nothing: the client is the caller's."""

    async def _last(self) -> int:
        """The last position that was ever added to the stream of everything; 0 where there is none."""
        try:
            about: dict[str, Any] = await self._redis.xinfo_stream(EVERYTHING)
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            return 0
        last: bytes | str = about["last-generated-id"]
        return int((last.decode() if isinstance(last, bytes) else last).partition("-")[0])

    async def _forget(self) -> None:
        async for key in self._redis.scan_iter(f"{PREFIX}*", count=1_000, _type="STREAM"):
            await self._redis.delete(key)
