"""Amendments: changes of a confirmed booking, by quote and confirmation.

`quoting.py` prices a wish by the kind of change it is (`kinds.py`; a file for each, by the protocol of `drafts.py`) and
by the rules of `pricing.py`, upon a `picture.py` of the booking; `confirming.py` takes a quote up; `applying.py` makes
it true. What is due is paid by the bookings' saga, to which an amendment is a `purpose.py`; `ending.py` is for those
that come to nothing. `rows.py` has their states; `reading.py` finds them.
"""

from services.amendments.confirming import confirm
from services.amendments.drafts import SeatWish
from services.amendments.ending import any_due, expire_due
from services.amendments.extras import AddExtras
from services.amendments.flights import ChangeFlights
from services.amendments.giving_up import GiveUpExtras
from services.amendments.kinds import Wish
from services.amendments.names import CorrectName
from services.amendments.purpose import Change
from services.amendments.quoting import quote
from services.amendments.reading import by_booking_ids, payments_by_ids
from services.amendments.rows import AMENDMENT
from services.amendments.seats import ChangeSeats

__all__ = [
    "AMENDMENT",
    "AddExtras",
    "Change",
    "ChangeFlights",
    "ChangeSeats",
    "CorrectName",
    "GiveUpExtras",
    "SeatWish",
    "Wish",
    "any_due",
    "by_booking_ids",
    "confirm",
    "expire_due",
    "payments_by_ids",
    "quote",
]
