"""Flights back, for journeys of several slices over the small schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.db import Database
from models import Cabin, Fare, Flight, Product, ProductKind, Slot
from tests.factories.schedules import LOS_ANGELES, NEW_YORK, Schedule, pool

ZONES = {"JFK": NEW_YORK, "LAX": LOS_ANGELES}
FLOWN = timedelta(hours=6)


async def write_flight(
    database: Database,
    schedule: Schedule,
    number: int,
    departs_at: datetime,
    origin: str = "LAX",
    destination: str = "JFK",
    seats: int = 8,
) -> int:
    """A flight of six hours beside those of the schedule, with as many seats on sale in ECONOMY; its slot."""
    async with database.transaction() as session:
        first = await session.get_one(Slot, schedule.first)
        product = Product(kind=ProductKind.FLIGHT, code=f"UA{number}", name=f"United {number}")
        session.add(product)
        await session.flush()
        slot = Slot(
            product_id=product.id,
            layout_id=first.layout_id,
            starts_at=departs_at,
            ends_at=departs_at + FLOWN,
            zone=ZONES[origin],
        )
        session.add(slot)
        await session.flush()
        session.add(
            Flight(
                slot_id=slot.id,
                airline_code="UA",
                number=number,
                origin_code=origin,
                destination_code=destination,
                local_date=departs_at.astimezone(ZoneInfo(ZONES[origin])).date(),
                departs_at=departs_at,
                arrives_at=departs_at + FLOWN,
                registration="N1",
            )
        )
        session.add(pool(slot.id, Cabin.ECONOMY, seats, ["Y", "M"]))
        slot_id: int = slot.id
        return slot_id


async def write_fares(database: Database, schedule: Schedule, origin: str = "LAX", **amounts: int) -> None:
    """What the way back costs by family, in minor units of USD."""
    async with database.transaction() as session:
        session.add_all(
            [
                Fare(
                    origin_code=origin,
                    destination_code="JFK" if origin == "LAX" else "LAX",
                    family_code=family,
                    amount=amount,
                    currency="USD",
                    valid_from=schedule.day - timedelta(days=60),
                    valid_until=schedule.day + timedelta(days=60),
                )
                for family, amount in amounts.items()
            ]
        )
