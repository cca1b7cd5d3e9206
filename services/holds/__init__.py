"""Holds: what a shopper keeps until a deadline.

`placing.py` takes; `keeping.py` extends, releases and hands over to a booking; `exchanging.py` has one sold hold take
over what another keeps; `expiry.py` writes down what deadlines have already decided; `finding.py` finds again what a
dead hold kept; `blocking.py` and `checkins.py` are what staff and passengers do with seats; `classes.py` has booking
classes count what is held; `kept.py` is for whoever only looks. `moves.py` is the one place in which claims, holds and
pools change together, and tells in which order they are locked; `locks.py` locks them.
"""

from services.holds.blocking import block, unblock
from services.holds.checkins import check_in, undo_check_in
from services.holds.classes import Kept, assign_classes, book, hold_stock, kept_in
from services.holds.exchanging import exchange
from services.holds.expiry import Broken, any_due, expire_due, expire_due_in, sweep_tombstones
from services.holds.finding import Found, PlacesGone, find_again, sell_found
from services.holds.keeping import (
    abandon,
    attach,
    begin_payment,
    check_alive,
    check_free,
    check_on_sale,
    detach,
    extend,
    give_back,
    keep_for_payment,
    linger,
    payment_failed,
    release,
    sell,
    take_over,
)
from services.holds.kept import by_id, kept_by
from services.holds.locks import Locked, PoolKey, items, lock, lock_many, lock_now, lock_pools, now, status_now
from services.holds.moves import (
    HOLD,
    ClassClosed,
    HoldExpired,
    Owner,
    SlotUnits,
    StockGone,
)
from services.holds.placing import Placed, Placer, SalesClosed, SeatsTaken, SoldOut, UnknownPool
from services.holds.requests import MAX_SEATS_PER_SLOT, MAX_SLOTS, Want

__all__ = [
    "HOLD",
    "MAX_SEATS_PER_SLOT",
    "MAX_SLOTS",
    "Broken",
    "ClassClosed",
    "Found",
    "HoldExpired",
    "Kept",
    "Locked",
    "Owner",
    "Placed",
    "Placer",
    "PlacesGone",
    "PoolKey",
    "SalesClosed",
    "SeatsTaken",
    "SlotUnits",
    "SoldOut",
    "StockGone",
    "UnknownPool",
    "Want",
    "abandon",
    "any_due",
    "assign_classes",
    "attach",
    "begin_payment",
    "block",
    "book",
    "by_id",
    "check_alive",
    "check_free",
    "check_in",
    "check_on_sale",
    "detach",
    "exchange",
    "expire_due",
    "expire_due_in",
    "extend",
    "find_again",
    "give_back",
    "hold_stock",
    "items",
    "keep_for_payment",
    "kept_by",
    "kept_in",
    "linger",
    "lock",
    "lock_many",
    "lock_now",
    "lock_pools",
    "now",
    "payment_failed",
    "release",
    "sell",
    "sell_found",
    "status_now",
    "sweep_tombstones",
    "take_over",
    "unblock",
    "undo_check_in",
]
