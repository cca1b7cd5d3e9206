"""What somebody chose of the extras of some flights: held against the catalogue, and priced.

Whether a counted extra is still there is not asked here: the pool that counts it decides, when it is held.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import Conflict, Invalid
from core.money import Money
from core.rows import Reader
from models import STOCK, ExtraScope, PassengerType, PriceLineKind
from services.extras.offered import OfferedExtra, catalogue_on
from services.fares import PriceLine
from services.holds import PoolKey
from services.offers import Charged

Had = tuple[str, int | None]
"""What a passenger has some of: an extra, by its code, on a flight, or for the journey (None)."""


@dataclass(frozen=True, kw_only=True)
class ExtraChoice:
    """So many of an extra that a passenger wants, on one flight by its slot, or for the whole journey (None)."""

    code: str
    slot_id: int | None
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What one passenger wants; `path` is where the client said so, `had` is what they have already."""

    path: str
    type: PassengerType
    choices: Sequence[ExtraChoice]
    had: Mapping[Had, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """So many of an extra for the passenger of that place among the wishes, at `price` each."""

    place: int
    extra: OfferedExtra
    quantity: int
    price: Money

    @property
    def slot_id(self) -> int | None:
        """The flight that it is for; None: the journey."""
        return self.extra.slot_id if self.extra.scope is ExtraScope.FLIGHT else None


class ExtraSoldOut(Conflict):
    """Less of an extra is left on a flight than was asked for: `left` of it. Nothing was held."""

    default_code = "EXTRA_SOLD_OUT"

    def __init__(self, slot_id: int, code: str, left: int) -> None:
        super().__init__(f"{left} are left of this extra." if left else "This extra is sold out.")
        self.slot_id = slot_id
        self.extra = code
        self.left = left

    @classmethod
    def of(cls, pool: PoolKey, left: int) -> ExtraSoldOut:
        """The same of the pool that counts it."""
        return cls(pool[0], pool[1].removeprefix(STOCK), left)


class ExtraClosed(Conflict):
    """It is too late for this extra on this flight."""

    default_code = "EXTRA_CLOSED"


async def choose(reader: Reader, slots: Sequence[int], currency: str, wishes: Sequence[Wish]) -> list[Chosen]:
    """Hold wishes against what the flights `slots`, in the order of travel, offer; prices are those of `currency`.

    What is for the journey is sold by the airline of its first flight. Raises Invalid with the client's field
    (UNKNOWN_EXTRA, EXTRA_NOT_OFFERED, TOO_MANY_EXTRAS, EXTRA_NOT_FOR_INFANTS), and ExtraClosed.
    """
    if not any(wish.choices for wish in wishes):
        return []
    catalogue = await catalogue_on(reader, slots)
    chosen = []
    for place, wish in enumerate(wishes):
        count = Counter(wish.had)
        for index, choice in enumerate(wish.choices):
            path = f"{wish.path}.{index}"
            extra = find(catalogue, slots, choice, path)
            count[choice.code, choice.slot_id] += choice.quantity
            check(extra, choice, wish, count[choice.code, choice.slot_id], path)
            chosen.append(
                Chosen(place=place, extra=extra, quantity=choice.quantity, price=price_of(extra, currency, path))
            )
    return merged(chosen)


def find(
    catalogue: Mapping[int, Sequence[OfferedExtra]], slots: Sequence[int], choice: ExtraChoice, path: str
) -> OfferedExtra:
    """The extra that is meant; raises Invalid for a flight that is not travelled, and UNKNOWN_EXTRA."""
    if choice.slot_id is not None and choice.slot_id not in slots:
        raise Invalid("This flight is not part of the journey.", field=f"{path}.flightId")
    slot_id = slots[0] if choice.slot_id is None else choice.slot_id
    found = next((one for one in catalogue.get(slot_id, ()) if one.code == choice.code), None)
    if found is None:
        raise Invalid(f"There is no extra {choice.code}.", field=f"{path}.code", code="UNKNOWN_EXTRA")
    if (found.scope is ExtraScope.JOURNEY) != (choice.slot_id is None):
        what = "for the whole journey: name no flight" if choice.slot_id is not None else "for a flight: name it"
        raise Invalid(f"{found.name} is sold {what}.", field=f"{path}.flightId")
    return found


def check(extra: OfferedExtra, choice: ExtraChoice, wish: Wish, count: int, path: str) -> None:
    """The extra may be sold to this passenger, who would have `count` of it then."""
    if choice.quantity < 1:
        raise Invalid("Ask for at least one.", field=f"{path}.quantity")
    if not extra.sold_here:
        why = f"{extra.name} is not sold on {extra.flight}."
        raise Invalid(why, field=f"{path}.code", code="EXTRA_NOT_OFFERED")
    if wish.type is PassengerType.INFANT and not extra.infants:
        why = f"{extra.name} is not sold for infants."
        raise Invalid(why, field=f"{path}.code", code="EXTRA_NOT_FOR_INFANTS")
    if count > extra.max_per_passenger:
        why = f"A passenger can have {extra.max_per_passenger} of {extra.name}."
        raise Invalid(why, field=f"{path}.quantity", code="TOO_MANY_EXTRAS")
    if not extra.on_time:
        raise ExtraClosed(f"It is too late for {extra.name} on {extra.flight}.")


def price_of(extra: OfferedExtra, currency: str, path: str) -> Money:
    """What one costs; raises EXTRA_NOT_OFFERED where it is not sold in that currency."""
    price = extra.price_in(currency)
    if price is None:
        raise Invalid(f"{extra.name} is not sold in {currency}.", field=f"{path}.code", code="EXTRA_NOT_OFFERED")
    return price


def merged(chosen: Sequence[Chosen]) -> list[Chosen]:
    """The same, what was named twice for one passenger together."""
    total = Counter[tuple[int, int, int | None]]()
    first: dict[tuple[int, int, int | None], Chosen] = {}
    for one in chosen:
        key = one.place, one.extra.extra_id, one.slot_id
        total[key] += one.quantity
        first.setdefault(key, one)
    return [
        Chosen(place=one.place, extra=one.extra, quantity=total[key], price=one.price) for key, one in first.items()
    ]


def lines(chosen: Sequence[Chosen]) -> list[Charged]:
    """A line of the price for each extra and flight, for the whole party, in the order in which they were named."""
    total: dict[tuple[int, int | None], tuple[Chosen, int]] = {}
    for one in chosen:
        key = one.extra.extra_id, one.slot_id
        total[key] = one, total.get(key, (one, 0))[1] + one.quantity
    return [
        Charged(PriceLine(kind=PriceLineKind.EXTRA, label=label(one, count), amount=one.price * count), one.slot_id)
        for one, count in total.values()
    ]


def label(one: Chosen, count: int) -> str:
    """So many of it, in words, with the flight where it is for one."""
    where = "" if one.slot_id is None else f", {one.extra.flight}"
    return f"{count} × {one.extra.name}{where}"


def stock(chosen: Sequence[Chosen]) -> dict[PoolKey, int]:
    """How many are wanted of each pool that counts extras."""
    wanted: dict[PoolKey, int] = defaultdict(int)
    for one in chosen:
        if one.extra.pool is not None:
            wanted[one.extra.slot_id, one.extra.pool] += one.quantity
    return dict(wanted)
