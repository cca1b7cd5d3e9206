"""A booking comes to be: an offer and a hold, and the people who travel."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from core.db import Database, ReadSession, Session
from core.ids import uuid7
from core.keys import Keyring
from core.money import add
from models import Airport, Booking, BookingStatus, Flight, Hold
from services import extras, holds, idempotency, locators, offers, travellers
from services.bookings import parts, rows, rules
from services.bookings.rules import CreateBooking, PassengerDetails
from services.departures import zone
from services.extras import Chosen, ExtraSoldOut, Wish
from services.holds import ClassClosed, StockGone
from services.offers import Charged, Offer, PriceChanged
from services.transitions import Cause


async def book(db: Database, keyring: Keyring, command: CreateBooking) -> Booking:
    """Make a booking as `create` does; owns its transactions.

    A booking class that seems closed, and stock that seems gone, is relieved of its expired holds, which must not
    happen while this booking's own claims are locked, and asked once more. A class that is closed: PriceChanged, with
    the next class that is open. An extra that is gone: ExtraSoldOut, with what is left of it.
    """
    try:
        async with db.transaction() as session:
            return await create(session, keyring, command)
    except (ClassClosed, StockGone) as refusal:
        full = refusal.pools if isinstance(refusal, ClassClosed) else [refusal.pool]
        async with db.transaction() as session:
            await holds.expire_due_in(session, full)
    try:
        async with db.transaction() as session:
            return await create(session, keyring, command)
    except ClassClosed:
        async with db.transaction() as session:
            renewed = await offers.in_open_classes(session, keyring, offers.read(keyring, command.offer_token))
        raise PriceChanged("The booking class of this offer is sold out.", renewed) from None
    except StockGone as refusal:
        raise ExtraSoldOut.of(refusal.pool, refusal.left) from None


async def create(session: Session, keyring: Keyring, command: CreateBooking) -> Booking:
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
        session, command.owner.key, "createBooking", command.idempotency_key, fingerprint(command), booking_id
    )
    if known is not None:
        return await session.get_one(Booking, known)
    rules.check_party(command.passengers, offer.party)
    await offers.check(session, keyring, offer)
    await check_travellers(session, offer, command.passengers)
    chosen = await choose_extras(session, offer, command.passengers)
    hold = await give_hold(session, command.hold_id, booking_id)
    items = await holds.items(session, hold.id)
    held = {(item.slot_id, unit): item.pool for item in items for unit in item.units}
    unseated = {(item.slot_id, item.pool): item.quantity - len(item.units) for item in items}
    rules.check_seats(command.passengers, {one.slot_id: one.cabin for one in offer.segments}, held, unseated)
    lines = [*offers.by_flight(offer), *await offers.seat_lines(session, held), *extras.lines(chosen)]
    booking = await write_booking(session, command, booking_id, lines, offer.currency)
    ids = await parts.write(session, keyring, command.passengers, booking_id, offer, lines)
    if chosen:
        await extras.order(session, booking_id, ids, chosen, Cause(actor=command.owner.key, reason="booked"))
    classes = {one.slot_id: one.booking_class for one in offer.segments}
    await holds.assign_classes(session, hold, classes, extras.stock(chosen))
    return booking


def fingerprint(command: CreateBooking) -> bytes:
    """What makes two requests the same."""
    parts = (command.offer_token, command.hold_id, command.contact, command.passengers)
    return idempotency.fingerprint([*parts, command.source, command.referral_code])


async def check_travellers(session: ReadSession, offer: Offer, passengers: Sequence[PassengerDetails]) -> None:
    """Ages on the local day on which the journey begins, and documents on the day on which it ends."""
    chosen = (
        select(Flight.local_date, Flight.arrives_at, Airport.zone)
        .join(Airport, Airport.iata_code == Flight.destination_code)
        .where(Flight.slot_id.in_([one.slot_id for one in offer.segments]))
        .order_by(Flight.departs_at)
    )
    flights = (await session.execute(chosen)).all()
    rules.check_ages(passengers, flights[0].local_date)
    last_day = flights[-1].arrives_at.astimezone(zone(flights[-1].zone)).date()
    for index, one in enumerate(passengers):
        travellers.check_expiry(one.details.document, last_day, f"passengers.{index}.details")


async def choose_extras(session: ReadSession, offer: Offer, passengers: Sequence[PassengerDetails]) -> list[Chosen]:
    """The extras that the passengers chose, held against what the flights of the offer have, and priced."""
    wishes = [
        Wish(path=f"passengers.{index}.extras", type=one.type, choices=one.extras)
        for index, one in enumerate(passengers)
    ]
    return await extras.choose(session, [one.slot_id for one in offer.segments], offer.currency, wishes)


async def give_hold(session: Session, hold_id: UUID, booking_id: UUID) -> Hold:
    """Lock the hold, and give it to the booking."""
    locked = await holds.lock_now(session, hold_id)
    await holds.attach(session, locked, booking_id)
    return locked.hold


async def write_booking(
    session: Session, command: CreateBooking, booking_id: UUID, lines: Sequence[Charged], currency: str
) -> Booking:
    """The booking's own row, SEATS_LOCKED at once, with its locator and its total."""
    phone = command.contact.phone
    booking = Booking(
        id=booking_id,
        pnr=await locators.draw(session, booking_id),
        owner_id=command.owner.user_id,
        hold_id=command.hold_id,
        email=command.contact.email.strip(),
        phone=None if phone is None else rules.bare_phone(phone),
        total=add((one.line.amount for one in lines), currency).minor_units,
        currency=currency,
        source=command.source,
        referral_code=command.referral_code,
        created_at=func.jetway_now(),
    )
    await rows.begin(session, booking, Cause(actor=command.owner.key, reason="booked"))
    await rows.move(session, booking, BookingStatus.SEATS_LOCKED, Cause(actor=command.owner.key, reason="seats held"))
    await session.insert(booking)
    return booking
