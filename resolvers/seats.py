"""Best seats: suggesting them to everybody, and holding them for the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import strawberry

from core import ids
from models import Cabin
from resolvers import loaders
from resolvers.context import Context, Info
from resolvers.flights import FLIGHT_KIND
from resolvers.holds import ShownHold, token_of
from services import itineraries
from services.departures import Departure
from services.holds import best_seats
from services.holds.best_seats import BestSeatsClerk, BestSeatsWanted
from services.itineraries import PassengersInput
from services.seats.suggestions import BestSeats, Suggestion
from services.seats.wishes import SeatWish


@dataclass(frozen=True, kw_only=True)
class BestSeatsInput:
    """The best seats of one flight; `near` is a seat (`12A`) or a row (`12`)."""

    flight_id: strawberry.ID
    cabin: Cabin = Cabin.ECONOMY
    wishes: Sequence[SeatWish] = ()
    near: str | None = None


@dataclass(frozen=True, kw_only=True)
class HoldBestSeatsInput:
    """The best seats for a party on all of these flights, or none, for 5 to 15 minutes."""

    flights: list[BestSeatsInput]
    party: PassengersInput
    minutes: int = 15
    idempotency_key: str


@dataclass(frozen=True)
class BestSeatsHeld:
    """A hold of the best seats, and why these, by flight."""

    hold: ShownHold
    suggestions: tuple[Suggestion, ...]


async def suggest_seats(
    info: Info,
    flight_id: strawberry.ID,
    party: PassengersInput,
    cabin: Cabin = Cabin.ECONOMY,
    wishes: Sequence[SeatWish] = (),
    near: str | None = None,
) -> Suggestion | None:
    """The best seats of a flight; null where seats are not chosen on it, or there is none."""
    ctx = info.context
    slot_id = ids.number_of(FLIGHT_KIND, flight_id, "flightId")
    asked = BestSeats(slot_id=slot_id, cabin=cabin, wishes=tuple(wishes), near=near)
    travelling = itineraries.check_party(party, "party")
    async with ctx.reading() as session:
        return await best_seats.suggest_seats(session, ctx.app.plans, asked, travelling)


async def hold_best_seats(info: Info, input: HoldBestSeatsInput) -> BestSeatsHeld:
    """Find the best seats and hold them for the viewer, in one."""
    ctx = info.context
    wanted = BestSeatsWanted(
        flights=tuple(asked_of(one, f"flights.{index}") for index, one in enumerate(input.flights)),
        party=itineraries.check_party(input.party, "party"),
        minutes=input.minutes,
    )
    held = await clerk(ctx).hold(ctx.owner, wanted, input.idempotency_key)
    return BestSeatsHeld(ShownHold(held.hold, token_of(ctx, held.hold), held.hold.status), held.suggestions)


def asked_of(one: BestSeatsInput, path: str) -> BestSeats:
    """What is asked for on one flight."""
    return BestSeats(
        slot_id=ids.number_of(FLIGHT_KIND, one.flight_id, f"{path}.flightId"),
        cabin=one.cabin,
        wishes=tuple(one.wishes),
        near=one.near,
    )


def clerk(ctx: Context) -> BestSeatsClerk:
    """Who holds best seats in this process."""
    app = ctx.app
    return BestSeatsClerk(db=app.database, plans=app.plans, placer=app.placer, desk=app.desk)


async def suggested_flight(root: strawberry.Parent[Suggestion], info: Info) -> Departure | None:
    """The flight of a suggestion."""
    return await info.context.loaders.departure.load(root.slot_id)


suggested_flights = loaders.of_all(loaders.DEPARTURE, attrgetter("slot_id"))
