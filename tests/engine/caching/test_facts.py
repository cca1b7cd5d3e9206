"""Facts put an end to answers: whoever asks after something was told never sees what was before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.engine.caching.shop import Shop, turns


def things(count: int) -> bytes:
    return b'{"data":{"things":%d}}' % count


def changed(shop: Shop, count: int, shelf: int = 1) -> None:
    """Something happened on a shelf, and is told."""
    shop.shelves[shelf] = count
    shop.cache.drop(f"shelf:{shelf}")


async def test_a_fact_ends_what_depends_on_its_topic_and_nothing_else() -> None:
    shop = Shop()
    for _ in range(2):
        await shop.told("{ things }")
        await shop.told("{ things(shelf: 2) }")
    changed(shop, 9)
    assert await shop.told("{ things }") == things(9)
    await shop.told("{ things(shelf: 2) }")
    assert shop.executed == ["things 1", "things 2", "things 1"]


async def test_a_fact_that_is_told_during_an_execution_lets_nobody_join_and_nothing_be_kept() -> None:
    shop = Shop(gate=asyncio.Event())
    assert shop.gate is not None
    early = asyncio.create_task(shop.told("{ things }"))
    await turns()
    changed(shop, 9)
    late = asyncio.create_task(shop.told("{ things }"))
    await turns()
    assert len(shop.executed) == 2
    shop.gate.set()
    assert (await early, await late) == (things(10), things(9))
    assert await shop.told("{ things }") == things(9)
    assert shop.executed == ["things 1"] * 2, "what the second execution found was kept"


async def test_what_ends_by_facts_is_kept_only_where_they_are_heard() -> None:
    shop = Shop(deaf=True)
    for _ in range(2):
        await shop.told("{ things }")
        await shop.told("{ motto }")
    assert shop.executed == ["things 1", "motto", "things 1"]
    shop.deaf = False
    for _ in range(2):
        await shop.told("{ things }")
    assert shop.executed[3:] == ["things 1"]


@pytest.mark.parametrize("lose", [lambda shop: shop.cache.clear(), lambda shop: shop.cache.clear(["shelf:1"])])
async def test_where_facts_may_have_been_missed_nothing_that_depends_on_them_is_shown(
    lose: Callable[[Shop], None],
) -> None:
    shop = Shop()
    await shop.told("{ things }")
    await shop.told("{ motto }")
    shop.shelves[1] = 9
    lose(shop)
    assert await shop.told("{ things }") == things(9)
    await shop.told("{ motto }")
    assert shop.executed == ["things 1", "motto", "things 1"]


async def test_a_gap_during_an_execution_dooms_it() -> None:
    shop = Shop(gate=asyncio.Event())
    assert shop.gate is not None
    early = asyncio.create_task(shop.told("{ things }"))
    await turns()
    shop.cache.clear()
    shop.gate.set()
    await early
    assert len(shop.cache.entries) == 0


async def test_caches_beyond_ours_are_told_to_ask_each_time() -> None:
    stored, _ = await Shop().ask("{ things }")
    assert stored is not None
    assert stored.cache_control == "private, no-cache"


async def test_arguments_that_mean_nothing_are_left_to_the_resolver() -> None:
    shop = Shop()
    stored, answer = await shop.ask("query Q($shelf: Int) { things(shelf: $shelf) }", variables={"shelf": None})
    assert (stored, b'"errors"' in answer) == (None, True)


async def test_nothing_is_remembered_of_topics_once_nothing_depends_on_them() -> None:
    shop = Shop()
    for shelf in range(5):
        await shop.told(f"{{ things(shelf: {shelf}) }}")
        changed(shop, 1, shelf)
    assert shop.cache.by_topic == {}


class Reading(RuleBasedStateMachine):
    """Shelves change, are told of later, and are read all the while: once told, nothing older is ever shown."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.shop = Shop()
        self.told = dict(self.shop.shelves)
        """What the last fact on each shelf said: numbers grow, so nothing smaller may be seen from then on."""
        self.waiting: list[tuple[asyncio.Task[bytes], int, int]] = []

    @rule(shelf=st.sampled_from([1, 2]))
    def change(self, shelf: int) -> None:
        self.shop.shelves[shelf] += 1

    @rule(shelf=st.sampled_from([1, 2]))
    def happen(self, shelf: int) -> None:
        self.shop.shelves[shelf] += 1
        self.shop.cache.drop(f"shelf:{shelf}")
        self.told[shelf] = self.shop.shelves[shelf]

    @rule(shelf=st.sampled_from([1, 2]), who=st.sampled_from(["guest-0", "guest-1"]))
    def happen_meanwhile(self, shelf: int, who: str) -> None:
        self.ask(shelf, who, slow=True)
        self.happen(shelf)

    @rule()
    def lose(self) -> None:
        self.shop.cache.clear()
        self.told = dict(self.shop.shelves)

    @rule(seconds=st.integers(1, 70))
    def wait(self, seconds: int) -> None:
        self.shop.now += seconds

    @rule(shelf=st.sampled_from([1, 2]), who=st.sampled_from(["guest-0", "guest-1", "staff-0"]), slow=st.booleans())
    def ask(self, shelf: int, who: str, slow: bool) -> None:
        self.shop.gate = asyncio.Event() if slow else None
        task = self.loop.create_task(self.shop.told(f"{{ things(shelf: {shelf}) }}", who))
        self.waiting.append((task, shelf, self.told[shelf]))
        self.turn()
        if self.shop.gate is not None:
            self.loop.call_soon(self.shop.gate.set)

    @rule()
    def turn(self) -> None:
        self.loop.run_until_complete(turns())

    @invariant()
    def nothing_old_is_shown(self) -> None:
        for task, shelf, least in self.waiting:
            if task.done():
                count = int(task.result().removeprefix(b'{"data":{"things":').removesuffix(b"}}"))
                assert least <= count <= self.shop.shelves[shelf]
        self.waiting = [one for one in self.waiting if not one[0].done()]

    def teardown(self) -> None:
        if self.waiting:
            self.loop.run_until_complete(asyncio.gather(*(task for task, _, _ in self.waiting)))
        self.loop.close()


TestReading = Reading.TestCase
TestReading.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
