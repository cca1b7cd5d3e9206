"""Flight search: who can fly where, when, for how much.

One-way and direct, over the departures of one local date at the origin. Each flight is offered in every fare family of
the asked-for cabin; the order is total, so that pages never overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core import clock
from core.db import ReadSession
from core.errors import Invalid
from core.keys import Keyring
from core.paging import Rank
from models import Airport, Cabin, FareFamily, Flight, Pool, Slot, SlotStatus
from services import departures, fares, offers, pools
from services.departures import Departure, from_row, select_departures
from services.fares import Party, PriceLine
from services.offers import Offer

MAX_SEATED = 9


class OfferSort(StrEnum):
    """In which order offers come; the cheaper and earlier first where they are equal."""

    PRICE = "PRICE"
    DURATION = "DURATION"
    DEPARTURE = "DEPARTURE"
    ARRIVAL = "ARRIVAL"


@dataclass(frozen=True, kw_only=True)
class SliceInput:
    """One leg of the journey as the traveller sees it: from, to, and the local date at the origin."""

    origin: str
    destination: str
    date: date


@dataclass(frozen=True, kw_only=True)
class PassengersInput:
    """How many travel, by type: adults from 12 years, children from 2, infants under 2 on an adult's lap."""

    adults: int = 1
    children: int = 0
    infants: int = 0


@dataclass(frozen=True, kw_only=True)
class FlightFiltersInput:
    """What to leave out of the results."""

    max_stops: int | None = None


@dataclass(frozen=True, kw_only=True)
class FlightSearchInput:
    """A search: the slices to travel (one, for a one-way journey), who travels, in which cabin."""

    slices: list[SliceInput]
    passengers: PassengersInput
    cabin: Cabin = Cabin.ECONOMY
    filters: FlightFiltersInput | None = None
    sort: OfferSort = OfferSort.PRICE


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One flight of an itinerary, and the cabin and booking class it is sold in."""

    flight: Departure
    cabin: Cabin
    booking_class: str


@dataclass(frozen=True)
class Slice:
    """A journey from one place to another: one segment where it is direct, in the order of travel."""

    segments: tuple[Segment, ...]

    @property
    def origin(self) -> Airport:
        """Where it begins."""
        return self.segments[0].flight.origin

    @property
    def destination(self) -> Airport:
        """Where it ends."""
        return self.segments[-1].flight.destination

    @property
    def departs_at(self) -> datetime:
        """When it begins, on the origin's clocks."""
        return self.segments[0].flight.departs_at

    @property
    def arrives_at(self) -> datetime:
        """When it ends, on the destination's clocks."""
        return self.segments[-1].flight.arrives_at

    @property
    def duration_minutes(self) -> int:
        """From its beginning to its end."""
        return int((self.arrives_at - self.departs_at).total_seconds() // 60)

    @property
    def stops(self) -> int:
        """How often one changes or waits on the way."""
        return len(self.segments) - 1


@dataclass(frozen=True, kw_only=True)
class Priced:
    """An offer with what stands behind it: the slices, the fare family, how many seats are left."""

    offer: Offer
    slices: tuple[Slice, ...]
    fare_family: FareFamily
    seats_left: int


async def present(session: ReadSession, offer: Offer) -> Priced:
    """What stands behind an offer that was read from its token."""
    flights = await departures.by_slots(session, [one.slot_id for one in offer.segments])
    families = await fares.families(session, [one.family_code for one in offer.segments])
    segments = [
        Segment(flight=flights[one.slot_id], cabin=one.cabin, booking_class=one.booking_class) for one in offer.segments
    ]
    return Priced(
        offer=offer,
        slices=tuple(Slice((segment,)) for segment in segments),
        fare_family=families[offer.segments[0].family_code],
        seats_left=await offers.seats_left(session, offer.segments),
    )


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A departure in a fare family at its price: what an offer is made of once somebody is shown it."""

    departure: Departure
    fare_family: FareFamily
    party: Party
    lines: tuple[PriceLine, ...]
    currency: str
    seats_left: int
    rank: Rank

    def offered(self, keyring: Keyring) -> Priced:
        """The signed offer."""
        segment = offers.segment_for(self.departure.slot_id, self.fare_family)
        sold = Segment(flight=self.departure, cabin=segment.cabin, booking_class=segment.booking_class)
        return Priced(
            offer=offers.make(keyring, self.party, (segment,), self.lines, self.currency),
            slices=(Slice((sold,)),),
            fare_family=self.fare_family,
            seats_left=self.seats_left,
        )


async def search(session: ReadSession, command: FlightSearchInput) -> list[Candidate]:
    """Everything that may be offered for the search, in its order: the price of each is computed, none is signed yet.

    Raises Invalid, naming the field, for what cannot be meant.
    """
    origin, destination, day, party = await check(session, command)
    tariff = await fares.tariff(session, origin.iata_code, destination.iata_code, day, command.cabin)
    prices = [(family, fare, fares.price(fare, family, tariff.charges, party)) for fare, family in tariff.fares]
    found = [
        Candidate(
            departure=departure,
            fare_family=family,
            party=party,
            lines=lines,
            currency=fare.currency,
            seats_left=left,
            rank=(measure(command.sort, departure.flight, lines), departure.slot_id, family.code),
        )
        for departure, pool in await on_sale(session, origin, destination, day, command.cabin, party.seated)
        for family, fare, lines in prices
        if (left := pools.left_in(pool, family.booking_class)) >= party.seated
    ]
    return sorted(found, key=lambda one: one.rank)


def measure(sort: OfferSort, flight: Flight, lines: Sequence[PriceLine]) -> int:
    """The number by which offers are put in order."""
    match sort:
        case OfferSort.PRICE:
            return sum(line.amount.minor_units for line in lines)
        case OfferSort.DURATION:
            return int((flight.arrives_at - flight.departs_at).total_seconds())
        case OfferSort.DEPARTURE:
            return int(flight.departs_at.timestamp())
        case OfferSort.ARRIVAL:
            return int(flight.arrives_at.timestamp())


async def on_sale(
    session: ReadSession, origin: Airport, destination: Airport, day: date, cabin: Cabin, seats: int
) -> Sequence[tuple[Departure, Pool]]:
    """The departures of a route and local date that still sell `seats` seats of a cabin, with the pool that counts."""
    rows = await session.execute(
        select_departures(Pool)
        .join(Slot, Slot.id == Flight.slot_id)
        .join(Pool, (Pool.slot_id == Flight.slot_id) & (Pool.code == cabin))
        .where(
            Flight.origin_code == origin.iata_code,
            Flight.destination_code == destination.iata_code,
            Flight.local_date == day,
            Slot.status == SlotStatus.OPEN,
            Slot.starts_at > func.jetway_now(),
            Pool.authorised - Pool.blocked - Pool.held - Pool.sold >= seats,
        )
        .order_by(Flight.departs_at, Flight.slot_id)
    )
    return [(from_row(row), row[5]) for row in rows]


async def check(session: ReadSession, command: FlightSearchInput) -> tuple[Airport, Airport, date, Party]:
    """The airports, day and party of a search that can be answered; raises Invalid for every other."""
    if len(command.slices) != 1:
        raise Invalid("Search for one slice, one way.", field="slices")
    if command.filters and command.filters.max_stops is not None and command.filters.max_stops < 0:
        raise Invalid("A journey has no fewer than 0 stops.", field="filters.maxStops")
    slice_ = command.slices[0]
    party = check_party(command.passengers)
    origin = await find_airport(session, slice_.origin, "slices.0.origin")
    destination = await find_airport(session, slice_.destination, "slices.0.destination")
    if origin.iata_code == destination.iata_code:
        raise Invalid("Origin and destination are the same airport.", field="slices.0.destination")
    if slice_.date < local_today(origin, clock.now()):
        raise Invalid("This date has passed.", field="slices.0.date")
    last = (await session.execute(select(func.max(Flight.local_date)))).scalar_one()
    if last is None or slice_.date > last:
        why = f"The schedule ends on {last}." if last else "No flights are on sale yet."
        raise Invalid(why, field="slices.0.date", code="BEYOND_SCHEDULE")
    return origin, destination, slice_.date, party


def check_party(passengers: PassengersInput, field: str = "passengers") -> Party:
    """1 to 9 people who take a seat, no more infants than adults; `field` is where the client says so."""
    if min(passengers.adults, passengers.children, passengers.infants) < 0:
        raise Invalid("There are no fewer than 0 passengers of a kind.", field=field)
    party = Party(adults=passengers.adults, children=passengers.children, infants=passengers.infants)
    if not 1 <= party.seated <= MAX_SEATED:
        raise Invalid(f"A booking is for 1 to {MAX_SEATED} seated passengers.", field=field)
    if party.infants > party.adults:
        raise Invalid("Each infant sits on the lap of an adult.", field=f"{field}.infants")
    return party


async def find_airport(session: ReadSession, code: str, field: str) -> Airport:
    """The airport with that IATA code, in any case; raises Invalid (UNKNOWN_AIRPORT)."""
    found = await session.get(Airport, code.strip().upper())
    if found is None:
        raise Invalid("No airport that Jetway sells has this code.", field=field, code="UNKNOWN_AIRPORT")
    return found


def local_today(place: Airport, moment: datetime) -> date:
    """The date at that airport at that moment."""
    return moment.astimezone(ZoneInfo(place.zone)).date()
