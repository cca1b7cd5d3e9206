"""Holds: what a shopper keeps until a deadline.

`placing.py` takes; `keeping.py` extends, releases and hands over to a booking; `expiry.py` writes down what deadlines
have already decided; `moves.py` is the one place in which claims, holds and pools change together.

Locks are taken in one order everywhere: claims by (slot, unit), then holds by id, then pools by (slot, code).
"""

from services.holds.expiry import expire_due, expire_due_in, sweep_tombstones
from services.holds.keeping import (
    abandon,
    attach,
    begin_payment,
    check_on_sale,
    extend,
    give_back,
    payment_failed,
    release,
    take_over,
)
from services.holds.moves import HOLD, HoldExpired, Owner, SlotUnits, items, items_by_holds, lock, now, status_now
from services.holds.placing import MAX_SEATS_PER_SLOT, MAX_SLOTS, SalesClosed, SeatsTaken, place

__all__ = [
    "HOLD",
    "MAX_SEATS_PER_SLOT",
    "MAX_SLOTS",
    "HoldExpired",
    "Owner",
    "SalesClosed",
    "SeatsTaken",
    "SlotUnits",
    "abandon",
    "attach",
    "begin_payment",
    "check_on_sale",
    "expire_due",
    "expire_due_in",
    "extend",
    "give_back",
    "items",
    "items_by_holds",
    "lock",
    "now",
    "payment_failed",
    "place",
    "release",
    "status_now",
    "sweep_tombstones",
    "take_over",
]
