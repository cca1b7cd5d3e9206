"""What may be had beside the seat, flight by flight, as one moment shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from core.money import Money
from core.rows import Reader
from models import STOCK, ExtraKind, ExtraScope
from services.departures import zone

CATALOGUE = f"""
    SELECT flights.slot_id, flights.airline_code || flights.number || flights.suffix, flights.departs_at, airports.zone,
           flights.departs_at - make_interval(hours => extras.closes_hours) > jetway_now(),
           extras.id, extras.code, extras.kind, extras.name, extras.scope, extras.max_per_passenger,
           extras.closes_hours, extras.refundable, extras.infants, extras.stocked, extras.retired_at IS NOT NULL,
           CASE WHEN pools.code IS NOT NULL
                THEN greatest(0, pools.authorised - pools.blocked - pools.held - pools.sold) END,
           ARRAY(SELECT currency FROM extra_prices AS price WHERE price.extra_id = extras.id ORDER BY currency),
           ARRAY(SELECT amount FROM extra_prices AS price WHERE price.extra_id = extras.id ORDER BY currency)
    FROM flights
    JOIN airports ON airports.iata_code = flights.origin_code
    JOIN extras ON extras.airline_code = flights.airline_code
    LEFT JOIN pools ON extras.stocked AND pools.slot_id = flights.slot_id AND pools.code = '{STOCK}' || extras.code
    WHERE flights.slot_id = ANY ($1::bigint[])
    ORDER BY extras.kind, extras.code
"""  # noqa: S608 - our own word


@dataclass(frozen=True, kw_only=True)
class OfferedExtra:
    """An extra of the airline that flies a flight, as it stands there.

    `left` is how many more there are, None where it is not counted, or where it is and this flight has none at all.
    `on_time` tells that its window is still open; `closes_at` is when it ends, local. `prices` are those of one.
    """

    slot_id: int
    flight: str
    extra_id: int
    code: str
    kind: ExtraKind
    name: str
    scope: ExtraScope
    max_per_passenger: int
    closes_at: datetime
    on_time: bool
    refundable: bool
    infants: bool
    stocked: bool
    retired: bool
    left: int | None
    prices: tuple[Money, ...]

    @cached_property
    def pool(self) -> str | None:
        """The code of the pool that counts it; None where nothing does."""
        return STOCK + self.code if self.stocked else None

    @property
    def sold_here(self) -> bool:
        """Whether it is sold on this flight at all, whatever is left and whatever the time."""
        return not self.retired and bool(self.prices) and not (self.stocked and self.left is None)

    def price_in(self, currency: str) -> Money | None:
        """What one costs in a currency; None where it is not sold in that."""
        return next((price for price in self.prices if price.currency == currency), None)


async def catalogue_on(reader: Reader, slot_ids: Iterable[int]) -> dict[int, list[OfferedExtra]]:
    """Every extra of the airlines of some flights, also what is not sold there (any more), by slot."""
    found: dict[int, list[OfferedExtra]] = defaultdict(list)
    for (
        slot_id, flight, departs_at, zone_name, on_time, extra_id, code, kind, name, scope, most, closes, refundable,
        infants, stocked, retired, left, currencies, amounts,
    ) in await reader.fetch(CATALOGUE, list(set(slot_ids))):  # fmt: skip
        offered = OfferedExtra(
            slot_id=slot_id,
            flight=flight,
            extra_id=extra_id,
            code=code,
            kind=ExtraKind(kind),
            name=name,
            scope=ExtraScope(scope),
            max_per_passenger=most,
            closes_at=(departs_at - timedelta(hours=closes)).astimezone(zone(zone_name)),
            on_time=on_time,
            refundable=refundable,
            infants=infants,
            stocked=stocked,
            retired=retired,
            left=left,
            prices=tuple(Money(amount, currency) for currency, amount in zip(currencies, amounts, strict=True)),
        )
        found[slot_id].append(offered)
    return found


async def on_flights(reader: Reader, slot_ids: Iterable[int]) -> dict[int, list[OfferedExtra]]:
    """What may be had on some flights now, by slot; what is sold out is shown with nothing left."""
    everything = await catalogue_on(reader, slot_ids)
    return {slot_id: [one for one in some if one.sold_here and one.on_time] for slot_id, some in everything.items()}
