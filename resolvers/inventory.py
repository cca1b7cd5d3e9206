"""Inventory, as staff look after it: seats kept from sale, and let go again."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from core import ids
from core.db import ReadSession
from core.errors import Invalid
from resolvers import access
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from services import holds, seats
from services.departures import Departure
from services.seats import SeatState

MAX_REASON = 200


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


@dataclass(frozen=True)
class FlightSeats:
    """Some seats of a flight, as they are now."""

    slot_id: int
    seats: list[SeatState]


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


async def flight_of(root: strawberry.Parent[FlightSeats], info: Info) -> Departure | None:
    """The flight whose seats they are."""
    return await info.context.loaders.departure.load(root.slot_id)


def asked(input: BlockSeatsInput | UnblockSeatsInput) -> tuple[int, list[str]]:
    """The slot and the units that are meant."""
    return ids.number_of(FLIGHT_KIND, input.flight_id, "flightId"), [seat.strip().upper() for seat in input.seats]


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
