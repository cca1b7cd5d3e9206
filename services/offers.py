"""Offers: prices frozen until they expire, carried by the client and stored nowhere.

An offer's id is a token signed with the keyring: it holds the party, the flights, the fare family and every line of
the price. It never proves that seats are left. Source of the idea: offers in NDC (a priced, expiring proposal).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import select

from core import clock
from core.db import ReadSession
from core.errors import Conflict, Invalid
from core.keys import Keyring
from core.money import Money, add
from core.rows import Reader, row
from models import Cabin, Flight, Pool, PriceLineKind
from services import fares, pools
from services.fares import Family, Fare, Party, PriceLine

PURPOSE = "offer"
LIFETIME = timedelta(minutes=30)

MOST_QUOTES = 1_024
"""How many prices a process remembers: those of a few hundred routes for the usual parties, in some megabytes."""

CABIN_LEFT = """
    SELECT slot_id, greatest(0, authorised - blocked - held - sold) FROM pools
    WHERE slot_id = ANY ($1::bigint[]) AND code = $2"""


@row
class OfferSegment:
    """One flight of an offer, and the rules under which it is sold."""

    slot_id: int
    cabin: Cabin
    booking_class: str
    family_code: str


@row
class Offer:
    """A price for a party on some flights, kept until `expires_at`. The lines add up to the total."""

    id: str
    expires_at: datetime
    party: Party
    segments: tuple[OfferSegment, ...]
    lines: tuple[PriceLine, ...]
    currency: str

    @property
    def total(self) -> Money:
        """What the party pays, before seats with a charge of their own."""
        return add((line.amount for line in self.lines), self.currency)


@row
class Charged:
    """A line of a price with the flight that it is for, by its slot, and the seat where it charges one.

    Without a flight it is for the whole journey.
    """

    line: PriceLine
    slot_id: int | None
    unit: str | None = None


@row
class Leg:
    """A flight of an offer as it stands: whether it is sold, when and where it ends, and its seats that are charged.

    `arrives_at` is local in `zone`; `charged` are seats with extra legroom, by (number, cabin), as they are read.
    """

    slot_id: int
    on_sale: bool
    local_date: date
    arrives_at: datetime
    zone: str
    charged: tuple[tuple[str, str], ...]


@row
class Quote:
    """What a fare comes to for a party: the lines add up to the total. `written` is how a token has the lines."""

    family: Family
    lines: tuple[PriceLine, ...]
    total: Money
    written: orjson.Fragment


@lru_cache(maxsize=MOST_QUOTES)
def quote(fare: tuple[Any, ...], added: tuple[tuple[Any, ...], ...], party: Party) -> Quote:
    """What the fare of those columns comes to for a party, with the taxes and fees of those columns.

    Only what follows from its arguments is remembered: they are read for each search.
    """
    read = fares.read_fare(fare)
    priced = fares.price(read, [fares.read_charge(columns) for columns in added], party)
    lines = tuple(replace(line, written={}) for line in priced)
    total = add((line.amount for line in lines), read.amount.currency).lasting()
    return Quote(replace(read.family, written={}), lines, total, written(lines))


LEGS = """
    SELECT slots.id, slots.status = 'OPEN' AND slots.starts_at > jetway_now(),
           flights.local_date, flights.arrives_at, airports.zone,
           coalesce(seats.units, '{}'), coalesce(seats.cabins, '{}')
    FROM slots JOIN flights ON flights.slot_id = slots.id
    JOIN airports ON airports.iata_code = flights.destination_code
    CROSS JOIN LATERAL (
        SELECT array_agg(place.unit ORDER BY place.row_number, place.column_letter) AS units,
               array_agg(place.section ORDER BY place.row_number, place.column_letter) AS cabins
        FROM unnest($2::bigint[], $3::varchar[]) AS one (slot_id, unit)
        JOIN layout_units AS place ON place.layout_id = slots.layout_id AND place.unit = one.unit
        WHERE one.slot_id = slots.id AND place.extra_legroom
    ) AS seats
    WHERE slots.id = ANY ($1::bigint[]) ORDER BY flights.departs_at
"""
CHARGED_SEATS = """
    SELECT slots.id, layout_units.unit, layout_units.section
    FROM unnest($1::bigint[], $2::varchar[]) AS one (slot_id, unit)
    JOIN slots ON slots.id = one.slot_id
    JOIN layout_units ON layout_units.layout_id = slots.layout_id AND layout_units.unit = one.unit
    WHERE layout_units.extra_legroom
    ORDER BY slots.id, layout_units.row_number, layout_units.column_letter
"""


class PriceChanged(Conflict):
    """The offer cannot be booked as it is. `offer` is what it would cost now; None where it is not sold any more."""

    default_code = "PRICE_CHANGED"

    def __init__(self, message: str, offer: Offer | None, *, code: str = "PRICE_CHANGED") -> None:
        super().__init__(message, code=code)
        self.offer = offer


class OfferExpired(PriceChanged):
    """The offer's half hour is over."""

    default_code = "OFFER_EXPIRED"

    def __init__(self, offer: Offer | None) -> None:
        super().__init__("This offer has expired.", offer, code=self.default_code)


def by_flight(offer: Offer) -> list[Charged]:
    """The lines of an offer, in order, with the flight of each: the lines of one flight follow those of the other, and
    all flights of an offer have as many, because party, taxes and fees are the same."""
    each = len(offer.lines) // len(offer.segments)
    return [Charged(line, offer.segments[place // each].slot_id) for place, line in enumerate(offer.lines)]


def make(
    keyring: Keyring, party: Party, segments: tuple[OfferSegment, ...], lines: tuple[PriceLine, ...], currency: str
) -> Offer:
    """A new offer, good for half an hour."""
    expires_at = expiry()
    token = sign(keyring, expires_at, party, segments, written(lines), currency)
    return Offer(id=token, expires_at=expires_at, party=party, segments=segments, lines=lines, currency=currency)


def expiry() -> datetime:
    """Until when an offer that is made now is good: half an hour from now, to the second."""
    return (clock.now() + LIFETIME).replace(microsecond=0)


def written(lines: Iterable[PriceLine]) -> orjson.Fragment:
    """The lines of a price as a token has them; for many offers at one price, once."""
    return orjson.Fragment(orjson.dumps([[line.kind, line.label, line.amount.minor_units] for line in lines]))


def sign(
    keyring: Keyring,
    expires_at: datetime,
    party: Party,
    segments: Iterable[OfferSegment],
    lines: orjson.Fragment,
    currency: str,
) -> str:
    """The token that is the offer."""
    payload = {
        "x": int(expires_at.timestamp()),
        "p": [party.adults, party.children, party.infants],
        "s": [[one.slot_id, one.cabin, one.booking_class, one.family_code] for one in segments],
        "l": lines,
        "c": currency,
    }
    return keyring.sign(PURPOSE, orjson.dumps(payload))


def read(keyring: Keyring, token: str) -> Offer:
    """The offer of a token, expired or not; raises Invalid (INVALID_OFFER) for what was never an offer of ours."""
    data = keyring.verify(PURPOSE, token)
    if data is None:
        raise Invalid("This is not an offer that Jetway has made.", field="offerId", code="INVALID_OFFER")
    payload: dict[str, Any] = orjson.loads(data)
    adults, children, infants = payload["p"]
    return Offer(
        id=token,
        expires_at=datetime.fromtimestamp(payload["x"], UTC),
        party=Party(adults=adults, children=children, infants=infants),
        segments=tuple(
            OfferSegment(slot_id=slot_id, cabin=Cabin(cabin), booking_class=booking_class, family_code=family)
            for slot_id, cabin, booking_class, family in payload["s"]
        ),
        lines=tuple(
            PriceLine(kind=PriceLineKind(kind), label=label, amount=Money(amount, payload["c"]))
            for kind, label, amount in payload["l"]
        ),
        currency=payload["c"],
    )


async def check(session: ReadSession, keyring: Keyring, offer: Offer) -> None:
    """Raises PriceChanged, with what it costs now, where the offer has expired or its flights are not sold any more.

    Until it expires its price is kept, whatever the fare table says meanwhile.
    """
    try:
        check_good(offer, await legs(session, offer, ()))
    except OfferExpired:
        raise OfferExpired(await reprice(session, keyring, offer)) from None


async def legs(reader: Reader, offer: Offer, units: Iterable[tuple[int, str]]) -> list[Leg]:
    """The flights of an offer, by departure, with those of the seats `units`, by (slot, number), that are charged."""
    slots, names = split(units)
    found = await reader.fetch(LEGS, [one.slot_id for one in offer.segments], slots, names)
    return [
        Leg(slot_id, sold, day, arrives_at, zone, tuple(zip(charged, sections, strict=True)))
        for slot_id, sold, day, arrives_at, zone, charged, sections in found
    ]


def check_good(offer: Offer, flights: Sequence[Leg]) -> None:
    """Raises PriceChanged unless all flights of the offer are on sale, and OfferExpired where its time is over.

    Neither says what it costs now.
    """
    sold = {one.slot_id for one in flights if one.on_sale}
    if sold != {segment.slot_id for segment in offer.segments}:
        raise PriceChanged("This flight is not sold any more.", None)
    if offer.expires_at <= clock.now():
        raise OfferExpired(None)


async def reprice(session: ReadSession, keyring: Keyring, offer: Offer) -> Offer | None:
    """The same flights, families and party at today's fares; None where a fare is not sold any more."""
    flights = await flights_of(session, offer)
    found = [
        await fares.fare_of(
            session,
            flights[one.slot_id].origin_code,
            flights[one.slot_id].destination_code,
            flights[one.slot_id].local_date,
            one.family_code,
        )
        for one in offer.segments
    ]
    return await priced(session, keyring, offer, found)


async def in_open_classes(session: ReadSession, keyring: Keyring, offer: Offer) -> Offer | None:
    """The same flights, cabins and party, each flight in its cheapest family whose booking class still takes the party.

    For a party that holds its places already, which booking classes are still to count. None where no class is open.
    """
    flights = await flights_of(session, offer)
    pools_ = await pools_of(session, offer.segments)
    found = []
    for one in offer.segments:
        flight, pool = flights[one.slot_id], pools_.get((one.slot_id, one.cabin))
        tariff = await fares.tariff(session, flight.origin_code, flight.destination_code, flight.local_date, one.cabin)
        fits = (
            fare
            for fare in tariff.fares
            if pool is not None and pools.class_left(pool, fare.family.booking_class) >= offer.party.seated
        )
        found.append(next(fits, None))
    return await priced(session, keyring, offer, found)


async def priced(session: ReadSession, keyring: Keyring, offer: Offer, found: Sequence[Fare | None]) -> Offer | None:
    """An offer of the same flights for the same party, with a fare for each; None where one is missing."""
    added = await fares.charges(session)
    lines: list[PriceLine] = []
    segments: list[OfferSegment] = []
    currency = offer.currency
    for one, sold in zip(offer.segments, found, strict=True):
        if sold is None:
            return None
        lines += fares.price(sold, added, offer.party)
        segments.append(segment_for(one.slot_id, sold.family))
        currency = sold.amount.currency
    return make(keyring, offer.party, tuple(segments), tuple(lines), currency)


async def flights_of(session: ReadSession, offer: Offer) -> dict[int, Flight]:
    """The flights of an offer, by slot."""
    chosen = select(Flight).where(Flight.slot_id.in_([one.slot_id for one in offer.segments]))
    return {flight.slot_id: flight for flight in await session.scalars(chosen)}


async def pools_of(session: ReadSession, segments: Iterable[OfferSegment]) -> dict[tuple[int, str], Pool]:
    """The pools of some flights, by (slot, code)."""
    chosen = select(Pool).where(Pool.slot_id.in_([one.slot_id for one in segments]))
    return {(pool.slot_id, pool.code): pool for pool in await session.scalars(chosen)}


async def seats_left(session: ReadSession, segments: tuple[OfferSegment, ...]) -> int:
    """How many more people the fullest of those cabins can take, each in its booking class."""
    known = await pools_of(session, segments)
    found = ((known.get((one.slot_id, one.cabin)), one.booking_class) for one in segments)
    return min((pools.left_in(pool, code) if pool else 0 for pool, code in found), default=0)


async def cabins_left(reader: Reader, slot_ids: Iterable[int], cabin: Cabin) -> dict[int, int]:
    """How many more seats of some flights' cabin may be sold, in whatever booking class; a flight without it is left
    out."""
    rows = await reader.fetch(CABIN_LEFT, list(set(slot_ids)), cabin)
    return {slot_id: int(left) for slot_id, left in rows}


def segment_for(slot_id: int, family: Family) -> OfferSegment:
    """A flight sold under the rules of a family."""
    return OfferSegment(
        slot_id=slot_id, cabin=family.cabin, booking_class=family.booking_class, family_code=family.code
    )


async def seat_lines(reader: Reader, units: Iterable[tuple[int, str]]) -> list[Charged]:
    """A line for each of those seats, by (slot, number), that costs something on top of the fare."""
    return await charges_of(reader, await reader.fetch(CHARGED_SEATS, *split(units)))


async def charges_of(reader: Reader, seats: Sequence[Sequence[Any]]) -> list[Charged]:
    """A line for each of those seats with extra legroom, by (slot, number, cabin), whose cabin charges for it."""
    costs = await fares.seat_charges(reader) if seats else {}
    return [
        Charged(seat_line(unit, costs[Cabin(section)]), slot_id, unit)
        for slot_id, unit, section in seats
        if Cabin(section) in costs
    ]


def split(units: Iterable[tuple[int, str]]) -> tuple[list[int], list[str]]:
    """The slots and the numbers of seats, each as a list."""
    chosen = list(units)
    return [slot_id for slot_id, _ in chosen], [unit for _, unit in chosen]


def seat_line(unit: str, amount: Money) -> PriceLine:
    """The line of a seat that has a price of its own."""
    return PriceLine(kind=PriceLineKind.SEAT, label=f"Seat {unit}, extra legroom", amount=amount)
