"""The gate that all processes share: a whole set or nothing, and nobody's but one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from services.holds.gates import ValkeyGate, Won
from tests.factories.gates import attempt, attempt_at, chances, has_a_chance, hold
from tests.fakes.cluster import cluster


def key(slot: int, unit: str) -> str:
    return f"jetway:unit:{{{slot}}}:{unit}"


async def owners(redis: Redis, slot: int) -> dict[str, str]:
    """Who has which unit, as Valkey says."""
    names = [name async for name in redis.scan_iter(f"jetway:unit:{{{slot}}}:*", count=1000)]
    return {name.rpartition(":")[2]: str(await redis.get(name)) for name in names}


async def test_each_attempt_of_a_batch_gets_all_it_wants_or_nothing(gate: ValkeyGate, redis: Redis, slot: int) -> None:
    batch = [attempt(slot, "1A", "1B"), attempt(slot, "1C", "1B"), attempt(slot, "1C"), attempt_at()]
    assert await gate.enter(batch) == [True, False, True, True]
    winner, third = str(batch[0].hold_id), str(batch[2].hold_id)
    assert await owners(redis, slot) == {"1A": winner, "1B": winner, "1C": third}


async def test_a_set_over_several_slots_is_one_set(gate: ValkeyGate, redis: Redis, slot: int) -> None:
    await hold(gate, attempt(slot + 1, "1A"))
    assert await gate.enter([attempt_at((slot, "1A"), (slot + 1, "1A"))]) == [False]
    assert await owners(redis, slot) == {}


async def test_processes_see_each_other(gate: ValkeyGate, elsewhere: ValkeyGate, slot: int) -> None:
    on_its_way = attempt(slot, "1B")
    await hold(gate, attempt(slot, "1A"))
    await gate.enter([on_its_way])
    assert await chances(elsewhere, slot, ["1A", "1B", "1C"]) == {"1A": False, "1B": False, "1C": True}
    await gate.leave([on_its_way])
    assert await chances(elsewhere, slot, ["1A", "1B"]) == {"1A": False, "1B": True}


async def test_an_attempt_may_ask_again(gate: ValkeyGate, slot: int) -> None:
    entry = attempt(slot, "1A")
    assert [await gate.enter([entry]) for _ in range(2)] == [[True], [True]]


async def test_only_the_owner_gives_back(gate: ValkeyGate, elsewhere: ValkeyGate, redis: Redis, slot: int) -> None:
    owner, stranger = attempt(slot, "1A", "1B"), attempt(slot, "1A", "1C")
    await gate.enter([owner])
    await elsewhere.leave([stranger])
    assert await owners(redis, slot) == {"1A": str(owner.hold_id), "1B": str(owner.hold_id)}
    await gate.leave([owner])
    assert await owners(redis, slot) == {}


async def test_an_attempt_lives_two_seconds_and_a_hold_until_its_deadline(
    redis_url: str, redis: Redis, slot: int
) -> None:
    gate, entry = ValkeyGate.connect(redis_url, patience=600), attempt(slot, "1A")
    assert await gate.enter([entry]) == [True]
    assert await redis.pttl(key(slot, "1A")) <= 2000
    await gate.confirm([Won(entry, 900)])
    assert await redis.get(key(slot, "1A")) == str(entry.hold_id)
    assert 2000 < await redis.pttl(key(slot, "1A")) <= 900_000
    await gate.aclose()


async def test_a_confirmation_really_extends(gate: ValkeyGate, redis: Redis, slot: int) -> None:
    entry = attempt(slot, "1A")
    await hold(gate, entry, seconds=900)
    await redis.pexpire(key(slot, "1A"), 500_000)
    await gate.confirm([Won(entry, 900)])
    assert await owners(redis, slot) == {"1A": str(entry.hold_id)}
    assert 500_000 < await redis.pttl(key(slot, "1A")) <= 900_000


async def test_a_hold_that_is_over_when_it_is_confirmed_takes_nothing(
    gate: ValkeyGate, redis: Redis, slot: int
) -> None:
    await gate.confirm([Won(attempt(slot, "1A"), 0)])
    assert await owners(redis, slot) == {}


@pytest.mark.parametrize("poison", ["text", "list"])
async def test_what_a_stranger_wrote_diverts_until_postgresql_says_otherwise(
    gate: ValkeyGate, redis: Redis, slot: int, poison: str
) -> None:
    if poison == "text":
        await redis.set(key(slot, "1A"), "a stranger", ex=86_400)
    else:
        await redis.rpush(key(slot, "1A"), "a stranger")
    entry = attempt(slot, "1A", "1B")
    assert await gate.enter([entry, attempt(slot, "1C")]) == [False, True]
    await gate.leave([entry])
    assert not await has_a_chance(gate, entry)
    await gate.confirm([Won(entry, 900)])
    assert {unit: owner for unit, owner in (await owners(redis, slot)).items() if unit != "1C"} == {
        "1A": str(entry.hold_id),
        "1B": str(entry.hold_id),
    }


async def test_a_script_that_was_forgotten_is_sent_again(gate: ValkeyGate, redis: Redis, slot: int) -> None:
    for unit in ("1A", "1B"):
        await redis.script_flush()
        entry = attempt(slot, unit)
        assert await gate.enter([entry, attempt(slot, unit)]) == [True, False]
        await redis.script_flush()
        await gate.confirm([Won(entry, 900)])
    assert await chances(gate, slot, ["1A", "1B", "1C"]) == {"1A": False, "1B": False, "1C": True}


class TestOnACluster:
    """Where one script can't touch two slots."""

    @pytest.fixture
    def redis_url(self, folder: Path, slot: int) -> object:
        with cluster(folder / f"cluster-{slot}") as url:
            yield url

    @pytest.fixture
    async def gate(self, redis_url: str) -> AsyncIterator[ValkeyGate]:
        gate = ValkeyGate.connect(redis_url, patience=600, flight_seconds=600)
        yield gate
        await gate.aclose()

    async def test_the_slots_are_asked_in_turn_and_what_was_got_is_given_back(
        self, gate: ValkeyGate, redis: Redis, slot: int
    ) -> None:
        two, one, other = (
            attempt_at((slot + 2, "1A"), (slot, "1A"), (slot + 1, "1A"), (slot + 1, "1B")),
            attempt_at((slot + 1, "1C"), (slot, "1B")),
            attempt_at((slot, "1C"), (slot + 1, "1D"), (slot + 2, "1A")),
        )
        assert await gate.enter([two, one, other]) == [True, True, False]
        first, second = str(two.hold_id), str(one.hold_id)
        assert await owners(redis, slot) == {"1A": first, "1B": second}
        assert await owners(redis, slot + 1) == {"1A": first, "1B": first, "1C": second}
        assert await owners(redis, slot + 2) == {"1A": first}
        await gate.confirm([Won(two, 900)])
        await gate.leave([one])
        assert [await owners(redis, slot + some) for some in range(3)] == [
            {"1A": first},
            {"1A": first, "1B": first},
            {"1A": first},
        ]
