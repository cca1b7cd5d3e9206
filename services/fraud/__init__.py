"""Fraud: payments are counted by what payers are known by, held against rules, and shown to staff where in doubt.

`payers.py` hashes what payers are known by; `signals.py` counts payments by that; `rules.py` are the limits, which
staff set; `measuring.py` holds a payment against them, and `assessing.py` gives the verdict; `reviews.py` is what waits
for staff. What a verdict means for a booking is the saga's affair (`services/bookings`).
"""

from services.fraud.assessing import BLOCKED, assess, note_decline, screen
from services.fraud.payers import NOBODY, Payer, payer
from services.fraud.reviews import Review, ReviewOver
from services.fraud.rules import SetFraudRule, rules, set_rule

__all__ = [
    "BLOCKED",
    "NOBODY",
    "Payer",
    "Review",
    "ReviewOver",
    "SetFraudRule",
    "assess",
    "note_decline",
    "payer",
    "rules",
    "screen",
    "set_rule",
]
