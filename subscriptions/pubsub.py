"""Broadcaster's backend for Redis and Valkey: one connection, renewed for ever, that says when it missed something.

Broadcaster's own backend dies with its connection and leaves its subscribers waiting. Here a session is one connection;
when it is lost the next one subscribes to everything that is still wanted, and each channel gets a `Gap`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from broadcaster import Event
from broadcaster._backends.base import BroadcastBackend
from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.log import logger

PATIENCE = 1.0
"""Seconds that a new subscriber waits for Valkey's word; past that it gets a Gap when the word comes."""

PING_EVERY = 10.0
SILENCE = 25.0
"""Seconds without a word, not even a pong, after which a connection counts as lost."""

CONNECT_TIMEOUT = 2.0
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
INBOX = 4_096
"""Messages read and not handed on yet. Past that we read no more, and Valkey cuts us off, which makes a Gap."""

log = logger("pubsub")


class Gap(Event):
    """Messages on `channel` may have been lost before this one."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel, "")


class PubSub(BroadcastBackend):
    """Channels of one Redis or Valkey. Belongs to one event loop, between `connect()` and `disconnect()`."""

    def __init__(self, url: str) -> None:
        # No socket_timeout where we listen: with one redis-py sends through wait_for, which may eat a cancellation.
        options: dict[str, Any] = {"protocol": 2, "socket_connect_timeout": CONNECT_TIMEOUT}
        self._pool = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=None, **options)
        self._publisher = Redis.from_url(url, **options)
        self._wanted: set[str] = set()
        self._confirmed: set[str] = set()
        self.lost: Callable[[], None] = lambda: None
        """Called as soon as the connection is known to be lost; what was missed meanwhile each Gap tells later."""
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._late: set[str] = set()
        self._inbox: asyncio.Queue[Event] = asyncio.Queue(INBOX)
        self._orders: list[tuple[str, str]] = []
        self._ordered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def connect(self) -> None:
        """Begin. Returns at once: while Valkey is away subscribers wait for it, and it is tried again and again."""
        self._task = asyncio.create_task(self._run(), name="pubsub")

    async def disconnect(self) -> None:
        """End, and close every connection."""
        # A session that fails in the moment in which it is cancelled ends in its failure, and must not be begun again.
        self._closing = True
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=1)
        await self._pool.aclose()
        await self._publisher.aclose()

    async def subscribe(self, group: str) -> None:
        """Return once Valkey has confirmed that messages on `group` reach us.

        Where it takes longer than PATIENCE return all the same; a Gap follows the confirmation then.
        """
        if group not in self._wanted:
            self._wanted.add(group)
            self._asked[group] = asyncio.get_running_loop().create_future()
            self._order("SUBSCRIBE", group)
        asked = self._asked.get(group)
        if asked is not None:
            await asyncio.wait((asked,), timeout=PATIENCE)
            if not asked.done():
                self._late.add(group)

    def hears(self, channel: str) -> bool:
        """Whether whatever is published on `channel` now reaches us, as far as is known."""
        return channel in self._confirmed

    async def unsubscribe(self, group: str) -> None:
        """Want no more of `group`."""
        self.forget(group)

    def forget(self, group: str) -> None:
        """`unsubscribe` for those who may not wait, because they are being cancelled."""
        self._wanted.discard(group)
        self._confirmed.discard(group)
        self._late.discard(group)
        asked = self._asked.pop(group, None)
        if asked is not None and not asked.done():
            asked.set_result(None)
        self._order("UNSUBSCRIBE", group)

    async def publish(self, channel: str, message: Any) -> None:
        """Tell everybody who listens on `channel`; raises RedisError where Valkey is away."""
        await self._publisher.publish(channel, message)

    async def next_published(self) -> Event:
        """The next message, or Gap, of any channel."""
        return await self._inbox.get()

    def _order(self, verb: str, channel: str) -> None:
        """Orders go out from a task of their own: a cancelled subscriber must not cut one in half."""
        self._orders.append((verb, channel))
        self._ordered.set()

    async def _run(self) -> None:
        wait = FIRST_PAUSE
        while not self._closing:
            began = asyncio.get_running_loop().time()
            try:
                await self._session()
            except* (RedisError, OSError, TimeoutError) as lost:
                log.warning("pubsub.lost", error=repr(lost.exceptions[0]), again_in=wait)
            except* Exception as lost:
                log.error("pubsub.failed", exc_info=lost, again_in=wait)
            lasted = asyncio.get_running_loop().time() - began
            wait = FIRST_PAUSE if lasted > LONGEST_PAUSE else min(wait * 2, LONGEST_PAUSE)
            await asyncio.sleep(wait)

    async def _session(self) -> None:
        """Live on one connection until it is lost, which raises."""
        connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await connection.connect()  # type: ignore[no-untyped-call]
            self._orders = [("SUBSCRIBE", channel) for channel in self._wanted]
            self._ordered.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write(connection))
                group.create_task(self._read(connection))
        finally:
            self._confirmed.clear()
            self.lost()
            await connection.disconnect(nowait=True)

    async def _write(self, connection: Connection) -> None:
        """Send what is ordered, neighbours of one kind as one command, which Valkey carries out at one moment.

        So whoever listens to several channels misses on all of them or on none, and hears of the gap before he hears
        anything published after it. Each session begins with all that is wanted as one SUBSCRIBE.
        """
        while True:
            try:
                async with asyncio.timeout(PING_EVERY):
                    await self._ordered.wait()
            except TimeoutError:
                await connection.send_command("PING", check_health=False)
            orders, self._orders = self._orders, []
            self._ordered.clear()
            for verb, group in groupby(orders, key=itemgetter(0)):
                await connection.send_command(verb, *(channel for _, channel in group), check_health=False)

    async def _read(self, connection: Connection) -> None:
        while True:
            reply = await connection.read_response(timeout=SILENCE)
            if reply is None:
                raise TimeoutError("Valkey is silent")
            await self._receive(reply)

    async def _receive(self, reply: Sequence[bytes] | bytes) -> None:
        if isinstance(reply, bytes):
            return  # PONG: a list in RESP2, a plain string in RESP3
        kind, channel = reply[0], reply[1].decode()
        if kind == b"message":
            await self._inbox.put(Event(channel, reply[2].decode()))
        elif kind == b"subscribe" and channel in self._wanted:
            self._confirmed.add(channel)
            asked = self._asked.pop(channel, None)
            if asked is not None:
                asked.set_result(None)
            if asked is None or channel in self._late:
                self._late.discard(channel)
                await self._inbox.put(Gap(channel))
