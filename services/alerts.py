"""Alerts: what everybody booked on a flight is told, because staff say so or because the flight itself has changed.

An alert is a row and a job: the job writes a notice for each booking of the flight, batch by batch, each in a
transaction of its own. Whoever was told is left out, so a job that is run again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, exists, func, select

from core.db import ReadSession, Session
from core.errors import Invalid, NotFound
from core.ids import uuid7
from models import (
    Booking,
    BookingSegment,
    BookingStatus,
    Flight,
    FlightAlert,
    FlightStatus,
    Notice,
    NoticeKind,
    Slot,
)
from services import idempotency, jobs, notices, outbox
from services.transitions import Cause

MOST_LETTERS = 500
BATCH = 200
"""Bookings that are told in one transaction."""

BOOKED = (BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN)
"""Whose passengers are to fly."""

WORTH_TELLING = timedelta(minutes=15)
"""How far a delayed flight's expected departure moves before it is told anew."""

OF_FLIGHTS: Mapping[FlightStatus, tuple[NoticeKind, str]] = {
    FlightStatus.DELAYED: (NoticeKind.FLIGHT_DELAYED, "is delayed"),
    FlightStatus.SCHEDULED: (NoticeKind.FLIGHT_ON_TIME, "leaves as planned, at {planned}."),
    FlightStatus.DIVERTED: (NoticeKind.FLIGHT_DIVERTED, "was diverted to another airport."),
    FlightStatus.CANCELLED: (NoticeKind.FLIGHT_CANCELLED, "is cancelled. It was to leave at {planned}."),
}
"""What passengers are told when their flight comes to be in a state."""


@dataclass(frozen=True, kw_only=True)
class AlertPassengers:
    """Tell everybody booked on a flight. `owner` is the idempotency key's."""

    owner: str
    slot_id: int
    message: str
    idempotency_key: str


async def alert(session: Session, command: AlertPassengers, cause: Cause) -> FlightAlert:
    """Have everybody booked on a flight told, once this is committed. The same key again: the alert that came of it.

    Raises Invalid (the message, the key), NotFound (the flight) and idempotency.KeyReused; nothing changes then.
    """
    text = words(command.message)
    alert_id, print_ = uuid7(), idempotency.fingerprint([command.slot_id, text])
    key = command.idempotency_key
    known = await idempotency.claim(session, command.owner, "alertPassengers", key, print_, alert_id)
    if known is not None:
        return await session.get_one(FlightAlert, known)
    locked = select(Flight.slot_id).where(Flight.slot_id == command.slot_id).with_for_update()
    if await session.scalar(locked) is None:
        raise NotFound("There is no such flight.")
    return await announce(session, alert_id, command.slot_id, NoticeKind.ALERT, text, cause)


def words(message: str) -> str:
    """The message as it is kept, in one line; raises Invalid where that is nothing, or too much."""
    text = " ".join(message.split())
    if not (1 <= len(text) <= MOST_LETTERS and text.isprintable()):
        raise Invalid(f"Say it in 1 to {MOST_LETTERS} letters.", field="message")
    return text


async def announce(
    session: Session, alert_id: UUID, slot_id: int, kind: NoticeKind, text: str, cause: Cause
) -> FlightAlert:
    """Write an alert about a locked flight, its fact, and the job that tells it."""
    made = FlightAlert(id=alert_id, slot_id=slot_id, kind=kind, message=text, actor=cause.actor)
    session.add(made)
    await session.flush()
    payload = {"slot": slot_id, "alert": str(made.id), "kind": kind, "actor": cause.actor, "reason": cause.reason}
    await outbox.record(session, "alert.announced", outbox.slot_stream(slot_id), payload)
    await jobs.tell_passengers(session, made.id)
    return made


async def of_flight(
    session: Session, flight: Flight, new_status: FlightStatus | None, expected_before: datetime | None, cause: Cause
) -> None:
    """Have the passengers of a locked flight told what has changed about it, where it concerns them.

    `new_status` None: it has the one that it had; `expected_before` is when it was to leave until now, if anybody knew.
    """
    changed = new_status in OF_FLIGHTS or (new_status is None and is_later(flight, expected_before))
    if not changed or not await anybody_booked(session, flight.slot_id):
        return
    kind, said = OF_FLIGHTS[flight.status]
    zone = ZoneInfo((await session.execute(select(Slot.zone).where(Slot.id == flight.slot_id))).scalar_one())
    planned = spoken(flight.departs_at, zone)
    if flight.status is FlightStatus.DELAYED:
        expected = flight.estimated_departure_at
        said += f": it leaves at {spoken(expected, zone)} instead of {{planned}}." if expected else "."
    text = f"{flight.designator} from {flight.origin_code} to {flight.destination_code} {said.format(planned=planned)}"
    await announce(session, uuid7(), flight.slot_id, kind, text, cause)


def is_later(flight: Flight, expected_before: datetime | None) -> bool:
    """Whether the expected departure of a delayed flight has moved so far that its passengers are to know."""
    expected = flight.estimated_departure_at
    if flight.status is not FlightStatus.DELAYED or expected is None:
        return False
    return expected_before is None or abs(expected - expected_before) >= WORTH_TELLING


def spoken(moment: datetime, zone: ZoneInfo) -> str:
    """A local time as it is told: `09:00 on 1 December`."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M} on {local.day} {local:%B}"


async def anybody_booked(session: ReadSession, slot_id: int) -> bool:
    """Whether somebody is to fly on it."""
    return bool((await session.execute(select(booked_on(slot_id).exists()))).scalar_one())


def booked_on(slot_id: int) -> Select[Booking]:
    """The bookings whose passengers are to fly on it, each once."""
    flies = exists().where(
        BookingSegment.booking_id == Booking.id,
        BookingSegment.slot_id == slot_id,
        BookingSegment.cancelled_at.is_(None),
    )
    return select(Booking).where(Booking.status.in_(BOOKED), flies)


async def tell(session: Session, alert_id: UUID, limit: int = BATCH) -> bool:
    """Tell an alert to the next `limit` bookings that have not been told; whether there may be more.

    Locks the alert, then the bookings in the order of their ids.
    """
    announced = await session.get_one(FlightAlert, alert_id, with_for_update=True)
    if announced.told_at is not None:
        return False
    source = f"alert:{alert_id}"
    told = exists().where(Notice.booking_id == Booking.id, Notice.source == source)
    waiting = booked_on(announced.slot_id).where(~told).order_by(Booking.id).limit(limit)
    found = (await session.scalars(waiting.with_for_update().execution_options(populate_existing=True))).all()
    message = notices.Message(kind=announced.kind, text=announced.message, source=source, slot_id=announced.slot_id)
    announced.reached += await notices.write(session, found, message)
    if len(found) < limit:
        announced.told_at = await session.scalar(select(func.jetway_now()))
    return len(found) == limit
