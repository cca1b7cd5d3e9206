"""The simple fare table: what a party pays for a flight in a fare family, as named lines.

Fares, taxes and fees are few and change with a deployment of data, not with a sale. A later pricing engine replaces
the inside of `price()`; its face stays: segments and a party in, lines out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select, tuple_

from core.db import ReadSession
from core.money import Money
from models import Cabin, Charge, ChargeBasis, Fare, FareFamily, PriceLineKind, SeatCharge


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


@dataclass(frozen=True, kw_only=True)
class PriceLine:
    """One named part of a price."""

    kind: PriceLineKind
    label: str
    amount: Money


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """What a search needs to price a route on a date: the fares with their families, and what is added to each."""

    fares: tuple[tuple[Fare, FareFamily], ...]
    charges: tuple[Charge, ...]


async def tariff(session: ReadSession, origin: str, destination: str, day: date, cabin: Cabin) -> Tariff:
    """The tariff of a route, a local departure date and a cabin; without fares where it is not sold."""
    fares = await session.execute(
        select(Fare, FareFamily)
        .join(FareFamily, FareFamily.code == Fare.family_code)
        .where(
            Fare.origin_code == origin,
            Fare.destination_code == destination,
            Fare.valid_from <= day,
            Fare.valid_until >= day,
            FareFamily.cabin == cabin,
        )
        .order_by(Fare.amount, FareFamily.code)
    )
    return Tariff(fares=tuple((fare, family) for fare, family in fares), charges=tuple(await charges(session)))


async def charges(session: ReadSession) -> Sequence[Charge]:
    """Every tax and fee, in the order in which they are printed."""
    return (await session.scalars(select(Charge).order_by(Charge.code))).all()


def price(fare: Fare, family: FareFamily, added: Iterable[Charge], party: Party) -> tuple[PriceLine, ...]:
    """The lines of a party's price for one flight: the fare of each kind of passenger, then taxes and fees."""
    adult = Money(fare.amount, fare.currency)
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
    fares = sum(line.amount.minor_units for line in lines)
    for charge in added:
        amount = charge_for(charge, Money(fares, fare.currency), party)
        lines.append(PriceLine(kind=charge.kind, label=charge.label, amount=amount))
    return tuple(lines)


def charge_for(charge: Charge, fares: Money, party: Party) -> Money:
    """What a tax or fee comes to for the whole party."""
    if charge.basis is ChargeBasis.FARE:
        return fares.share(charge.basis_points)
    return Money(charge.amount, charge.currency) * party.seated


async def families(session: ReadSession, codes: Iterable[str]) -> dict[str, FareFamily]:
    """Fare families by code."""
    rows = await session.scalars(select(FareFamily).where(FareFamily.code.in_(set(codes))))
    return {family.code: family for family in rows}


async def seat_charges(session: ReadSession) -> Mapping[Cabin, Money]:
    """What a seat with extra legroom costs on top, per cabin; a cabin that is missing charges nothing."""
    rows = await session.scalars(select(SeatCharge))
    return {row.cabin: Money(row.extra_legroom, row.currency) for row in rows}


async def fare_of(
    session: ReadSession, origin: str, destination: str, day: date, family_code: str
) -> tuple[Fare, FareFamily] | None:
    """The fare of a family on a route and a local departure date; None where it is not sold."""
    row = await session.execute(
        select(Fare, FareFamily)
        .join(FareFamily, FareFamily.code == Fare.family_code)
        .where(
            tuple_(Fare.origin_code, Fare.destination_code, Fare.family_code) == (origin, destination, family_code),
            Fare.valid_from <= day,
            Fare.valid_until >= day,
        )
    )
    found = row.first()
    return (found[0], found[1]) if found else None
