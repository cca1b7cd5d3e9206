"""Words for splitting a price, and for payment links."""

from __future__ import annotations

from collections.abc import Mapping

from schema.words.members import A_BOOKING_TOKEN, A_KEY

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "ShareStatus": {
        "OPEN": "To be paid.",
        "DECLINED": "To be paid: the last try was declined.",
        "UNDER_WAY": "Somebody is paying it.",
        "PROMISED": "The money is promised; it is taken as soon as the other shares are promised too.",
        "PAID": "The money is taken.",
        "RETURNED": "The money went back.",
        "CLOSED": "It can be paid no more.",
    },
    "MoneyInput": {"amount": "In major units: 199.00.", "currency": "ISO 4217."},
    "ShareInput": {
        "amount": "How much of the price, in the booking's currency.",
        "label": "Your name for it, which its payer reads too: 1 to 60 characters.",
        "email": "Where its link is to go.",
    },
    "SplitPaymentInput": {
        "bookingId": "The booking.",
        "bookingToken": A_BOOKING_TOKEN,
        "shares": "Two to nine, which add up to the price to the unit.",
        "equally": "Among so many, from 2 to 9; instead of shares.",
        "idempotencyKey": A_KEY,
    },
    "CreatePaymentLinkInput": {
        "bookingId": "The booking.",
        "bookingToken": A_BOOKING_TOKEN,
        "shareId": "Which share; all of the price where it is not split.",
    },
    "PayByLinkInput": {
        "token": "The link's.",
        "paymentMethod": "The gateway's name for a card or account; never a card number.",
        "idempotencyKey": A_KEY,
        "returnUrl": "Where the payer comes back to after 3-D Secure.",
    },
}

ARGUMENTS: Mapping[str, Mapping[str, str]] = {"Query.paymentLink": {"token": "The link's."}}
