"""What is asked for when a hold is placed: checked at once, completed where it is written.

Of a crowd that wants the same seats most are refused by one look at these seats. So what only the writing needs (the
hold's id, its items, what its idempotency key stands for) is worked out when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from core.errors import Invalid, NotFound
from services import idempotency
from services.holds.gates import Entry, Unit
from services.holds.locks import PoolKey
from services.holds.moves import SlotUnits
from services.holds.slots import Seating
from services.seats import UnknownSeat

MIN_MINUTES, MAX_MINUTES = 5, 15
MAX_SEATS_PER_SLOT = 9
MAX_SLOTS = 6
"""An itinerary has at most six slices."""

BY_SLOT = itemgetter(0)


@dataclass(frozen=True, kw_only=True)
class Want(SlotUnits):
    """What is wanted of one slot: units, and quantities by pool of units that are chosen later.

    `classes` tells by pool which booking class counts all that is wanted of it, where that is known already.
    """

    units: tuple[str, ...] = ()
    quantities: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


class Item(NamedTuple):
    """What is kept of one pool of one slot: how many, and which units where they were chosen, as a hold shows them."""

    slot_id: int
    pool: str
    quantity: int
    units: tuple[str, ...]
    booking_class: str | None


class Asking(NamedTuple):
    """Who asks for a hold, for how long, and under which idempotency key.

    `asked` is what the client asked for where that is not the wants themselves: the key stands for that.
    """

    owner_id: UUID | None
    key_owner: str
    operation: str
    key: str
    minutes: int
    asked: object | None = None


class Request(Entry):
    """A hold that somebody asks for, of slots whose seats are known. Never changed once it was made.

    To gates it is one attempt; its `units` are in the order of the items. Raises NotFound (the slot) and UnknownSeat.
    """

    __slots__ = ("_fingerprint", "_items", "_seatings", "asking", "wants")

    def __init__(self, asking: Asking, wants: Sequence[Want], seatings: Mapping[int, Seating]) -> None:
        super().__init__(in_order(wants, seatings))
        self.asking = asking
        self.wants = wants
        self._seatings = seatings
        self._items: tuple[Item, ...] | None = None
        self._fingerprint: bytes | None = None

    @property
    def slots(self) -> list[tuple[int, int | None]]:
        """The slots, each with the layout that its units were looked up in; None where no unit of it is wanted."""
        return [(want.slot_id, self._seatings[want.slot_id].layout_id if want.units else None) for want in self.wants]

    @property
    def items(self) -> tuple[Item, ...]:
        """What the hold keeps, by (slot, pool)."""
        if self._items is None:
            self._items = items_of(self.wants, self.units, self._seatings)
        return self._items

    @property
    def fingerprint(self) -> bytes:
        """What the idempotency key stands for."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.wants, self.asking.minutes, self.asking.asked)
        return self._fingerprint


def check_shape(wants: Sequence[Want], minutes: int) -> None:
    """What can be refused without asking the database."""
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        raise Invalid(f"A hold lasts {MIN_MINUTES} to {MAX_MINUTES} minutes.", field="minutes")
    if not 1 <= len(wants) <= MAX_SLOTS:
        raise Invalid(f"A hold covers 1 to {MAX_SLOTS} flights.", field="flights")
    if len(wants) > 1 and len({want.slot_id for want in wants}) != len(wants):
        raise Invalid("Name each flight once.", field="flights")
    for index, want in enumerate(wants):
        count = len(want.units)
        if want.quantities:
            if min(want.quantities.values()) < 1:
                raise Invalid("Ask for at least one.", field=f"flights.{index}.unassigned")
            count += sum(want.quantities.values())
        if not 1 <= count <= MAX_SEATS_PER_SLOT:
            raise Invalid(f"Choose 1 to {MAX_SEATS_PER_SLOT} seats of a flight.", field=f"flights.{index}.seats")
        if len(set(want.units)) != len(want.units):
            raise Invalid("Name each seat once.", field=f"flights.{index}.seats")


def fingerprint(wants: Sequence[Want], minutes: int, asked: object | None) -> bytes:
    """What an idempotency key stands for: the same seats in another order are the same request."""
    if asked is not None:
        return idempotency.fingerprint([minutes, asked])
    pairs = sorted([(want.slot_id, unit) for want in wants for unit in want.units])
    if not any(want.quantities or want.classes for want in wants):
        return idempotency.fingerprint([minutes, pairs])
    counted = sorted((want.slot_id, pool, count) for want in wants for pool, count in want.quantities.items())
    classed = sorted((want.slot_id, pool, name) for want in wants for pool, name in want.classes.items())
    return idempotency.fingerprint([minutes, pairs, counted, classed])


def in_order(wants: Sequence[Want], seatings: Mapping[int, Seating]) -> tuple[Unit, ...]:
    """The units that are wanted, by slot, pool, and as they are read; raises NotFound (the slot) and UnknownSeat."""
    units: list[Unit] = []
    for index, want in enumerate(wants):
        slot_id = want.slot_id
        if slot_id not in seatings:
            raise NotFound("There is no such flight.")
        try:
            numbers = sorted(want.units, key=seatings[slot_id].places.__getitem__)
        except KeyError as unknown:
            number = unknown.args[0]
            raise UnknownSeat(f"There is no seat {number} on this flight.", field=f"flights.{index}.seats") from None
        units += [(slot_id, number) for number in numbers]
    if len(wants) > 1:
        units.sort(key=BY_SLOT)
    return tuple(units)


def items_of(wants: Sequence[Want], units: Sequence[Unit], seatings: Mapping[int, Seating]) -> tuple[Item, ...]:
    """What is wanted, by (slot, pool): those units, which are in order, and quantities."""
    chosen: dict[PoolKey, list[str]] = {(want.slot_id, pool): [] for want in wants for pool in want.quantities}
    for slot_id, unit in units:
        chosen.setdefault((slot_id, seatings[slot_id].pools[unit]), []).append(unit)
    by_slot = {want.slot_id: want for want in wants}
    items = []
    for (slot_id, pool), numbers in sorted(chosen.items()):
        want = by_slot[slot_id]
        quantity = len(numbers) + want.quantities.get(pool, 0)
        items.append(Item(slot_id, pool, quantity, tuple(numbers), want.classes.get(pool)))
    return tuple(items)
