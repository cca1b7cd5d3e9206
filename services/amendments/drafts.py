"""What every kind of change is to the rest: it prices a wish, checks nothing twice, and writes what was agreed on.

A kind is one file with one `Kind`, named in `kinds.py`. Holds, money, deadlines and tickets are the same for all of
them: `quoting.py`, `confirming.py` and `applying.py` see to these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from core.db import ReadSession, Session
from core.errors import Invalid
from core.keys import Keyring
from core.money import Money
from models import AmendmentKind, BookingLine, Hold, HoldItem, HoldStatus, SeatAssignment
from services import holds
from services.amendments.picture import Picture
from services.extras import Owned
from services.holds import HoldExpired, PoolKey, SlotUnits
from services.holds.keeping import HoldBooked
from services.offers import Charged

Wish = TypeVar("Wish", contravariant=True)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a kind makes of a wish.

    `change` is JSON that the same kind's `apply` understands. In it `slots` are the flights of the booking that it
    changes, and `told` what it changes, in words, each before and after. `removed` lines leave the price and `added`
    ones join it. `fee` is what the fare's rules ask for such a change, and `reason` says so. `forfeit` is what of the
    removed lines never comes back, whatever the fare allows. `in_full` tells that a lower price comes back whole: what
    the kind gives back has rules of its own, and it has asked them. `hold` keeps the new places, where it takes any;
    `stock` in `change` is what is to be held of pools that count extras, once it is confirmed: slot, pool, how many.
    """

    change: dict[str, Any]
    removed: Sequence[BookingLine]
    added: Sequence[Charged]
    fee: Money
    reason: str
    forfeit: Money | None = None
    in_full: bool = False
    hold: Hold | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a change leaves behind once it is written: the places that go back to everybody, and whose tickets are to be
    exchanged: those of some passengers, and those for some flights.

    `extras` lapse with it; those of `back` are given back, and the price of all others is not.
    """

    places: Sequence[SeatAssignment] = ()
    extras: Sequence[Owned] = ()
    back: Collection[UUID] = ()
    passengers: Sequence[UUID] = ()
    slots: Sequence[int] = ()

    @property
    def seats(self) -> list[SlotUnits]:
        """The places that are seats, by flight."""
        units: dict[int, list[str]] = defaultdict(list)
        for place in self.places:
            if place.unit is not None:
                units[place.slot_id].append(place.unit)
        return [SlotUnits(slot_id=slot_id, units=tuple(some)) for slot_id, some in sorted(units.items())]

    @property
    def unseated(self) -> Counter[PoolKey]:
        """How many of them are without a seat, and how many of its extras are counted, by pool."""
        found = Counter((place.slot_id, place.pool) for place in self.places if place.unit is None)
        for one in self.extras:
            if one.slot_id is not None and one.pool is not None:
                found[one.slot_id, one.pool] += one.quantity
        return found


class Kind(Protocol[Wish]):
    """One kind of change."""

    @property
    def kind(self) -> AmendmentKind:
        """Its name."""

    async def draft(self, session: Session, keyring: Keyring, picture: Picture, wish: Wish) -> Draft:
        """Price a wish; changes nothing. Raises Invalid and Conflict for what cannot be had."""

    def classes(self, change: Mapping[str, Any]) -> Mapping[int, str]:
        """By slot the booking classes that must be open for what its hold keeps, and count it; none where it takes the
        place of something that is counted already."""

    async def apply(self, session: Session, picture: Picture, change: Mapping[str, Any]) -> Given:
        """Write the change to a locked booking that is as it was when the draft was made."""


@dataclass(frozen=True, kw_only=True)
class SeatWish:
    """The seat that a passenger is to have on a flight; `unit` None: any, to be chosen later."""

    passenger_id: UUID
    slot_id: int
    unit: str | None


async def held(session: ReadSession, hold_id: UUID) -> tuple[Hold, list[HoldItem]]:
    """A living hold that no booking has, and what it keeps. Raises HoldExpired, and HOLD_BOOKED."""
    hold = await session.get(Hold, hold_id, populate_existing=True)
    if hold is None:
        raise Invalid("There is no such hold.", field="holdId")
    if hold.booking_id is not None:
        raise HoldBooked
    if await holds.status_now(session, hold) is not HoldStatus.ACTIVE:
        raise HoldExpired(hold.expires_at)
    return hold, await holds.items(session, hold_id)
