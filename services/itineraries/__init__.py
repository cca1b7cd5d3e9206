"""Flight search: who can fly where, when, for how much.

`requests.py` has what is asked and what of it cannot be meant; `searching.py` finds one slice, direct; `combining.py`
puts several slices together; `rows.py` is what is shown. The order of what is found is total, so that pages never
overlap, and nothing is stored: an offer is signed once somebody is shown it.
"""

from services.itineraries.combining import Combination, Found, search
from services.itineraries.requests import (
    FlightFiltersInput,
    FlightSearchInput,
    OfferSort,
    PassengersInput,
    SliceInput,
    check_party,
    find_airport,
    found_place,
    known,
    local_today,
)
from services.itineraries.rows import Priced, Segment, Slice, direct, present
from services.itineraries.searching import Candidate, one_way, slots_of

__all__ = [
    "Candidate",
    "Combination",
    "FlightFiltersInput",
    "FlightSearchInput",
    "Found",
    "OfferSort",
    "PassengersInput",
    "Priced",
    "Segment",
    "Slice",
    "SliceInput",
    "check_party",
    "direct",
    "find_airport",
    "found_place",
    "known",
    "local_today",
    "one_way",
    "present",
    "search",
    "slots_of",
]
