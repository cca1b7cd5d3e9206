"""Notices: what whoever has booked is told, kept until they have read it.

A notice is written in the transaction of what it tells, or by the job behind an alert; a second one of the same source
is none. It is told as two facts: `booking.notified` to whoever watches the booking (a guest too), and `notice.written`
to its owner, where that is somebody with an account. Neither fact has the text: who hears of it reads the row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update

from core.db import ReadSession, Session
from core.detached import Detached
from core.errors import NotFound
from core.ids import uuid7
from core.money import Money
from core.paging import Page, check_first, key_of, newest_page
from core.rows import Scribe
from models import (
    Amendment,
    AmendmentStatus,
    Booking,
    BookingStatus,
    Notice,
    NoticeKind,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from services import outbox
from services.outbox import Told

OF_BOOKINGS: Mapping[BookingStatus, tuple[NoticeKind, str]] = {
    BookingStatus.CONFIRMED: (NoticeKind.BOOKING_CONFIRMED, "Your booking {pnr} is paid and confirmed."),
    BookingStatus.EXPIRED: (
        NoticeKind.BOOKING_EXPIRED,
        "Your booking {pnr} was not paid in time. Its seats are free again.",
    ),
    BookingStatus.FAILED: (
        NoticeKind.BOOKING_FAILED,
        "Your booking {pnr} could not be completed. Nothing was charged.",
    ),
    BookingStatus.CANCELLED: (NoticeKind.BOOKING_CANCELLED, "Your booking {pnr} is cancelled."),
}
"""What the owner is told when a booking comes to be in a state."""

OF_REFUNDS: Mapping[RefundStatus, tuple[NoticeKind, str]] = {
    RefundStatus.SUCCEEDED: (
        NoticeKind.PAYMENT_REFUNDED,
        "{amount} {currency} of your booking {pnr} are on their way back to {payer}.",
    ),
    RefundStatus.FAILED: (
        NoticeKind.REFUND_FAILED,
        "{amount} {currency} of your booking {pnr} could not be paid back to {payer}. We owe them as before.",
    ),
}
"""What the owner is told when a refund comes to be in a state."""

BOOKINGS = Detached(Booking)
BOOKING = f"SELECT {BOOKINGS.columns} FROM bookings WHERE id = $1"  # noqa: S608 - our own words


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is told. `source` names what it came of; `slot_id` the flight that it is about, if it is about one."""

    kind: NoticeKind
    text: str
    source: str
    slot_id: int | None = None


def owner_stream(user_id: UUID) -> str:
    """The stream of everything that happens to the notices of a user."""
    return f"notices:{user_id}"


WRITE = """
    INSERT INTO notices (id, booking_id, owner_id, source, kind, message, slot_id)
    SELECT id, booking_id, owner_id, $4, $5, $6, $7
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS one (id, booking_id, owner_id)
    ON CONFLICT (booking_id, source) DO NOTHING
    RETURNING id, booking_id, owner_id
"""


async def write(scribe: Scribe, bookings: Sequence[Booking], message: Message) -> int:
    """Tell `message` about each of some locked bookings; how many were told, without those that had been before."""
    if not bookings:
        return 0
    ids, booked = [uuid7() for _ in bookings], [one.id for one in bookings]
    told_to, what = [one.owner_id for one in bookings], (message.source, message.kind, message.text, message.slot_id)
    written = await scribe.fetch(WRITE, ids, booked, told_to, *what)
    by_owner: dict[UUID, list[str]] = defaultdict(list)
    facts: list[Told] = []
    for id_, booking_id, owner_id in written:
        told = {"booking": str(booking_id), "notice": str(id_), "kind": message.kind}
        facts.append(Told("booking.notified", outbox.booking_stream(booking_id), told))
        if owner_id is not None:
            by_owner[owner_id].append(str(id_))
    facts += [fact_for(owner_id, "notice.written", ids) for owner_id, ids in by_owner.items()]
    await outbox.record_all(scribe, facts)
    return len(written)


def fact_for(owner_id: UUID, kind: str, ids: list[str] | None) -> Told:
    """A fact about notices of an owner; `ids` None stands for all of them.

    Nothing is locked for it: whoever hears it reads the rows again, so its order does not matter.
    """
    return Told(kind, owner_stream(owner_id), {"user": str(owner_id), "notices": ids})


async def of_booking(scribe: Scribe, booking: Booking) -> None:
    """Tell the owner of a locked booking what has become of it, where that is worth telling.

    Guests have no list of notices: they hear of it where they watch the booking.
    """
    if booking.owner_id is None or booking.status not in OF_BOOKINGS:
        return
    kind, text = OF_BOOKINGS[booking.status]
    message = Message(kind=kind, text=text.format(pnr=booking.pnr), source=f"booking.{booking.status.lower()}")
    await write(scribe, [booking], message)


async def of_payment(scribe: Scribe, payment: Payment) -> None:
    """Tell the owner of a locked booking that its payment was declined, where it was."""
    if payment.status is not PaymentStatus.DECLINED:
        return
    booking = await booking_of(scribe, payment.booking_id)
    text = f"The payment for your booking {booking.pnr} was declined. {payment.decline_message or ''}".strip()
    message = Message(kind=NoticeKind.PAYMENT_DECLINED, text=text, source=f"payment.declined:{payment.id}")
    await tell_owner(scribe, booking, message)


async def of_refund(scribe: Scribe, refund: Refund, payment: Payment) -> None:
    """Tell the owner of a locked booking what has become of a refund: of each that it was sent, and that it failed."""
    if refund.status not in OF_REFUNDS:
        return
    booking, amount = await booking_of(scribe, payment.booking_id), Money(refund.amount, refund.currency)
    kind, text = OF_REFUNDS[refund.status]
    told = text.format(amount=amount.amount, currency=amount.currency, pnr=booking.pnr, payer=payer_of(payment))
    source = f"refund.{refund.status.lower()}:{refund.id}"
    await tell_owner(scribe, booking, Message(kind=kind, text=told, source=source))


def payer_of(payment: Payment) -> str:
    """How the owner of a booking is told to whom a payment goes back: one by link may be somebody else's."""
    return "whoever paid it" if payment.by_link else "you"


async def of_amendment(scribe: Scribe, amendment: Amendment) -> None:
    """Tell the owner of a locked booking that it was changed, and how, or that it could not be, where that is so."""
    if amendment.status not in (AmendmentStatus.APPLIED, AmendmentStatus.FAILED):
        return
    booking = await booking_of(scribe, amendment.booking_id)
    kind, text = NoticeKind.CHANGE_FAILED, f"Your booking {booking.pnr} could not be changed. You pay nothing for that."
    if amendment.status is AmendmentStatus.APPLIED:
        changed = "; ".join(f"{what}: {after}" for what, _, after in amendment.change["told"])
        kind, text = NoticeKind.BOOKING_CHANGED, f"Your booking {booking.pnr} is changed. {changed}."
    source = f"amendment.{amendment.status.lower()}:{amendment.id}"
    await tell_owner(scribe, booking, Message(kind=kind, text=text, source=source))


async def of_part(scribe: Scribe, booking: Booking, left: Sequence[str], quote_id: UUID) -> None:
    """Tell the owner of a locked booking that it was cancelled in part by that quote: who or what `left` it."""
    text = f"Your booking {booking.pnr} is cancelled in part. It goes on without {', '.join(left)}."
    message = Message(
        kind=NoticeKind.BOOKING_PARTLY_CANCELLED, text=text, source=f"booking.partly_cancelled:{quote_id}"
    )
    await tell_owner(scribe, booking, message)


async def tell_owner(scribe: Scribe, booking: Booking, message: Message) -> None:
    """Tell `message` to whoever owns a locked booking; guests hear of it where they watch the booking."""
    if booking.owner_id is not None:
        await write(scribe, [booking], message)


async def of_money_returned(scribe: Scribe, payment: Payment, amount: Money, money: UUID | None = None) -> None:
    """Tell whoever booked, a guest too, that money which came too late, or a second time, goes back in full.

    `money` is what the ledger calls it, where that is not the payment itself: of each it is told once.
    """
    booking = await booking_of(scribe, payment.booking_id)
    text = (
        f"{amount.amount} {amount.currency} for your booking {booking.pnr} came too late, or had been paid before."
        f" All of it goes back to {payer_of(payment)}."
    )
    message = Message(kind=NoticeKind.MONEY_RETURNED, text=text, source=f"payment.returned:{money or payment.id}")
    await write(scribe, [booking], message)


async def booking_of(scribe: Scribe, booking_id: UUID) -> Booking:
    """A locked booking as it is."""
    (columns,) = await scribe.fetch(BOOKING, booking_id)
    return BOOKINGS.row(columns)


async def page(
    session: ReadSession, owner_id: UUID, first: int, after: str | None, *, unread: bool = False
) -> Page[Notice]:
    """The notices of an owner, the newest first; `unread`: only those not read yet.

    Raises Invalid for a page size outside 1..100 and for a cursor that was never one of this list.
    """
    check_first(first)
    mine = [Notice.owner_id == owner_id]
    if unread:
        mine.append(Notice.read_at.is_(None))
    chosen = select(Notice).where(*mine).order_by(Notice.id.desc()).limit(first + 1)
    if after is not None:
        chosen = chosen.where(Notice.id < key_of(after))
    found = list(await session.scalars(chosen))
    total = (await session.execute(select(func.count()).select_from(Notice).where(*mine))).scalar_one()
    return newest_page(found, lambda one: one.id, first, after, total)


async def newest(session: ReadSession, owner_id: UUID, first: int) -> list[Notice]:
    """The newest notices of an owner, the newest first."""
    chosen = select(Notice).where(Notice.owner_id == owner_id).order_by(Notice.id.desc()).limit(first)
    return list(await session.scalars(chosen))


async def of_owner(session: ReadSession, owner_id: UUID, ids: Iterable[UUID]) -> list[Notice]:
    """Those of some notices that are the owner's, the newest first."""
    chosen = select(Notice).where(Notice.owner_id == owner_id, Notice.id.in_(list(ids))).order_by(Notice.id.desc())
    return list(await session.scalars(chosen))


async def about_booking(session: ReadSession, booking_id: UUID, ids: Iterable[UUID]) -> list[Notice]:
    """Those of some notices that are about the booking, the newest first."""
    chosen = select(Notice).where(Notice.booking_id == booking_id, Notice.id.in_(list(ids))).order_by(Notice.id.desc())
    return list(await session.scalars(chosen))


async def count_unread(session: ReadSession, owner_id: UUID) -> int:
    """How many notices of an owner are not read yet."""
    unread = select(func.count()).select_from(Notice).where(Notice.owner_id == owner_id, Notice.read_at.is_(None))
    return int((await session.execute(unread)).scalar_one())


async def mark_read(session: Session, owner_id: UUID, ids: Sequence[UUID] | None) -> None:
    """Write that the owner has read some notices, or all of theirs; what was read before stays read since then.

    Raises NotFound where one of them is not there or not the owner's; nothing is changed then.
    """
    chosen = select(Notice.id).where(Notice.owner_id == owner_id)
    chosen = chosen.where(Notice.read_at.is_(None) if ids is None else Notice.id.in_(ids))
    mine = (await session.scalars(chosen.order_by(Notice.id).with_for_update())).all()
    if ids is not None and set(mine) != set(ids):
        raise NotFound("There is no such notice, or it is not yours.")
    unread = update(Notice).where(Notice.id.in_(mine), Notice.read_at.is_(None)).values(read_at=func.jetway_now())
    read = (await session.scalars(unread.returning(Notice.id))).all()
    if read:
        told = None if ids is None else [str(one) for one in read]
        await outbox.record_all(session, [fact_for(owner_id, "notice.read", told)])
