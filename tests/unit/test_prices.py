"""Prices: the lines are the price, for any party and any fare table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.money import Money, add
from models import Cabin, ChargeBasis, PriceLineKind
from services.fares import Charge, Family, Fare, Party, PriceLine, charge_for, price

parties = st.builds(Party, adults=st.integers(0, 9), children=st.integers(0, 9), infants=st.integers(0, 9)).filter(
    lambda party: party.seated > 0
)
amounts = st.integers(0, 10**9)
basis_points = st.integers(0, 10_000)


def fare(amount: int, child: int, infant: int) -> Fare:
    family = Family(
        code="MAIN",
        name="Main",
        cabin=Cabin.ECONOMY,
        booking_class="M",
        refundable=False,
        changeable=False,
        checked_bags=0,
        cancellation_fee=Money(0, "USD"),
        change_fee=Money(0, "USD"),
        child_basis_points=child,
        infant_basis_points=infant,
    )
    return Fare(family, Money(amount, "USD"))


def tax(points: int) -> Charge:
    return Charge("tax", PriceLineKind.TAX, ChargeBasis.FARE, points, Money(0, "USD"))


def fee(amount: int) -> Charge:
    return Charge("fee", PriceLineKind.FEE, ChargeBasis.PASSENGER, 0, Money(amount, "USD"))


def said(lines: tuple[PriceLine, ...]) -> list[tuple[str, str, int]]:
    return [(line.kind, line.label, line.amount.minor_units) for line in lines]


def total(lines: tuple[PriceLine, ...]) -> Money:
    return add((line.amount for line in lines), "USD")


def test_a_family_of_five() -> None:
    party = Party(adults=2, children=2, infants=1)
    lines = price(fare(199_99, 7_500, 1_000), [tax(750), fee(5_60)], party)
    assert said(lines) == [
        ("FARE", "Main fare, 2 × adult", 399_98),
        ("FARE", "Main fare, 2 × child", 299_98),
        ("FARE", "Main fare, 1 × infant", 20_00),
        ("TAX", "tax", 54_00),
        ("FEE", "fee", 22_40),
    ]


def test_a_tax_is_reckoned_on_the_fares_and_never_on_a_fee() -> None:
    lines = price(fare(100_00, 0, 0), [fee(5_60), tax(1_000)], Party(adults=1, children=0, infants=0))
    assert [amount for _, _, amount in said(lines)] == [100_00, 5_60, 10_00]


def test_an_infant_pays_no_fee_for_a_seat_it_does_not_take() -> None:
    assert charge_for(fee(5_60), Money(0, "USD"), Party(adults=1, children=0, infants=1)) == Money(5_60, "USD")


@given(amounts, basis_points, basis_points, st.lists(basis_points.map(tax) | amounts.map(fee), max_size=4), parties)
def test_the_lines_add_up_to_what_each_passenger_and_charge_costs(
    amount: int, child: int, infant: int, charges: list[Charge], party: Party
) -> None:
    lines = price(fare(amount, child, infant), charges, party)
    adult = Money(amount, "USD")
    fares = adult * party.adults + adult.share(child) * party.children + adult.share(infant) * party.infants
    charged = add((charge_for(charge, fares, party) for charge in charges), "USD")
    assert total(lines) == fares + charged
    assert total(tuple(line for line in lines if line.kind is PriceLineKind.FARE)) == fares


@given(amounts, basis_points, basis_points, parties)
def test_every_kind_of_passenger_who_travels_has_a_line_and_no_other(
    amount: int, child: int, infant: int, party: Party
) -> None:
    labels = [line.label for line in price(fare(amount, child, infant), [], party)]
    kinds = (("adult", party.adults), ("child", party.children), ("infant", party.infants))
    assert labels == [f"Main fare, {count} × {kind}" for kind, count in kinds if count]


@given(amounts, basis_points, parties)
def test_a_price_grows_with_the_party(amount: int, child: int, party: Party) -> None:
    larger = Party(adults=party.adults + 1, children=party.children, infants=party.infants)
    terms = fare(amount, child, 0), [tax(750), fee(5_60)]
    assert not total(price(*terms, larger)) < total(price(*terms, party))
