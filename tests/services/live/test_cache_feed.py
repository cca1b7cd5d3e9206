"""What the response cache hears of facts, and what it does where it hears nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from core.embedded import EmbeddedValkey
from services import live
from subscriptions.cache import CacheFeed
from subscriptions.hub import Hub
from tests.fakes.waiting import eventually


class Told:
    """Stands for a cache."""

    def __init__(self) -> None:
        self.dropped: list[str] = []
        self.cleared = 0

    def clear(self) -> None:
        """All of it."""
        self.cleared += 1


@pytest.fixture
def told() -> Told:
    return Told()


def feeding(hub: Hub, told: Told, most: int = 4_096) -> CacheFeed:
    """A feed that tells."""
    feed = CacheFeed(hub, most=most)
    feed.tell(told.dropped.append, told.clear)
    return feed


async def soon(condition: Callable[[], bool]) -> None:
    """Return once it holds."""

    async def holds() -> bool:
        return condition()

    await eventually(holds)


def message(position: int, topic: str) -> str:
    return live.to_wire(position, position, "seat.locked", topic, "{}").decode()


async def test_a_topic_is_heard_once_it_was_asked_for(hub: Hub, told: Told) -> None:
    feed = feeding(hub, told)
    assert feed.hears([])
    assert not feed.hears(["slot:7"])
    await soon(lambda: feed.hears(["slot:7"]))
    assert not feed.hears(["slot:7", "slot:8"])
    await hub.publish("slot:7", message(1, "slot:7"))
    await soon(lambda: told.dropped == ["slot:7"])
    await soon(lambda: feed.hears(["slot:7", "slot:8"]))


async def test_what_cannot_be_read_may_have_been_a_fact(hub: Hub, told: Told) -> None:
    feed = feeding(hub, told)
    await soon(lambda: feed.hears(["slot:7"]))
    await hub.publish("slot:7", "no fact")
    await soon(lambda: told.dropped == ["slot:7"])


async def test_a_lost_connection_is_told_at_once_and_nothing_is_heard_until_it_is_back(
    folder: Path, told: Told
) -> None:
    valkey = EmbeddedValkey(folder / "valkey-of-the-feed").start()
    async with Hub(valkey.url) as hub:
        feed = feeding(hub, told)
        await soon(lambda: feed.hears(["slot:7"]))
        before = told.cleared
        valkey.kill()
        await soon(lambda: told.cleared > before)
        assert not feed.hears(["slot:7"])
        assert told.dropped == []
        valkey.start()
        await soon(lambda: feed.hears(["slot:7"]))
        await soon(lambda: told.dropped == ["slot:7"])
    valkey.stop()


async def test_only_so_many_topics_are_listened_to_those_asked_for_last(redis: Redis, hub: Hub, told: Told) -> None:
    feed = feeding(hub, told, most=2)
    for topics in (["slot:71"], ["slot:72"], ["slot:71"], ["slot:73"]):
        await soon(lambda topics=topics: feed.hears(topics))  # type: ignore[misc]
    assert told.dropped == ["slot:72"]
    assert feed.hears(["slot:71", "slot:73"])

    async def forgotten() -> bool:
        ((_, count),) = await redis.pubsub_numsub("slot:72")
        return int(count) == 0

    await eventually(forgotten)


async def test_a_subscriber_of_the_same_topic_stays_when_the_cache_leaves(hub: Hub, told: Told) -> None:
    feed = feeding(hub, told, most=1)
    async with hub.subscribe("slot:7") as mailbox:
        await soon(lambda: feed.hears(["slot:7"]))
        feed.hears(["slot:8"])
        await hub.publish("slot:7", message(1, "slot:7"))
        assert [fact.position for fact in (await mailbox.take()).facts] == [1]
    assert told.dropped == ["slot:7"]
