"""The hub: one subscription per topic, nothing unbounded, and a gap wherever something may be missing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from core.embedded import EmbeddedValkey
from core.errors import Unavailable
from services import live
from subscriptions.hub import Hub
from tests.fakes.waiting import eventually


def message(position: int, topic: str = "slot:7") -> str:
    return live.to_wire(position, position, "seat.locked", topic, "{}").decode()


async def listeners(redis: Redis, topic: str) -> int:
    ((_, count),) = await redis.pubsub_numsub(topic)
    return int(count)


async def test_a_topic_is_one_subscription_however_many_listen(redis: Redis, hub: Hub) -> None:
    async with AsyncExitStack() as stack:
        mailboxes = await asyncio.gather(*(stack.enter_async_context(hub.subscribe("slot:7")) for _ in range(20)))
        assert await listeners(redis, "slot:7") == 1
        await hub.publish("slot:7", message(1))
        posts = [await mailbox.take() for mailbox in mailboxes]
    assert [(post.gap, [fact.position for fact in post.facts]) for post in posts] == [(False, [1])] * 20
    assert len({id(post.facts[0]) for post in posts}) == 1
    await eventually(lambda: nobody_listens(redis, "slot:7"))


async def nobody_listens(redis: Redis, topic: str) -> bool:
    return await listeners(redis, topic) == 0


async def test_who_leaves_does_not_take_the_topic_from_the_others(redis: Redis, hub: Hub) -> None:
    async with hub.subscribe("slot:7") as stays:
        async with hub.subscribe("slot:7", "slot:8"):
            pass
        await eventually(lambda: nobody_listens(redis, "slot:8"))
        await hub.publish("slot:7", message(1))
        assert [fact.position for fact in (await stays.take()).facts] == [1]


async def test_leaving_and_coming_back_at_once_loses_nothing(hub: Hub) -> None:
    for position in range(1, 30):
        async with hub.subscribe("slot:7") as mailbox:
            await hub.publish("slot:7", message(position))
            post = await mailbox.take()
            assert post.gap or [fact.position for fact in post.facts] == [position]


async def test_a_renewed_connection_is_a_gap_for_everybody(redis: Redis, hub: Hub) -> None:
    async with hub.subscribe("slot:7") as one, hub.subscribe("slot:8", "slot:9") as other:
        await redis.client_kill_filter(_type="pubsub")
        assert (await one.take()).gap
        assert (await other.take()).gap
        await hub.publish("slot:9", message(5, "slot:9"))
        assert [fact.position for fact in (await other.take()).facts] in ([5], [])


async def test_a_full_mailbox_keeps_only_the_news_of_a_gap(redis_url: str) -> None:
    async with Hub(redis_url, capacity=3) as hub, hub.subscribe("slot:7") as slow, hub.subscribe("slot:7") as quick:
        seen: list[int] = []
        for position in range(1, 6):
            await hub.publish("slot:7", message(position))
            seen += [fact.position for fact in (await quick.take()).facts]
        post = await slow.take()
    assert seen == [1, 2, 3, 4, 5]
    assert (post.gap, [fact.position for fact in post.facts]) == (True, [4, 5])


async def test_what_cannot_be_read_is_a_gap(hub: Hub) -> None:
    async with hub.subscribe("slot:7") as mailbox:
        await hub.publish("slot:7", "no fact")
        assert await mailbox.take() == (True, [])


async def test_a_subscriber_who_comes_while_valkey_is_away_hears_of_a_gap_when_it_is_back(folder: Path) -> None:
    valkey = EmbeddedValkey(folder / "valkey-of-the-hub").start()
    async with Hub(valkey.url) as hub, hub.subscribe("slot:7") as early:
        valkey.kill()
        async with hub.subscribe("slot:8") as late:
            valkey.start()
            assert (await late.take()).gap
            assert (await early.take()).gap
            await hub.publish("slot:8", message(1, "slot:8"))
            assert [fact.position for fact in (await late.take()).facts] == [1]
    valkey.stop()


async def test_a_hub_that_stops_says_so(redis_url: str) -> None:
    hub = Hub(redis_url)
    await hub.connect()
    async with hub.subscribe("slot:7") as mailbox:
        await hub.disconnect()
        with pytest.raises(Unavailable):
            await mailbox.take()
