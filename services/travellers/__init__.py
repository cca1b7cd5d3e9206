"""Travellers: what a journey asks to know of a passenger beside name and age.

`details.py` says what can be meant and what a route needs; `documents.py` keeps travel documents sealed.
"""

from services.travellers.details import (
    Document,
    FrequentFlyer,
    Missing,
    TravelDetails,
    check_expiry,
    missing,
    tidy,
)
from services.travellers.documents import by_passenger_ids, keep, reseal, withdraw

__all__ = [
    "Document",
    "FrequentFlyer",
    "Missing",
    "TravelDetails",
    "by_passenger_ids",
    "check_expiry",
    "keep",
    "missing",
    "reseal",
    "tidy",
    "withdraw",
]
