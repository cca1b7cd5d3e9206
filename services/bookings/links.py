"""Payment links: with one, somebody else than a booking's owner may pay a share of its price, or all of it.

A link is a token that the keyring signed. It names a booking, and perhaps one of its shares; nothing is stored for it.
It is good for as long as what it names can be paid: it dies with the hold's deadline, and with its share. Whoever has
it learns what is to be paid, until when and for which flights, and nothing of the people of the booking; once that is
paid or can be paid no more, how much it was and what became of it, and of a share that was withdrawn nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Session
from core.keys import Keyring
from core.money import Money
from core.rows import Reader
from models import Booking, HoldStatus
from services.bookings import splitting
from services.bookings.reading import BOOKINGS, PAYMENTS
from services.bookings.shares import SHARES, UNPAID, ShareStatus, status_of

PURPOSE = "payment-link"
KEY_SIZE = 16
"""Bytes of a UUID."""

DUE = frozenset({ShareStatus.OPEN, ShareStatus.DECLINED, ShareStatus.UNDER_WAY})
"""What may still have to be paid."""

LINKED = f"""
    SELECT {BOOKINGS.columns}, holds.status, coalesce(holds.expires_before_review, holds.expires_at),
           holds.expires_at - jetway_now()
    FROM bookings JOIN holds ON holds.id = bookings.hold_id WHERE bookings.id = $1
"""  # noqa: S608 - our own words


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link names: a share of a booking, or, None, all of its price."""

    booking_id: UUID
    share_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class Linked:
    """What a link is for, as it is now.

    `waits` tells that it may still have to be paid: where it does not, `label`, which is the share's, and `expires_at`
    are None. `withdrawn`: it is a share of an older split.
    """

    link: Link
    booking: Booking
    amount: Money
    label: str | None
    status: ShareStatus
    waits: bool
    withdrawn: bool
    expires_at: datetime | None


def sign(keyring: Keyring, link: Link) -> str:
    """The token of a link; always the same while its key signs."""
    share = b"" if link.share_id is None else link.share_id.bytes
    return keyring.sign(PURPOSE, link.booking_id.bytes + share)


def read(keyring: Keyring, token: str) -> Link | None:
    """The link of a token; None for one that was never signed as such."""
    payload = keyring.verify(PURPOSE, token)
    if payload is None or len(payload) not in (KEY_SIZE, 2 * KEY_SIZE):
        return None
    booking, share = payload[:KEY_SIZE], payload[KEY_SIZE:]
    return Link(booking_id=UUID(bytes=booking), share_id=UUID(bytes=share) if share else None)


async def create(session: Session, booking_id: UUID, share_id: UUID | None) -> Link:
    """A link to a share of a booking that waits for its money, or to all of its price.

    Raises what `splitting.payable` raises, ALREADY_PAID, WrongState, holds.HoldExpired and NotFound.
    """
    await splitting.price_of(session, await splitting.lock_alive(session, booking_id), share_id)
    return Link(booking_id=booking_id, share_id=share_id)


async def linked(reader: Reader, link: Link) -> Linked | None:
    """What a link is for; None where that is not there."""
    found = await reader.fetch(LINKED, link.booking_id)
    if not found:
        return None
    booking = BOOKINGS.row(found[0])
    hold, expires_at, left = found[0][-3:]
    shares = (await SHARES.of(reader, [booking.id]))[booking.id]
    share = next((one for one in shares if one.id == link.share_id), None)
    if share is None and link.share_id is not None:
        return None
    split = any(one.withdrawn_at is None for one in shares)
    withdrawn = share is not None and share.withdrawn_at is not None
    alive = hold == HoldStatus.ACTIVE and left > timedelta()
    payable = booking.status in UNPAID and alive and not withdrawn and not (share is None and split)
    paid = (await PAYMENTS.of(reader, [booking.id]))[booking.id]
    attempts = [one for one in paid if (one.share_id, one.amendment_id) == (link.share_id, None)]
    status = status_of(attempts, waits=payable)
    waits = payable and status in DUE
    return Linked(
        link=link,
        booking=booking,
        amount=Money(booking.total if share is None else share.amount, booking.currency),
        label=share.label if share is not None and waits else None,
        status=status,
        waits=waits,
        withdrawn=withdrawn,
        expires_at=expires_at if waits else None,
    )
