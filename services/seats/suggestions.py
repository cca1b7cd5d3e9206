"""The best seats of a flight for a party, as things are at this moment. Nothing is held."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from sqlalchemy import select, text

from core import money
from core.db import ReadSession
from core.money import Money
from models import Cabin, PassengerType, SeatStatus, Slot
from services import fares
from services.fares import Party
from services.seats.arrangements import Arrangement, SeatedTraveller, Shortage, best
from services.seats.maps import ShownSeat, show
from services.seats.plans import Plan, Plans
from services.seats.reasons import reason
from services.seats.states import SeatState, claimed
from services.seats.wishes import SeatWish, Wishes, wishes_of

NO_SEATS = Shortage(0, 0)


@dataclass(frozen=True, kw_only=True)
class BestSeats:
    """What a party asks for on one flight. `near` is a seat (`12A`) or a row (`12`)."""

    slot_id: int
    cabin: Cabin
    wishes: tuple[SeatWish, ...] = ()
    near: str | None = None


@dataclass(frozen=True, kw_only=True)
class SuggestedSeat:
    """A seat of a suggestion, with its charge, and who it is for."""

    seat: ShownSeat
    passenger_type: PassengerType
    with_infant: bool


@dataclass(frozen=True)
class SeatGroup:
    """Neighbours: seats of one row with no aisle between, from left to right."""

    seats: tuple[SuggestedSeat, ...]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """The best seats of a flight, by group, what they cost on top of the fare, and why these.

    `price` is None where the cabin has no charges, as it is for each of its seats.
    """

    slot_id: int
    cabin: Cabin
    groups: tuple[SeatGroup, ...]
    price: Money | None
    reason: str
    arrangement: Arrangement

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows in which the party sits, from front to back."""
        return self.arrangement.rows

    @property
    def met(self) -> tuple[SeatWish, ...]:
        """The wishes that are met."""
        return self.arrangement.met

    @property
    def unmet(self) -> tuple[SeatWish, ...]:
        """The wishes that are not."""
        return self.arrangement.unmet

    @property
    def lonely_seats(self) -> tuple[str, ...]:
        """The free seats that would be left alone, by number."""
        return self.arrangement.lonely

    @property
    def children_alone(self) -> int:
        """How many children have no adult beside them."""
        return self.arrangement.care.alone

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the seats, in the order of reading."""
        return self.arrangement.numbers


@dataclass(frozen=True, kw_only=True)
class CabinNow:
    """A cabin of a flight at one moment. `left` is how many its pool may still sell, `closed` that the flight is not
    sold any more; `charge` is what extra legroom costs there."""

    plan: Plan
    cabin: Cabin
    taken: Mapping[str, SeatState]
    left: int
    closed: bool
    charge: Money | None


LEFT = text(
    """
    SELECT CASE WHEN free >= :seats THEN free ELSE free + (
        SELECT coalesce(sum(item.quantity), 0)
        FROM hold_items AS item JOIN holds AS hold ON hold.id = item.hold_id
        WHERE item.slot_id = :slot AND item.pool = :pool
          AND hold.status = 'ACTIVE' AND hold.expires_at <= (SELECT jetway_now())
    ) END
    FROM (SELECT authorised - blocked - held - sold AS free FROM pools WHERE slot_id = :slot AND code = :pool) AS pool
    """
)
"""What a pool may still sell. Holds whose deadline has passed count as given back, where that decides something."""


async def look(session: ReadSession, plans: Plans, slot_id: int, cabin: Cabin, seats: int) -> CabinNow | None:
    """A cabin of a flight for somebody who needs so many seats; None where seats are not chosen on it."""
    over = (Slot.status != "OPEN") | (Slot.starts_at <= text("jetway_now()"))
    row = (await session.execute(select(Slot.layout_id, over.label("closed")).where(Slot.id == slot_id))).one_or_none()
    if row is None or row.layout_id is None:
        return None
    plan = await plans.get(session, row.layout_id)
    left = (await session.execute(LEFT, {"slot": slot_id, "pool": cabin, "seats": seats})).scalar_one_or_none()
    charges = await fares.seat_charges(session)
    return CabinNow(
        plan=plan,
        cabin=cabin,
        taken=await claimed(session, slot_id),
        left=max(0, left or 0),
        closed=bool(row.closed),
        charge=charges.get(cabin),
    )


def suggest(
    now: CabinNow, asked: BestSeats, party: Party, field: str, *, elsewhere: Set[str] = frozenset()
) -> Suggestion | Shortage:
    """The best free seats for the party, leaving out those `elsewhere`.

    Raises Invalid and UnknownSeat (with `field`) for a place to be near that the flight has not.
    """
    wishes = wishes_of(now.plan, asked.wishes, asked.near, field)
    free = frozenset(
        number
        for number in now.plan.seats
        if number not in elsewhere and (number not in now.taken or now.taken[number].status is SeatStatus.AVAILABLE)
    )
    return suggest_among(now, asked, party, wishes, free)


def suggest_among(
    now: CabinNow, asked: BestSeats, party: Party, wishes: Wishes, free: Set[str]
) -> Suggestion | Shortage:
    """The best of these seats, which are free."""
    section = next((one for one in now.plan.sections if one.section == asked.cabin), None)
    if section is None:
        return NO_SEATS
    found = best(now.plan, section, free, party, wishes)
    if isinstance(found, Shortage):
        return Shortage(min(found.left, now.left), min(found.safe, now.left))
    if now.left < party.seated:
        return Shortage(now.left, now.left)
    return told(now, asked, found)


def told(now: CabinNow, asked: BestSeats, found: Arrangement) -> Suggestion:
    """An arrangement with its charges and its reason."""
    groups = tuple(SeatGroup(tuple(shown(now, one) for one in group)) for group in found.groups)
    charges = [one.seat.price for group in groups for one in group.seats if one.seat.price is not None]
    return Suggestion(
        slot_id=asked.slot_id,
        cabin=asked.cabin,
        groups=groups,
        price=money.add(charges, charges[0].currency) if charges else None,
        reason=reason(found),
        arrangement=found,
    )


def shown(now: CabinNow, one: SeatedTraveller) -> SuggestedSeat:
    """A seat as the seat map shows it, and who it is for."""
    return SuggestedSeat(
        seat=show(one.seat, now.taken, now.charge),
        passenger_type=PassengerType.CHILD if one.child else PassengerType.ADULT,
        with_infant=one.with_infant,
    )
