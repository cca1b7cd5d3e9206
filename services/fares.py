"""The simple fare table: what a party pays for a flight in a fare family, as named lines.

Fares, taxes and fees are few and change with a deployment of data, not with a sale. A later pricing engine replaces
the inside of `price()`; its face stays: a fare and a party in, lines out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.money import Money, add
from core.rows import Reader, Written, row
from models import Cabin, ChargeBasis, PriceLineKind


@dataclass(frozen=True, kw_only=True)
class Party:
    """Who travels together. An infant sits on an adult's lap and takes no seat."""

    adults: int
    children: int
    infants: int

    @property
    def seated(self) -> int:
        """How many seats the party needs on each flight."""
        return self.adults + self.children


@row
class PriceLine:
    """One named part of a price."""

    kind: PriceLineKind
    label: str
    amount: Money
    written: Written | None = field(default=None, repr=False, compare=False)


@row
class Family:
    """A fare family and its rules: `models.FareFamily`. `cancellation_fee` is kept of a refundable fare, and
    `change_fee` is what another flight costs beside the difference in price."""

    code: str
    name: str
    cabin: Cabin
    booking_class: str
    refundable: bool
    changeable: bool
    checked_bags: int
    cancellation_fee: Money
    change_fee: Money
    child_basis_points: int
    infant_basis_points: int
    written: Written | None = field(default=None, repr=False, compare=False)


@row
class Fare:
    """What one adult pays in a family, before taxes and fees."""

    family: Family
    amount: Money


@row
class Charge:
    """A tax or fee that every ticket bears: so many basis points of the fare, or `amount` for each seat."""

    label: str
    kind: PriceLineKind
    basis: ChargeBasis
    basis_points: int
    amount: Money


@row
class Tariff:
    """What is needed to price a route on a date: the fares with their families, and what is added to each."""

    fares: tuple[Fare, ...]
    charges: tuple[Charge, ...]


FAMILY = """
    family.code, family.name, family.cabin, family.booking_class, family.refundable, family.changeable,
    family.checked_bags, family.cancellation_fee, family.change_fee, family.currency,
    family.child_basis_points, family.infant_basis_points"""
"""The columns of `read_family()`, in its order."""

FARE = f"{FAMILY}, fares.amount, fares.currency"
"""The columns of `read_fare()`, in its order."""

CHARGE = "label, kind, basis, basis_points, amount, currency"
"""The columns of `read_charge()`, in its order."""

ON_ROUTE = """
    FROM fares JOIN fare_families family ON family.code = fares.family_code
    WHERE fares.origin_code = $1 AND fares.destination_code = $2
      AND $3 BETWEEN fares.valid_from AND fares.valid_until"""
"""The fares of a route and a local departure date."""

IN_ORDER = "fares.amount, family.code"

TARIFF = f"SELECT {FARE} {ON_ROUTE} AND family.cabin = $4 ORDER BY {IN_ORDER}"
OF_FAMILY = f"SELECT {FARE} {ON_ROUTE} AND family.code = $4"

CHARGES = f"SELECT {CHARGE} FROM charges ORDER BY code"  # noqa: S608 - our own columns
FAMILIES = f"SELECT {FAMILY} FROM fare_families family WHERE family.code = ANY ($1::text[])"  # noqa: S608 - the same
SEAT_CHARGES = "SELECT cabin, extra_legroom, currency FROM seat_charges"


def read_family(columns: Sequence[Any]) -> Family:
    """The family of the columns `FAMILY`."""
    code, name, cabin, booking_class, refundable, changeable, bags, fee, change, currency, child, infant = columns
    return Family(
        code=code,
        name=name,
        cabin=Cabin(cabin),
        booking_class=booking_class,
        refundable=refundable,
        changeable=changeable,
        checked_bags=bags,
        cancellation_fee=Money(fee, currency),
        change_fee=Money(change, currency),
        child_basis_points=child,
        infant_basis_points=infant,
    )


def read_fare(columns: Sequence[Any]) -> Fare:
    """The fare of the columns `FARE`."""
    return Fare(read_family(columns[:-2]), Money(*columns[-2:]))


def read_charge(columns: Sequence[Any]) -> Charge:
    """The tax or fee of the columns `CHARGE`."""
    label, kind, basis, basis_points, amount, currency = columns
    return Charge(label, PriceLineKind(kind), ChargeBasis(basis), basis_points, Money(amount, currency))


async def tariff(reader: Reader, origin: str, destination: str, day: date, cabin: Cabin) -> Tariff:
    """The tariff of a route, a local departure date and a cabin; without fares where it is not sold."""
    fares = await reader.fetch(TARIFF, origin, destination, day, cabin)
    return Tariff(fares=tuple(read_fare(columns) for columns in fares), charges=await charges(reader))


async def charges(reader: Reader) -> tuple[Charge, ...]:
    """Every tax and fee, in the order in which they are printed."""
    return tuple(read_charge(columns) for columns in await reader.fetch(CHARGES))


def price(fare: Fare, added: Iterable[Charge], party: Party) -> tuple[PriceLine, ...]:
    """The lines of a party's price for one flight: the fare of each kind of passenger, then taxes and fees."""
    family, adult = fare.family, fare.amount
    shares = (
        ("adult", party.adults, adult),
        ("child", party.children, adult.share(family.child_basis_points)),
        ("infant", party.infants, adult.share(family.infant_basis_points)),
    )
    lines = [
        PriceLine(kind=PriceLineKind.FARE, label=f"{family.name} fare, {count} × {kind}", amount=each * count)
        for kind, count, each in shares
        if count
    ]
    fares = add((line.amount for line in lines), adult.currency)
    lines += [PriceLine(kind=one.kind, label=one.label, amount=charge_for(one, fares, party)) for one in added]
    return tuple(lines)


def charge_for(charge: Charge, fares: Money, party: Party) -> Money:
    """What a tax or fee comes to for the whole party."""
    if charge.basis is ChargeBasis.FARE:
        return fares.share(charge.basis_points)
    return charge.amount * party.seated


async def families(reader: Reader, codes: Iterable[str]) -> dict[str, Family]:
    """Fare families by code."""
    found = [read_family(columns) for columns in await reader.fetch(FAMILIES, list(set(codes)))]
    return {family.code: family for family in found}


async def seat_charges(reader: Reader) -> Mapping[Cabin, Money]:
    """What a seat with extra legroom costs on top, per cabin; a cabin that is missing charges nothing."""
    rows = await reader.fetch(SEAT_CHARGES)
    return {Cabin(cabin): Money(amount, currency) for cabin, amount, currency in rows}


async def fare_of(reader: Reader, origin: str, destination: str, day: date, family_code: str) -> Fare | None:
    """The fare of a family on a route and a local departure date; None where it is not sold."""
    found = await reader.fetch(OF_FAMILY, origin, destination, day, family_code)
    return read_fare(found[0]) if found else None
