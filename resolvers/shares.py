"""Shares and payment links: who may split a price, who may pay with a link, and what each shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from core.errors import Invalid
from core.money import Money, TooFine, UnknownCurrency, in_minor_units
from models import Payment, PaymentStatus, Share
from resolvers import access, loaders
from resolvers.bookings import ShownBooking, slices_of_all
from resolvers.context import Context, Info
from resolvers.payments import PAYABLE, ShownPayment
from services import bookings
from services.bookings import Link, Linked, Part, Paying, ShareStatus
from services.itineraries import Slice


@dataclass(frozen=True, kw_only=True)
class MoneyInput:
    """An amount in major units, with no more decimals than its currency has."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class ShareInput:
    """One payer's part of a price."""

    amount: MoneyInput
    label: str
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class SplitPaymentInput:
    """Split a booking's price: into these shares, or equally among so many."""

    booking_id: strawberry.ID
    booking_token: str | None = None
    shares: list[ShareInput] | None = None
    equally: int | None = None
    idempotency_key: str


@dataclass(frozen=True, kw_only=True)
class CreatePaymentLinkInput:
    """Have a share of a booking, or all of its price, paid by whoever has the link."""

    booking_id: strawberry.ID
    booking_token: str | None = None
    share_id: strawberry.ID | None = None


@dataclass(frozen=True, kw_only=True)
class PayByLinkInput:
    """Pay with a link, as payBooking does. Send the same input again to go on after 3-D Secure."""

    token: str
    payment_method: str
    idempotency_key: str
    return_url: str | None = None


@dataclass(frozen=True)
class ShownShare:
    """A share as the booking's owner sees it; `link` is None once it can be paid no more."""

    row: Share
    status: ShareStatus
    decline_code: str | None
    link: str | None

    @property
    def id(self) -> UUID:
        """Its key."""
        return self.row.id

    @property
    def label(self) -> str:
        """The owner's name for it."""
        return self.row.label

    @property
    def email(self) -> str | None:
        """Where its link is to go."""
        return self.row.email

    @property
    def amount(self) -> Money:
        """How much of the price it is."""
        return Money(self.row.amount, self.row.currency)


@dataclass(frozen=True)
class ShownLink:
    """What a link is for, as whoever has it sees it; who made it (`owned`) may be somebody else than who has it."""

    linked: Linked
    token: str
    owned: bool

    @property
    def pnr(self) -> str | None:
        """The record locator, which is half of what opens the booking."""
        return self.linked.booking.pnr if self.owned else None

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return self.linked.amount

    @property
    def label(self) -> str | None:
        """The owner's name for the share."""
        return self.linked.label

    @property
    def status(self) -> ShareStatus:
        """How far it has been paid."""
        return self.linked.status

    @property
    def expires_at(self) -> datetime | None:
        """Until when it can be paid."""
        return self.linked.expires_at


@dataclass(frozen=True)
class ShownLinkPayment:
    """A payment as whoever made it with a link sees it: how to go on, and nothing of the booking's people."""

    row: Payment
    link: ShownLink

    @property
    def status(self) -> PaymentStatus:
        """How far it got; a review is nobody's business but the staff's."""
        return ShownPayment(self.row, owned=True).status

    @property
    def amount(self) -> Money:
        """What it is for."""
        return Money(self.row.amount, self.row.currency)

    @property
    def client_secret(self) -> str | None:
        """For the gateway's own client library, while the payer may have to do something there."""
        return self.row.client_secret if self.row.status in PAYABLE else None

    @property
    def redirect_url(self) -> str | None:
        """Where the payer's bank asks, while it has to."""
        return self.row.redirect_url if self.row.status is PaymentStatus.REQUIRES_ACTION else None


async def split_payment(info: Info, input: SplitPaymentInput) -> ShownBooking:
    """Split the price of a booking of the viewer's."""
    ctx = info.context
    found = await access.booking(ctx.reader, ctx, input.booking_id, input.booking_token)
    async with ctx.transaction() as session:
        await bookings.split(session, found.id, parts(input), ctx.owner, input.idempotency_key)
    return await shown_again(ctx, found.id)


async def shown_again(ctx: Context, booking_id: UUID) -> ShownBooking:
    """The owner's booking, with its deadline."""
    row, expires_at = (await bookings.by_ids(ctx.reader, [booking_id]))[booking_id]
    return ShownBooking(row, owned=True, expires_at=expires_at)


def parts(input: SplitPaymentInput) -> Sequence[Part] | int:
    """What is asked for, in the service's terms. Raises Invalid unless it is shares or a number, and not both."""
    if input.shares is None and input.equally is not None:
        return input.equally
    if input.shares is None or input.equally is not None:
        raise Invalid("Name the shares, or among how many to split equally.", field="shares")
    return tuple(
        Part(amount=money(one.amount, f"shares.{index}.amount"), label=one.label, email=one.email)
        for index, one in enumerate(input.shares)
    )


def money(input: MoneyInput, field: str) -> Money:
    """An amount in minor units. Raises Invalid for a currency that nothing is sold in, and for parts of a unit."""
    try:
        return in_minor_units(input.amount, input.currency)
    except UnknownCurrency as error:
        raise Invalid("This is not a currency that is sold in.", field=f"{field}.currency") from error
    except TooFine as error:
        raise Invalid(
            "This amount has more decimals than its currency, or is none.", field=f"{field}.amount"
        ) from error


async def create_payment_link(info: Info, input: CreatePaymentLinkInput) -> ShownLink:
    """A link to a booking of the viewer's."""
    ctx = info.context
    found = await access.booking(ctx.reader, ctx, input.booking_id, input.booking_token)
    share_id = access.share_key(input.share_id)
    async with ctx.transaction() as session:
        link = await bookings.create_link(session, found.id, share_id)
    return await shown_link(ctx, link, owned=True)


async def payment_link(info: Info, token: str) -> ShownLink | None:
    """What a link is for; null for a token that is none, and for a share that was withdrawn."""
    ctx = info.context
    link = bookings.read_link(ctx.app.keyring, token)
    linked = None if link is None else await bookings.linked(ctx.reader, link)
    return None if linked is None or linked.withdrawn else ShownLink(linked, token, owned=False)


async def pay_by_link(info: Info, input: PayByLinkInput) -> ShownLinkPayment:
    """Pay, or go on paying, what a link is for. Whoever has it may."""
    ctx = info.context
    link = access.payment_link(ctx, input.token)
    asked = Paying(
        booking_id=link.booking_id,
        share_id=link.share_id,
        by_link=True,
        method=input.payment_method,
        return_url=input.return_url,
        owner=ctx.owner,
        idempotency_key=input.idempotency_key,
        payer=ctx.payer(None),
    )
    paid = await bookings.pay_as(ctx.app.database, ctx.app.gateways, asked)
    return ShownLinkPayment(paid, await shown_link(ctx, link, owned=False))


async def shown_link(ctx: Context, link: Link, *, owned: bool) -> ShownLink:
    """A link that names what is there."""
    linked = await bookings.linked(ctx.reader, link)
    if linked is None:
        raise RuntimeError(f"a link to booking {link.booking_id} names what is not there")
    return ShownLink(linked, bookings.sign_link(ctx.app.keyring, link), owned)


async def slices(root: strawberry.Parent[ShownLink], info: Info) -> list[Slice]:
    """The flights that are to be paid, in the order of travel; none once they are."""
    if not root.linked.waits:
        return []
    return (await slices_of_all([ShownBooking(root.linked.booking, owned=False)], info))[0]


async def shares(root: strawberry.Parent[ShownBooking], info: Info) -> list[ShownShare] | None:
    """The shares of a booking, for its owner alone."""
    return (await shares_of_all([root], info))[0]


async def shares_of_all(roots: Sequence[ShownBooking], info: Info) -> list[list[ShownShare] | None]:
    """The same of many."""
    ctx, keys = info.context, [root.id for root in roots if root.owned]
    found = dict(zip(keys, await loaders.SHARES.all(ctx.reader, keys), strict=True)) if keys else {}
    split = [key for key in keys if found[key]]
    paid = dict(zip(split, await loaders.PAYMENTS.all(ctx.reader, split), strict=True)) if split else {}
    return [
        [shown_share(ctx, root, share, paid[root.id]) for share in found[root.id]] if root.owned else None
        for root in roots
    ]


def shown_share(ctx: Context, booking: ShownBooking, share: Share, paid: Sequence[Payment]) -> ShownShare:
    """A share of a booking whose payments those are."""
    attempts = [one for one in paid if one.share_id == share.id]
    waits = booking.status in bookings.UNPAID
    status = bookings.status_of(attempts, waits=waits)
    declined = attempts[-1].decline_code if status is ShareStatus.DECLINED else None
    link = bookings.sign_link(ctx.app.keyring, Link(booking_id=booking.id, share_id=share.id)) if waits else None
    return ShownShare(share, status, declined, link)
