"""Flights on their day: what an operator says about them; and the airports that somebody may mean.

A flight's status changes through `FLIGHT` alone. Each change draws the flight's next version while its row is locked,
so that the facts of one flight are in order and a client can tell an older state from a newer one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from core.db import ReadSession, Session
from core.errors import Invalid, NotFound
from core.states import Machine
from models import Airport, Flight, FlightStatus, Slot, SlotStatus
from services import alerts, jobs, outbox, transitions

FLIGHT = Machine(
    "flight",
    FlightStatus,
    FlightStatus.SCHEDULED,
    {
        FlightStatus.SCHEDULED: frozenset(
            {FlightStatus.DELAYED, FlightStatus.BOARDING, FlightStatus.DEPARTED, FlightStatus.CANCELLED}
        ),
        FlightStatus.DELAYED: frozenset(
            {FlightStatus.SCHEDULED, FlightStatus.BOARDING, FlightStatus.DEPARTED, FlightStatus.CANCELLED}
        ),
        FlightStatus.BOARDING: frozenset({FlightStatus.DELAYED, FlightStatus.DEPARTED, FlightStatus.CANCELLED}),
        FlightStatus.DEPARTED: frozenset({FlightStatus.IN_FLIGHT, FlightStatus.LANDED, FlightStatus.DIVERTED}),
        FlightStatus.IN_FLIGHT: frozenset({FlightStatus.LANDED, FlightStatus.DIVERTED}),
        FlightStatus.DIVERTED: frozenset({FlightStatus.IN_FLIGHT, FlightStatus.LANDED}),
        FlightStatus.LANDED: frozenset(),
        FlightStatus.CANCELLED: frozenset(),
    },
)
"""Operators' messages get lost: boarding and take-off may be missing between two that arrived, a departure may not."""

FACTS = MappingProxyType(
    {
        FlightStatus.SCHEDULED: "flight.rescheduled",
        FlightStatus.DELAYED: "flight.delayed",
        FlightStatus.BOARDING: "flight.boarded",
        FlightStatus.DEPARTED: "flight.departed",
        FlightStatus.IN_FLIGHT: "flight.took_off",
        FlightStatus.LANDED: "flight.landed",
        FlightStatus.CANCELLED: "flight.cancelled",
        FlightStatus.DIVERTED: "flight.diverted",
    }
)
"""The kind of fact that a change to each status is; any other change is `flight.updated`."""

SOLD_WHILE = frozenset({FlightStatus.SCHEDULED, FlightStatus.DELAYED, FlightStatus.BOARDING})
"""The states in which a flight may still be sold; its slot is closed in every other."""


@dataclass(frozen=True, kw_only=True)
class FlightUpdate:
    """What an operator says about a flight. None says nothing; times are aware."""

    slot_id: int
    status: FlightStatus | None = None
    estimated_departure_at: datetime | None = None
    estimated_arrival_at: datetime | None = None
    actual_departure_at: datetime | None = None
    actual_arrival_at: datetime | None = None
    departure_gate: str | None = None
    arrival_gate: str | None = None
    departure_terminal: str | None = None
    arrival_terminal: str | None = None


TIMES = ("estimated_departure_at", "estimated_arrival_at", "actual_departure_at", "actual_arrival_at")
PLACES = ("departure_gate", "arrival_gate", "departure_terminal", "arrival_terminal")


async def record_update(session: Session, update: FlightUpdate, cause: transitions.Cause) -> bool:
    """Write what `update` says, with its history and its fact; False, and nothing written, where all of it was known.

    Locks the flight, then its slot. A flight that leaves or is cancelled can no longer be sold; one that goes back to
    its schedule loses its estimates. Raises NotFound for an unknown flight, Invalid for a time without a zone and
    WrongState where its status cannot become the new one.
    """
    check_times(update)
    flight = await locked(session, update.slot_id)
    changes = differences(flight, update)
    if not changes:
        return False
    new_status: FlightStatus | None = changes.pop("status", None)
    if new_status is not None:
        FLIGHT.check(flight.status, new_status)
    expected_before = flight.estimated_departure_at
    for name, value in changes.items():
        setattr(flight, name, value)
    flight.version += 1
    await tell(session, flight, new_status, cause)
    told = {"slot": flight.slot_id, "airport": flight.origin_code}
    await outbox.record(session, "board.changed", airport_stream(flight.origin_code), told)
    await alerts.of_flight(session, flight, new_status, expected_before, cause)
    if new_status is FlightStatus.LANDED and await alerts.anybody_booked(session, flight.slot_id):
        await jobs.finish_flight(session, flight.slot_id)
    return True


def airport_stream(code: str) -> str:
    """The stream of what changes on the departures board of an airport.

    Its facts name a flight that is to be read again. That flight is locked meanwhile, and the airport is not: the facts
    about one flight are in order.
    """
    return f"airport:{code}"


def check_times(update: FlightUpdate) -> None:
    """Raises Invalid for a time that does not say which instant it means."""
    for name in TIMES:
        moment: datetime | None = getattr(update, name)
        if moment is not None and moment.tzinfo is None:
            raise Invalid("A time needs its zone.", field=name)


async def locked(session: Session, slot_id: int) -> Flight:
    """The flight as it is now, kept from every other writer until the transaction ends. Raises NotFound."""
    chosen = select(Flight).where(Flight.slot_id == slot_id).with_for_update().execution_options(populate_existing=True)
    flight: Flight | None = await session.scalar(chosen)
    if flight is None:
        raise NotFound("There is no such flight.")
    return flight


def differences(flight: Flight, update: FlightUpdate) -> dict[str, Any]:
    """The columns that `update` changes, with their new values."""
    said: dict[str, Any] = {name: getattr(update, name) for name in ("status", *TIMES, *PLACES)}
    values = {name: value for name, value in said.items() if value is not None}
    if update.status is FlightStatus.SCHEDULED:
        values = {"estimated_departure_at": None, "estimated_arrival_at": None, **values}
    return {name: value for name, value in values.items() if value != getattr(flight, name)}


async def tell(session: Session, flight: Flight, new_status: FlightStatus | None, cause: transitions.Cause) -> None:
    """The fact of a change, and with a new status its history and what it means for the slot."""
    stream = outbox.slot_stream(flight.slot_id)
    if new_status is None:
        await session.flush()
        facts = {"status": flight.status, "actor": cause.actor, "reason": cause.reason, **payload(flight)}
        await outbox.record(session, "flight.updated", stream, facts)
        return
    await transitions.advance(
        session, FLIGHT, flight, flight.slot_id, new_status, stream, FACTS[new_status], payload(flight), cause
    )
    if new_status not in SOLD_WHILE:
        await session.execute(update(Slot).where(Slot.id == flight.slot_id).values(status=SlotStatus.CLOSED))


def payload(flight: Flight) -> dict[str, Any]:
    """What a fact says of the flight beside its status: everything that may change on its day. Times are ISO 8601."""
    times = {name: getattr(flight, name) for name in ("departs_at", "arrives_at", *TIMES)}
    return {
        "slot_id": flight.slot_id,
        "version": flight.version,
        **{name: moment.isoformat() if moment is not None else None for name, moment in times.items()},
        **{name: getattr(flight, name) for name in PLACES},
    }


async def airports_matching(session: ReadSession, text: str, first: int) -> list[Airport]:
    """The airports that somebody who types `text` may mean, best first: by code, then city, then name.

    Case and accents do not matter. `text` is the beginning of a code, of a city, of a name, or of a word of the latter
    two.
    """
    sought = folded(text)
    # PostgreSQL has no NUL in any text, so nothing begins with one; asking for it would fail.
    if not sought or "\0" in sought:
        return []
    city, name = folded_column(Airport.city), folded_column(Airport.name)
    code = func.lower(Airport.iata_code)
    ranks = (
        code == sought,
        begins(code, sought),
        begins(city, sought),
        begins(name, sought),
        or_(has_word(city, sought), has_word(name, sought)),
    )
    chosen = (
        select(Airport)
        .where(or_(*ranks))
        .order_by(case(*((rank, number) for number, rank in enumerate(ranks))), Airport.city, Airport.iata_code)
        .limit(first)
    )
    return list(await session.scalars(chosen))


def folded(text: str) -> str:
    """`text` in lower case, without accents and outer blanks (Unicode normalization form D, marks removed)."""
    decomposed = unicodedata.normalize("NFD", text.strip().lower())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def folded_column(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """The same in SQL, for the marks of the Latin alphabet (U+0300 to U+036F); in lower case last, under any locale."""
    decomposed = func.pg_catalog.normalize(column, "NFD")
    return func.lower(func.regexp_replace(decomposed, "[\u0300-\u036f]", "", "g"))


def begins(column: ColumnElement[str], sought: str) -> ColumnElement[bool]:
    """Whether the column's text begins with exactly these characters."""
    return column.startswith(sought, autoescape=True)


def has_word(column: ColumnElement[str], sought: str) -> ColumnElement[bool]:
    """Whether a word after the first begins with these characters."""
    spaced = func.translate(column, "-/", "  ")
    return spaced.contains(f" {sought}", autoescape=True)
