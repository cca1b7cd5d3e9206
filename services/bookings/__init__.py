"""Bookings: from an offer and a hold to tickets, and back.

`creation.py` books by the rules of `rules.py`; `paying.py` writes the intent to pay, and `saga.py` takes the `steps.py`
from there, each upon the `situation.py` it finds, or back by `calling_off.py`; `purposes.py` says what payments are
for, and `sale.py` is the first of that; `splitting.py` has several pay, `shares.py` shows how far they are, `links.py`
lets others pay; `returning.py` takes payers back from their gateway's page; `reviewing.py` has payments refused, or
looked at by staff; `late.py` is about money that comes late. `cancellation.py` quotes by `terms.py` and cancels a
`journey.py`, whole or the part that `parting.py` reckons; `expiry.py` writes down what deadlines decided, `flown.py`
what flights have ended; `revival.py` finds what was left alone; `listing.py` has a person's bookings and what happened
to each, `reading.py` the rest. `rows.py` has the states of a booking and the order of locks.
"""

from services.bookings.calling_off import drop
from services.bookings.cancellation import QuoteExpired, cancel, quote_cancellation
from services.bookings.creation import book, create
from services.bookings.details import DetailChanges, details_of, update_passenger
from services.bookings.expiry import Broken, any_abandoned, expire_abandoned
from services.bookings.flown import finish
from services.bookings.links import Link, Linked, linked
from services.bookings.links import create as create_link
from services.bookings.links import read as read_link
from services.bookings.links import sign as sign_link
from services.bookings.listing import BookingFilter, TimelineActor, TimelineEntry, TimelineSubject, of_owner, timeline
from services.bookings.parting import MinorsAlone
from services.bookings.paying import Paying, pay, pay_as
from services.bookings.reading import (
    by_id,
    by_ids,
    by_pnr,
    lines_by_booking_ids,
    passengers_by_booking_ids,
    payments_by_booking_ids,
    refunds_by_payment_ids,
    seats_by_passenger_ids,
    segments_by_booking_ids,
    tickets_by_passenger_ids,
)
from services.bookings.returning import payer_returned
from services.bookings.reviewing import approve, reject
from services.bookings.revival import revive
from services.bookings.rows import BOOKING
from services.bookings.rules import Contact, CreateBooking, PassengerDetails, SeatChoice
from services.bookings.saga import advance
from services.bookings.shares import UNPAID, ShareStatus, shares_by_booking_ids, status_of
from services.bookings.splitting import Part, shares_of, split, withdraw

__all__ = [
    "BOOKING",
    "UNPAID",
    "BookingFilter",
    "Broken",
    "Contact",
    "CreateBooking",
    "DetailChanges",
    "Link",
    "Linked",
    "MinorsAlone",
    "Part",
    "PassengerDetails",
    "Paying",
    "QuoteExpired",
    "SeatChoice",
    "ShareStatus",
    "TimelineActor",
    "TimelineEntry",
    "TimelineSubject",
    "advance",
    "any_abandoned",
    "approve",
    "book",
    "by_id",
    "by_ids",
    "by_pnr",
    "cancel",
    "create",
    "create_link",
    "details_of",
    "drop",
    "expire_abandoned",
    "finish",
    "lines_by_booking_ids",
    "linked",
    "of_owner",
    "passengers_by_booking_ids",
    "pay",
    "pay_as",
    "payer_returned",
    "payments_by_booking_ids",
    "quote_cancellation",
    "read_link",
    "refunds_by_payment_ids",
    "reject",
    "revive",
    "seats_by_passenger_ids",
    "segments_by_booking_ids",
    "shares_by_booking_ids",
    "shares_of",
    "sign_link",
    "split",
    "status_of",
    "tickets_by_passenger_ids",
    "timeline",
    "update_passenger",
    "withdraw",
]
