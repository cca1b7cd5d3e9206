"""What Jetway asks of a payment gateway, in Jetway's words.

Money is authorised first and captured afterwards where the payer's means allow it, so that losing a race costs nobody a
refund; `Means` tells what does not. Every call that changes something carries a key drawn from the row it is made for:
the same key again is the same call, never a second one.
Calling off needs none, for it can be done but once. A call without an answer means *unknown*, and is
`GatewayUnavailable`: ask again with the same key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from core.errors import Unavailable
from core.money import Money


class GatewayUnavailable(Unavailable):
    """The gateway gave no answer, or none that says what happened. Nothing is known: ask again with the same key."""


class GatewayRefused(Exception):
    """The gateway refused a call, for good: the same call will be refused again. `code` is the gateway's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Capture(StrEnum):
    """When money is taken that somebody pays.

    SEPARATE: it is promised first and taken by our own call. IMMEDIATE: it is taken the moment the payer agrees.
    DELAYED: the payer agrees, and their bank says days later whether the money came.
    """

    SEPARATE = "SEPARATE"
    IMMEDIATE = "IMMEDIATE"
    DELAYED = "DELAYED"


@dataclass(frozen=True, kw_only=True)
class Means:
    """A kind of payment that a gateway takes, such as `card`: `kind` is the gateway's own word.

    `redirects`: the payer leaves the shop's page for it. `patience`: how long after it began such a payment may wait
    for the payer's bank; None where it lasts no longer than the seats are kept anyway.
    """

    kind: str
    capture: Capture
    redirects: bool = False
    patience: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Order:
    """A payment to authorise. `payment_id` is our row, whose key the call carries; `method` the gateway's token.

    `return_url` is where the payer comes back to from their bank; without one only methods that need no page are taken.
    `off_session` tells that the payer is not there: the method is one that they had stored.
    """

    payment_id: UUID
    booking_id: UUID
    pnr: str
    amount: Money
    method: str
    return_url: str | None
    created_at: datetime
    off_session: bool = False


@dataclass(frozen=True, kw_only=True)
class Risk:
    """What a gateway knows of whoever pays, as far as it tells; None stands for what it does not.

    `score` is from 0, safe, to 100, and `level` the gateway's own word for it. `card` is the same for every payment
    with one card or account: hashed under a key of ours, so that nobody outside of the gateway's files sees what the
    gateway calls it. Test cards are everybody's, so they have none. `country` issued it (ISO 3166-1 alpha-2).
    """

    score: int | None = None
    level: str | None = None
    card: bytes | None = None
    country: str | None = None


UNKNOWN_RISK = Risk()


@dataclass(frozen=True, kw_only=True)
class Authorised:
    """The money is promised and waits to be captured."""

    gateway_id: str
    client_secret: str | None
    risk: Risk = UNKNOWN_RISK


@dataclass(frozen=True, kw_only=True)
class NeedsAction:
    """The payer must do something first, at `redirect_url` or in the gateway's own script with `client_secret`."""

    gateway_id: str
    client_secret: str | None
    redirect_url: str | None


@dataclass(frozen=True, kw_only=True)
class Approved:
    """The payer has agreed, and nothing is promised yet: `confirm` has it promised."""

    gateway_id: str


@dataclass(frozen=True, kw_only=True)
class Processing:
    """The gateway will know later; `patience` as the payer's `Means` has it."""

    gateway_id: str
    client_secret: str | None
    patience: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Declined:
    """The payer's bank, or the gateway, said no. `code` is a key of `declines`; there may be no `gateway_id` at all."""

    gateway_id: str | None
    code: str
    risk: Risk = UNKNOWN_RISK


@dataclass(frozen=True, kw_only=True)
class Captured:
    """The money is ours: `amount` of it. `risk` is told where the payment was not authorised before."""

    gateway_id: str
    amount: Money
    risk: Risk = UNKNOWN_RISK


@dataclass(frozen=True, kw_only=True)
class Voided:
    """The payment was called off; whatever was promised is free again."""

    gateway_id: str


Outcome = Authorised | NeedsAction | Approved | Processing | Declined | Captured | Voided
"""Where a payment stands at its gateway."""


class RefundOutcome(StrEnum):
    """Where a refund stands at its gateway."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class RefundAnswer:
    """A refund at its gateway. `to_card` tells whether it goes to a card; None where the gateway does not say."""

    gateway_id: str
    outcome: RefundOutcome
    to_card: bool | None = None


class Concern(StrEnum):
    """What an event is news of: something that Jetway may be waiting for, or nothing to us."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    NOTHING = "NOTHING"


@dataclass(frozen=True, kw_only=True)
class ListedDispute:
    """Money that a payer's bank asks back. `reason` and `status` are the gateway's own words."""

    gateway_id: str
    payment: str
    amount: Money
    reason: str
    status: str


@dataclass(frozen=True, kw_only=True)
class GatewayEvent:
    """Something that a gateway tells. Only *that* there is news counts; what is so, is asked of the gateway.

    `gateway_id` names the payment there, `payment_id` our row, as far as the event says. `dispute` is what a DISPUTE is
    about: a person is told of it, and nothing is done upon it.
    """

    event_id: str
    kind: str
    payload: Mapping[str, Any]
    concern: Concern
    gateway_id: str | None
    payment_id: UUID | None
    dispute: ListedDispute | None = None


@dataclass(frozen=True, kw_only=True)
class ListedPayment:
    """A payment of ours in a gateway's list. `payment_id` is our row, as the gateway was told when it was made."""

    payment_id: UUID
    booking_id: UUID | None
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class ListedRefund:
    """A refund in a gateway's list; `key` is what it was asked for with, None where it was not asked for by us."""

    gateway_id: str
    payment: str
    key: str | None
    amount: Money
    outcome: RefundOutcome


class Gateway(Protocol):
    """A payment gateway. One object serves a whole process.

    Whatever is asked of it over the network may raise GatewayUnavailable. Lists are of what was made from `since` to
    `until`, both included, in any order.
    """

    @property
    def name(self) -> str:
        """How rows name this gateway, and the address of its webhook."""

    @property
    def methods(self) -> Sequence[str]:
        """What clients may give as a payment method here: patterns as `fnmatch` has them, such as `pm_*`."""

    def means(self, amount: Money) -> Sequence[Means]:
        """The kinds of payment that can be used for that amount; none where this gateway cannot take it at all."""

    @property
    def lists_after(self) -> timedelta:
        """How old things are, at the latest, when its lists have them."""

    async def authorise(self, order: Order) -> Outcome:
        """Have the money promised; taken at once, or later, where the payer's means know no promise.

        A refusal is an outcome, not an error.
        """

    async def confirm(self, gateway_id: str, key: str) -> Outcome:
        """The same for a payment that its payer has `Approved`."""

    async def ask_again(self, gateway_id: str, order: Order, key: str) -> Outcome:
        """Have the bank asked once more about a payment that it declined; `order.off_session` says who is there now.

        A gateway whose payers are always there answers where the payment stands.
        """

    async def fetch(self, gateway_id: str) -> Outcome:
        """Where a payment stands now. Changes nothing."""

    async def find(self, order: Order) -> Outcome | None:
        """Where the payment of an order stands whose answer was lost; None where it never reached the gateway."""

    async def capture(self, gateway_id: str, amount: Money, key: str) -> Captured:
        """Take promised money. Raises GatewayRefused where it cannot be had any more."""

    async def void(self, gateway_id: str) -> None:
        """Call a payment off before its money is captured; nothing happens to one that was called off already.

        It carries no key: with one, a refusal would be remembered for longer than its reason lasts. Raises
        GatewayRefused where the money was captured meanwhile, or a bank is at work on it just now.
        """

    async def refund(self, gateway_id: str, amount: Money, key: str) -> RefundAnswer:
        """Send captured money back. Raises GatewayRefused."""

    async def find_refund(self, gateway_id: str, key: str) -> RefundAnswer | None:
        """Where the refund stands that was asked for with that key; None where it never reached the gateway.

        Gateways forget keys (after a day, as a rule); what a refund was asked for with, they keep.
        """

    async def fetch_refund(self, gateway_id: str) -> RefundAnswer:
        """Where a refund stands now."""

    def payments_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedPayment]:
        """Every payment that was made in that time."""

    def refunds_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedRefund]:
        """Every refund that was made in that time, of payments of ours and of others."""

    def disputes_between(self, since: datetime, until: datetime) -> AsyncIterator[ListedDispute]:
        """Every dispute that was opened in that time, of payments of ours and of others."""

    async def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """The event in `body`, if the gateway signed it within the last five minutes, and for our account.

        Names of `headers` are in lower case. Raises Forbidden for anything else.
        """

    def read_event(self, payload: Mapping[str, Any]) -> GatewayEvent:
        """The event that was stored as `payload` once its signature had been checked."""

    async def close(self) -> None:
        """Close every connection."""


def our_id(text: str | None) -> UUID | None:
    """A key of ours that a gateway's object names; None for what another system wrote there."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None
