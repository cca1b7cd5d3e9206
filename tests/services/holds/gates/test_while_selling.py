"""Gates that know nothing, know wrong things, or don't answer, while seats are sold behind them.

Whatever becomes of a gate: nothing is sold twice, and a free seat is sold to the first who asks.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from core.db import Database
from core.embedded import EmbeddedValkey
from services import holds
from services.holds import Placer, SeatsTaken
from services.holds.gates import Gates, LocalGate, ValkeyGate, Won
from tests.factories.gates import attempt
from tests.factories.holds import CAUSE, GUEST, everything, key, placing, seats, want
from tests.factories.schedules import Schedule
from tests.fakes.ticking import Ticking

ALL = tuple(f"{row}{letter}" for row in (1, 2, 3) for letter in "ABCD")


@pytest.fixture
def valkey(folder: Path, slot: int) -> Iterator[EmbeddedValkey]:
    """A Valkey that knows this test's slots only, and that it may do anything to."""
    with EmbeddedValkey(folder / f"selling-{slot}") as server:
        yield server


@pytest.fixture
async def operator(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    client = Redis.from_url(valkey.url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
def local() -> LocalGate:
    """The first process's own gate, for which no time passes: what it knows it goes on knowing."""
    return LocalGate(clock=Ticking())


def patient(valkey: EmbeddedValkey) -> ValkeyGate:
    """A gate that no slow machine makes impatient or forgetful."""
    return ValkeyGate.connect(valkey.url, patience=600, flight_seconds=600)


@pytest.fixture
async def placer(database: Database, valkey: EmbeddedValkey, local: LocalGate) -> AsyncIterator[Placer]:
    """The first process."""
    async with placing(database, gates=Gates([local, patient(valkey)])) as placer:
        yield placer


@pytest.fixture
async def elsewhere(database: Database, valkey: EmbeddedValkey) -> AsyncIterator[Placer]:
    """Another process."""
    gates = Gates([LocalGate(clock=Ticking()), patient(valkey)])
    async with placing(database, gates=gates) as placer:
        yield placer


async def buy(placer: Placer, slot_id: int, *units: str) -> UUID:
    return (await placer.place(GUEST, [want(slot_id, *units)], 15, key())).id


async def refused(placer: Placer, slot_id: int, *units: str) -> list[str]:
    """Which of the seats are told to be taken, in order."""
    with pytest.raises(SeatsTaken) as refusal:
        await buy(placer, slot_id, *units)
    return sorted(refusal.value.taken[slot_id])


def written() -> float:
    """How many requests of any Placer in this process have been written, or tried to be."""
    return REGISTRY.get_sample_value("jetway_hold_batch_requests_sum") or 0


async def test_rivals_for_what_is_known_are_answered_without_a_write(
    placer: Placer, elsewhere: Placer, database: Database, schedule: Schedule
) -> None:
    await buy(placer, schedule.first, "2A", "2B")
    before, writes = await everything(database), written()
    for process in (placer, elsewhere):
        assert await refused(process, schedule.first, "2B", "2C") == ["2B"]
        assert await refused(process, schedule.first, "2B", "2A") == ["2A", "2B"]
    assert written() == writes
    assert await everything(database) == before
    assert await buy(elsewhere, schedule.first, "2C")


async def test_a_process_that_refused_knows_it_without_valkey(database: Database, schedule: Schedule) -> None:
    async with placing(database) as ungated, placing(database, gates=Gates([LocalGate(clock=Ticking())])) as gated:
        await buy(ungated, schedule.first, "2A")
        assert await refused(gated, schedule.first, "2A") == ["2A"]
        writes = written()
        assert await refused(gated, schedule.first, "2A", "2B") == ["2A"]
        assert written() == writes
        assert await buy(gated, schedule.first, "2B")


async def test_one_key_is_one_hold_whatever_the_gates_think(placer: Placer, schedule: Schedule) -> None:
    used = key()
    first, again = [(await placer.place(GUEST, [want(schedule.first, "2A")], 15, used)).id for _ in range(2)]
    assert first == again


@pytest.mark.parametrize("poison", ["text", "list"])
async def test_a_free_seat_is_sold_whatever_strangers_wrote_into_valkey(
    placer: Placer, elsewhere: Placer, operator: Redis, database: Database, schedule: Schedule, poison: str
) -> None:
    for unit in ALL:
        name = f"jetway:unit:{{{schedule.first}}}:{unit}"
        await (operator.set(name, "a stranger", ex=86_400) if poison == "text" else operator.rpush(name, "a stranger"))
    await buy(placer, schedule.first, "2A", "2B")
    assert await refused(elsewhere, schedule.first, "2B") == ["2B"]
    await buy(elsewhere, schedule.first, "2C")
    assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B", "2C"), "LOCKED")


async def test_a_free_seat_is_sold_whatever_the_process_believes(
    placer: Placer, local: LocalGate, database: Database, schedule: Schedule
) -> None:
    await local.taken([(schedule.first, unit) for unit in ALL])
    await local.confirm([Won(attempt(schedule.second, *ALL), 900)])
    await buy(placer, schedule.first, "2A", "2B")
    await buy(placer, schedule.second, "2A")
    assert await refused(placer, schedule.first, "2B") == ["2B"]
    assert await seats(database, schedule.first) == {"2A": "LOCKED", "2B": "LOCKED"}


@pytest.mark.parametrize("process", ["the same", "another"])
async def test_what_is_released_is_free_at_once(
    placer: Placer, elsewhere: Placer, database: Database, schedule: Schedule, process: str
) -> None:
    held = await buy(placer, schedule.first, "2A", "2B")
    assert await refused(elsewhere, schedule.first, "2A") == ["2A"]
    async with database.transaction() as session:
        await holds.release(session, held, CAUSE)
    next_one = await buy(placer if process == "the same" else elsewhere, schedule.first, "2A")
    assert next_one != held
    assert await refused(placer, schedule.first, "2A") == ["2A"]


async def test_nothing_is_sold_twice_after_valkey_was_wiped(
    placer: Placer, elsewhere: Placer, operator: Redis, local: LocalGate, database: Database, schedule: Schedule
) -> None:
    await buy(placer, schedule.first, "2A")
    await operator.flushall()
    await operator.script_flush()
    await local.forget()
    before = await everything(database)
    for process in (placer, elsewhere):
        assert await refused(process, schedule.first, "2A", "2B") == ["2A"]
    assert await everything(database) == before
    await buy(elsewhere, schedule.first, "2B")


async def test_sales_go_on_while_valkey_is_frozen(
    valkey: EmbeddedValkey, database: Database, schedule: Schedule
) -> None:
    async with (
        placing(database, gates=Gates([ValkeyGate.connect(valkey.url, patience=0.02)])) as placer,
        placing(database, gates=Gates([ValkeyGate.connect(valkey.url, patience=0.02)])) as elsewhere,
    ):
        await buy(placer, schedule.first, "1A")
        os.kill(valkey.pid, signal.SIGSTOP)
        try:
            for unit in ALL[1:]:
                await buy(placer, schedule.first, unit)
                assert await refused(elsewhere, schedule.first, unit) == [unit]
        finally:
            os.kill(valkey.pid, signal.SIGCONT)
        assert await refused(elsewhere, schedule.first, "1A", "3D") == ["1A", "3D"]
        await buy(elsewhere, schedule.second, "1A")
    assert await seats(database, schedule.first) == dict.fromkeys(ALL, "LOCKED")


async def test_sales_go_on_while_valkey_is_gone_and_when_it_is_back(
    placer: Placer, elsewhere: Placer, valkey: EmbeddedValkey, database: Database, schedule: Schedule
) -> None:
    await buy(placer, schedule.first, "2A")
    valkey.kill()
    for unit in ("2B", "2C", "2D"):
        await buy(placer, schedule.first, unit)
        assert await refused(elsewhere, schedule.first, unit, "1A") == [unit]
    valkey.start()
    await buy(elsewhere, schedule.first, "3A")
    assert await refused(placer, schedule.first, "3A") == ["3A"]
    assert await seats(database, schedule.first) == dict.fromkeys(("2A", "2B", "2C", "2D", "3A"), "LOCKED")
