"""Holds: who may hold, extend and release, and what a hold shows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import strawberry

from core import ids
from core.db import ReadSession
from core.errors import Invalid, NotFound
from models import STOCK, Cabin, Hold, HoldItem, HoldStatus
from resolvers import access
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from services import departures, holds
from services.departures import Departure
from services.holds import Placed, Want
from services.holds.keeping import MAX_EXTENSIONS
from services.holds.requests import Item


@dataclass(frozen=True, kw_only=True)
class CabinQuantityInput:
    """Seats of a cabin that are chosen later."""

    cabin: Cabin
    quantity: int


@dataclass(frozen=True, kw_only=True)
class FlightSeatsInput:
    """Seats of one flight, by their numbers (`12A`), and how many more of which cabins, to be chosen later."""

    flight_id: strawberry.ID
    seats: Sequence[str] = ()
    unassigned: Sequence[CabinQuantityInput] = ()


@dataclass(frozen=True, kw_only=True)
class HoldSeatsInput:
    """All of these seats, or none, for 5 to 15 minutes."""

    flights: list[FlightSeatsInput]
    minutes: int = 15
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class ExtendHoldInput:
    """Move the deadline of a hold: at most twice, and to at most 30 minutes from its beginning."""

    hold_id: strawberry.ID
    token: str | None = None
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class ReleaseHoldInput:
    """Give a hold's seats back at once. Doing so twice is no mistake, so it needs no key."""

    hold_id: strawberry.ID
    token: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class HoldReleased:
    """The hold is no more; its seats are free."""

    hold_id: strawberry.ID


@dataclass(frozen=True)
class CabinQuantity:
    """So many of a cabin."""

    cabin: Cabin
    quantity: int


@dataclass(frozen=True)
class KnownFlight:
    """A flight of which nobody asks more than its id."""

    id: str


@dataclass(frozen=True)
class HeldSeats:
    """What a hold keeps of one flight."""

    slot_id: int
    seats: list[str]
    unassigned: list[CabinQuantity]


@dataclass(frozen=True)
class ShownHold:
    """A hold as its owner sees it. `token` is null for whoever signed in."""

    row: Hold | Placed
    token: str | None
    status: HoldStatus

    @property
    def id(self) -> UUID:
        """Its key."""
        return self.row.id

    @property
    def expires_at(self) -> datetime:
        """When it ends, by the server's clock."""
        return self.row.told_until if isinstance(self.row, Hold) else self.row.expires_at

    @property
    def extensions_left(self) -> int:
        """How often the deadline can still be moved."""
        return MAX_EXTENSIONS - self.row.extensions if self.status is HoldStatus.ACTIVE else 0


async def hold_seats(info: Info, input: HoldSeatsInput) -> ShownHold:
    """Hold seats for the viewer."""
    ctx = info.context
    wants = [wanted(some, f"flights.{index}") for index, some in enumerate(input.flights)]
    placed = await ctx.app.placer.place(ctx.owner, wants, input.minutes, input.idempotency_key)
    return ShownHold(placed, token_of(ctx, placed), placed.status)


def wanted(some: FlightSeatsInput, path: str) -> Want:
    """What is wanted of one flight; raises Invalid where a cabin is named twice."""
    cabins = [one.cabin for one in some.unassigned]
    if len(set(cabins)) != len(cabins):
        raise Invalid("Name each cabin once.", field=f"{path}.unassigned")
    return Want(
        slot_id=ids.number_of(FLIGHT_KIND, some.flight_id, f"{path}.flightId"),
        units=tuple(seat.strip().upper() for seat in some.seats),
        quantities={str(one.cabin): one.quantity for one in some.unassigned},
    )


async def extend_hold(info: Info, input: ExtendHoldInput) -> ShownHold:
    """Extend a hold of the viewer's."""
    ctx = info.context
    async with ctx.transaction() as session:
        found = await access.hold(session, ctx, input.hold_id, input.token)
        return await shown(session, ctx, await holds.extend(session, found.id, ctx.owner, input.idempotency_key))


async def release_hold(info: Info, input: ReleaseHoldInput) -> HoldReleased:
    """Release a hold of the viewer's."""
    ctx = info.context
    async with ctx.transaction() as session:
        found = await access.hold(session, ctx, input.hold_id, input.token)
        await holds.release(session, found.id, ctx.cause("released by its owner"))
    return HoldReleased(input.hold_id)


async def hold(info: Info, id: strawberry.ID, token: str | None = None) -> ShownHold | None:
    """The viewer's hold, or the one whose token is presented; null where that is nothing."""
    async with info.context.reading() as session:
        with suppress(NotFound):
            return await shown(session, info.context, await access.hold(session, info.context, id, token, "id"))
    return None


def placed_flights(root: ShownHold) -> list[HeldSeats]:
    """What a hold keeps, by flight, where it was just placed. Raises LookupError for any other."""
    if not isinstance(root.row, Placed):
        raise LookupError(root.row.id)
    return by_flight(root.row.items)


async def held_flights(root: strawberry.Parent[ShownHold], info: Info) -> list[HeldSeats]:
    """What a hold keeps, by flight."""
    if isinstance(root.row, Placed):
        return by_flight(root.row.items)
    return by_flight(await info.context.loaders.hold_items.load(root.row.id))


def by_flight(items: Sequence[Item | HoldItem]) -> list[HeldSeats]:
    """What is kept of each flight: its seats, and by cabin how many more. Extras are not among it."""
    kept: dict[int, HeldSeats] = {}
    for item in items:
        if item.pool.startswith(STOCK):
            continue
        seats = kept.get(item.slot_id)
        if seats is None:
            seats = kept[item.slot_id] = HeldSeats(item.slot_id, [], [])
        seats.seats.extend(item.units)
        if item.quantity > len(item.units):
            seats.unassigned.append(CabinQuantity(Cabin(item.pool), item.quantity - len(item.units)))
    return list(kept.values())


def known_flight(root: HeldSeats) -> KnownFlight:
    """The flight, for whoever asks for its id alone."""
    return KnownFlight(ids.global_id(FLIGHT_KIND, root.slot_id))


async def flights_held(roots: Sequence[HeldSeats], info: Info) -> list[Departure | None]:
    """The flights of many, read at once."""
    found = await departures.by_slots(info.context.reader, [root.slot_id for root in roots])
    return [found.get(root.slot_id) for root in roots]


async def flight_held(root: strawberry.Parent[HeldSeats], info: Info) -> Departure | None:
    """The flight."""
    return await info.context.loaders.departure.load(root.slot_id)


async def shown(session: ReadSession, ctx: Context, row: Hold) -> ShownHold:
    """A hold with its status of this moment, and a guest's token."""
    return ShownHold(row, token_of(ctx, row), await holds.status_now(session, row))


def token_of(ctx: Context, row: Hold | Placed) -> str | None:
    """A guest's proof of ownership; None for whoever signed in."""
    return None if row.owner_id is not None else access.token_for(ctx.app.keyring, access.HOLD_KIND, row.id)
