"""Passengers: what is shown of them, and what their booking's owner tells and takes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

import strawberry

from core import ids
from models import AssistanceCode, Gender, MealCode, Passenger, PassengerTitle, PassengerType
from resolvers import access, loaders
from resolvers.context import Info
from services import bookings
from services.bookings import DetailChanges
from services.travellers import Document, FrequentFlyer, Missing, TravelDetails

PASSENGER_KIND = "Passenger"
DETAILS = ("gender", "meal", "assistance", "frequent_flyer", "document")


@dataclass(frozen=True)
class ShownPassenger:
    """A passenger as whoever sees the booking sees them: details are for its owner alone."""

    row: Passenger
    owned: bool

    @property
    def id(self) -> UUID:
        """Their key."""
        return self.row.id

    @property
    def type(self) -> PassengerType:
        """Adult, child or infant."""
        return self.row.type

    @property
    def title(self) -> PassengerTitle | None:
        """How they are addressed."""
        return self.row.title

    @property
    def first_name(self) -> str:
        """Given names."""
        return self.row.first_name

    @property
    def last_name(self) -> str:
        """Surname."""
        return self.row.last_name

    @property
    def cancelled_at(self) -> datetime | None:
        """When they left the booking; None for whoever travels."""
        return self.row.cancelled_at


@dataclass(frozen=True, kw_only=True)
class UpdatePassengerInput:
    """Tell details of a passenger, or take them back with null. What is left out stays as it is."""

    booking_id: strawberry.ID
    booking_token: str | None = None
    passenger_id: strawberry.ID
    gender: Gender | None = strawberry.UNSET
    meal: MealCode | None = strawberry.UNSET
    assistance: Sequence[AssistanceCode] | None = strawberry.UNSET
    frequent_flyer: FrequentFlyer | None = strawberry.UNSET
    document: Document | None = strawberry.UNSET


async def update_passenger(info: Info, input: UpdatePassengerInput) -> ShownPassenger:
    """Change details of a passenger of the viewer's booking."""
    ctx = info.context
    told = {name: getattr(input, name) for name in DETAILS if getattr(input, name) is not strawberry.UNSET}
    if told.get("assistance", ()) is None:
        told["assistance"] = ()
    changes, passenger_id = cast("DetailChanges", told), ids.uuid_of(PASSENGER_KIND, input.passenger_id, "passengerId")
    async with ctx.transaction() as session:
        found = await access.booking(session, ctx, input.booking_id, input.booking_token)
        cause = ctx.cause("told by whoever booked")
        row = await bookings.update_passenger(session, ctx.app.keyring, found.id, passenger_id, changes, cause)
    return ShownPassenger(row, owned=True)


async def known(roots: Sequence[ShownPassenger], info: Info) -> dict[UUID, tuple[TravelDetails, tuple[Missing, ...]]]:
    """What is known and missing of those passengers whose booking is the viewer's."""
    owned = [root.row for root in roots if root.owned]
    context = info.context
    return await bookings.details_of(context.reader, context.app.keyring, owned) if owned else {}


async def details(root: strawberry.Parent[ShownPassenger], info: Info) -> TravelDetails | None:
    """What is known of a passenger; null for whoever does not own the booking."""
    return (await details_of_all([root], info))[0]


async def details_of_all(roots: Sequence[ShownPassenger], info: Info) -> list[TravelDetails | None]:
    """The same of many."""
    found = await known(roots, info)
    return [found[root.id][0] if root.id in found else None for root in roots]


async def missing(root: strawberry.Parent[ShownPassenger], info: Info) -> Sequence[Missing] | None:
    """What is still to be told before check-in; null for whoever does not own the booking."""
    return (await missing_of_all([root], info))[0]


async def missing_of_all(roots: Sequence[ShownPassenger], info: Info) -> list[Sequence[Missing] | None]:
    """The same of many."""
    found = await known(roots, info)
    return [found[root.id][1] if root.id in found else None for root in roots]


async def accompanied_by(root: strawberry.Parent[ShownPassenger], info: Info) -> ShownPassenger | None:
    """On whose lap an infant sits."""
    return (await accompanied_by_of_all([root], info))[0]


async def accompanied_by_of_all(roots: Sequence[ShownPassenger], info: Info) -> list[ShownPassenger | None]:
    """The same of many."""
    infants = [root for root in roots if root.row.accompanied_by is not None]
    parties = await loaders.PASSENGERS.all(info.context.reader, [one.row.booking_id for one in infants])
    people = {row.id: row for party in parties for row in party}
    adults = {one.id: people[one.row.accompanied_by] for one in infants if one.row.accompanied_by is not None}
    return [ShownPassenger(adults[root.id], root.owned) if root.id in adults else None for root in roots]
