"""Where a booking stands between two steps of its saga, and how a step makes sure that it still does.

A step looks, asks the gateway with nothing locked, and then writes in one transaction what came of it. Whatever may
have happened in between, it writes only if purpose and payment are still as they were when it looked: otherwise
somebody else has taken the step, and there is nothing to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from core.db import Database
from core.errors import NotFound
from core.gathering import ByKeys
from core.money import Money
from core.rows import Reader, Scribe
from models import Booking, Payment, PaymentStatus
from services import payments
from services.bookings.purposes import Purpose, Stage, Standing, of_amendment
from services.bookings.sale import COLUMNS, Sale, standing_of
from services.gateways import Gateway, Gateways, Order

LOOK = f"""
    SELECT {COLUMNS}, bookings.pnr, bookings.hold_id,
           payments.status = ANY ($3::text[]) AND EXISTS (
               SELECT FROM refunds WHERE refunds.payment_id = payments.id AND refunds.status <> 'FAILED'),
           payments.amendment_id, payments.id, payments.status, payments.gateway, payments.gateway_id,
           payments.waived,
           payments.amount, payments.currency, payments.method, payments.return_url, payments.created_at,
           payments.deadline_at - jetway_now(), payments.off_session, payments.attempts,
           payments.retry_at - jetway_now(), bookings.id
    FROM bookings JOIN holds ON holds.id = bookings.hold_id
    LEFT JOIN payments ON payments.booking_id = bookings.id AND payments.status <> ALL ($2::text[])
    WHERE bookings.id = ANY ($1::uuid[])
    ORDER BY payments.amendment_id NULLS FIRST, payments.id
"""  # noqa: S608 - the columns of a sale
PROMISED = payments.TAKEN | {PaymentStatus.AUTHORIZED}
"""The gateway stands by its word, or has kept it."""

SALE, BOOKED, REFUNDS, AMENDMENT = slice(4), slice(4, 6), 6, 7


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A payment that is under way or taken, as one moment showed it.

    `asked` is how often its bank was asked; where it is to be asked again, `again_in` is how far that is away.
    """

    id: UUID
    status: PaymentStatus
    gateway: Gateway
    gateway_id: str | None
    order: Order
    waived: int
    left: timedelta | None
    asked: int
    again_in: timedelta | None

    @property
    def due(self) -> Money:
        """What is to be taken of it: what was promised, less what is waived."""
        return Money(self.order.amount.minor_units - self.waived, self.order.amount.currency)

    @property
    def in_time(self) -> bool:
        """Whether its bank may take its time, whatever becomes of the seats meanwhile; `left` is how long."""
        return self.left is not None and self.left > timedelta()

    def key(self, step: str) -> str:
        """The idempotency key of a call to the gateway."""
        return f"{self.id}:{step}"

    @property
    def known_to_gateway(self) -> str:
        """The gateway's id of the payment, which it has from its first answer on."""
        if self.gateway_id is None:
            raise RuntimeError(f"payment {self.id} is {self.status} without an id of the gateway's")
        return self.gateway_id


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A purpose of a booking with every payment of it that is under way or taken, as one moment showed them."""

    db: Database
    purpose: Purpose
    standing: Standing
    attempts: tuple[Attempt, ...]

    @property
    def stage(self) -> Stage:
        """How far the purpose is."""
        return self.standing.stage

    @property
    def unsettled(self) -> list[Attempt]:
        """The payments that are under way: nothing of them is taken, and they are not over."""
        return [one for one in self.attempts if one.status not in payments.TAKEN]

    @property
    def is_plain(self) -> bool:
        """Whether it is a sale for which one payment was made, as most are: a step that has taken it further knows
        all of it then."""
        return self.purpose.amendment_id is None and len(self.attempts) == 1

    @property
    def covered(self) -> bool:
        """Whether what is promised and taken makes up the price."""
        return self.promised >= self.standing.price

    @property
    def promised(self) -> int:
        """How much of it is promised and taken, in minor units."""
        return sum(one.order.amount.minor_units for one in self.attempts if one.status in PROMISED)


def gone_on(seen: Situation, one: Attempt, status: PaymentStatus, gateway_id: str | None, stage: Stage) -> Situation:
    """The situation that a step has brought about: what it has just written need not be looked for."""
    now = replace(one, status=status, gateway_id=gateway_id)
    attempts = tuple(now if some.id == one.id else some for some in seen.attempts)
    return replace(seen, standing=replace(seen.standing, stage=stage), attempts=attempts)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one look showed: the purposes of a booking that have payments, the sale first; whether it has refunds."""

    situations: tuple[Situation, ...]
    refunds: bool


def order_of(booking: Booking, payment: Payment) -> Order:
    """What the gateway is asked to authorise; the same as often as it is asked."""
    return Order(
        payment_id=payment.id,
        booking_id=booking.id,
        pnr=booking.pnr,
        amount=Money(payment.amount, payment.currency),
        method=payment.method,
        return_url=payment.return_url,
        created_at=payment.created_at,
        off_session=payment.off_session,
    )


async def looks(reader: Reader, booking_ids: Sequence[UUID]) -> dict[UUID, list[Sequence[Any]]]:
    """What one statement shows of several bookings: the rows of each."""
    found: dict[UUID, list[Sequence[Any]]] = {}
    for row in await reader.fetch(LOOK, list(booking_ids), list(payments.OVER), list(payments.TAKEN)):
        found.setdefault(row[-1], []).append(row)
    return found


LOOKS = ByKeys(looks)


async def look(db: Database, gateways: Gateways, booking_id: UUID) -> Seen:
    """The booking as the primary has it now. Raises NotFound."""
    looked = await LOOKS.find(db.reader(primary=True), [booking_id])
    if (found := looked.get(booking_id)) is None:
        raise NotFound("There is no such booking.")
    paid = [row for row in found if row[AMENDMENT + 1] is not None]
    groups = groupby(paid, key=lambda row: row[AMENDMENT])
    situations = [await situation(db, gateways, booking_id, key, list(some)) for key, some in groups]
    return Seen(situations=tuple(situations), refunds=any(row[REFUNDS] for row in paid))


async def situation(
    db: Database, gateways: Gateways, booking_id: UUID, amendment_id: UUID | None, found: Sequence[Sequence[Any]]
) -> Situation:
    """One purpose of the booking, from the rows of its payments."""
    pnr, hold_id = found[0][BOOKED]
    purpose: Purpose
    if amendment_id is None:
        purpose, standing = Sale(booking_id, hold_id), standing_of(found[0][SALE])
    else:
        purpose = of_amendment(booking_id, amendment_id)
        standing = await purpose.standing(db.reader(primary=True))
    attempts = tuple(attempt(gateways, booking_id, pnr, row[AMENDMENT + 1 : -1]) for row in found)
    return Situation(db=db, purpose=purpose, standing=standing, attempts=attempts)


def attempt(gateways: Gateways, booking_id: UUID, pnr: str, columns: Sequence[Any]) -> Attempt:
    """A payment, from its columns."""
    payment_id, status, gateway, gateway_id, waived, *ordered, left, off_session, asked, again_in = columns
    amount, currency, method, return_url, created_at = ordered
    return Attempt(
        id=payment_id,
        status=PaymentStatus(status),
        gateway=gateways.named(gateway),
        gateway_id=gateway_id,
        waived=waived,
        order=Order(
            payment_id=payment_id,
            booking_id=booking_id,
            pnr=pnr,
            amount=Money(amount, currency),
            method=method,
            return_url=return_url,
            created_at=created_at,
            off_session=off_session,
        ),
        left=left,
        asked=asked,
        again_in=again_in,
    )


async def unchanged(scribe: Scribe, seen: Situation, one: Attempt) -> tuple[Payment | None, list[Payment]]:
    """A payment of a locked purpose, if it is still as it was seen, and the others that are under way or taken.

    All are locked. None: somebody else has gone on.
    """
    live = await payments.lock_live(scribe, one.order.booking_id, seen.purpose.amendment_id)
    same = [payment for payment in live if (payment.id, payment.status) == (one.id, one.status)]
    return same[0] if same else None, [payment for payment in live if payment.id != one.id]
