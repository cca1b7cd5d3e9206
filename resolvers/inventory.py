"""Inventory, as staff look after it: seats kept from sale and let go again, and how much of a cabin is sold."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from core import ids
from core.db import ReadSession
from core.errors import Invalid
from models import Cabin, Pool
from resolvers import access
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from services import holds, pools, seats
from services.departures import Departure
from services.seats import SeatState

MAX_REASON = 200
FRONT_TO_BACK = list(Cabin)


@dataclass(frozen=True, kw_only=True)
class BlockSeatsInput:
    """Keep seats of a flight from sale."""

    flight_id: strawberry.ID
    seats: list[str]
    reason: str


@dataclass(frozen=True, kw_only=True)
class UnblockSeatsInput:
    """Let seats of a flight be sold again."""

    flight_id: strawberry.ID
    seats: list[str]
    reason: str


@dataclass(frozen=True, kw_only=True)
class AuthoriseSeatsInput:
    """Set how many of a cabin may be held and sold."""

    flight_id: strawberry.ID
    cabin: Cabin
    authorised: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class SetOverbookingInput:
    """Set how many more than a cabin has may be authorised."""

    flight_id: strawberry.ID
    cabin: Cabin
    overbooking: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class LimitBookingClassInput:
    """Set how many a booking class and those below it may hold and sell."""

    flight_id: strawberry.ID
    cabin: Cabin
    booking_class: str
    limit: int
    reason: str


@dataclass(frozen=True)
class FlightSeats:
    """Some seats of a flight, as they are now."""

    slot_id: int
    seats: list[SeatState]


@dataclass(frozen=True)
class BookingClass:
    """What one booking class of a cabin has, as it is now."""

    code: str
    limit: int
    held: int
    sold: int
    left: int


@dataclass(frozen=True)
class CabinInventory:
    """What may be sold of one cabin of a flight, and what is, as it is now."""

    slot_id: int
    cabin: Cabin
    capacity: int
    overbooking: int
    authorised: int
    blocked: int
    held: int
    sold: int
    left: int
    booking_classes: list[BookingClass]


async def block_seats(info: Info, input: BlockSeatsInput) -> FlightSeats:
    """Block seats, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    slot_id, units = asked(input)
    async with ctx.transaction() as session:
        await holds.block(session, slot_id, units, ctx.cause(said(input.reason)))
        return await shown(session, ctx, slot_id, units)


async def unblock_seats(info: Info, input: UnblockSeatsInput) -> FlightSeats:
    """Unblock seats, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    slot_id, units = asked(input)
    async with ctx.transaction() as session:
        await holds.unblock(session, slot_id, units, ctx.cause(said(input.reason)))
        return await shown(session, ctx, slot_id, units)


async def authorise_seats(info: Info, input: AuthoriseSeatsInput) -> CabinInventory:
    """Authorise seats of a cabin, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    slot_id, cause = slot_of(input.flight_id), ctx.cause(said(input.reason))
    async with ctx.transaction() as session:
        return counted(await pools.authorise(session, slot_id, input.cabin, input.authorised, cause))


async def set_overbooking(info: Info, input: SetOverbookingInput) -> CabinInventory:
    """Set by how many a cabin may be overbooked, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    slot_id, cause = slot_of(input.flight_id), ctx.cause(said(input.reason))
    async with ctx.transaction() as session:
        return counted(await pools.set_overbooking(session, slot_id, input.cabin, input.overbooking, cause))


async def limit_booking_class(info: Info, input: LimitBookingClassInput) -> CabinInventory:
    """Limit a booking class of a cabin, for staff. Raises Unauthenticated and Forbidden."""
    ctx = info.context
    access.staff(ctx)
    slot_id, cause = slot_of(input.flight_id), ctx.cause(said(input.reason))
    code = input.booking_class.strip().upper()
    async with ctx.transaction() as session:
        return counted(await pools.limit_class(session, slot_id, input.cabin, code, input.limit, cause))


async def flight_inventory(info: Info, flight_id: strawberry.ID) -> list[CabinInventory] | None:
    """What may be sold of each cabin of a flight, for staff. Raises Unauthenticated, Forbidden and Invalid."""
    ctx = info.context
    access.staff(ctx)
    async with ctx.reading() as session:
        found = [counted(pool) for pool in await pools.of_slot(session, slot_of(flight_id))]
    return sorted(found, key=lambda one: FRONT_TO_BACK.index(one.cabin)) or None


async def flight_of(root: strawberry.Parent[FlightSeats | CabinInventory], info: Info) -> Departure | None:
    """The flight that they are of."""
    return await info.context.loaders.departure.load(root.slot_id)


def asked(input: BlockSeatsInput | UnblockSeatsInput) -> tuple[int, list[str]]:
    """The slot and the units that are meant."""
    return slot_of(input.flight_id), [seat.strip().upper() for seat in input.seats]


def slot_of(flight_id: str) -> int:
    """The slot of a flight; raises Invalid (the id)."""
    return ids.number_of(FLIGHT_KIND, flight_id, "flightId")


def said(reason: str) -> str:
    """The reason as it is kept; raises Invalid where that is nothing, or too much."""
    text = " ".join(reason.split())
    if not (1 <= len(text) <= MAX_REASON and text.isprintable()):
        raise Invalid(f"Say why, in 1 to {MAX_REASON} letters.", field="reason")
    return text


async def shown(session: ReadSession, ctx: Context, slot_id: int, units: list[str]) -> FlightSeats:
    """Those seats as they are now, in the order of reading."""
    states = await seats.states(session, ctx.app.plans, slot_id)
    return FlightSeats(slot_id, [state for state in states if state.number in units])


def counted(pool: Pool) -> CabinInventory:
    """What a pool counts, in plain values: they outlive its session."""
    rooms = pools.class_rooms(pool)
    classes = [
        BookingClass(code, limit, held, sold, min(pools.left(pool), rooms[code]))
        for code, limit, held, sold in zip(
            pool.classes, pool.class_limits, pool.class_held, pool.class_sold, strict=True
        )
    ]
    return CabinInventory(
        slot_id=pool.slot_id,
        cabin=Cabin(pool.code),
        capacity=pool.capacity,
        overbooking=pool.overbooking,
        authorised=pool.authorised,
        blocked=pool.blocked,
        held=pool.held,
        sold=pool.sold,
        left=pools.left(pool),
        booking_classes=classes,
    )
