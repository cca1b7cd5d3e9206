"""The demo's fare table: what a route costs, from how far it is; and the real taxes and fees of a U.S. ticket.

    fare = (FIXED + PER_MILE × great-circle miles) × the family's factor, rounded to whole dollars

An invented formula with a real shape: short flights cost more a mile, and a flexible seat in front about eight times a
restricted one behind. Amounts are in cents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from demo.reference import Place
from models import Cabin, ChargeBasis, PriceLineKind

CURRENCY = "USD"
FIXED = 4_900
PER_MILE = 7.5
EARTH_RADIUS_MILES = 3_958.8


@dataclass(frozen=True, kw_only=True)
class Family:
    """A row of `fare_families`, and by how much its fares exceed the lowest. Lap infants fly free within the U.S.

    `booking_limit` is the share of the cabin, in basis points, that its class and those below it may fill: the rest is
    kept for those who book late and pay more. The shares are invented, of the size that airlines protect.
    """

    code: str
    name: str
    cabin: Cabin
    booking_class: str
    factor: float
    refundable: bool = False
    changeable: bool = False
    checked_bags: int = 0
    cancellation_fee: int = 0
    change_fee: int = 0
    child_basis_points: int = 10_000
    infant_basis_points: int = 0
    booking_limit: int = 10_000


@dataclass(frozen=True, kw_only=True)
class Added:
    """A row of `charges`: `basis_points` of the fare, or `amount` for each passenger with a seat."""

    code: str
    label: str
    kind: PriceLineKind
    basis: ChargeBasis
    basis_points: int = 0
    amount: int = 0


FAMILIES = (
    Family(
        code="ECONOMY_BASIC",
        name="Economy Basic",
        cabin=Cabin.ECONOMY,
        booking_class="N",
        factor=1.0,
        booking_limit=7_000,
    ),
    Family(
        code="ECONOMY_MAIN",
        name="Economy Main",
        cabin=Cabin.ECONOMY,
        booking_class="M",
        factor=1.25,
        booking_limit=9_000,
        refundable=True,
        changeable=True,
        cancellation_fee=7_500,
        change_fee=5_000,
    ),
    Family(
        code="ECONOMY_FLEX",
        name="Economy Flex",
        cabin=Cabin.ECONOMY,
        booking_class="Y",
        factor=1.8,
        refundable=True,
        changeable=True,
        checked_bags=1,
    ),
    Family(
        code="PREMIUM_SAVER",
        name="Premium Economy Saver",
        cabin=Cabin.PREMIUM_ECONOMY,
        booking_class="R",
        factor=1.9,
        booking_limit=8_500,
        changeable=True,
        checked_bags=1,
        change_fee=10_000,
    ),
    Family(
        code="PREMIUM_FLEX",
        name="Premium Economy Flex",
        cabin=Cabin.PREMIUM_ECONOMY,
        booking_class="W",
        factor=2.6,
        refundable=True,
        changeable=True,
        checked_bags=2,
    ),
    Family(
        code="BUSINESS_SAVER",
        name="Business Saver",
        cabin=Cabin.BUSINESS,
        booking_class="D",
        factor=3.6,
        booking_limit=8_500,
        refundable=True,
        changeable=True,
        checked_bags=2,
        cancellation_fee=20_000,
        change_fee=15_000,
    ),
    Family(
        code="BUSINESS_FLEX",
        name="Business Flex",
        cabin=Cabin.BUSINESS,
        booking_class="J",
        factor=5.5,
        refundable=True,
        changeable=True,
        checked_bags=2,
    ),
    Family(
        code="FIRST_SAVER",
        name="First Saver",
        cabin=Cabin.FIRST,
        booking_class="A",
        factor=4.2,
        booking_limit=8_500,
        refundable=True,
        changeable=True,
        checked_bags=2,
        cancellation_fee=20_000,
        change_fee=15_000,
    ),
    Family(
        code="FIRST_FLEX",
        name="First Flex",
        cabin=Cabin.FIRST,
        booking_class="F",
        factor=8.0,
        refundable=True,
        changeable=True,
        checked_bags=2,
    ),
)

CHARGES_IN_FORCE = 2025
CHARGES = (
    Added(
        code="AY",
        label="September 11th Security Fee",
        kind=PriceLineKind.FEE,
        basis=ChargeBasis.PASSENGER,
        amount=560,
    ),
    Added(
        code="US",
        label="U.S. Transportation Tax",
        kind=PriceLineKind.TAX,
        basis=ChargeBasis.FARE,
        basis_points=750,
    ),
    Added(
        code="XF",
        label="Passenger Facility Charge",
        kind=PriceLineKind.FEE,
        basis=ChargeBasis.PASSENGER,
        amount=450,
    ),
    Added(
        code="ZP",
        label="U.S. Flight Segment Tax",
        kind=PriceLineKind.TAX,
        basis=ChargeBasis.PASSENGER,
        amount=520,
    ),
)
"""What a domestic ticket bore in the year CHARGES_IN_FORCE, under the codes that stand on tickets.

26 U.S.C. 4261(a) and (b): 7.5 % of the fare and a tax on each segment. 49 CFR 1510.5: the security fee of a one-way
trip. 14 CFR 158.5: the most that an airport may charge. The exceptions for Alaska, Hawaii and Puerto Rico are left out.
"""

EXTRA_LEGROOM = {Cabin.ECONOMY: 3_900, Cabin.PREMIUM_ECONOMY: 2_900}
"""What a seat with more legroom costs on top, by cabin; the cabins in front charge nothing for any seat."""


def fare(origin: Place, destination: Place, family: Family) -> int:
    """What an adult pays for the route in `family`, before taxes, in cents; whole dollars."""
    dollars = (FIXED + PER_MILE * miles_between(origin, destination)) * family.factor / 100
    return round(dollars) * 100


def miles_between(one: Place, other: Place) -> float:
    """Great-circle distance in statute miles (haversine formula)."""
    latitude, latitude_there = math.radians(one.latitude), math.radians(other.latitude)
    half_height = math.sin((latitude_there - latitude) / 2) ** 2
    half_width = math.sin(math.radians(other.longitude - one.longitude) / 2) ** 2
    chord = half_height + math.cos(latitude) * math.cos(latitude_there) * half_width
    return 2 * EARTH_RADIUS_MILES * math.asin(math.sqrt(chord))
