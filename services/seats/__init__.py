"""Seats: the layouts they stand in, and the state of each on one slot.

`plans.py` knows layouts; `states.py` what a seat is at this moment; `maps.py` shows both to a shopper.
Best seats: `suggestions.py` answers for a flight, `arrangements.py` for a cabin; `search.py` finds what `groups.py` and
`cabins.py` describe, by `wishes.py`, and `reasons.py` says why. They are imported by their own names.
"""

from services.seats.maps import CabinMap, SeatMap, SeatRow, ShownSeat, cabin_map, seat_map, seat_maps, show
from services.seats.plans import Plan, Plans, Seat, Section, UnknownSeat, read_plan
from services.seats.states import SEAT, SeatState, claimed, states

__all__ = [
    "SEAT",
    "CabinMap",
    "Plan",
    "Plans",
    "Seat",
    "SeatMap",
    "SeatRow",
    "SeatState",
    "Section",
    "ShownSeat",
    "UnknownSeat",
    "cabin_map",
    "claimed",
    "read_plan",
    "seat_map",
    "seat_maps",
    "show",
    "states",
]
