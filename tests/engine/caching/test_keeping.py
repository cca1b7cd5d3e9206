"""What is kept, for whom, and for how long."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from engine.caching.keys import said
from engine.operations import Answer
from tests.engine.caching.shop import Shop, turns

MOTTO = b'{"data":{"motto":"all is well"}}'


async def test_equal_questions_are_executed_once() -> None:
    shop = Shop()
    for who in ("guest-0", "guest-1", "guest-0"):
        assert await shop.told("{ motto }", who) == MOTTO
    assert shop.executed == ["motto"]
    figures = shop.cache.figures
    assert (figures.executed, figures.recognised, figures.found, figures.kept) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("variables", "same"),
    [
        ({"of": {"name": "hat", "count": 1}}, True),
        ({"of": {"count": 1, "name": "hat"}, "other": 7}, True),
        ({"of": {"name": "hat", "count": 2}}, False),
        ({"of": {"name": "cap"}}, False),
    ],
)
async def test_variables_count_by_what_they_mean(variables: dict[str, Any], same: bool) -> None:
    shop = Shop()
    query = "query Price($of: Wanted!) { price(of: $of) }"
    await shop.told(query, variables={"of": {"name": "hat"}})
    await shop.told(query, variables=variables)
    assert len(shop.executed) == (1 if same else 2)


async def test_documents_operations_and_audiences_are_kept_apart() -> None:
    shop = Shop()
    for query, who in [("{ motto }", "guest-0"), ("{motto}", "guest-0"), ("{ motto }", "staff-0")]:
        await shop.told(query, who)
    assert shop.executed == ["motto"] * 3


@pytest.mark.parametrize("query", ["{ mine }", "{ motto mine }", "{ ...F } fragment F on Query { motto mine }"])
async def test_what_has_not_opted_in_as_a_whole_is_never_shared(query: str) -> None:
    shop = Shop()
    for who in ("guest-0", "guest-1"):
        stored, answer = await shop.ask(query, who)
        assert stored is None
        assert f"{who}'s".encode() in answer
    assert len(shop.cache.entries) == 0


async def test_fields_that_a_directive_leaves_out_do_not_count() -> None:
    shop = Shop()
    query = "query Q($all: Boolean!) { __typename motto mine @include(if: $all) }"
    for _ in range(2):
        assert (
            await shop.told(query, variables={"all": False}) == b'{"data":{"__typename":"Query","motto":"all is well"}}'
        )
    assert shop.executed == ["motto"]
    assert (await shop.ask(query, variables={"all": True}))[0] is None


async def test_nothing_is_shared_with_whoever_has_no_audience() -> None:
    shop = Shop()
    await shop.told("{ motto }")
    assert (await shop.ask("{ motto }", "spy"))[0] is None
    assert shop.executed == ["motto", "motto"]


async def test_an_answer_with_errors_is_not_kept() -> None:
    shop = Shop()
    for _ in range(2):
        assert b'"code":"NO"' in await shop.told("{ motto broken }")
    assert shop.executed == ["motto", "broken"] * 2
    assert len(shop.cache.entries) == 0


@pytest.mark.parametrize(
    ("cost", "executed"), [({"requested": 1, "limit": 9}, 1), ({"requested": 1, "limit": 9, "remaining": 8}, 2)]
)
async def test_an_answer_that_tells_what_is_left_of_a_budget_is_not_kept(
    cost: dict[str, int], executed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()

    async def execute(*_: Any, **__: Any) -> Answer:
        shop.executed.append("told")
        return Answer({"motto": "all is well"}, None, {"cost": cost})

    monkeypatch.setattr(shop.engine, "execute", execute)
    for _ in range(2):
        await shop.told("{ motto }")
    assert len(shop.executed) == executed


async def test_an_answer_grows_old_and_dies() -> None:
    shop = Shop()
    await shop.told("{ motto }")
    for seconds, age in [(0.9, 0), (58.0, 58), (1.0, 59)]:
        shop.now += seconds
        stored, _ = await shop.ask("{ motto }")
        assert stored is not None
        assert (stored.age, stored.cache_control) == (age, "private, max-age=60")
    shop.now += 0.2
    stored, _ = await shop.ask("{ motto }")
    assert stored is not None
    assert stored.age == 0
    assert shop.executed == ["motto", "motto"]


async def test_an_answer_from_before_the_clock_was_set_back_is_not_shown() -> None:
    shop = Shop()
    await shop.told("{ motto }")
    shop.now -= 5
    await shop.told("{ motto }")
    assert shop.executed == ["motto", "motto"]


async def test_an_answer_dies_at_the_first_deadline_that_it_shows() -> None:
    shop = Shop(deadline=1_003.0)
    await shop.told("{ one: things two: things(shelf: 2) }")
    shop.now = 1_002.9
    await shop.told("{ one: things two: things(shelf: 2) }")
    assert len(shop.executed) == 2
    shop.now = 1_003.0
    shop.deadline = None
    await shop.told("{ one: things two: things(shelf: 2) }")
    assert len(shop.executed) == 4


@pytest.mark.parametrize("deadline", [1_000.0, 999.0])
async def test_what_is_over_already_is_not_kept(deadline: float) -> None:
    shop = Shop(deadline=deadline)
    for _ in range(2):
        await shop.told("{ things }")
    assert shop.executed == ["things 1"] * 2


async def test_whoever_looks_at_the_viewer_makes_the_answer_this_viewers_alone() -> None:
    shop = Shop()
    for who in ("guest-0", "guest-1", "guest-0"):
        assert (
            await shop.told("{ motto greeting }", who)
            == f'{{"data":{{"motto":"all is well","greeting":"hello {who}"}}}}'.encode()
        )
    assert (len(shop.cache.entries), shop.spoilt) == (0, ["name"])


async def test_those_who_waited_for_an_answer_that_was_somebodys_get_their_own() -> None:
    shop = Shop(gate=asyncio.Event())
    assert shop.gate is not None
    names = [f"guest-{number}" for number in range(5)]
    asking = [asyncio.create_task(shop.told("{ greeting }", name)) for name in names]
    await turns()
    assert shop.cache.figures.joined == 4
    shop.gate.set()
    answers = await asyncio.gather(*asking)
    assert answers == [f'{{"data":{{"greeting":"hello {name}"}}}}'.encode() for name in names]
    assert shop.spoilt == ["name"]


async def test_of_many_who_ask_at_once_one_executes() -> None:
    shop = Shop(gate=asyncio.Event())
    assert shop.gate is not None
    asking = [asyncio.create_task(shop.told("{ things }", f"guest-{number}")) for number in range(50)]
    await turns()
    assert shop.cache.figures.joined == 49
    asking[0].cancel()
    shop.gate.set()
    first, *others = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(first, asyncio.CancelledError)
    assert set(others) == {b'{"data":{"things":10}}'}
    assert shop.executed == ["things 1"]
    assert (len(shop.cache.runs), len(shop.cache.tasks), len(shop.cache.entries)) == (0, 0, 1)


async def test_there_is_only_so_much_room() -> None:
    shop = Shop(weight=20_000)
    for count in range(40):
        await shop.told(f'{{ price(of: {{name: "hat", count: {count}}}) }}')
        await shop.told("{ motto }")
    assert shop.cache.entries.weight <= 20_000
    assert shop.cache.aliases.weight <= 5_000
    assert len(shop.cache.entries) > 10
    assert shop.executed.count("motto") == 1, "what is used stays"


async def test_what_would_fill_an_eighth_of_the_room_is_not_kept() -> None:
    shop = Shop(weight=8_000)
    for _ in range(2):
        await shop.told("{ motto }")
    assert (shop.executed, len(shop.cache.entries)) == (["motto"] * 2, 0)


def test_a_value_that_text_says_only_half_of_is_no_part_of_a_key() -> None:
    assert said(Decimal("1.10")) == "Decimal:1.10"
    with pytest.raises(TypeError):
        said(object())
