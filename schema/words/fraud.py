"""Words for fraud: rules, verdicts, and payments that wait for staff."""

from __future__ import annotations

from collections.abc import Mapping

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "FraudMeasure": {
        "PAYMENTS": "How many payments were begun, this one with them.",
        "DECLINES": "How many payments banks and gateways refused.",
        "CARDS": "How many different cards paid, or were to pay.",
        "AMOUNT": "How much was promised, this payment with it, in one currency.",
        "SCORE": "The gateway's score of the payment, from 0 to 100.",
        "FOREIGN_CARD": "1 where the card comes from a country that is not on the way, otherwise 0.",
    },
    "FraudSubject": {
        "PAYMENT": "The payment alone.",
        "CARD": "All payments with one card or account. Known once the gateway has answered.",
        "USER": "All payments of one account.",
        "DEVICE": "All payments from one device, where clients say so (X-Jetway-Device).",
        "ADDRESS": "All payments from one network address; an IPv6 address stands for its /64.",
        "EMAIL": "All payments for bookings whose confirmation goes to one mailbox.",
    },
    "FraudVerdict": {
        "ALLOW": "It goes on; that it went beyond the rule is noted.",
        "REVIEW": "Once its money is promised, it waits for staff.",
        "BLOCK": "It is refused, in the words of an ordinary decline.",
    },
    "AssessedAt": {
        "INTENT": "Before its gateway was asked.",
        "ANSWER": "Once its gateway had promised the money.",
    },
    "ReviewDecision": {
        "APPROVED": "The payment goes on.",
        "REJECTED": "The payment was called off, and what it was for has failed.",
    },
    "SetFraudRuleInput": {
        "name": "Small letters, digits and underscores: device_declines. The rule of that name is replaced.",
        "measure": "What it measures.",
        "subject": "By what it counts.",
        "windowSeconds": "Its window, from a minute to 30 days; none where the subject is PAYMENT.",
        "currency": "Of an AMOUNT, and of nothing else.",
        "most": "The rule is for what is more than that. Amounts are in minor units.",
        "verdict": "What a payment beyond it gets, at least; not BLOCK for DEVICE and EMAIL, which anybody can claim.",
        "reason": "For the record.",
    },
    "ApprovePaymentInput": {"paymentId": "Which.", "reason": "For the record."},
    "RejectPaymentInput": {"paymentId": "Which.", "reason": "For the record; whoever pays is not told."},
}

ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "Query.reviewQueue": {"first": "How many, from 1 to 100.", "after": "The cursor behind which to go on."},
    "Query.fraudAssessments": {"bookingId": "The booking's."},
    "Subscription.reviewEvents": {"after": "The cursor of the last event that you have seen."},
}
