"""What a search finds, as it is shown: journeys of flights, and their prices."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from core.db import ReadSession
from core.money import Money
from core.rows import Written, row
from models import Cabin
from services import departures, fares, offers
from services.departures import Departure, Place
from services.fares import Family, PriceLine
from services.offers import Offer


@row
class Segment:
    """One flight of an itinerary, and the cabin and booking class it is sold in."""

    flight: Departure
    cabin: Cabin
    booking_class: str


@row
class Slice:
    """A journey from one place to another, in the order of travel: one segment where it is direct.

    Times are those of the places. `duration_minutes` is from its beginning to its end; `stops` is how often one changes
    or waits on the way.
    """

    origin: Place
    destination: Place
    departs_at: datetime
    arrives_at: datetime
    duration_minutes: int
    stops: int
    segments: tuple[Segment, ...]
    written: Written | None = field(default=None, repr=False, compare=False)


def direct(segment: Segment, written: Written | None = None) -> Slice:
    """A journey of one flight."""
    flight = segment.flight
    return Slice(
        flight.origin,
        flight.destination,
        flight.departs_at,
        flight.arrives_at,
        flight.duration_minutes,
        0,
        (segment,),
        written,
    )


@row
class Priced:
    """An offer with what stands behind it: the slices, the fare family, how many seats are left. `id` is its token."""

    id: str
    expires_at: datetime
    total: Money
    lines: tuple[PriceLine, ...]
    fare_family: Family
    seats_left: int
    slices: tuple[Slice, ...]


async def present(session: ReadSession, offer: Offer) -> Priced:
    """What stands behind an offer that was read from its token."""
    flights = await departures.by_slots(session, [one.slot_id for one in offer.segments])
    families = await fares.families(session, [one.family_code for one in offer.segments])
    segments = [
        Segment(flight=flights[one.slot_id], cabin=one.cabin, booking_class=one.booking_class) for one in offer.segments
    ]
    return Priced(
        id=offer.id,
        expires_at=offer.expires_at,
        total=offer.total,
        lines=offer.lines,
        fare_family=families[offer.segments[0].family_code],
        seats_left=await offers.seats_left(session, offer.segments),
        slices=tuple(direct(segment) for segment in segments),
    )
