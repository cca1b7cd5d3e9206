"""Words for paying: when money is taken, and what a booking can be paid with."""

from __future__ import annotations

from collections.abc import Mapping

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "Capture": {
        "SEPARATE": "It is promised first, and taken when the seats are sold.",
        "IMMEDIATE": "It is taken when the payer agrees, and goes back whole where the seats are lost.",
        "DELAYED": "The payer agrees, and their bank says days later whether it comes.",
    },
}

ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Query.paymentMethods": {
        "bookingId": "The booking.",
        "bookingToken": "The booking's accessToken, for whoever is not signed in.",
    },
}
