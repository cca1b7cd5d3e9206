"""A booking comes to be: an offer and a hold, and the people who travel."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from core.db import Database
from core.ids import uuid7
from core.keys import Keyring
from core.rows import Reader, Scribe
from models import Booking, Hold
from services import extras, holds, idempotency, offers, travellers
from services.bookings import parts, rows, rules
from services.bookings.rules import CreateBooking, PassengerDetails
from services.departures import zone
from services.extras import Chosen, ExtraSoldOut, Wish
from services.holds import ClassClosed, Kept, StockGone
from services.offers import Charged, Leg, Offer, OfferExpired, PriceChanged
from services.transitions import Cause


async def book(db: Database, keyring: Keyring, command: CreateBooking) -> Booking:
    """Make a booking as `create` does; owns its transactions.

    A booking class that seems closed, and stock that seems gone, is relieved of its expired holds, which must not
    happen while this booking's own claims are locked, and asked once more. A class that is closed: PriceChanged, with
    the next class that is open. An extra that is gone: ExtraSoldOut, with what is left of it.
    """
    try:
        return await attempt(db, keyring, command)
    except (ClassClosed, StockGone) as refusal:
        full = refusal.pools if isinstance(refusal, ClassClosed) else [refusal.pool]
        async with db.transaction() as session:
            await holds.expire_due_in(session, full)
    try:
        return await attempt(db, keyring, command)
    except ClassClosed:
        async with db.reading(primary=True) as session:
            renewed = await offers.in_open_classes(session, keyring, offers.read(keyring, command.offer_token))
        raise PriceChanged("The booking class of this offer is sold out.", renewed) from None
    except StockGone as refusal:
        raise ExtraSoldOut.of(refusal.pool, refusal.left) from None


async def attempt(db: Database, keyring: Keyring, command: CreateBooking) -> Booking:
    """Make a booking in a transaction of its own; OfferExpired says what the offer would cost now."""
    try:
        async with db.writing() as scribe:
            return await create(scribe, keyring, command)
    except OfferExpired:
        async with db.reading(primary=True) as session:
            renewed = await offers.reprice(session, keyring, offers.read(keyring, command.offer_token))
        raise OfferExpired(renewed) from None


async def create(scribe: Scribe, keyring: Keyring, command: CreateBooking) -> Booking:
    """Book an offer with the seats of a hold: the booking has its locator, its price, and waits for its money.

    From here on the hold is the booking's, and the offer's booking classes count what it keeps. The same key again: the
    booking that came of it. Whether the hold is the owner's to book has been checked before. The hold keeps the counted
    extras that are chosen, too. Raises Invalid and Conflict as `rules.py` and `extras.choose` tell, INVALID_OFFER,
    offers.PriceChanged, NotFound (the hold), holds.HoldExpired, HOLD_BOOKED, holds.ClassClosed, holds.StockGone,
    idempotency.KeyReused; nothing changes.
    """
    rules.check_words(command)
    offer = offers.read(keyring, command.offer_token)
    booking_id = uuid7()
    known = await idempotency.claim(
        scribe, command.owner.key, "createBooking", command.idempotency_key, fingerprint(command), booking_id
    )
    if known is not None:
        return await written(scribe, known)
    rules.check_party(command.passengers, offer.party)
    seats = [(seat.slot_id, seat.unit) for one in command.passengers for seat in one.seats if seat.unit is not None]
    flights = await offers.legs(scribe, offer, seats)
    offers.check_good(offer, flights)
    check_travellers(flights, command.passengers)
    chosen = await choose_extras(scribe, offer, command.passengers)
    hold, kept = await lock_hold(scribe, command, offer)
    lines = [*offers.by_flight(offer), *await seat_lines(scribe, flights), *extras.lines(chosen)]
    booking, ids = await parts.write(scribe, keyring, command, booking_id, offer, lines)
    await rows.begin(scribe, booking, command.owner.key)
    if chosen:
        await extras.order(scribe, booking_id, ids, chosen, Cause(actor=command.owner.key, reason="booked"))
    classes = {one.slot_id: one.booking_class for one in offer.segments}
    await holds.book(scribe, hold, booking_id, kept, classes, extras.stock(chosen))
    return booking


async def written(reader: Reader, booking_id: UUID) -> Booking:
    """The booking that came of the same request before."""
    booking = await rows.BOOKINGS.find(reader, booking_id)
    if booking is None:
        raise AssertionError(f"booking {booking_id} has gone, and its idempotency key has not")
    return booking


def fingerprint(command: CreateBooking) -> bytes:
    """What makes two requests the same."""
    parts = (command.offer_token, command.hold_id, command.contact, command.passengers)
    return idempotency.fingerprint([*parts, command.source, command.referral_code])


def check_travellers(flights: Sequence[Leg], passengers: Sequence[PassengerDetails]) -> None:
    """Ages on the local day on which the journey begins, and documents on the day on which it ends."""
    rules.check_ages(passengers, flights[0].local_date)
    last_day = flights[-1].arrives_at.astimezone(zone(flights[-1].zone)).date()
    for index, one in enumerate(passengers):
        travellers.check_expiry(one.details.document, last_day, f"passengers.{index}.details")


async def choose_extras(reader: Reader, offer: Offer, passengers: Sequence[PassengerDetails]) -> list[Chosen]:
    """The extras that the passengers chose, held against what the flights of the offer have, and priced."""
    wishes = [
        Wish(path=f"passengers.{index}.extras", type=one.type, choices=one.extras)
        for index, one in enumerate(passengers)
    ]
    return await extras.choose(reader, [one.slot_id for one in offer.segments], offer.currency, wishes)


async def lock_hold(scribe: Scribe, command: CreateBooking, offer: Offer) -> tuple[Hold, list[Kept]]:
    """The hold, locked, and what it keeps, which is what the passengers are to have."""
    locked = await holds.lock_now(scribe, command.hold_id)
    holds.check_free(locked)
    kept = await holds.kept_in(scribe, command.hold_id)
    held = {(item.slot_id, unit): item.pool for item, _ in kept for unit in item.units}
    unseated = {(item.slot_id, item.pool): item.quantity - len(item.units) for item, _ in kept}
    rules.check_seats(command.passengers, {one.slot_id: one.cabin for one in offer.segments}, held, unseated)
    return locked.hold, kept


async def seat_lines(reader: Reader, flights: Sequence[Leg]) -> list[Charged]:
    """A line for each seat that costs something on top of the fare, by flight."""
    charged = [(one.slot_id, *seat) for one in sorted(flights, key=lambda one: one.slot_id) for seat in one.charged]
    return await offers.charges_of(reader, charged)
