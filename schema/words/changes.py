"""The words about changes of bookings."""

from __future__ import annotations

from schema.words.members import A_BOOKING_TOKEN, A_HOLD_TOKEN, A_KEY

MEMBERS = {
    "AmendmentKind": {
        "FLIGHT": "Other flights.",
        "SEAT": "Other seats on the same flights.",
        "NAME": "A name, corrected.",
        "EXTRAS": "Extras that are added.",
        "EXTRAS_GIVEN_UP": "Extras that are given up.",
    },
    "AmendmentStatus": {
        "QUOTED": "Its price is kept until it expires.",
        "PAYMENT_PENDING": "What is due is being paid.",
        "APPLIED": "The booking was changed.",
        "EXPIRED": "It was not confirmed, or not paid, in time.",
        "FAILED": "It could not be made; the booking is as it was.",
    },
    "SeatOfPassengerInput": {
        "passengerId": "Who is to have it.",
        "flightId": "On which flight.",
        "number": "The seat: 12A.",
    },
    "ChangeFlightsInput": {
        "offerId": "From flightSearch, for the booking's passengers, from where it begins to where it ends.",
        "holdId": "From holdSeats: a place for everybody who takes a seat, on each flight of the offer.",
        "holdToken": A_HOLD_TOKEN,
        "replaces": "The flights that it takes the place of, one after the other; all of the booking's by default.",
        "seats": "Who sits where; whoever is left out gets a place that the hold keeps without a seat.",
    },
    "ChangeSeatsInput": {
        "holdId": "From holdSeats: the new seats, and nothing else.",
        "holdToken": A_HOLD_TOKEN,
        "seats": "Who is to sit where.",
    },
    "CorrectNameInput": {
        "passengerId": "Whose name.",
        "title": "How they are addressed.",
        "firstName": "Given names.",
        "lastName": "Surname.",
        "dateOfBirth": "As in their passport.",
    },
    "QuoteChangeInput": {
        "bookingId": "Which booking.",
        "bookingToken": A_BOOKING_TOKEN,
        "flights": "Other flights.",
        "seats": "Other seats.",
        "name": "A name, corrected.",
        "extras": "Extras to be added, for some of the passengers.",
        "giveUpExtras": "Extras that passengers have and are not to have any more, by their ids: all of each.",
    },
    "ConfirmChangeInput": {
        "quoteId": "From quoteChange.",
        "bookingToken": A_BOOKING_TOKEN,
        "paymentMethod": "A method of the gateway's, for what is due; needed only where something is.",
        "returnUrl": "Where the payer comes back to from their bank, after 3-D Secure.",
        "idempotencyKey": A_KEY,
    },
}
"""Of enums and inputs, by name: what each member or field means."""
