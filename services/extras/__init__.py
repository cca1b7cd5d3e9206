"""Extras: bags, meals, insurance and priority, sold beside the seat.

`catalogue.py` is how staff look after what an airline sells and how many of it there are; `offered.py` reads what may
be had on flights; `choosing.py` holds what somebody chose against that, and prices it; `orders.py` has what the
passengers of a booking own. Stock is counted by pools of the flight's slot and moves with holds (`services/holds`).
"""

from services.extras.catalogue import DefineExtra, Entry, catalogue_of, define, price, retire, set_stock, stock_of
from services.extras.choosing import Chosen, ExtraChoice, ExtraClosed, ExtraSoldOut, Wish, choose, lines, stock
from services.extras.offered import OfferedExtra, on_flights
from services.extras.orders import (
    EXTRA,
    Owned,
    close,
    had_by,
    issue,
    of_passengers,
    order,
    owned_by,
    quantities,
    write,
)

__all__ = [
    "EXTRA",
    "Chosen",
    "DefineExtra",
    "Entry",
    "ExtraChoice",
    "ExtraClosed",
    "ExtraSoldOut",
    "OfferedExtra",
    "Owned",
    "Wish",
    "catalogue_of",
    "choose",
    "close",
    "define",
    "had_by",
    "issue",
    "lines",
    "of_passengers",
    "on_flights",
    "order",
    "owned_by",
    "price",
    "quantities",
    "retire",
    "set_stock",
    "stock",
    "stock_of",
    "write",
]
