"""A schedule small enough to reason about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.db import Database
from models import (
    Aircraft,
    Airline,
    Airport,
    Cabin,
    Charge,
    ChargeBasis,
    Fare,
    FareFamily,
    Flight,
    Layout,
    LayoutUnit,
    Pool,
    PriceLineKind,
    Product,
    ProductKind,
    SeatCharge,
    SeatPosition,
    Slot,
)

NEW_YORK = "America/New_York"
LOS_ANGELES = "America/Los_Angeles"
POSITIONS = {"A": SeatPosition.WINDOW, "B": SeatPosition.AISLE, "C": SeatPosition.AISLE, "D": SeatPosition.WINDOW}


@dataclass(frozen=True)
class Schedule:
    """What `write_schedule` wrote: two flights on one local date, and the day itself."""

    first: int
    second: int
    day: date
    departs_at: datetime


def day_of(days_ahead: int) -> date:
    """The day of New York in so many days."""
    return (datetime.now(ZoneInfo(NEW_YORK)) + timedelta(days=days_ahead)).date()


async def write_schedule(database: Database, *, days_ahead: int = 10) -> Schedule:
    """Flights UA1 (09:00) and UA2 (17:00) from JFK to LAX, `days_ahead` days from now, six hours each.

    Both have the layout of `rows()`: 1A to 1D in FIRST, 2A to 3D in ECONOMY; row 2 is an exit row with extra legroom.
    Fares: MAIN 100.00, not refundable; FLEX 180.00, refundable less 25.00; FIRST 500.00. Tax 7.5 %, fee 5.60 a head. A
    change costs 60.00 in MAIN, 30.00 in FLEX, nothing in FIRST.
    """
    day = day_of(days_ahead)
    ids: list[int] = []
    async with database.transaction() as session:
        session.add_all(places())
        await session.flush()
        layout = Layout(code="tiny-12", sections=sections())
        session.add(layout)
        await session.flush()
        session.add_all(rows(layout.id))
        session.add(Aircraft(registration="N1", manufacturer="Boeing", name="737-800", seats=12, layout_id=layout.id))
        await session.flush()
        families = [row for row in tariff(day) if isinstance(row, FareFamily)]
        session.add_all(families)
        await session.flush()
        session.add_all([row for row in tariff(day) if not isinstance(row, FareFamily)])
        await session.flush()
        for number, hour in ((1, 9), (2, 17)):
            departs = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)
            product = Product(kind=ProductKind.FLIGHT, code=f"UA{number}", name=f"United {number}")
            session.add(product)
            await session.flush()
            slot = Slot(
                product_id=product.id,
                layout_id=layout.id,
                starts_at=departs,
                ends_at=departs + timedelta(hours=6),
                zone=NEW_YORK,
            )
            session.add(slot)
            await session.flush()
            session.add(
                Flight(
                    slot_id=slot.id,
                    airline_code="UA",
                    number=number,
                    origin_code="JFK",
                    destination_code="LAX",
                    local_date=day,
                    departs_at=departs,
                    arrives_at=departs + timedelta(hours=6),
                    registration="N1",
                )
            )
            session.add_all(
                [
                    pool(slot.id, Cabin.FIRST, 4, ["F"]),
                    pool(slot.id, Cabin.ECONOMY, 8, ["Y", "M"]),
                ]
            )
            ids.append(slot.id)
    departs_at = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)
    return Schedule(first=ids[0], second=ids[1], day=day, departs_at=departs_at)


def pool(slot_id: int, cabin: Cabin, seats: int, classes: list[str]) -> Pool:
    """A cabin with all its seats authorised, and no limit on any of its classes."""
    nothing = [0] * len(classes)
    return Pool(
        slot_id=slot_id,
        code=cabin,
        capacity=seats,
        authorised=seats,
        classes=classes,
        class_limits=[seats] * len(classes),
        class_held=nothing,
        class_sold=nothing,
    )


def places() -> list[Airline | Airport]:
    """United, JFK and LAX."""
    return [
        Airline(iata_code="UA", name="United Air Lines", accounting_code="016"),
        Airport(
            iata_code="JFK",
            name="John F Kennedy Intl",
            city="New York",
            country="US",
            latitude=40.64,
            longitude=-73.78,
            zone=NEW_YORK,
        ),
        Airport(
            iata_code="LAX",
            name="Los Angeles Intl",
            city="Los Angeles",
            country="US",
            latitude=33.94,
            longitude=-118.41,
            zone=LOS_ANGELES,
        ),
    ]


def sections() -> list[dict[str, object]]:
    """Two cabins of four abreast."""
    return [
        {"section": cabin, "columns": ["A", "B", "C", "D"], "aisles_after": ["B"]}
        for cabin in (Cabin.FIRST, Cabin.ECONOMY)
    ]


def rows(layout_id: int) -> list[LayoutUnit]:
    """Row 1 in FIRST, rows 2 and 3 in ECONOMY; row 2 by the exit."""
    return [
        LayoutUnit(
            layout_id=layout_id,
            unit=f"{row}{column}",
            section=Cabin.FIRST if row == 1 else Cabin.ECONOMY,
            row_number=row,
            column_letter=column,
            position=position,
            exit_row=row == 2,
            extra_legroom=row == 2,
            accessible=row == 3 and column in "BC",
        )
        for row in (1, 2, 3)
        for column, position in POSITIONS.items()
    ]


def tariff(day: date) -> list[FareFamily | Fare | Charge | SeatCharge]:
    """Three families of fares from JFK to LAX, a tax, a fee, and 39.00 for legroom in ECONOMY."""
    families = (
        ("MAIN", "Main", Cabin.ECONOMY, "M", False, 0, 60_00, 100_00),
        ("FLEX", "Flex", Cabin.ECONOMY, "Y", True, 25_00, 30_00, 180_00),
        ("FIRST", "First", Cabin.FIRST, "F", True, 50_00, 0, 500_00),
    )
    written: list[FareFamily | Fare | Charge | SeatCharge] = [
        FareFamily(
            code=code,
            name=name,
            cabin=cabin,
            booking_class=booking_class,
            refundable=refundable,
            changeable=True,
            checked_bags=1 if refundable else 0,
            cancellation_fee=fee,
            change_fee=change_fee,
            currency="USD",
            child_basis_points=7_500,
            infant_basis_points=0,
        )
        for code, name, cabin, booking_class, refundable, fee, change_fee, _ in families
    ]
    written += [
        Fare(
            origin_code="JFK",
            destination_code="LAX",
            family_code=family[0],
            amount=family[-1],
            currency="USD",
            valid_from=day - timedelta(days=60),
            valid_until=day + timedelta(days=60),
        )
        for family in families
    ]
    written += [
        Charge(
            code="A_TAX",
            label="US transportation tax",
            kind=PriceLineKind.TAX,
            basis=ChargeBasis.FARE,
            basis_points=750,
            amount=0,
            currency="USD",
        ),
        Charge(
            code="B_FEE",
            label="September 11 security fee",
            kind=PriceLineKind.FEE,
            basis=ChargeBasis.PASSENGER,
            basis_points=0,
            amount=5_60,
            currency="USD",
        ),
        SeatCharge(cabin=Cabin.ECONOMY, extra_legroom=39_00, currency="USD"),
    ]
    return written
