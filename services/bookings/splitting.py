"""Splitting a booking's price among several payers: who owes how much of it, to the minor unit.

A booking that is split is paid by its shares and in no other way. Each share is promised by itself, and all of them are
taken together (`saga.py`), by one deadline, the hold's. As long as nothing is under way a split may be made anew; the
shares of the old one are withdrawn, and with them their links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, update

from core.db import Session
from core.detached import Detached
from core.errors import Conflict, Invalid, NotFound
from core.ids import uuid7
from core.money import Money, add
from core.rows import Reader
from models import Booking, BookingStatus, HoldStatus, PaymentStatus, Share
from services import holds, idempotency, outbox, payments
from services.bookings import rows, rules
from services.holds import Owner

LEAST, MOST = 2, 9
MAX_LABEL = 60


@dataclass(frozen=True, kw_only=True)
class Part:
    """One payer's part, as somebody wants it: `label` is the owner's name for it, `email` where its link is to go."""

    amount: Money
    label: str
    email: str | None = None


async def split(
    session: Session, booking_id: UUID, parts: Sequence[Part] | int, owner: Owner, key: str
) -> Sequence[Share]:
    """Have a booking paid in parts, or by so many payers equally; its shares as they are, the first one first.

    The same request again changes nothing. Raises Invalid for parts that are not two to nine of more than nothing each,
    or do not add up to the price in its currency; PAYMENT_UNDER_WAY, ALREADY_PAID and WrongState for a booking that
    does not wait for its money, holds.HoldExpired, NotFound, idempotency.KeyReused. Nothing changes then.
    """
    known = await idempotency.claim(session, owner.key, "splitPayment", key, printed(booking_id, parts), booking_id)
    if known is None:
        booking = await lock_payable(session, booking_id)
        wanted = equal_parts(booking, parts) if isinstance(parts, int) else parts
        check_parts(booking, wanted)
        await withdraw(session, booking_id)
        await write(session, booking, wanted, owner.key)
    return await shares_of(session, booking_id)


def printed(booking_id: UUID, parts: Sequence[Part] | int) -> bytes:
    """The fingerprint of a request."""
    wanted = parts if isinstance(parts, int) else [[str(one.amount), one.label, one.email] for one in parts]
    return idempotency.fingerprint([booking_id, wanted])


async def lock_payable(session: Session, booking_id: UUID) -> Booking:
    """Lock a booking that waits for its money with nothing under way, and its hold, which lives."""
    booking = await lock_alive(session, booking_id)
    rules.check_payable(booking)
    return booking


async def lock_alive(session: Session, booking_id: UUID) -> Booking:
    """Lock a booking that waits for its money, perhaps with payments under way, and its hold, which lives.

    Raises ALREADY_PAID, WrongState, holds.HoldExpired and NotFound.
    """
    booking, locked = await rows.locked_with_hold(session, booking_id)
    if booking.status is not BookingStatus.PAYMENT_PENDING:
        rules.check_payable(booking)
    if locked.hold.status is not HoldStatus.BOOKED:
        holds.check_alive(locked)
    return booking


def equal_parts(booking: Booking, count: int) -> list[Part]:
    """The price among so many payers; what cannot be divided is paid by the first, a unit each."""
    check_count(count, "equally")
    amounts = Money(booking.total, booking.currency).allocate([1] * count)
    return [Part(amount=amount, label=f"Share {number} of {count}") for number, amount in enumerate(amounts, 1)]


def check_count(count: int, field: str) -> None:
    """Raises Invalid for fewer payers than two, and for more than nine."""
    if not LEAST <= count <= MOST:
        raise Invalid(f"A price is split among {LEAST} to {MOST}.", field=field)


def check_parts(booking: Booking, parts: Sequence[Part]) -> None:
    """Raises Invalid unless the parts are the booking's price."""
    check_count(len(parts), "shares")
    for index, part in enumerate(parts):
        field = f"shares.{index}"
        if part.amount.currency != booking.currency:
            raise Invalid(f"This booking is paid in {booking.currency}.", field=f"{field}.amount.currency")
        if part.amount.minor_units <= 0:
            raise Invalid("A share is more than nothing.", field=f"{field}.amount")
        if not 1 <= len(part.label.strip()) <= MAX_LABEL or not part.label.isprintable():
            raise Invalid(f"A label has 1 to {MAX_LABEL} printable characters.", field=f"{field}.label")
        if part.email is not None:
            rules.check_email(part.email, f"{field}.email")
    total = add((part.amount for part in parts), booking.currency)
    if total.minor_units != booking.total:
        price = Money(booking.total, booking.currency)
        raise Invalid(f"The shares are {total.amount} {total.currency}, the price is {price.amount}.", field="shares")


async def withdraw(session: Session, booking_id: UUID) -> None:
    """Withdraw the shares of a locked booking with no payment under way: whoever changes its price calls this."""
    here = update(Share).where(Share.booking_id == booking_id, Share.withdrawn_at.is_(None))
    await session.execute(here.values(withdrawn_at=func.jetway_now()))


async def write(session: Session, booking: Booking, parts: Sequence[Part], actor: str) -> None:
    """Write the shares of a locked booking, and tell of them. The fact has nobody's name or address."""
    shares = [
        Share(
            id=uuid7(),
            booking_id=booking.id,
            ordinal=ordinal,
            amount=part.amount.minor_units,
            currency=part.amount.currency,
            label=part.label.strip(),
            email=None if part.email is None else part.email.strip(),
            created_at=func.jetway_now(),
        )
        for ordinal, part in enumerate(parts)
    ]
    told = [{"share": str(share.id), "amount": share.amount} for share in shares]
    session.add_all(shares)
    await session.flush()
    payload = {"booking": str(booking.id), "shares": told, "currency": booking.currency, "actor": actor}
    await outbox.record(session, "booking.split", outbox.booking_stream(booking.id), payload)


SHARES = Detached(Share)
OPEN_SHARES = f"""
    SELECT {SHARES.columns} FROM shares WHERE booking_id = $1 AND withdrawn_at IS NULL ORDER BY ordinal
"""  # noqa: S608 - our own words
LIVE = "SELECT status FROM payments WHERE share_id = $1 AND status <> ALL ($2::text[])"


async def shares_of(reader: Reader, booking_id: UUID) -> Sequence[Share]:
    """The shares of a booking that were not withdrawn, in their order; none where it is not split."""
    return [SHARES.row(columns) for columns in await reader.fetch(OPEN_SHARES, booking_id)]


async def price_of(reader: Reader, booking: Booking, share_id: UUID | None) -> Money:
    """What somebody pays who pays a share of a locked booking, or, None, all of it.

    Raises NotFound for another booking's share; Conflict with SPLIT where shares are to be paid and none is named,
    SHARE_WITHDRAWN where that one is not to be paid any more, PAYMENT_UNDER_WAY where somebody is paying just that,
    SHARE_PAID and ALREADY_PAID where it was done; WrongState for a booking that is over, but for an EXPIRED one, of
    which its hold tells.
    """
    if booking.status is not BookingStatus.PAYMENT_PENDING:
        rules.check_payable(booking)
    shares = await shares_of(reader, booking.id)
    if share_id is None:
        if shares:
            raise Conflict("This booking is split: pay one of its shares.", code="SPLIT")
        rules.check_payable(booking)
        return Money(booking.total, booking.currency)
    share = next((one for one in shares if one.id == share_id), None)
    if share is None:
        old = await SHARES.find(reader, share_id)
        if old is None or old.booking_id != booking.id:
            raise NotFound("There is no such share.")
        raise Conflict("This share was withdrawn: the price was split anew.", code="SHARE_WITHDRAWN")
    await check_unpaid(reader, share)
    return Money(share.amount, share.currency)


async def check_unpaid(reader: Reader, share: Share) -> None:
    """Raises Conflict where a share of a locked booking is being paid, or is paid."""
    found = await reader.fetch(LIVE, share.id, list(payments.OVER))
    status = PaymentStatus(found[0][0]) if found else None
    if status in payments.TAKEN | {PaymentStatus.AUTHORIZED}:
        raise Conflict("This share is paid.", code="SHARE_PAID")
    if status is not None:
        raise Conflict("A payment of this share is under way.", code="PAYMENT_UNDER_WAY")
