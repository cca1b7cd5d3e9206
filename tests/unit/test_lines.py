"""A line serves at once while a connection is idle, and in batches while all are busy."""

from __future__ import annotations

import asyncio

import pytest

from core.lines import Line, Pending


class Desk:
    """Answers each number with its double, when it is told to go on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, _: str, batch: list[Pending[int, int]]) -> None:
        self.batches.append([pending.question for pending in batch])
        await self.go_on.wait()
        for pending in batch:
            if pending.question < 0:
                raise ValueError(pending.question)
            pending.answer(2 * pending.question)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def line(desk: Desk, *, connections: int = 1) -> Line[str, Pending[int, int]]:
    """At most three in a batch."""
    return Line(desk, ["server"] * connections, 3)


async def ask(before: Line[str, Pending[int, int]], number: int) -> int:
    """Wait in that line for an answer."""
    pending: Pending[int, int] = Pending(number)
    before.put(pending)
    return await pending.answered


async def turns(count: int = 3) -> None:
    """Let whatever is ready run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_whoever_comes_to_an_idle_line_is_served_at_once(desk: Desk) -> None:
    one = asyncio.create_task(ask(line(desk), 1))
    await turns()
    assert desk.batches == [[1]]
    desk.go_on.set()
    assert await one == 2


async def test_whoever_comes_meanwhile_is_served_in_order_and_together(desk: Desk) -> None:
    before = line(desk)
    asked = [asyncio.create_task(ask(before, 1))]
    await turns()
    asked += [asyncio.create_task(ask(before, number)) for number in (2, 3, 4, 5)]
    await turns()
    assert desk.batches == [[1]]
    desk.go_on.set()
    assert await asyncio.gather(*asked) == [2, 4, 6, 8, 10]
    assert desk.batches == [[1], [2, 3, 4], [5]]


async def test_an_idle_connection_does_not_wait_for_a_busy_one(desk: Desk) -> None:
    before = line(desk, connections=2)
    asked = [asyncio.create_task(ask(before, 1))]
    await turns()
    asked.append(asyncio.create_task(ask(before, 2)))
    await turns()
    assert desk.batches == [[1], [2]]
    desk.go_on.set()
    assert await asyncio.gather(*asked) == [2, 4]


async def test_who_goes_away_does_no_harm(desk: Desk) -> None:
    before = line(desk)
    under_way, waiting = asyncio.create_task(ask(before, 1)), asyncio.create_task(ask(before, 2))
    asked = [asyncio.create_task(ask(before, number)) for number in (3, 4, 5)]
    await turns()
    later = asyncio.create_task(ask(before, 6))
    await turns()
    for one in (under_way, waiting, later):
        one.cancel()
    desk.go_on.set()
    assert await asyncio.gather(*asked) == [6, 8, 10]
    assert desk.batches == [[1, 2, 3], [4, 5]]


async def test_a_batch_that_fails_fails_alone(desk: Desk) -> None:
    before = line(desk)
    asked = [asyncio.create_task(ask(before, number)) for number in (-1, 2, 3, 4)]
    desk.go_on.set()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends[:3]] == [ValueError] * 3
    assert ends[3] == 8


async def test_who_was_taken_can_be_put_back_to_the_front(desk: Desk) -> None:
    before = line(desk)
    asked = [asyncio.create_task(ask(before, number)) for number in (1, 2, 3, 4, 5)]
    await turns()
    taken = before.take(2)
    assert [pending.question for pending in taken] == [4, 5]
    asked.append(asyncio.create_task(ask(before, 6)))
    await turns()
    before.put_back(taken)
    desk.go_on.set()
    assert await asyncio.gather(*asked) == [2, 4, 6, 8, 10, 12]
    assert desk.batches == [[1, 2, 3], [4, 5, 6]]


async def test_who_was_put_back_is_served_by_connections_that_are_idle(desk: Desk) -> None:
    before = line(desk, connections=3)
    taken = [Pending[int, int](number) for number in (1, 2, 3, 4)]
    before.put_back(taken)
    await turns()
    assert desk.batches == [[1, 2, 3], [4]]
    desk.go_on.set()
    assert [await pending.answered for pending in taken] == [2, 4, 6, 8]
