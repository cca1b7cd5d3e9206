"""What an operator says of a flight is written once, with its history and its fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.db import Database
from core.errors import Invalid, NotFound
from core.states import WrongState
from models import Fact, Flight, FlightStatus, Slot, SlotStatus, Transition
from services import flights
from services.flights import FlightUpdate
from services.transitions import Cause
from tests.factories.schedules import Schedule

S = FlightStatus
OPERATOR = Cause(actor="operator", reason="said so")


async def record(database: Database, update: FlightUpdate) -> bool:
    async with database.transaction() as session:
        return await flights.record_update(session, update, OPERATOR)


async def flight(database: Database, slot_id: int) -> Flight:
    async with database.reading() as session:
        return await session.get_one(Flight, slot_id)


async def facts(database: Database) -> list[Fact]:
    async with database.reading() as session:
        told = select(Fact).where(Fact.stream.startswith("slot:")).order_by(Fact.id)
        return list(await session.scalars(told))


async def boards(database: Database) -> list[tuple[str, object]]:
    """What the boards of airports were told."""
    async with database.reading() as session:
        told = await session.scalars(select(Fact).where(Fact.kind == "board.changed").order_by(Fact.id))
        return [(fact.stream, fact.payload) for fact in told]


async def history(database: Database) -> list[tuple[str | None, str, str]]:
    async with database.reading() as session:
        rows = await session.scalars(select(Transition).order_by(Transition.id))
        return [(row.from_status, row.to_status, row.actor) for row in rows]


async def slot_status(database: Database, slot_id: int) -> SlotStatus | None:
    async with database.reading() as session:
        return await session.scalar(select(Slot.status).where(Slot.id == slot_id))


def delay(schedule: Schedule, minutes: int = 40) -> FlightUpdate:
    return FlightUpdate(
        slot_id=schedule.first,
        status=S.DELAYED,
        estimated_departure_at=schedule.departs_at + timedelta(minutes=minutes),
        departure_gate="B7",
    )


async def test_a_delay_is_written_with_its_history_and_its_fact(database: Database, schedule: Schedule) -> None:
    assert await record(database, delay(schedule))

    delayed = await flight(database, schedule.first)
    assert (delayed.status, delayed.version, delayed.departure_gate) == (S.DELAYED, 1, "B7")
    assert delayed.estimated_departure_at == schedule.departs_at + timedelta(minutes=40)
    assert await history(database) == [("SCHEDULED", "DELAYED", "operator")]
    (fact,) = await facts(database)
    assert (fact.kind, fact.stream) == ("flight.delayed", f"slot:{schedule.first}")
    assert fact.payload == {
        "slot_id": schedule.first,
        "version": 1,
        "status": "DELAYED",
        "from": "SCHEDULED",
        "actor": "operator",
        "reason": "said so",
        "departs_at": schedule.departs_at.isoformat(),
        "arrives_at": (schedule.departs_at + timedelta(hours=6)).isoformat(),
        "estimated_departure_at": (schedule.departs_at + timedelta(minutes=40)).isoformat(),
        "estimated_arrival_at": None,
        "actual_departure_at": None,
        "actual_arrival_at": None,
        "departure_gate": "B7",
        "arrival_gate": None,
        "departure_terminal": None,
        "arrival_terminal": None,
    }
    assert await boards(database) == [("airport:JFK", {"slot": schedule.first, "airport": "JFK"})]


async def test_the_same_update_twice_is_written_once(database: Database, schedule: Schedule) -> None:
    assert await record(database, delay(schedule))
    assert not await record(database, delay(schedule))
    assert (await flight(database, schedule.first)).version == 1
    assert len(await facts(database)) == 1


async def test_a_new_gate_alone_is_an_update_without_history(database: Database, schedule: Schedule) -> None:
    await record(database, FlightUpdate(slot_id=schedule.first, departure_gate="B9", departure_terminal="B"))
    (fact,) = await facts(database)
    assert (fact.kind, fact.payload["status"], fact.payload["departure_gate"]) == ("flight.updated", "SCHEDULED", "B9")
    assert await history(database) == []


async def test_a_delay_that_is_withdrawn_takes_its_estimates_with_it(database: Database, schedule: Schedule) -> None:
    await record(database, delay(schedule))
    await record(database, FlightUpdate(slot_id=schedule.first, status=S.SCHEDULED))
    back = await flight(database, schedule.first)
    assert (back.status, back.estimated_departure_at, back.departure_gate) == (S.SCHEDULED, None, "B7")
    assert [fact.kind for fact in await facts(database)] == ["flight.delayed", "flight.rescheduled"]


@pytest.mark.parametrize("status", [S.DEPARTED, S.CANCELLED])
async def test_what_leaves_or_is_cancelled_is_no_longer_sold(
    database: Database, schedule: Schedule, status: FlightStatus
) -> None:
    await record(database, FlightUpdate(slot_id=schedule.first, status=status))
    assert await slot_status(database, schedule.first) is SlotStatus.CLOSED
    assert await slot_status(database, schedule.second) is SlotStatus.OPEN


async def test_what_boards_may_still_be_sold(database: Database, schedule: Schedule) -> None:
    await record(database, FlightUpdate(slot_id=schedule.first, status=S.BOARDING))
    assert await slot_status(database, schedule.first) is SlotStatus.OPEN


async def test_a_whole_day_tells_its_facts_in_order(database: Database, schedule: Schedule) -> None:
    for status in (S.DELAYED, S.BOARDING, S.DEPARTED, S.IN_FLIGHT, S.DIVERTED, S.LANDED):
        await record(database, FlightUpdate(slot_id=schedule.first, status=status))
    told = await facts(database)
    assert [fact.kind for fact in told] == [
        "flight.delayed",
        "flight.boarded",
        "flight.departed",
        "flight.took_off",
        "flight.diverted",
        "flight.landed",
    ]
    assert [fact.payload["version"] for fact in told] == [1, 2, 3, 4, 5, 6]


async def test_a_move_that_the_machine_does_not_allow_changes_nothing(database: Database, schedule: Schedule) -> None:
    await record(database, FlightUpdate(slot_id=schedule.first, status=S.CANCELLED))
    with pytest.raises(WrongState):
        await record(database, FlightUpdate(slot_id=schedule.first, status=S.BOARDING, departure_gate="B9"))
    cancelled = await flight(database, schedule.first)
    assert (cancelled.status, cancelled.version, cancelled.departure_gate) == (S.CANCELLED, 1, None)
    assert [fact.kind for fact in await facts(database)] == ["flight.cancelled"]


async def test_a_time_without_a_zone_is_refused(database: Database, schedule: Schedule) -> None:
    naive = datetime(2026, 12, 1, 12)  # noqa: DTZ001 - the subject of this test
    with pytest.raises(Invalid):
        await record(database, replace(delay(schedule), actual_departure_at=naive))
    assert (await flight(database, schedule.first)).version == 0
    assert await facts(database) == []


async def test_an_unknown_flight_is_refused(database: Database, schedule: Schedule) -> None:
    with pytest.raises(NotFound):
        await record(database, FlightUpdate(slot_id=schedule.second + 1, status=S.DELAYED))
    assert await facts(database) == []
