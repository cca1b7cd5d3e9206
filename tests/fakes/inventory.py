"""Inventory in plain Python: what the database is compared with. No locks, no SQL, minutes for clocks.

Slots with the same seats, pools with nested booking classes, holds of seats and quantities, what becomes of them, and
what staff do. Every step either changes the model or raises Refused with the code and the facts of the refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

Unit = tuple[int, str]
PoolKey = tuple[int, str]
MOST_SEATS, LONGEST, GRACE, EXTENSIONS = 9, 30, 10, 2


class Refused(Exception):
    """The step changes nothing. Its arguments are the refusal's code and its facts."""


@dataclass(frozen=True)
class Wish:
    """What is wanted of one slot: seats, and quantities and booking classes by pool."""

    slot: int
    units: tuple[str, ...] = ()
    quantities: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class ModelItem:
    """What a hold keeps of a pool."""

    slot: int
    pool: str
    quantity: int
    units: tuple[str, ...]
    booking_class: str | None
    returned: int = 0

    @property
    def key(self) -> PoolKey:
        """Which pool."""
        return self.slot, self.pool


@dataclass(eq=False)
class ModelHold:
    """A hold: what it was placed with, and what has become of it. Times are minutes; `id` is the database's name."""

    items: list[ModelItem]
    minutes: int
    deadline: int
    cap: int
    extensions: int = 0
    status: str = "ACTIVE"
    booked: bool = False
    before_payment: int | None = None
    id: UUID | None = None

    @property
    def units(self) -> list[Unit]:
        """The seats that it was placed with."""
        return [(item.slot, unit) for item in self.items for unit in item.units]


@dataclass
class ModelPool:
    """What staff say of a pool; what it counts follows from holds and claims. `limits` are by class, highest first."""

    capacity: int
    authorised: int
    overbooking: int = 0
    limits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """Whose a seat is: a hold's (LOCKED, BOOKED, CHECKED_IN), or nobody's (BLOCKED)."""

    status: str
    hold: ModelHold | None = None


@dataclass
class Inventory:
    """`sections` tells which pool counts a seat, on every slot alike. `claims` are the seats that somebody has."""

    sections: dict[str, str]
    pools: dict[PoolKey, ModelPool]
    now: int = 0
    holds: list[ModelHold] = field(default_factory=list)
    claims: dict[Unit, Claim] = field(default_factory=dict)
    keys: dict[str, tuple[object, ModelHold]] = field(default_factory=dict)

    # Shoppers

    def place(self, wishes: list[Wish], minutes: int, key: str) -> ModelHold:
        """Hold all of it, or nothing; the same key again, the same hold."""
        if any(len(wish.units) + sum(wish.quantities.values()) > MOST_SEATS for wish in wishes):
            raise Refused("INVALID_INPUT")
        known = self.keys.get(f"hold {key}")
        if known is not None:
            return self.again(known, (minutes, printed(wishes)))
        items = list(self.items_of(wishes))
        self.check_free(items)
        self.check_room(items)
        hold = ModelHold(items=items, minutes=minutes, deadline=self.now + minutes, cap=self.now + LONGEST)
        self.holds.append(hold)
        self.claims |= dict.fromkeys(hold.units, Claim("LOCKED", hold))
        self.keys[f"hold {key}"] = ((minutes, printed(wishes)), hold)
        return hold

    def again(self, known: tuple[object, ModelHold], asked: object) -> ModelHold:
        """What came of a key before."""
        if known[0] != asked:
            raise Refused("IDEMPOTENCY_KEY_REUSED")
        return known[1]

    def items_of(self, wishes: list[Wish]) -> Iterator[ModelItem]:
        """What a hold of that keeps, by slot and pool; seats in the order of reading."""
        for wish in sorted(wishes, key=lambda wish: wish.slot):
            for pool in sorted({*wish.quantities, *(self.sections[unit] for unit in wish.units)}):
                units = tuple(sorted(unit for unit in wish.units if self.sections[unit] == pool))
                quantity = len(units) + wish.quantities.get(pool, 0)
                yield ModelItem(wish.slot, pool, quantity, units, wish.classes.get(pool))

    def check_free(self, items: list[ModelItem]) -> None:
        """Raises Refused with the seats that are somebody else's."""
        taken: dict[int, list[str]] = {}
        for item in items:
            for unit in item.units:
                if self.seat((item.slot, unit)) != "AVAILABLE":
                    taken.setdefault(item.slot, []).append(unit)
        if taken:
            raise Refused("SEATS_TAKEN", taken)

    def check_room(self, items: list[ModelItem]) -> None:
        """Raises Refused for the first pool that has too little; before, what has expired there is written down."""
        try:
            self.check_pools(items)
        except Refused as refusal:
            full = refusal.args[2] if len(refusal.args) > 2 else None
            if not self.due(self.keeping([full])):
                raise
            self.expire(self.keeping([item.key for item in items]))
            self.check_pools(items)

    def check_pools(self, items: list[ModelItem]) -> None:
        """Raises Refused for the first of the pools that has too little as it counts now. Its third fact is which."""
        for item in items:
            pool = self.pools.get(item.key)
            if pool is None:
                raise Refused("UNKNOWN_POOL")
            left = self.left(item.key)
            if item.booking_class is None or not pool.limits:
                room = left
            elif item.booking_class not in pool.limits:
                raise Refused("CLASS_CLOSED", (item.key,))
            else:
                room = self.class_room(item.key, item.booking_class)
            if item.quantity <= min(left, room):
                continue
            if room < left:
                raise Refused("CLASS_CLOSED", (item.key,), item.key)
            raise Refused("SOLD_OUT", (*item.key, max(0, left)), item.key)

    def extend(self, hold: ModelHold, key: str) -> int:
        """Move the deadline; the new one."""
        known = self.keys.get(f"extend {key}")
        if known is not None:
            return self.again(known, hold).deadline
        self.check_unbooked(hold)
        self.check_alive(hold)
        deadline = min(self.now + hold.minutes, hold.cap)
        if hold.extensions == EXTENSIONS or deadline <= hold.deadline:
            raise Refused("EXTENSION_LIMIT")
        hold.deadline, hold.extensions = deadline, hold.extensions + 1
        self.keys[f"extend {key}"] = (hold, hold)
        return deadline

    def release(self, hold: ModelHold) -> None:
        """Give everything back."""
        if hold.status != "RELEASED":
            self.check_unbooked(hold)
            self.check_alive(hold)
            self.end(hold, "RELEASED")

    # Bookings

    def book(self, hold: ModelHold, classes: Mapping[int, str]) -> None:
        """Give the hold to a booking, whose classes, by slot, count what it keeps."""
        self.check_unbooked(hold)
        self.check_alive(hold)
        before = [item.booking_class for item in hold.items]
        counting = [
            item
            for item in hold.items
            if item.slot in classes and self.pools[item.key].limits and item.booking_class != classes[item.slot]
        ]
        for item in counting:
            if classes[item.slot] not in self.pools[item.key].limits:
                raise Refused("CLASS_CLOSED", (item.key,))
        for item in counting:
            item.booking_class = classes[item.slot]
        for item in counting:
            if self.class_room(item.key, classes[item.slot]) < 0:
                for changed, old in zip(hold.items, before, strict=True):
                    changed.booking_class = old
                raise Refused("CLASS_CLOSED", (item.key,))
        hold.booked = True

    def begin_payment(self, hold: ModelHold) -> int:
        """Ten minutes from now at least; the deadline."""
        self.check_alive(hold)
        if hold.before_payment is None:
            hold.before_payment = hold.deadline
            hold.deadline = max(hold.deadline, min(self.now, hold.cap) + GRACE)
        return hold.deadline

    def payment_failed(self, hold: ModelHold) -> bool:
        """The old deadline again; whether the hold lives by it."""
        if hold.status == "ACTIVE" and hold.before_payment is not None:
            hold.deadline, hold.before_payment = min(hold.before_payment, hold.deadline), None
        return self.lives(hold)

    def abandon(self, hold: ModelHold) -> None:
        """Its booking is over."""
        if hold.status == "ACTIVE":
            self.end(hold, "RELEASED" if self.lives(hold) else "EXPIRED")

    def take_over(self, hold: ModelHold) -> None:
        """Sell what the hold keeps, even late, as long as all of it is still its own."""
        if hold.status != "ACTIVE" or any(self.owner(unit) is not hold for unit in hold.units):
            raise Refused("HOLD_EXPIRED", hold.deadline)
        hold.status = "BOOKED"
        self.claims |= dict.fromkeys(hold.units, Claim("BOOKED", hold))

    def give_back(self, hold: ModelHold, units: Iterable[Unit], places: Mapping[PoolKey, int]) -> None:
        """Return some of what was sold: seats, and places without a seat."""
        returned = set(units)
        counts = [
            sum((item.slot, unit) in returned for unit in item.units) + places.get(item.key, 0) for item in hold.items
        ]
        seated = [
            sum((item.slot, unit) not in returned and self.owner((item.slot, unit)) is hold for unit in item.units)
            for item in hold.items
        ]
        if (
            hold.status != "BOOKED"
            or any(self.claims.get(unit) != Claim("BOOKED", hold) for unit in returned)
            or not set(places) <= {item.key for item in hold.items}
            or any(
                item.quantity - item.returned - count < kept
                for item, count, kept in zip(hold.items, counts, seated, strict=True)
            )
        ):
            raise Refused("SEATS_NOT_BOOKED")
        for unit in returned:
            del self.claims[unit]
        for item, count in zip(hold.items, counts, strict=True):
            item.returned += count

    def check_in(self, hold: ModelHold, units: Iterable[Unit], to: str) -> None:
        """Seats of a sold hold go between BOOKED and CHECKED_IN."""
        wanted = list(units)
        if any(hold.status != "BOOKED" or self.owner(unit) is not hold for unit in wanted):
            raise Refused("SEATS_NOT_BOOKED")
        self.claims |= dict.fromkeys(wanted, Claim(to, hold))

    # Staff

    def block(self, slot: int, numbers: Iterable[str]) -> list[str]:
        """Keep seats from sale; those that were not before."""
        units = sorted((slot, number) for number in numbers)
        taken = [number for _, number in units if self.seat((slot, number)) not in ("AVAILABLE", "BLOCKED")]
        if taken:
            raise Refused("SEATS_TAKEN", {slot: taken})
        blocked = [unit for unit in units if self.seat(unit) == "AVAILABLE"]
        self.claims |= dict.fromkeys(blocked, Claim("BLOCKED"))
        return [number for _, number in blocked]

    def unblock(self, slot: int, numbers: Iterable[str]) -> list[str]:
        """Let seats be sold again; those that were blocked."""
        freed = [number for number in sorted(numbers) if self.seat((slot, number)) == "BLOCKED"]
        for number in freed:
            del self.claims[slot, number]
        return freed

    def authorise(self, key: PoolKey, authorised: int) -> None:
        """Set what may be sold of a pool; what has expired there is written down."""
        pool = self.pools[key]
        self.not_negative(authorised)
        due = self.due(self.keeping([key]))
        held, sold = self.counts(key)[:2]
        lapsed = sum(item.quantity for hold in due for item in hold.items if item.key == key)
        if not held - lapsed + sold <= authorised <= pool.capacity + pool.overbooking:
            raise Refused("NOT_AUTHORISED")
        self.expire(due)
        highest = next(iter(pool.limits), None)
        if highest is not None and pool.limits[highest] == pool.authorised:
            pool.limits[highest] = authorised
        pool.authorised = authorised

    def set_overbooking(self, key: PoolKey, overbooking: int) -> None:
        """Set how many more than its capacity may be authorised of a pool."""
        pool = self.pools[key]
        self.not_negative(overbooking)
        if not pool.authorised - pool.capacity <= overbooking <= pool.capacity:
            raise Refused("NOT_AUTHORISED")
        pool.overbooking = overbooking

    def limit_class(self, key: PoolKey, booking_class: str, limit: int) -> None:
        """Set what a class and those below it may hold and sell."""
        pool = self.pools[key]
        self.not_negative(limit)
        if booking_class not in pool.limits:
            raise Refused("UNKNOWN_CLASS")
        if limit > pool.capacity + pool.overbooking:
            raise Refused("NOT_AUTHORISED")
        pool.limits[booking_class] = limit

    @staticmethod
    def not_negative(count: int) -> None:
        """No number of places is less than none."""
        if count < 0:
            raise Refused("INVALID_INPUT")

    # Deadlines

    def expire(self, holds: Iterable[ModelHold]) -> int:
        """Write down which of the holds have reached their deadline; how many."""
        due = self.due(holds)
        for hold in due:
            self.end(hold, "EXPIRED")
        return len(due)

    def due(self, holds: Iterable[ModelHold]) -> list[ModelHold]:
        """Those whose deadline has passed without anybody having written it down."""
        return [hold for hold in holds if hold.status == "ACTIVE" and not self.lives(hold)]

    def keeping(self, keys: Iterable[PoolKey | None]) -> list[ModelHold]:
        """The holds that keep something of those pools."""
        wanted = set(keys)
        return [hold for hold in self.holds if any(item.key in wanted for item in hold.items)]

    def lives(self, hold: ModelHold) -> bool:
        """Whether it holds something."""
        return hold.status == "ACTIVE" and hold.deadline > self.now

    def end(self, hold: ModelHold, status: str) -> None:
        """What the hold still keeps is nobody's."""
        hold.status = status
        self.claims = {unit: claim for unit, claim in self.claims.items() if claim.hold is not hold}

    def check_alive(self, hold: ModelHold) -> None:
        """Raises Refused unless the hold lives."""
        if not self.lives(hold):
            raise Refused("HOLD_EXPIRED", hold.deadline)

    def check_unbooked(self, hold: ModelHold) -> None:
        """Raises Refused where the hold belongs to a booking."""
        if hold.booked:
            raise Refused("HOLD_BOOKED")

    # What is seen and counted

    def owner(self, unit: Unit) -> ModelHold | None:
        """The hold that has the seat."""
        claim = self.claims.get(unit)
        return claim.hold if claim else None

    def seat(self, unit: Unit) -> str:
        """What everybody sees."""
        claim = self.claims.get(unit)
        if claim is None or (claim.status == "LOCKED" and claim.hold is not None and not self.lives(claim.hold)):
            return "AVAILABLE"
        return claim.status

    def counts(self, key: PoolKey) -> tuple[int, int, int]:
        """Held, sold and blocked: an ACTIVE hold counts whole until its end is written down."""
        blocked = [unit for unit, claim in self.claims.items() if claim.status == "BLOCKED"]
        return (
            sum(item.quantity for item in self.items("ACTIVE", key)),
            sum(item.quantity - item.returned for item in self.items("BOOKED", key)),
            sum((slot, self.sections[number]) == key for slot, number in blocked),
        )

    def class_counts(self, key: PoolKey) -> dict[str, tuple[int, int]]:
        """Held and sold by booking class, the highest first."""
        return {
            name: (
                sum(item.quantity for item in self.items("ACTIVE", key) if item.booking_class == name),
                sum(item.quantity - item.returned for item in self.items("BOOKED", key) if item.booking_class == name),
            )
            for name in self.pools[key].limits
        }

    def items(self, status: str, key: PoolKey) -> list[ModelItem]:
        """What holds of that status keep of a pool."""
        return [item for hold in self.holds if hold.status == status for item in hold.items if item.key == key]

    def left(self, key: PoolKey) -> int:
        """What may still be sold of a pool; less than nothing where staff have blocked more than that."""
        held, sold, blocked = self.counts(key)
        return self.pools[key].authorised - blocked - held - sold

    def class_room(self, key: PoolKey, booking_class: str) -> int:
        """What may still be sold in a class: it and every class above are bounded, each with all that lie below."""
        limits = self.pools[key].limits
        names, taken = list(limits), [held + sold for held, sold in self.class_counts(key).values()]
        return min(limits[names[place]] - sum(taken[place:]) for place in range(names.index(booking_class) + 1))


def printed(wishes: list[Wish]) -> object:
    """What an idempotency key stands for: the same seats in another order are the same wish."""
    return sorted(
        [
            (wish.slot, sorted(wish.units), sorted(wish.quantities.items()), sorted(wish.classes.items()))
            for wish in wishes
        ],
        key=lambda one: one[0],
    )
