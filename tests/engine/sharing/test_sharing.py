"""One execution for many: who is told what, and that nobody's data reaches another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from engine.operations import Asked, Opened, RequestRefused
from engine.sharing import Live, Personal, groups
from tests.engine.sharing.toy import SECRET, Context, Feed, House, Listener, NotForYou, World

NUMBER = "subscription($after: String) { number(after: $after) { number told } }"
STAFF = "subscription { staff { number told } }"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.streams.aclose()
    assert house.world.opened == house.world.closed


async def test_many_are_one_group_one_feed_and_hear_the_same(house: House) -> None:
    everybody = [(await house.join(NUMBER))[1] for _ in range(5)]
    await house.settle()
    house.world.change()
    await house.settle()
    assert [listener.numbers for listener in everybody] == [[(0, 0), (1, 1)]] * 5
    assert (house.world.opened, len(house.streams.groups)) == (1, 1)


async def test_each_event_is_executed_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    executed: list[object] = []
    answer = Opened.answer

    async def counted(self: Any, event: object) -> Any:
        executed.append(event)
        return await answer(self, event)

    monkeypatch.setattr(Opened, "answer", counted)
    for _ in range(5):
        await house.join(NUMBER)
    await house.settle()
    house.world.change()
    await house.settle()
    assert len(executed) == 2


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("subscription { number { told number } }", {}),
        ("subscription($of: Int) { number(of: $of) { number told } }", {"of": 2}),
        ("subscription N($of: Int) { number(of: $of) { number told } }", {"of": 2}),
        ("subscription { staff { number told } }", {}),
    ],
)
async def test_another_document_or_other_variables_are_another_group(
    house: House, document: str, variables: dict[str, Any]
) -> None:
    await house.join("subscription($of: Int) { number(of: $of) { number told } }", of=1)
    await house.join(document, **variables)
    assert len(house.streams.groups) == 2


async def test_whoever_comes_later_begins_where_the_others_are_and_with_what_he_missed(house: House) -> None:
    _, first = await house.join(NUMBER)
    await house.settle()
    house.world.change(by=7)
    await house.settle()
    new, back, there = [(await house.join(NUMBER, after=after))[1] for after in (None, "3", "7")]
    await house.settle()
    house.world.change()
    await house.settle()
    assert first.numbers == [(0, 0), (7, 7), (8, 1)]
    assert new.numbers == [(7, 7), (8, 1)]
    assert back.numbers == [(7, 4), (8, 1)]
    assert there.numbers == [(8, 1)]
    assert len(house.streams.groups) == 1


async def test_whoever_comes_as_something_changes_hears_of_it_once(house: House) -> None:
    _, first = await house.join(NUMBER)
    await house.settle()
    house.world.change()
    _, new = await house.join(NUMBER)
    await house.settle()
    assert (first.numbers, new.numbers) == ([(0, 0), (1, 1)], [(1, 1)])


async def test_all_who_come_together_are_reached_together(house: House) -> None:
    for after in ("1", "2", "1", "2", None):
        await house.join(NUMBER, after=after)
    await house.settle()
    assert house.world.reached == [{1, 2, None}]


async def test_a_cursor_in_the_document_is_one_too(house: House) -> None:
    house.world.number = 5
    _, back = await house.join('subscription { number(after: "2") { number told } }')
    await house.settle()
    assert back.numbers == [(5, 3)]


async def test_what_is_no_cursor_refuses_one_and_not_the_others(house: House) -> None:
    _, good = await house.join(NUMBER)
    _, bad = await house.join(NUMBER, after="x")
    await house.settle()
    assert good.numbers == [(0, 0)]
    error, complete = bad.heard
    assert (error["errors"][0]["message"], complete) == ("This is no cursor.", "complete")


async def test_audiences_are_apart_and_whoever_may_not_is_refused(house: House) -> None:
    clerk, chief = (Context(house.world, role=role) for role in ("clerk", "chief"))
    await house.join(STAFF, context=clerk)
    await house.join(STAFF, context=chief)
    assert len(house.streams.groups) == 2
    with pytest.raises(RequestRefused) as refused:
        await house.join(STAFF, context=Context(house.world, role="nobody"))
    assert refused.value.errors[0]["message"] == "This is not for you."


@pytest.mark.parametrize(("role", "code"), [("chief", "FORBIDDEN"), ("nobody", "FORBIDDEN")])
async def test_a_right_that_is_lost_ends_the_stream_before_the_next_event(house: House, role: str, code: str) -> None:
    loses, keeps = Context(house.world), Context(house.world)
    _, lost = await house.join(STAFF, context=loses)
    _, kept = await house.join(STAFF, context=keeps)
    await house.settle()
    loses.role = role
    house.world.change()
    await house.settle()
    assert lost.heard[1:] == [[code]]
    assert kept.numbers == [(0, 0), (1, 1)]


@pytest.mark.parametrize("name", ["whose", "hidden"])
async def test_nobodys_data_reaches_another_through_sharing(house: House, name: str) -> None:
    document = f"subscription {{ number {{ number {name} }} }}"
    _, one = await house.join(document, context=Context(house.world, who=SECRET))
    _, other = await house.join(document, context=Context(house.world, who="bob"))
    await house.settle()
    assert one.heard == other.heard == [["INTERNAL"]]
    assert isinstance(house.world.faults[-1], Personal)
    assert house.streams.groups == {}


async def test_a_stream_that_looks_at_who_asks_before_it_begins_does_not_begin(house: House) -> None:
    _, one = await house.join("subscription { mine { number } }")
    await house.settle()
    assert one.heard == [["INTERNAL"]]


async def test_what_gives_no_live_is_a_fault(house: House) -> None:
    _, one = await house.join("subscription { odd { number } }")
    await house.settle()
    assert one.heard[0]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert isinstance(house.world.faults[-1], TypeError)


TWICE = "subscription S($a: String) { number(after: $a) { number } } query Q($a: String) { echo(text: $a) }"


@pytest.mark.parametrize(
    ("document", "is_shared"),
    [
        ("subscription S { alone { number } }", False),
        ("subscription S { ...F } fragment F on Subscription { number { number } }", False),
        (TWICE, False),
        ("subscription S { other: number(after: null) { ...F } } fragment F on Change { number }", True),
        ("subscription S($a: String, $b: Boolean = true) { number(after: $a) { number @include(if: $b) } }", True),
    ],
)
async def test_what_is_plainly_one_field_is_shared(house: House, document: str, is_shared: bool) -> None:
    prepared = await house.engine.prepare(Asked(query=document, operation_name="S"))
    member = house.streams.join(house.engine, prepared, Context(house.world), Listener())
    assert (member is not None) == is_shared


async def test_a_slow_listener_is_left_out_and_brought_to_the_present(house: House) -> None:
    _, quick = await house.join(NUMBER)
    _, slow = await house.join(NUMBER)
    await house.settle()
    slow.is_slow = True
    for _ in range(3):
        house.world.change()
        await house.settle()
    assert quick.numbers == [(0, 0), (1, 1), (2, 1), (3, 1)]
    assert slow.numbers == [(0, 0)]
    slow.is_slow = False
    assert slow.ready is not None
    slow.ready()
    await house.settle()
    house.world.change()
    await house.settle()
    assert slow.numbers == [(0, 0), (3, 3), (4, 1)]


async def test_whoever_is_slow_as_he_comes_waits_for_his_turn(house: House) -> None:
    listener = Listener(is_slow=True)
    await house.join(NUMBER, listener=listener)
    await house.settle()
    assert listener.heard == []
    listener.is_slow = False
    assert listener.ready is not None
    listener.ready()
    await house.settle()
    assert listener.numbers == [(0, 0)]


async def test_what_changes_within_a_tick_is_one_event(house: House) -> None:
    _, one = await house.join(NUMBER)
    await house.settle()
    house.world.change(by=10)
    await house.settle()
    assert one.numbers == [(0, 0), (10, 10)]


async def test_the_last_who_leaves_ends_the_group_and_the_next_begins_another(house: House) -> None:
    one, _ = await house.join(NUMBER)
    other, left = await house.join(NUMBER)
    await house.settle()
    one.leave()
    one.leave()
    house.world.change()
    await house.settle()
    assert house.world.closed == 0
    other.leave()
    _, late = await house.join(NUMBER)
    await house.settle()
    assert (house.world.opened, house.world.closed) == (2, 1)
    assert left.numbers == [(0, 0), (1, 1)]
    assert late.numbers == [(1, 1)]
    assert house.reports == [("subscription.number", "ok")] * 2


async def test_a_feed_that_fails_ends_everybody_with_the_reason(house: House) -> None:
    everybody = [(await house.join(NUMBER))[1] for _ in range(2)]
    await house.settle()
    house.world.fails = NotForYou("The end.")
    house.world.change()
    await house.settle()
    for listener in everybody:
        error, complete = listener.heard[1:]
        assert (error["errors"][0]["message"], complete) == ("The end.", "complete")
    assert house.streams.groups == {}


async def test_whoever_cannot_be_reached_is_told_and_the_others_stay(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stays = await house.join(NUMBER)
    await house.settle()

    async def fail(self: Feed, places: object) -> Any:
        raise NotForYou("Not now.")

    with monkeypatch.context() as patched:
        patched.setattr(Feed, "reach", fail)
        _, comes = await house.join(NUMBER)
        await house.settle()
    house.world.change()
    await house.settle()
    assert comes.heard[0]["errors"][0]["message"] == "Not now."
    assert comes.heard[1] == "complete"
    assert stays.numbers == [(0, 0), (1, 1)]


async def test_many_are_told_in_parts_and_whoever_leaves_meanwhile_is_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MANY", 2)
    members = [await house.join(NUMBER) for _ in range(6)]
    await house.settle()
    last, listener = members[-1]

    class Leaving(Listener):
        """Has the last one leave as it hears."""

        def next(self, answer: bytes) -> None:
            super().next(answer)
            last.leave()

    members[0][0].listener = Leaving()
    house.world.change()
    await house.settle()
    assert listener.numbers == [(0, 0)]
    assert [heard.numbers for _, heard in members[1:5]] == [[(0, 0), (1, 1)]] * 4


async def test_a_live_tells_one_alone() -> None:
    world = World(number=4)
    async with aclosing(aiter(Live(Feed(world), "1"))) as events:
        first = await anext(events)
        world.change(by=2)
        second = await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        world.change()
        third = await waiting
    assert [(one.number, one.told) for one in (first, second, third)] == [(4, 3), (6, 2), (7, 1)]
    assert (world.opened, world.closed) == (1, 1)
