"""What each kind of fact says: the one declaration that code, JSON Schemas (docs/facts) and tests are held to.

A fact is JSON with `position` (gapless over all facts, later for the later of two), `id`, `kind`, `stream` (what it
happened to) and the `payload` declared here. A kind only ever grows: a field may be added, none is removed, renamed or
given another type. What can't be said that way is a new kind, and both are told for a while.

UUIDs and times are strings, times ISO 8601 with offset, money integer minor units. No fact has a person's name or
address, nor anything secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, NewType, TypedDict

from models import (
    AmendmentKind,
    AmendmentStatus,
    BookingStatus,
    DocumentPolicy,
    FlightStatus,
    FraudMeasure,
    FraudSubject,
    FraudVerdict,
    HoldStatus,
    NoticeKind,
    PaymentStatus,
    RefundStatus,
    ReviewDecision,
    Role,
    SeatStatus,
    TicketStatus,
)

Uuid = NewType("Uuid", str)
Instant = NewType("Instant", str)
"""A time: ISO 8601 with offset."""

Slot = Annotated[int, "the dated thing that is sold: a departure"]
Actor = Annotated[str, "who made the change: `user:<id>`, `guest`, or a part of Jetway"]
Reason = Annotated[str, "why, in words"]
Minor = Annotated[int, "money in minor units of `currency`"]


class Seat(TypedDict):
    """A seat as it is now."""

    number: str
    status: SeatStatus
    version: Annotated[int, "a later state of a seat has a higher version"]


class Seats(TypedDict):
    """Seats of one slot that changed together."""

    slot: Slot
    hold: Annotated[Uuid | None, "whose seats they became or were, where that is one hold's"]
    seats: list[Seat]


class Place(TypedDict):
    """Places without a seat in one pool."""

    pool: str
    count: int


class Places(TypedDict):
    """Places without a seat that a hold took, or gave back."""

    slot: Slot
    hold: Uuid
    places: list[Place]


class Caused(TypedDict):
    """Who did it and why."""

    actor: Actor
    reason: Reason


HoldChange = TypedDict("HoldChange", {"status": HoldStatus, "from": HoldStatus | None})
BookingChange = TypedDict("BookingChange", {"status": BookingStatus, "from": BookingStatus | None})
PaymentChange = TypedDict("PaymentChange", {"status": PaymentStatus, "from": PaymentStatus | None})
RefundChange = TypedDict("RefundChange", {"status": RefundStatus, "from": RefundStatus | None})
AmendmentChange = TypedDict("AmendmentChange", {"status": AmendmentStatus, "from": AmendmentStatus | None})
TicketChange = TypedDict("TicketChange", {"status": TicketStatus, "from": TicketStatus | None})
FlightChange = TypedDict("FlightChange", {"status": FlightStatus, "from": FlightStatus | None})
RoleChange = TypedDict("RoleChange", {"role": Role, "from": Role})
LimitChange = TypedDict("LimitChange", {"class": str, "limit": int, "from": int})
AuthorisedChange = TypedDict("AuthorisedChange", {"authorised": int, "from": int})
OverbookingChange = TypedDict("OverbookingChange", {"overbooking": int, "from": int})


class HoldEnded(HoldChange, Caused):
    """A hold came to its end."""

    hold: Uuid
    booking: Uuid | None


class HoldExtended(TypedDict):
    """A hold lasts longer."""

    hold: Uuid
    extensions: int
    expires_at: Instant


class Booking(BookingChange, Caused):
    """A booking after a change of its status."""

    booking: Uuid
    pnr: Annotated[str, "the record locator"]
    hold: Uuid
    total: Minor
    currency: str


class SeatOf(TypedDict):
    """A seat of a flight."""

    slot: Slot
    number: str


class SeatsFound(TypedDict):
    """What a booking has whose money came late."""

    booking: Uuid
    total: Minor
    currency: str
    lost: Annotated[list[SeatOf], "seats that are somebody else's now: a place without a seat is instead"]


class PartlyCancelled(Caused):
    """A booking after a part of it was cancelled: it costs less, and is CONFIRMED as before."""

    booking: Uuid
    pnr: Annotated[str, "the record locator"]
    hold: Uuid
    total: Minor
    currency: str
    quote: Annotated[Uuid, "on the terms of which"]
    passengers: Annotated[list[Uuid], "who left it"]
    slots: Annotated[list[int], "which departures nobody of it flies any more"]
    refund: Minor
    fee: Annotated[int, "what was kept, in minor units of `currency`"]


class Payment(PaymentChange, Caused):
    """A payment after a change of its status."""

    payment: Uuid
    booking: Uuid
    amendment: Annotated[Uuid | None, "what of the booking it pays for: null is its sale"]
    share: Annotated[Uuid | None, "which payer's share of the price; null is all of it"]
    gateway: str
    gateway_id: str | None
    amount: Minor
    captured: Minor
    refunded: Minor
    currency: str
    decline_code: str | None


class ReviewBegun(TypedDict):
    """A payment waits for staff."""

    payment: Uuid
    booking: Uuid
    deadline_at: Instant


class ReviewDecided(Caused):
    """Staff have decided about a payment."""

    payment: Uuid
    booking: Uuid
    decision: ReviewDecision


class FraudRule(TypedDict):
    """A rule that payments are held against."""

    measure: FraudMeasure
    subject: FraudSubject
    seconds: Annotated[int | None, "the window, of what is counted by a subject"]
    currency: Annotated[str | None, "of an amount"]
    most: Annotated[int, "the rule is for what is more; amounts are in minor units"]
    verdict: FraudVerdict


FraudRuleChange = TypedDict("FraudRuleChange", {"from": FraudRule | None, "to": FraudRule})


class FraudRuleSet(FraudRuleChange, Caused):
    """A rule was made, or is another from now on."""

    rule: Annotated[str, "its name"]


class Refund(RefundChange, Caused):
    """A refund after a change of its status."""

    refund: Uuid
    payment: Uuid
    booking: Uuid
    amount: Minor
    currency: str


class Ticket(TicketChange, Caused):
    """A ticket after a change of its status."""

    ticket: Annotated[str, "its number"]
    booking: Uuid
    passenger: Uuid
    slot: Slot


class Amendment(AmendmentChange, Caused):
    """A change of a booking after a change of its status."""

    amendment: Uuid
    booking: Uuid
    kind: AmendmentKind
    difference: Annotated[int, "the new price less the old one, in minor units of `currency`"]
    penalty: Annotated[int, "what is kept beside the price"]
    due: Annotated[int, "their sum: more than nothing is collected, less is given back"]
    currency: str


class BookingChanged(Caused):
    """A booking after one of its changes was applied."""

    booking: Uuid
    pnr: Annotated[str, "the record locator"]
    status: BookingStatus
    hold: Uuid
    total: Minor
    currency: str
    amendment: Uuid


class FlightDay(TypedDict):
    """Everything about a flight that may change on its day."""

    status: FlightStatus
    slot_id: Slot
    version: int
    departs_at: Instant
    arrives_at: Instant
    estimated_departure_at: Instant | None
    estimated_arrival_at: Instant | None
    actual_departure_at: Instant | None
    actual_arrival_at: Instant | None
    departure_gate: str | None
    arrival_gate: str | None
    departure_terminal: str | None
    arrival_terminal: str | None


class Flight(FlightDay, FlightChange, Caused):
    """A flight after a change of its status."""


class FlightUpdated(FlightDay, Caused):
    """A flight after a change that left its status."""


class BoardChanged(TypedDict):
    """A flight of the airport's departures board changed."""

    slot: Slot
    airport: str


class PoolAuthorised(AuthorisedChange, Caused):
    """How much of a pool may be sold changed."""

    slot: Slot
    pool: str


class PoolOverbooked(OverbookingChange, Caused):
    """By how much a pool may be overbooked changed."""

    slot: Slot
    pool: str


class ClassLimited(LimitChange, Caused):
    """How much a booking class and those below it may sell changed."""

    slot: Slot
    pool: str


class SeatsSetAside(Caused):
    """Staff took seats out of sale, or gave them back to it."""

    slot: Slot
    seats: list[str]


class AlertAnnounced(Caused):
    """Everybody booked on a flight is to be told something."""

    slot: Slot
    alert: Uuid
    kind: NoticeKind


class BookingNotified(TypedDict):
    """A notice was written about a booking."""

    booking: Uuid
    notice: Uuid
    kind: NoticeKind


class Notices(TypedDict):
    """Notices of one user."""

    user: Uuid
    notices: Annotated[list[Uuid] | None, "null stands for all of them"]


class UserRegistered(TypedDict):
    """Somebody made an account."""

    user_id: Uuid


class RoleGiven(RoleChange, Caused):
    """Somebody was given another role."""

    user_id: Uuid


class SessionStarted(TypedDict):
    """Somebody signed in."""

    user_id: Uuid


class SessionEnded(TypedDict):
    """A sign-in ended."""

    session_id: Uuid
    user_id: Uuid
    reason: Reason


class Documents(TypedDict):
    """Trusted documents of a client."""

    client: str
    ids: list[str]


class Client(TypedDict):
    """An API client as it is now."""

    client: str
    documents: DocumentPolicy
    manifest: str | None
    actor: Actor


@dataclass(frozen=True)
class Kind:
    """One kind of fact: its payload, what its streams are called before the colon, and what it says.

    `passing`: only live viewers need it, so it goes a week after it was told. All others stay for good.
    """

    payload: type
    stream: str
    says: str
    passing: bool = False


def seats(says: str) -> Kind:
    """A kind of fact about seats."""
    return Kind(Seats, "slot", says, passing=True)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "seat.locked": seats("Somebody holds these seats."),
        "seat.released": seats("These seats are free again."),
        "seat.booked": seats("These seats are sold."),
        "seat.checked_in": seats("The passengers of these seats have checked in."),
        "seat.blocked": seats("Staff took these seats out of sale."),
        "places.held": Kind(Places, "slot", "A hold took places without a seat.", passing=True),
        "places.booked": Kind(Places, "slot", "Places without a seat that a hold held are sold.", passing=True),
        "places.released": Kind(Places, "slot", "A hold gave places without a seat back.", passing=True),
        "hold.extended": Kind(HoldExtended, "hold", "A hold lasts longer.", passing=True),
        "hold.released": Kind(HoldEnded, "hold", "A hold was given back.", passing=True),
        "hold.expired": Kind(HoldEnded, "hold", "The time of a hold was over.", passing=True),
        "hold.booked": Kind(HoldEnded, "hold", "A paid booking took over what a hold held.", passing=True),
        "booking.created": Kind(Booking, "booking", "A booking was begun."),
        "booking.seats_locked": Kind(Booking, "booking", "A booking has its seats, and can be paid."),
        "booking.payment_pending": Kind(Booking, "booking", "Somebody pays a booking."),
        "booking.confirmed": Kind(Booking, "booking", "A booking is paid, and has its tickets."),
        "booking.checked_in": Kind(Booking, "booking", "The passengers of a booking have checked in."),
        "booking.completed": Kind(Booking, "booking", "The journey of a booking is over."),
        "booking.expired": Kind(Booking, "booking", "A booking was not paid in time."),
        "booking.failed": Kind(Booking, "booking", "A booking could not be made good, and nothing is owed."),
        "booking.cancelled": Kind(Booking, "booking", "A booking was cancelled."),
        "booking.seats_found": Kind(SeatsFound, "booking", "The money came late, and the booking has its places."),
        "booking.partly_cancelled": Kind(PartlyCancelled, "booking", "A part of a booking was cancelled."),
        "booking.no_show": Kind(Booking, "booking", "Nobody came."),
        "booking.changed": Kind(BookingChanged, "booking", "Flights, seats or names of a booking are other ones."),
        "amendment.quoted": Kind(Amendment, "booking", "A change was quoted, or its payment was declined."),
        "amendment.payment_pending": Kind(Amendment, "booking", "Somebody pays a change."),
        "amendment.applied": Kind(Amendment, "booking", "A change was applied to its booking."),
        "amendment.expired": Kind(Amendment, "booking", "A change was not confirmed, or not paid, in time."),
        "amendment.failed": Kind(Amendment, "booking", "A change could not be made; its booking is as it was."),
        "payment.initiated": Kind(Payment, "booking", "A payment was begun."),
        "payment.requires_action": Kind(Payment, "booking", "The payer's bank asks something."),
        "payment.processing": Kind(Payment, "booking", "The gateway is at work."),
        "payment.review": Kind(Payment, "booking", "The money is promised, and staff have to look at the payment."),
        "payment.authorized": Kind(Payment, "booking", "The money is promised."),
        "payment.captured": Kind(Payment, "booking", "The money is ours: the payment is completed."),
        "payment.declined": Kind(Payment, "booking", "The money was refused."),
        "payment.voided": Kind(Payment, "booking", "The promise was given back."),
        "payment.refunded": Kind(Payment, "booking", "Money of this payment went back, all of it or some."),
        "payment.refund_returned": Kind(Payment, "booking", "A refund came back to us: nothing of it is refunded now."),
        "review.begun": Kind(ReviewBegun, "reviews", "A payment waits for staff, who may approve or reject it."),
        "review.decided": Kind(ReviewDecided, "reviews", "Staff have approved or rejected a payment."),
        "fraud.rule_set": Kind(FraudRuleSet, "fraud", "A rule that payments are held against was made or changed."),
        "refund.requested": Kind(Refund, "booking", "Money is to go back."),
        "refund.succeeded": Kind(Refund, "booking", "Money went back."),
        "refund.failed": Kind(Refund, "booking", "Money could not go back; it is owed."),
        "ticket.issued": Kind(Ticket, "booking", "A ticket was issued."),
        "ticket.used": Kind(Ticket, "booking", "A ticket was flown."),
        "ticket.voided": Kind(Ticket, "booking", "A ticket was withdrawn."),
        "ticket.refunded": Kind(Ticket, "booking", "A ticket is worth nothing any more, its price went back."),
        "ticket.exchanged": Kind(Ticket, "booking", "A ticket is worth nothing any more, another was issued for it."),
        "flight.rescheduled": Kind(Flight, "slot", "A flight is as scheduled again."),
        "flight.delayed": Kind(Flight, "slot", "A flight is late."),
        "flight.boarded": Kind(Flight, "slot", "Boarding has begun."),
        "flight.departed": Kind(Flight, "slot", "A flight left its gate."),
        "flight.took_off": Kind(Flight, "slot", "A flight is in the air."),
        "flight.landed": Kind(Flight, "slot", "A flight is on the ground."),
        "flight.cancelled": Kind(Flight, "slot", "A flight does not take place."),
        "flight.diverted": Kind(Flight, "slot", "A flight goes elsewhere."),
        "flight.updated": Kind(FlightUpdated, "slot", "Times or places of a flight changed, and not its status."),
        "board.changed": Kind(BoardChanged, "airport", "A flight on a departures board changed.", passing=True),
        "inventory.authorised": Kind(PoolAuthorised, "slot", "How much of a pool may be sold was set."),
        "inventory.overbooking_set": Kind(PoolOverbooked, "slot", "By how much a pool may be overbooked was set."),
        "inventory.class_limited": Kind(ClassLimited, "slot", "How much a booking class may sell was set."),
        "inventory.blocked": Kind(SeatsSetAside, "slot", "Staff took seats out of sale: who, and why."),
        "inventory.unblocked": Kind(SeatsSetAside, "slot", "Staff gave seats back to sale: who, and why."),
        "alert.announced": Kind(AlertAnnounced, "slot", "Everybody booked on a flight is being told something."),
        "booking.notified": Kind(BookingNotified, "booking", "There is a new notice about a booking."),
        "notice.written": Kind(Notices, "notices", "A user has new notices."),
        "notice.read": Kind(Notices, "notices", "A user has read notices."),
        "user.registered": Kind(UserRegistered, "user", "Somebody made an account."),
        "user.role_changed": Kind(RoleGiven, "user", "Somebody was given another role."),
        "session.started": Kind(SessionStarted, "session", "Somebody signed in."),
        "session.ended": Kind(SessionEnded, "sessions", "A sign-in ended; its tokens are no good any more."),
        "documents.loaded": Kind(Documents, "documents", "A client's documents are trusted now."),
        "documents.retired": Kind(Documents, "documents", "A client's documents are trusted no longer."),
        "client.registered": Kind(Client, "client", "An API client was registered."),
        "client.changed": Kind(Client, "client", "An API client has another policy."),
        "client.retired": Kind(Client, "client", "The key of an API client is no good any more."),
    }
)

PASSING = tuple(kind for kind, about in KINDS.items() if about.passing)
"""The kinds that only live viewers need."""
