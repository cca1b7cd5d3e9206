"""Payments: paying a booking, and what a payment shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import strawberry

from core import clock, ids
from core.errors import NotFound
from core.money import Money
from models import Payment, PaymentStatus
from resolvers import access
from resolvers.context import Info
from services import bookings
from services.bookings import Paying
from services.gateways import Capture
from services.gateways.sandbox import SANDBOX_METHODS, TestPaymentMethod


@dataclass(frozen=True, kw_only=True)
class PayBookingInput:
    """Pay a booking with a method of the gateway's (`pm_…`); no card number ever reaches Jetway.

    `return_url` is where the gateway sends the payer back to after 3-D Secure. Send the same input again to go on.
    """

    booking_id: strawberry.ID
    booking_token: str | None = None
    payment_method: str
    idempotency_key: str
    return_url: str | None = None
    share_id: strawberry.ID | None = None
    retry: bool = False


@dataclass(frozen=True)
class PaymentSettings:
    """How to pay here."""

    gateway: str
    sandbox: bool
    test_methods: tuple[TestPaymentMethod, ...]


@dataclass(frozen=True)
class PaymentOption:
    """A kind of payment that a booking can be paid with, at which gateway."""

    gateway: str
    kind: str
    payment_method: str
    capture: Capture
    redirects: bool
    deadline: datetime | None


PAYABLE = frozenset({PaymentStatus.INITIATED, PaymentStatus.REQUIRES_ACTION})
"""While whoever pays has use for a client secret: seen later, it would tell a review from a bank that is at work."""


@dataclass(frozen=True)
class ShownPayment:
    """A payment as its reader sees it. Only whoever owns the booking (`owned`) learns how to go on with it, why it was
    declined, whose share it pays, and what of it goes back in which steps.

    How to go on not even they do where somebody else made it with a link.
    """

    row: Payment
    owned: bool

    @property
    def id(self) -> UUID:
        """Its key."""
        return self.row.id

    @property
    def status(self) -> PaymentStatus:
        """How far it got. That staff look at it is theirs to know: to whoever pays, the gateway is still at work."""
        return PaymentStatus.PROCESSING if self.row.status is PaymentStatus.REVIEW else self.row.status

    @property
    def share_id(self) -> strawberry.ID | None:
        """The share that it pays."""
        share_id = self.row.share_id
        return None if share_id is None or not self.owned else strawberry.ID(ids.global_id(access.SHARE_KIND, share_id))

    @property
    def amount(self) -> Money:
        """What it is for."""
        return Money(self.row.amount, self.row.currency)

    @property
    def refunded(self) -> Money:
        """What of it has gone back."""
        return Money(self.row.refunded, self.row.currency)

    @property
    def client_secret(self) -> str | None:
        """For the gateway's own client library, while the payer may have to do something there."""
        return self.row.client_secret if self.owned and not self.row.by_link and self.row.status in PAYABLE else None

    @property
    def redirect_url(self) -> str | None:
        """Where the payer's bank asks, while it has to."""
        waits = self.owned and not self.row.by_link and self.row.status is PaymentStatus.REQUIRES_ACTION
        return self.row.redirect_url if waits else None

    @property
    def deadline(self) -> datetime | None:
        """Until when a bank may take its time."""
        return self.row.deadline_at if self.owned and self.status is PaymentStatus.PROCESSING else None

    @property
    def retry_at(self) -> datetime | None:
        """When its bank is asked again, while that is what is waited for."""
        return self.row.retry_at if self.owned and self.status is PaymentStatus.PROCESSING else None

    @property
    def decline_code(self) -> str | None:
        """Why it was declined."""
        return self.row.decline_code if self.owned else None


async def pay_booking(info: Info, input: PayBookingInput) -> ShownPayment:
    """Pay, or go on paying, a booking of the viewer's."""
    ctx = info.context
    found = await access.booking(ctx.reader, ctx, input.booking_id, input.booking_token)
    asked = Paying(
        booking_id=found.id,
        share_id=access.share_key(input.share_id),
        method=input.payment_method,
        return_url=input.return_url,
        owner=ctx.owner,
        idempotency_key=input.idempotency_key,
        retry=input.retry,
        payer=ctx.payer(found.email),
    )
    paid = await bookings.pay_as(ctx.app.database, ctx.app.gateways, asked)
    return ShownPayment(paid, owned=True)


async def payment_methods(
    info: Info, booking_id: strawberry.ID, booking_token: str | None = None
) -> list[PaymentOption] | None:
    """What the viewer's booking can be paid with; null where it is nothing."""
    ctx = info.context
    try:
        found = await access.booking(ctx.reader, ctx, booking_id, booking_token)
    except NotFound:
        return None
    began = clock.now()
    return [
        PaymentOption(
            gateway=one.gateway,
            kind=one.means.kind,
            payment_method=one.method,
            capture=one.means.capture,
            redirects=one.means.redirects,
            deadline=None if one.means.patience is None else began + one.means.patience,
        )
        for one in ctx.app.gateways.offered(Money(found.total, found.currency))
    ]


async def payment_settings(info: Info) -> PaymentSettings:
    """Which gateway takes the money, and the sandbox's test methods where it is that."""
    app = info.context.app
    sandbox = app.settings.sandbox
    return PaymentSettings(app.gateways.default.name, sandbox, SANDBOX_METHODS if sandbox else ())
