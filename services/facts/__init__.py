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

from services.facts.payloads import (
    AlertAnnounced,
    Amendment,
    BoardChanged,
    Booking,
    BookingChanged,
    BookingNotified,
    BookingSplit,
    Catalogued,
    ClassLimited,
    Client,
    Documents,
    Extra,
    ExtraDefined,
    ExtraPriced,
    Flight,
    FlightUpdated,
    FraudRuleSet,
    HoldEnded,
    HoldExtended,
    Notices,
    PartlyCancelled,
    PassengerUpdated,
    Payment,
    Places,
    PoolAuthorised,
    PoolOverbooked,
    Refund,
    ReviewBegun,
    ReviewDecided,
    RoleGiven,
    Seats,
    SeatsFound,
    SeatsSetAside,
    SessionEnded,
    SessionStarted,
    StockSet,
    Ticket,
    UserRegistered,
)


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
        "booking.split": Kind(BookingSplit, "booking", "Its price was split among several payers."),
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
        "extra.ordered": Kind(Extra, "booking", "A passenger is to have an extra, once it is paid for."),
        "extra.issued": Kind(Extra, "booking", "A passenger has an extra."),
        "extra.voided": Kind(Extra, "booking", "An extra was withdrawn."),
        "extra.refunded": Kind(Extra, "booking", "An extra was withdrawn, its price went back."),
        "passenger.updated": Kind(PassengerUpdated, "booking", "Details of a passenger were told or taken back."),
        "catalogue.defined": Kind(ExtraDefined, "airline", "An airline sells an extra, or sells it otherwise."),
        "catalogue.priced": Kind(ExtraPriced, "airline", "An extra has another price."),
        "catalogue.retired": Kind(Catalogued, "airline", "An extra is sold no more."),
        "inventory.stocked": Kind(StockSet, "slot", "How many of an extra a flight has was set."),
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
