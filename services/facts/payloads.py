"""What facts say, by kind of thing: `services/facts` names the kinds, and what holds for all of them."""

from __future__ import annotations

from typing import Annotated, NewType, TypedDict

from models import (
    AmendmentKind,
    AmendmentStatus,
    BookingStatus,
    DocumentPolicy,
    ExtraKind,
    ExtraScope,
    ExtraStatus,
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
ExtraChange = TypedDict("ExtraChange", {"status": ExtraStatus, "from": ExtraStatus | None})
StockChange = TypedDict("StockChange", {"stock": int, "from": int | None})
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


class SplitShare(TypedDict):
    """One payer's part of a price."""

    share: Uuid
    amount: Minor


class BookingSplit(TypedDict):
    """A booking whose price several payers pay. Shares that it had before are withdrawn."""

    booking: Uuid
    shares: list[SplitShare]
    currency: str
    actor: Actor


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


class Extra(ExtraChange, Caused):
    """A passenger's extra after a change of its status."""

    extra: Uuid
    booking: Uuid
    passenger: Uuid
    slot: Annotated[int | None, "the flight that it is for; null: the whole journey"]
    pool: Annotated[str | None, "the pool that counts it; null where nothing does"]
    quantity: int
    amount: Annotated[int, "what all of it costs, in minor units of the booking's currency"]
    number: Annotated[str | None, "its document's, once it is issued"]


class Catalogued(Caused):
    """An airline's catalogue of extras changed."""

    airline: str
    code: Annotated[str, "the extra"]


class ExtraDefined(Catalogued):
    """An extra is sold as it says from now on."""

    kind: ExtraKind
    scope: ExtraScope


class ExtraPriced(Catalogued):
    """An extra has another price."""

    currency: str
    amount: Annotated[int | None, "for one, in minor units; null: it is not sold in that currency any more"]


class StockSet(StockChange, Caused):
    """How many of an extra a flight has."""

    slot: Slot
    pool: str


class PassengerUpdated(Caused):
    """Something is known of a passenger that was not, or is no more; what it is is told to nobody here."""

    booking: Uuid
    passenger: Uuid
    changed: Annotated[list[str], "which details: their names alone"]


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
