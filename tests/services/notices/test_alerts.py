"""Alerts: everybody booked on a flight is told once, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from core.db import Database
from core.errors import Invalid, NotFound
from models import Fact, FlightAlert, FlightStatus, Notice, NoticeKind
from services import alerts, flights
from services.alerts import AlertPassengers
from services.flights import FlightUpdate
from services.idempotency import KeyReused
from services.transitions import Cause
from tests.factories.bookings import facts_of, snapshot
from tests.factories.schedules import Schedule
from tests.services.notices.conftest import Book

STAFF = Cause(actor="user:staff", reason="the crew is late")


def command(schedule: Schedule, message: str = "Boarding begins  late.") -> AlertPassengers:
    return AlertPassengers(owner="user:staff", slot_id=schedule.first, message=message, idempotency_key="one")


async def alert(database: Database, asked: AlertPassengers) -> FlightAlert:
    async with database.transaction() as session:
        return await alerts.alert(session, asked, STAFF)


async def tell(database: Database, limit: int = alerts.BATCH) -> int:
    """Tell every alert to its end, as the worker does; in how many batches."""
    batches = 0
    async with database.reading() as session:
        waiting = list(await session.scalars(select(FlightAlert.id).where(FlightAlert.told_at.is_(None))))
    for alert_id in waiting:
        more = True
        while more:
            async with database.transaction() as session:
                more = await alerts.tell(session, alert_id, limit)
            batches += 1
    return batches


async def told(database: Database) -> list[Notice]:
    """The notices that came of alerts, by booking."""
    async with database.reading() as session:
        chosen = select(Notice).where(Notice.source.startswith("alert:")).order_by(Notice.booking_id, Notice.id)
        return list(await session.scalars(chosen))


async def update(database: Database, said: FlightUpdate) -> None:
    async with database.transaction() as session:
        await flights.record_update(session, said, Cause(actor="operator", reason="said so"))


async def test_everybody_booked_is_told_once_batch_by_batch(
    database: Database, schedule: Schedule, book: Book, ada: UUID
) -> None:
    hers, a_guests, another = await book("2A", ada), await book("2B"), await book("2C")
    await book("3A", ada, None)  # not paid: nobody is booked by it
    made = await alert(database, command(schedule))
    assert await tell(database, limit=2) == 2
    assert [(one.booking_id, one.owner_id, one.kind, one.message, one.slot_id) for one in await told(database)] == [
        (one.id, one.owner_id, NoticeKind.ALERT, "Boarding begins late.", schedule.first)
        for one in (hers, a_guests, another)
    ]
    assert "booking.notified" in await facts_of(database, f"booking:{a_guests.id}")
    assert (await facts_of(database, f"notices:{ada}"))[-1] == "notice.written"
    async with database.transaction() as session:
        stored = await session.get_one(FlightAlert, made.id)
        assert (stored.reached, stored.told_at is not None, stored.actor) == (3, True, "user:staff")
        assert await alerts.tell(session, made.id) is False
    assert len(await told(database)) == 3


async def test_a_job_that_is_run_again_leaves_out_whoever_was_told(
    database: Database, schedule: Schedule, book: Book
) -> None:
    await book("2A")
    await book("2B")
    made = await alert(database, command(schedule))
    async with database.transaction() as session:
        assert await alerts.tell(session, made.id, 1) is True
    await tell(database, limit=1)
    assert len(await told(database)) == 2


async def test_the_same_key_is_the_same_alert(database: Database, schedule: Schedule) -> None:
    first, again = await alert(database, command(schedule)), await alert(database, command(schedule))
    assert first.id == again.id
    assert await facts_of(database, f"slot:{schedule.first}") == ["alert.announced"]
    before = await snapshot(database)
    with pytest.raises(KeyReused):
        await alert(database, command(schedule, "Something else."))
    assert await snapshot(database) == before


@pytest.mark.parametrize("message", ["", "  ", "x" * 501, "a\u0000b"])
async def test_an_alert_has_words_and_not_too_many(database: Database, schedule: Schedule, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        await alert(database, command(schedule, message))
    assert refused.value.field == "message"
    await nothing_announced(database)


async def test_there_is_no_alert_about_a_flight_that_there_is_not(database: Database, schedule: Schedule) -> None:
    with pytest.raises(NotFound):
        await alert(database, replace(command(schedule), slot_id=schedule.second + 99))
    await nothing_announced(database)


async def nothing_announced(database: Database) -> None:
    async with database.reading() as session:
        for table in (FlightAlert, Fact):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_a_delay_a_further_delay_and_a_cancellation_are_told(
    database: Database, schedule: Schedule, book: Book
) -> None:
    await book("2A")
    late = FlightUpdate(
        slot_id=schedule.first,
        status=FlightStatus.DELAYED,
        estimated_departure_at=schedule.departs_at + timedelta(minutes=40),
    )
    await update(database, late)
    await update(database, replace(late, estimated_departure_at=schedule.departs_at + timedelta(minutes=50)))
    await update(database, replace(late, estimated_departure_at=schedule.departs_at + timedelta(minutes=90)))
    await update(database, FlightUpdate(slot_id=schedule.first, departure_gate="B7"))
    await update(database, FlightUpdate(slot_id=schedule.first, status=FlightStatus.CANCELLED))
    await tell(database)
    day = f"{schedule.day.day} {schedule.day:%B}"
    delayed = "UA1 from JFK to LAX is delayed: it leaves at {0} on {1} instead of 09:00 on {1}."
    assert [(one.kind, one.message) for one in await told(database)] == [
        (NoticeKind.FLIGHT_DELAYED, delayed.format("09:40", day)),
        (NoticeKind.FLIGHT_DELAYED, delayed.format("10:30", day)),
        (NoticeKind.FLIGHT_CANCELLED, f"UA1 from JFK to LAX is cancelled. It was to leave at 09:00 on {day}."),
    ]


async def test_a_flight_that_nobody_is_booked_on_is_nobodys_business(
    database: Database, schedule: Schedule, book: Book
) -> None:
    await book("2A")
    await update(database, FlightUpdate(slot_id=schedule.second, status=FlightStatus.CANCELLED))
    assert await tell(database) == 0
